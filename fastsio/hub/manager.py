"""The manager: python-socketio's seam for clustering, over the compiled tables of rooms.

May import: `_rooms`, and nothing above. Applications subclass it, replace it and look into it, so it is plain Python.
"""

import asyncio
from collections.abc import Callable, Iterator, KeysView, Mapping
from typing import Any

from fastsio.hub._rooms import Member, Rooms
from fastsio.hub.dispatch import call


class RoomView(Mapping[str, str]):
    """One room as python-socketio shows it: sid -> eio_sid, live."""

    def __init__(self, rooms: Rooms, namespace: str, room: Any) -> None:
        self._rooms, self._namespace, self._room = rooms, namespace, room

    def _members(self) -> dict[str, Member]:
        hall = self._rooms.halls.get(self._namespace)
        return {} if hall is None else hall.room(self._room)

    def __getitem__(self, sid: str) -> str:
        return self._members()[sid].eio_sid

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._members()))

    def __len__(self) -> int:
        return len(self._members())

    @property
    def inverse(self) -> dict[str, str]:
        """eio_sid -> sid."""
        return {member.eio_sid: sid for sid, member in self._members().items()}


class NamespaceView(Mapping[Any, RoomView]):
    """The rooms of one namespace, live."""

    def __init__(self, rooms: Rooms, namespace: str) -> None:
        self._rooms, self._namespace = rooms, namespace

    def _names(self) -> list[Any]:
        hall = self._rooms.halls.get(self._namespace)
        return [] if hall is None else hall.room_names()

    def __getitem__(self, room: Any) -> RoomView:
        view = RoomView(self._rooms, self._namespace, room)
        if not view:
            raise KeyError(room)
        return view

    def __iter__(self) -> Iterator[Any]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())


class RoomsView(Mapping[str, NamespaceView]):
    """`manager.rooms`: namespace -> room -> sid -> eio_sid, live."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def __getitem__(self, namespace: str) -> NamespaceView:
        if namespace not in self._rooms.halls:
            raise KeyError(namespace)
        return NamespaceView(self._rooms, namespace)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._rooms.halls))

    def __len__(self) -> int:
        return len(self._rooms.halls)


class BaseManager:
    """Who is connected, in which namespace and in which rooms."""

    def __init__(self) -> None:
        self.server: Any = None
        self.logger: Any = None
        self._rooms = Rooms()

    @property
    def rooms(self) -> RoomsView:
        return RoomsView(self._rooms)

    @property
    def callbacks(self) -> dict[str, dict[int, Callable[..., Any]]]:
        """sid -> ack id -> callable, a snapshot."""
        halls = self._rooms.halls.values()
        return {sid: dict(member.callbacks) for hall in halls for sid, member in hall.members.items() if member.callbacks}

    def set_server(self, server: Any) -> None:
        """Belong to a server."""
        self.server = server

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
        session = self.server.eio._registry.sessions.get(eio_sid) if self.server is not None else None
        members = getattr(getattr(session, "sink", None), "members", None)
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
        if member is None:
            if namespace not in self._rooms.halls:
                raise ValueError("sid is not connected to requested namespace")
            raise KeyError(sid)
        self._rooms.enter(member, room)

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

    def _admit(self, session: Any, namespace: str) -> Member:
        """Make the pending member of a session that asks for a namespace."""
        member = Member(self._new_sid(session, namespace), namespace, session.sid, session)
        self._rooms.add(member)
        return member

    def _new_sid(self, session: Any, namespace: str) -> str:
        if session.version == 3:
            # Clients of revision 3 compute their ids themselves (Socket.IO protocol 4), so these must be the same.
            return session.sid if namespace == "/" else f"{namespace}#{session.sid}"
        return self.server.eio.generate_id()


class AsyncManager(BaseManager):
    """The manager of one process without a cluster."""

    async def can_disconnect(self, sid: str, namespace: str) -> bool:
        return self.is_connected(sid, namespace)

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
        self._emit(event, data, namespace, to if to is not None else room, skip_sid, callback)

    def _emit(
        self, event: str, data: Any, namespace: str, room: Any, skip_sid: Any, callback: Callable[..., Any] | None
    ) -> None:
        rooms = self._rooms
        if namespace not in rooms.halls:
            return
        if data is None:
            packet = [event]
        elif type(data) is tuple or isinstance(data, tuple):
            packet = [event, *data]
        else:
            packet = [event, data]
        skip = None if not skip_sid else {skip_sid} if isinstance(skip_sid, str) else set(skip_sid)
        if not room and not isinstance(room, (list, tuple, set, frozenset)):
            room = None
        hub = self.server._hub
        if callback is None:
            rooms.send(hub.encode(2, namespace, None, packet), namespace, room, skip)
            return
        for member in rooms.targets(namespace, room, skip):
            message = hub.encode(2, namespace, member.add_callback(callback), packet)
            member.send(message)

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
        self.server.logger.warning("Unknown callback received, ignoring.")
