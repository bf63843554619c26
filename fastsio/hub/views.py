"""The tables of a manager as python-socketio shows them: mappings that are cheap until touched, and live when touched.

May import: `_rooms`. They are read by applications; only the tables themselves are written.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastsio.hub._rooms import Member, Rooms


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


class CallbacksView(Mapping[str, dict[int, Callable[..., Any]]]):
    """`manager.callbacks`: sid -> ack id -> callable; the inner dicts are the tables themselves."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def _waiting(self) -> dict[str, dict[int, Callable[..., Any]]]:
        halls = self._rooms.halls.values()
        return {sid: member.callbacks for hall in halls for sid, member in hall.members.items() if member.callbacks}

    def __getitem__(self, sid: str) -> dict[int, Callable[..., Any]]:
        for hall in self._rooms.halls.values():
            member = hall.members.get(sid)
            if member is not None and member.callbacks:
                return member.callbacks
        raise KeyError(sid)

    def __iter__(self) -> Iterator[str]:
        return iter(self._waiting())

    def __len__(self) -> int:
        return len(self._waiting())
