"""What admins may do to clients, and when they may not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import fastsio
from admin.served import Listener, make_server, served


@asynccontextmanager
async def stage(**options: Any) -> AsyncIterator[tuple[Any, Listener, Listener, Listener]]:
    """Give a server, its admin, and two clients; Ann is in the lobby."""
    sio = make_server(fastsio)
    for namespace in ("/", "/admin"):
        sio.on("settled?", lambda sid: None, namespace=namespace)
    sio.instrument(auth=False, **options)
    async with served(fastsio, sio) as url, Listener("/admin") as admin, Listener() as ann, Listener() as bob:
        await admin.connect(url)
        for client in (ann, bob):
            await client.connect(url)
            await client.until("welcome")
        await ann.call("enter", "lobby")
        yield sio, admin, ann, bob


async def settled(*clients: Listener) -> None:
    """Wait until the server has carried out what the first client sent, and each has been told of it."""
    for client in clients:
        await client.call("settled?")


@pytest.mark.parametrize(("room", "reached"), [(None, "both"), ("lobby", "ann"), ("sid of bob", "bob")])
async def test_emit(room: str | None, reached: str) -> None:
    async with stage() as (_, admin, ann, bob):
        await admin.emit("emit", "/", bob.sid if room == "sid of bob" else room, "news", 1, {"a": 2})
        await settled(admin, ann, bob)
        expected = [["news", 1, {"a": 2}]]
        assert ann.of("news") == (expected if reached in ("ann", "both") else [])
        assert bob.of("news") == (expected if reached in ("bob", "both") else [])
        assert len(admin.of("event_sent")) == 2 + (2 if reached == "both" else 1)


async def test_join_and_leave() -> None:
    async with stage() as (sio, admin, ann, bob):
        await admin.emit("join", "/", "den")
        await admin.emit("join", "/", "attic", "lobby")
        await admin.emit("leave", "/", "den", bob.sid)
        await admin.emit("join", "/", ann.sid)  # nobody can enter the room of another client
        await settled(admin, ann, bob)
        assert (sio.rooms(ann.sid), sio.rooms(bob.sid)) == ([ann.sid, "lobby", "den", "attic"], [bob.sid])
        told = [message[:4] for message in admin.of("room_joined", "room_left") if message[2] in ("den", "attic")]
        assert told == [
            ["room_joined", "/", "den", ann.sid],
            ["room_joined", "/", "den", bob.sid],
            ["room_joined", "/", "attic", ann.sid],
            ["room_left", "/", "den", bob.sid],
        ]


async def test_disconnect_from_the_namespace() -> None:
    async with stage() as (sio, admin, ann, bob):
        sid = ann.sid
        await admin.emit("_disconnect", "/", False, "lobby")
        await admin.until("socket_disconnected")
        assert admin.of("socket_disconnected")[0][1:4] == ["/", sid, "server disconnect"]
        assert list(sio.manager.rooms["/"][None]) == [bob.sid]


async def test_disconnect_everybody_and_close() -> None:
    async with stage() as (sio, admin, ann, bob):
        sids = {ann.sid, bob.sid}
        await admin.emit("_disconnect", "/", True)
        told = await admin.until("socket_disconnected", 2)
        assert {message[2] for message in told} == sids
        assert len(sio.eio._registry.sessions) == 1


@pytest.mark.parametrize("options", [{"read_only": True}, {"mode": "production"}])
async def test_commands_are_not_obeyed(options: dict[str, Any]) -> None:
    async with stage(**options) as (sio, admin, ann, bob):
        await admin.emit("emit", "/", None, "news", 1)
        await admin.emit("join", "/", "den")
        await admin.emit("leave", "/", "lobby")
        await admin.emit("_disconnect", "/", True)
        await settled(admin, ann, bob)
        assert (ann.of("news"), bob.of("news")) == ([], [])
        assert (sio.rooms(ann.sid), sio.rooms(bob.sid)) == ([ann.sid, "lobby"], [bob.sid])


async def test_commands_reach_clients_in_slices() -> None:
    """A command for everybody does not hold the loop; made-up members stand for a crowd."""
    sio = make_server(fastsio)
    instrumented = sio.instrument(auth=False)
    for number in range(1_000):
        sio.manager.basic_enter_room(f"c{number}", "/", None, eio_sid=f"e{number}")
    turns = 0
    task = asyncio.ensure_future(instrumented.admin_enter_room("admin", "/", "den"))
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(sio.manager.rooms["/"]["den"]) == 1_000
    assert turns >= 4
