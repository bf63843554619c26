"""Servers for tests of the wire itself. Never imported by a server that anybody uses."""
