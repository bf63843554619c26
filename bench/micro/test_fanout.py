"""An emit to everybody, against python-socketio's: `python -m pytest bench/micro`.

May import: fastsio, and python-socketio as baseline. Touches no socket: what each client is sent ends in its queue or
outbox, which is emptied and looked at, so that nobody wins by doing less.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import engineio
import pytest
import socketio
from engineio.async_socket import AsyncSocket

from bench.instructions import World

CLIENTS = 1000
DATA = {"id": 12345, "text": "hello, world", "tags": ["a", "b", "c"]}


class Baseline:
    """Clients of python-socketio whose queues are emptied."""

    def __init__(self) -> None:
        self.sio = socketio.AsyncServer(async_mode="asgi")
        eio: engineio.AsyncServer = self.sio.eio
        self.sockets = []
        for number in range(CLIENTS):
            sid = f"client-{number}"
            eio.sockets[sid] = AsyncSocket(eio, sid)
            self.sockets.append(eio.sockets[sid])

    async def join(self) -> None:
        for socket in self.sockets:
            await self.sio.manager.connect(socket.sid, "/")

    async def emit(self) -> int:
        await self.sio.emit("news", DATA)
        taken = 0
        for socket in self.sockets:
            packet = socket.queue.get_nowait()
            taken += packet.encode().startswith('42["news",{"id":12345')
        return taken


class Compiled:
    """Clients of fastsio whose transport takes what it is given, as finished events of ASGI."""

    def __init__(self) -> None:
        self.world = World(CLIENTS)

    async def join(self) -> None:
        self.world.flush()

    async def emit(self) -> int:
        await self.world.sio.emit("news", DATA)
        taken = 0
        for link in self.world.links:
            (event,) = link.take_events()
            taken += event["text"].startswith('42["news",{"id":12345')
        self.world.flush()
        return taken


@pytest.mark.parametrize("make", [Baseline, Compiled])
def test_emit_to_a_thousand(benchmark: Any, make: Callable[[], Any]) -> None:
    benchmark.group = f"emit to {CLIENTS} clients"
    loop = asyncio.new_event_loop()

    async def made() -> Any:
        clients = make()
        await clients.join()
        return clients

    clients = loop.run_until_complete(made())
    assert benchmark(lambda: loop.run_until_complete(clients.emit())) == CLIENTS
    loop.close()
