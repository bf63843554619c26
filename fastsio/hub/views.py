"""The tables of a manager as python-socketio shows them: mappings that are cheap until touched, and live when touched.

May import: `_rooms`, `_http`, the engine floor. Applications read them; the floors below write their tables themselves.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from fastsio._http import environ as make_environ
from fastsio.engine.registry import Registry
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


DELETED = object()  # in the place of an environ that the application has deleted


class Environs(MutableMapping[str, dict[str, Any]], dict[str, dict[str, Any]]):  # type: ignore[misc, metaclass]
    """`sio.environ`: eio_sid -> the handshake as a WSGI-like dict, made when it is first asked for and then kept.

    Applications delete entries, and test clients add their own.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._added: dict[str, dict[str, Any]] = {}

    def __getitem__(self, eio_sid: str) -> dict[str, Any]:
        if eio_sid in self._added:
            return self._added[eio_sid]
        session = self._registry.find(eio_sid)
        if session is None or session.environ is DELETED or session.request is None:
            raise KeyError(eio_sid)
        if session.environ is None:
            session.environ = make_environ(session.request)
        environ: dict[str, Any] = session.environ
        return environ

    def __setitem__(self, eio_sid: str, environ: dict[str, Any]) -> None:
        session = self._registry.find(eio_sid)
        if session is None or session.request is None:
            self._added[eio_sid] = environ
        else:
            session.environ = environ

    def __delitem__(self, eio_sid: str) -> None:
        if self._added.pop(eio_sid, None) is not None:
            return
        session = self._registry.find(eio_sid)
        if session is None or session.environ is DELETED:
            raise KeyError(eio_sid)
        session.environ = DELETED

    def _known(self) -> list[str]:
        registry = self._registry
        sessions = {**registry.sessions, **registry.ending}.items()
        return [*(sid for sid, session in sessions if session.environ is not DELETED and session.request), *self._added]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

    def __repr__(self) -> str:
        return repr(self.copy())

    def copy(self) -> dict[str, dict[str, Any]]:
        return {eio_sid: self[eio_sid] for eio_sid in self._known()}
