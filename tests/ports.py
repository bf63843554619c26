"""Ports for the servers that tests start in processes of their own.

A port that the kernel picks for a bind to 0 is one of those that it also gives to sockets that connect: until the server
listens there, any client of another test may have it. These lie below that range, and a process takes each only once.
"""

import contextlib
import itertools
import random
import socket

PORTS = range(12_000, 24_000)

# Two processes begin in different places and go the same way, so they hardly ever meet.
_next = itertools.count(random.randrange(len(PORTS)))


def free_port() -> int:
    """Give a port of 127.0.0.1 that nothing listens on and that this process has not had before."""
    for number in itertools.islice(_next, len(PORTS)):
        port = PORTS[number % len(PORTS)]
        with socket.socket() as probe:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise AssertionError(f"no port of {PORTS.start} to {PORTS.stop - 1} is free")
