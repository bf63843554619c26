"""For tests: a client in memory and a clock that can be moved, for applications; a bare WebSocket echo, for the wire itself.

Never imported by a server that anybody uses.
"""

from fastsio.testing.client import Client, ConnectionRefused, client
from fastsio.testing.clock import Clock

__all__ = ["Client", "Clock", "ConnectionRefused", "client"]
