"""The side door: the only rooms that touch sockets."""
