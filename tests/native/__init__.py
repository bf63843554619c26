"""The native wire without sockets: real connections, on a loop whose time is told."""
