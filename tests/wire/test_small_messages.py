"""Small messages leave at once, whichever loop and socket the native wire is given."""

import asyncio
import importlib
import socket
from typing import Any

import pytest
import uvicorn

import fastsio as socketio
from fastsio.net._native import NativeConnection
from fastsio.net.loops import best_loop
from wire.sessions import Client

seen: list[int] = []


class Connection(NativeConnection):
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        seen.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


@pytest.mark.parametrize("loop", ["asyncio", best_loop()])
def test_no_message_waits_for_the_acknowledgement_of_another(loop: str) -> None:
    """asyncio sees to it only for sockets that name TCP, which a listening socket that it is given may not: 40 ms lost."""
    sio = socketio.AsyncServer(async_mode="asgi")

    async def converse() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            assert listener.proto == 0
            config = uvicorn.Config(
                socketio.ASGIApp(sio), http=Connection, loop="none", lifespan="off", log_level="warning"
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listener]))
            link = await Client(listener.getsockname()[1], 4, "/socket.io/").live_websocket()
            link.abort()
            server.should_exit = True
            await serving

    seen.clear()
    with asyncio.Runner(loop_factory=importlib.import_module(loop).new_event_loop) as runner:
        runner.run(converse())
    assert seen
    assert 0 not in seen
