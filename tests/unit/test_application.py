"""The sink of a bare Engine.IO session: how many handlers run at once, what waits, and in which order.

May import: fastsio. No sockets are used: packets are given to the session as its WebSocket would.
"""

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest

from fastsio import engineio
from fastsio.engine._session import Link
from fastsio.engineio.application import MAX_RUNNING


class Pipe(Link):
    """A transport that forgets what it is given."""

    is_open = True

    def finish(self, code: int, farewell: Any) -> int:
        self.is_open = False
        return 0


class World:
    def __init__(self, **options: Any) -> None:
        self.eio = engineio.AsyncServer(async_mode="asgi", **options)
        self.eio._registry.attach_loop()
        session = self.eio._registry.create(4, None)
        self.eio._accept(session)
        self.link = Pipe()
        session.start(self.link, True, False)
        self.gate = asyncio.Event()
        self.started: list[str] = []

        @self.eio.on("message")
        async def message(sid: str, data: str) -> None:
            self.started.append(data)
            await self.gate.wait()

        @self.eio.on("disconnect")
        async def disconnect(sid: str, reason: str) -> None:
            self.started.append(reason)


@pytest.mark.parametrize(("async_handlers", "limit"), [(True, MAX_RUNNING), (False, 1)])
async def test_a_flood_to_a_slow_handler_waits_in_order(async_handlers: bool, limit: int):
    world = World(async_handlers=async_handlers)
    sent = [f"message {number}" for number in range(1000)]
    for text in sent:
        world.link.receive(f"4{text}")
    await asyncio.sleep(0)
    assert world.started == sent[:limit]
    assert len(world.eio._registry.tasks) == limit
    world.gate.set()
    while world.eio._registry.tasks:
        await asyncio.sleep(0)
    assert world.started == sent


@pytest.mark.parametrize("async_handlers", [True, False])
async def test_a_flood_without_end_ends_the_session(async_handlers: bool):
    world = World(async_handlers=async_handlers, max_waiting_packets=100)
    for number in range(MAX_RUNNING + 200):
        world.link.receive(f"4message {number}")
    assert not world.link.is_open
    world.gate.set()


async def test_one_large_message_is_no_flood():
    world = World(async_handlers=True, max_waiting_bytes=10)
    world.link.receive("4" + "x" * 1000)
    assert world.link.is_open
    world.gate.set()


async def test_the_end_waits_for_messages_in_order():
    world = World(async_handlers=False)
    for text in ("4one", "4two", "1"):
        world.link.receive(text)
    await asyncio.sleep(0.01)
    assert world.started == ["one"]
    world.gate.set()
    await asyncio.sleep(0.01)
    assert world.started == ["one", "two", "client disconnect"]


async def test_messages_that_waited_keep_their_own_context():
    world = World(async_handlers=False)
    colour: ContextVar[str] = ContextVar("colour", default="none")
    seen: list[str] = []

    @world.eio.on("message")
    async def message(sid: str, data: str) -> None:
        seen.append(colour.get())
        colour.set(data)

    colour.set("outside")
    for text in ("4red", "4green", "4blue"):
        world.link.receive(text)
    await asyncio.sleep(0.01)
    assert seen == ["outside"] * 3
