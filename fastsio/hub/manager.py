"""The manager: python-socketio's seam for clustering, over the compiled tables of rooms.

May import: `_rooms`, `views`, `dispatch`, and nothing above. Applications subclass it, replace it and look into it, so it is plain Python.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, KeysView
from typing import Any

from fastsio.hub._rooms import Member, Rooms
from fastsio.hub.dispatch import call
from fastsio.hub.views import CallbacksView, RoomsView

EVENT = 2

# Methods that are not called for clients of a plain AsyncManager, since what they do is done without them.
LIFE = (
    "pre_connect",
    "connect",
    "pre_disconnect",
    "disconnect",
    "sid_from_eio_sid",
    "basic_disconnect",
    "enter_room",
    "basic_enter_room",
    "_new_sid",
)


def is_loose(options: dict[str, Any]) -> bool:
    """Tell whether the options of an emit make it one that not every client has to get: `volatile` or `latest`."""
    return bool(options.get("volatile")) or options.get("latest") is not None


class BaseManager:
    """Who is connected, in which namespace and in which rooms."""

    def __init__(self) -> None:
        self.server: Any = None
        self.logger: Any = None
        self.json: Any = json
        self._rooms = Rooms()

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "emit" and self.server is not None:
            self.server._hub.manager_emits = True
        if name in LIFE and self.server is not None and type(self) is AsyncManager:
            self.server._hub.manager_is_plain = False

    # --- the tables, as python-socketio shows them

    @property
    def rooms(self) -> RoomsView:
        """namespace -> room -> sid -> eio_sid."""
        return RoomsView(self._rooms)

    @property
    def callbacks(self) -> CallbacksView:
        """sid -> ack id -> callable."""
        return CallbacksView(self._rooms)

    @property
    def pending_connect(self) -> dict[str, list[str]]:
        """namespace -> sids whose connect handler runs; a snapshot."""
        return self._sids_that(lambda member: member.is_pending)

    @property
    def pending_disconnect(self) -> dict[str, list[str]]:
        """namespace -> sids whose disconnect handler runs; a snapshot."""
        return self._sids_that(lambda member: member.is_leaving)

    def _sids_that(self, test: Callable[[Member], bool]) -> dict[str, list[str]]:
        halls = self._rooms.halls.items()
        found = {name: [sid for sid, member in hall.members.items() if test(member)] for name, hall in halls}
        return {name: sids for name, sids in found.items() if sids}

    def emits_itself(self) -> bool:
        """Tell whether an emit is more than owing it to clients of this process, or somebody has replaced it."""
        return type(self) is not AsyncManager or "emit" in vars(self)

    # --- the server's side

    def set_server(self, server: Any) -> None:
        """Belong to a server."""
        self.server = server
        self.json = server.packet_class.json

    def initialize(self) -> None:
        """Called once, when the first Engine.IO client connects."""

    def get_namespaces(self) -> KeysView[str]:
        """Give the namespaces that have clients."""
        return self._rooms.halls.keys()

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """Yield (sid, eio_sid) for each client of a room, of several rooms, or of the namespace (None)."""
        for member in self._rooms.targets(namespace, room, None):
            yield member.sid, member.eio_sid

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        member = self._rooms.member(namespace, sid)
        return [] if member is None else member.room_names()

    def is_connected(self, sid: str, namespace: str) -> bool:
        """Tell whether a client is in a namespace; not while its connect or disconnect handler runs."""
        member = self._rooms.member(namespace, sid)
        return member is not None and member.is_connected

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        member = self._rooms.member(namespace, sid)
        return member is not None and member.is_pending

    def is_sid_room(self, namespace: str, room: Any) -> bool:
        """Tell whether a room is some client's own."""
        return self._rooms.member(namespace, room) is not None

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        members = self.server._members_of(eio_sid) if self.server is not None else None
        if members is not None:
            return members[namespace].sid if namespace in members else None
        for sid, found in self.get_participants(namespace, None):
            if found == eio_sid:
                return sid
        return None

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        member = self._rooms.member(namespace, sid)
        return None if member is None else member.eio_sid

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """Mark a client as disconnecting; give its eio_sid."""
        member = self._rooms.member(namespace, sid)
        if member is None:
            return None
        member.set_leaving()
        return member.eio_sid

    def basic_enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        """Put a client into a room; with `eio_sid` and room None, make up a client (tests do)."""
        member = self._rooms.member(namespace, sid)
        if member is None and eio_sid is not None:
            member = Member(sid, namespace, eio_sid)
            self._rooms.add(member)
            member.set_connected()
        self._rooms.put(namespace, sid, room)

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        member = self._rooms.member(namespace, sid)
        if member is not None:
            self._rooms.leave(member, room)

    def basic_close_room(self, room: Any, namespace: str) -> None:
        self._rooms.close(namespace, room)

    def basic_disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        member = self._rooms.member(namespace, sid)
        if member is not None:
            self._rooms.remove(member)

    def pre_connect(self, eio_sid: str, namespace: str) -> Any:
        """Give a connection a pending client in a namespace, as its sid; None when it has one."""
        if self.sid_from_eio_sid(eio_sid, namespace) is not None:
            return None
        session = self.server.eio._registry.sessions.get(eio_sid)
        member = Member(self._new_sid(session, namespace), namespace, eio_sid, session)
        self._rooms.add(member)
        return member.sid

    def connect(self, sid: str, namespace: str) -> Any:
        """Let a pending client in, and give its sid. An eio_sid that has no client there yet gets one."""
        if not self.is_pre_connected(sid, namespace):
            sid = BaseManager.pre_connect(self, sid, namespace)
        member = self._rooms.member(namespace, sid)
        if member is not None:
            member.set_connected()
        return sid

    def _new_sid(self, session: Any, namespace: str) -> str:
        if session is not None and session.version == 3:
            # Clients of revision 3 compute their ids themselves (Socket.IO protocol 4), so these must be the same.
            return session.sid if namespace == "/" else f"{namespace}#{session.sid}"
        return self.server.eio.generate_id()

    def _generate_ack_id(self, sid: str, namespace: str, callback: Callable[..., Any]) -> int:
        """Remember whom to tell of an ack of a client; give the id to ask for."""
        member: Any = self._rooms.member(namespace, sid)
        return member.add_callback(callback)

    def _get_logger(self) -> Any:
        """Give the logger of the manager, else of its server, else python-socketio's."""
        return self.logger or (self.server.logger if self.server is not None else logging.getLogger("socketio"))


class AsyncManager(BaseManager):
    """The manager of one process without a cluster."""

    async def can_disconnect(self, sid: str, namespace: str) -> bool:
        return self.is_connected(sid, namespace)

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        return super().pre_connect(eio_sid, namespace)

    async def connect(self, sid: str, namespace: str) -> str | None:
        pending: Any = sid if self.is_pre_connected(sid, namespace) else await self.pre_connect(sid, namespace)
        return super().connect(pending, namespace)

    async def disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        """Take a client out of a namespace and of its rooms."""
        self.basic_disconnect(sid, namespace)

    async def enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        self.basic_enter_room(sid, namespace, room, eio_sid)

    async def leave_room(self, sid: str, namespace: str, room: Any) -> None:
        self.basic_leave_room(sid, namespace, room)

    async def close_room(self, room: Any, namespace: str) -> None:
        self.basic_close_room(room, namespace)

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Callable[..., Any] | None = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        """Owe an event to each client of a room once; with `callback`, each client gets an ack id of its own.

        Raises:
            TypeError: the data have no JSON form. Nobody has been sent anything then.
        """
        room = to if to is not None else room
        if is_loose(kwargs):
            volatile, latest = kwargs.get("volatile", False), kwargs.get("latest")
            self.server._hub.owe_loosely(event, data, namespace, room, skip_sid, volatile, latest)
        else:
            self._emit(event, data, namespace, room, skip_sid, callback)

    def _emit(
        self, event: str, data: Any, namespace: str, room: Any, skip_sid: Any, callback: Callable[..., Any] | None
    ) -> None:
        self.server._hub.owe(event, data, namespace, room, skip_sid, callback)

    async def trigger_callback(self, sid: str, id: int, data: list[Any]) -> None:
        """Call what waits for an ack of a client; unknown ids are logged."""
        for namespace in self.get_namespaces():
            member = self._rooms.member(namespace, sid)
            callback = member.take_callback(id) if member is not None else None
            if callback is not None:
                try:
                    await call(callback, tuple(data))
                except asyncio.CancelledError:
                    pass
                return
        self._get_logger().warning("Unknown callback received, ignoring.")
