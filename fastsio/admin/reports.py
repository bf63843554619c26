"""What a server says of itself every few seconds: counters, and some of its sockets again.

May import: `descriptions`, `limits`. Reads counters that the engine keeps anyway, and never walks over all clients for
them.
"""

import os
import socket
import time
from itertools import islice
from typing import Any

from fastsio.admin.limits import ANNOUNCEMENTS_PER_REPORT, NAMESPACES_SHOWN

HOSTNAME = socket.gethostname()


class EventBuffer:
    """Counts of events by the second in which they happened."""

    def __init__(self) -> None:
        self.buffer: dict[str, dict[str, Any]] = {}

    def push(self, type: str, count: int = 1) -> None:
        timestamp = int(time.time()) * 1000
        entry = self.buffer.setdefault(f"{timestamp};{type}", {"timestamp": timestamp, "type": type, "count": 0})
        entry["count"] += count

    def get_and_clear(self) -> list[dict[str, Any]]:
        buffer, self.buffer = self.buffer, {}
        return list(buffer.values())


class Reports:
    """The `server_stats` of one server."""

    def __init__(self, server: Any, server_id: str, buffer: EventBuffer) -> None:
        self._server = server
        self._server_id = server_id
        self._buffer = buffer
        self._started = time.monotonic()
        self._last: dict[str, int] = {}

    def begin(self) -> None:
        """Count from now on."""
        self._last = self._read()

    def sample(self) -> None:
        """Put what happened since the last look into the buffer."""
        last, self._last = self._last, self._read()
        for type, count in self._last.items():
            if count > last.get(type, 0):
                self._buffer.push(type, count - last.get(type, 0))

    def _read(self) -> dict[str, int]:
        registry = self._server.eio._registry
        traffic = registry.traffic
        return {
            "rawConnection": registry.opened,
            "rawDisconnection": registry.closed,
            "packetsIn": traffic.packets_in,
            "packetsOut": traffic.packets_out,
            "bytesIn": traffic.bytes_in,
            "bytesOut": traffic.bytes_out,
        }

    def report(self) -> dict[str, Any]:
        registry = self._server.eio._registry
        return {
            "serverId": self._server_id,
            "hostname": HOSTNAME,
            "pid": os.getpid(),
            "uptime": time.monotonic() - self._started,
            "clientsCount": len(registry.sessions),
            "pollingClientsCount": registry.traffic.polling,
            "aggregatedEvents": self._buffer.get_and_clear(),
            "namespaces": self._namespaces(),
        }

    def _namespaces(self) -> list[dict[str, Any]]:
        """Give the namespaces that have handlers, then others that have clients."""
        halls = self._server.manager._rooms.halls
        known = {*self._server.handlers, *self._server.namespace_handlers} - {"*"}
        others = islice((name for name in halls if name not in known), NAMESPACES_SHOWN)
        names = [*sorted(known), *sorted(others)][:NAMESPACES_SHOWN]
        return [{"name": name, "socketsCount": len(halls[name].members) if name in halls else 0} for name in names]


class Announcements:
    """Goes round all members, so that a page that missed one hears of it, and each about once in `ping_interval`."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._round: list[tuple[str, list[str]]] = []  # namespaces, and those of their sids that are still to come
        self._size = 0
        self._credit = 0.0

    def next(self, seconds: float) -> list[Any]:
        """Give the members to announce after so many seconds."""
        rooms = self._server.manager._rooms
        if not self._round:
            self._round = [(name, list(hall.members)) for name, hall in rooms.halls.items()]
            self._size = sum(len(sids) for _, sids in self._round)
        self._credit += self._size * seconds / self._server.eio.ping_interval
        self._credit = min(self._credit, ANNOUNCEMENTS_PER_REPORT)
        members = []
        while self._round and self._credit >= 1:
            self._credit -= 1
            name, sids = self._round[-1]
            members.append(rooms.member(name, sids.pop()))
            if not sids:
                self._round.pop()
        return [member for member in members if member is not None]
