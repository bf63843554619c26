"""What admins hear of in development mode: sockets that come and go, rooms, events.

May import: `descriptions`, `reasons`. Called by the compiled tables (`Rooms.observer`), which ask for it only while an
admin watches; never raises into them.
"""

import functools
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from fastsio.admin.descriptions import describe, iso_time
from fastsio.admin.stream import AdminStream
from fastsio.engine import reasons


def _harmless(hook: Callable[..., None]) -> Callable[..., None]:
    """Keep faults of observation away from what is observed."""

    @functools.wraps(hook)
    def guarded(self: "Observer", *args: Any) -> None:
        try:
            hook(self, *args)
        except Exception:
            self._server.logger.exception("observation for the Admin UI failed in %s", hook.__name__)

    return guarded


class Observer:
    """Hears of members, rooms and events; says what admins should know of it."""

    def __init__(self, server: Any, namespace: str, stream: AdminStream, on_idle: Callable[[], None]) -> None:
        self._server = server
        self._namespace = namespace
        self._stream = stream
        self._on_idle = on_idle  # called when the last admin has gone

    # --- members

    @_harmless
    def member_added(self, member: Any) -> None:
        """Somebody asks for a namespace. The order is the Admin UI's: a room that it hears of twice is shown twice."""
        if not self._stream.changes.left():
            self._stream.dropped += 1
            return
        now = iso_time()
        self._stream.tell_change("room_joined", member.namespace, member.sid, member.sid, now)
        self._stream.tell_change("socket_connected", describe(self._server, member), now)

    @_harmless
    def member_leaves(self, member: Any, reason: str) -> None:
        """Its disconnect handler is about to run."""
        self._stream.tell_departure("socket_disconnected", member.namespace, member.sid, reason, iso_time())

    @_harmless
    def member_removed(self, member: Any, has_left: bool) -> None:
        """It is out of every table. One that was refused has not left before."""
        if not has_left:
            self.member_leaves(member, reasons.SERVER_DISCONNECT)
        for room in member.room_names():
            self.room_left(member, room)
        if member.namespace == self._namespace and not self._stream.is_watched():
            self._on_idle()

    @_harmless
    def upgraded(self, members: list[Any]) -> None:
        """The session of these members has moved to WebSocket."""
        for member in members:
            socket = {"id": member.sid, "nsp": member.namespace, "transport": member.session.transport}
            self._stream.tell_change("socket_updated", socket)

    # --- rooms

    @_harmless
    def room_entered(self, member: Any, room: Any) -> None:
        if room:
            self._stream.tell_change("room_joined", member.namespace, room, member.sid, iso_time())

    @_harmless
    def room_left(self, member: Any, room: Any) -> None:
        if room:
            self._stream.tell_departure("room_left", member.namespace, room, member.sid, iso_time())

    # --- events

    @_harmless
    def event_received(self, member: Any, event: list[Any]) -> None:
        """A client has sent an event: its name and arguments."""
        if not self._stream.tell_event("event_received", member.namespace, member.sid, event, iso_time()):
            self._stream.dropped += 1

    @_harmless
    def event_sent(self, event: list[Any], namespace: str, room: Any, skip: Any, count: int) -> None:
        """`count` clients are owed an event. Admins hear of each, as far as this second's budget goes."""
        if namespace == self._namespace:
            return
        told, now = 0, iso_time()
        for sid in islice(self._reached(namespace, room, skip), self._stream.events.left()):
            if not self._stream.tell_event("event_sent", namespace, sid, event, now):
                break
            told += 1
        self._stream.dropped += max(count - told, 0)

    def _reached(self, namespace: str, room: Any, skip: Any) -> Iterator[str]:
        """Yield the sids that an emit reaches, without looking at more of them than are asked for."""
        hall = self._server.manager._rooms.halls.get(namespace)
        names = room if isinstance(room, (list, tuple, set, frozenset)) else [room]
        seen: set[str] = set()
        for name in names if hall is not None else ():
            for sid in hall.room(name):
                if sid not in seen and (skip is None or sid not in skip):
                    yield sid
                if len(names) > 1:
                    seen.add(sid)
