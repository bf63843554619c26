"""Membership, and whom an emit reaches."""

from typing import Any

import pytest

import fastsio
from fastsio.hub._rooms import Member, Rooms


@pytest.fixture
def rooms() -> Rooms:
    """Ann and Bob in "lobby", Cat alone."""
    table = Rooms()
    for name in ("ann", "bob", "cat"):
        member = Member(name, "/", f"eio-{name}")
        table.add(member)
        member.set_connected()
    table.enter(table.member("/", "ann"), "lobby")
    table.enter(table.member("/", "bob"), "lobby")
    table.enter(table.member("/", "bob"), "den")
    return table


@pytest.mark.parametrize(
    ("room", "skip", "reached"),
    [
        (None, None, ["ann", "bob", "cat"]),
        ("lobby", None, ["ann", "bob"]),
        ("lobby", {"ann"}, ["bob"]),
        (["lobby", "den"], None, ["ann", "bob"]),
        (("den", "cat"), None, ["bob", "cat"]),
        ("cat", None, ["cat"]),
        ("cat", {"cat"}, []),
        ([], None, []),
        ("nowhere", None, []),
    ],
)
def test_whom_a_room_reaches(rooms: Rooms, room: Any, skip: Any, reached: list[str]) -> None:
    assert [member.sid for member in rooms.targets("/", room, skip)] == reached


@pytest.mark.threat("T194")
def test_empty_rooms_and_namespaces_vanish(rooms: Rooms) -> None:
    for name in ("ann", "bob", "cat"):
        rooms.remove(rooms.member("/", name))
    assert dict(rooms.halls) == {}


def test_rooms_of_a_member_are_in_order_and_begin_with_its_own(rooms: Rooms) -> None:
    assert rooms.member("/", "bob").room_names() == ["bob", "lobby", "den"]


@pytest.mark.threat("T174")
def test_the_room_of_another_client_cannot_be_entered_or_closed(rooms: Rooms) -> None:
    with pytest.raises(ValueError, match="sid room"):
        rooms.enter(rooms.member("/", "ann"), "bob")
    with pytest.raises(ValueError, match="sid room"):
        rooms.close("/", "bob")


def test_a_client_may_leave_its_own_room(rooms: Rooms) -> None:
    rooms.leave(rooms.member("/", "ann"), "ann")
    assert rooms.targets("/", "ann", None) == []
    assert [member.sid for member in rooms.targets("/", None, None)] == ["ann", "bob", "cat"]


def test_closing_a_room_empties_it(rooms: Rooms) -> None:
    rooms.close("/", "lobby")
    assert rooms.targets("/", "lobby", None) == []
    assert rooms.member("/", "bob").room_names() == ["bob", "den"]


class Recorder(fastsio.AsyncManager):
    """A manager of an application's own: it writes down whom it is asked to reach."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms_asked: list[Any] = []

    async def emit(self, event: Any, data: Any, namespace: Any, room: Any = None, **kwargs: Any) -> None:
        self.rooms_asked.append(room)


async def test_to_wins_and_an_empty_list_is_nobody() -> None:
    manager = Recorder()
    sio = fastsio.AsyncServer(async_mode="asgi", client_manager=manager)
    await sio.emit("a", to="x", room="y")
    await sio.emit("a", room="y")
    await sio.emit("a", to=[])
    await sio.emit("a")
    assert manager.rooms_asked == ["x", "y", [], None]


@pytest.mark.parametrize("to", [None, "", 0])
async def test_falsy_targets_are_everybody(to: Any) -> None:
    sio = fastsio.AsyncServer(async_mode="asgi")
    for name in ("ann", "bob"):
        sio.manager.basic_enter_room(name, "/", None, eio_sid=f"eio-{name}")
    await sio.emit("a", to=to, callback=print)
    assert {sid: len(waiting) for sid, waiting in sio.manager.callbacks.items()} == {"ann": 1, "bob": 1}


async def test_a_patched_class_of_managers_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    async def enter_room(self: Any, *args: Any) -> None:
        asked.append(args)

    sio = fastsio.AsyncServer(async_mode="asgi")
    sio.manager.basic_enter_room("ann", "/", None, eio_sid="eio-ann")
    await sio.enter_room("ann", "before")
    monkeypatch.setattr(fastsio.AsyncManager, "enter_room", enter_room)
    await sio.enter_room("ann", "after")
    assert asked == [("ann", "/", "after")] and sio.rooms("ann") == ["ann", "before"]


class TestViews:
    """`manager.rooms` looks as it does in python-socketio."""

    def test_rooms_are_a_live_mapping(self) -> None:
        manager = fastsio.AsyncManager()
        manager.basic_enter_room("ann", "/", None, eio_sid="eio-ann")
        view = manager.rooms
        manager.basic_enter_room("ann", "/", "lobby")
        assert dict(view["/"]["lobby"]) == {"ann": "eio-ann"}
        assert dict(view["/"][None]) == {"ann": "eio-ann"}
        assert view["/"][None].inverse == {"eio-ann": "ann"}
        assert set(view["/"]) == {None, "ann", "lobby"}
        assert view.get("/nowhere") is None
        with pytest.raises(KeyError):
            view["/"]["nowhere"]

    def test_unknown_clients(self) -> None:
        manager = fastsio.AsyncManager()
        with pytest.raises(ValueError, match="requested namespace"):
            manager.basic_enter_room("ann", "/", "lobby")
        manager.basic_enter_room("ann", "/", None, eio_sid="eio-ann")
        with pytest.raises(KeyError):
            manager.basic_enter_room("bob", "/", "lobby")
        assert manager.get_rooms("bob", "/") == []
        assert list(manager.get_participants("/", "lobby")) == []
