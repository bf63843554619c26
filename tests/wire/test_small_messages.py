"""Small messages leave at once, whichever loop and socket the native wire is given."""

import asyncio
import importlib
import socket
import sys
from typing import Any

import pytest
import uvicorn

import fastsio as socketio
from fastsio.net import _native
from fastsio.net._native import NativeConnection
from fastsio.net.loops import best_loop
from fastsio.net.stopping import StoppingServer
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


@pytest.mark.skipif(sys.platform != "linux" or best_loop() != "uvloop", reason="each connection is told there")
def test_connections_have_their_options_from_the_listener() -> None:
    """Two calls of the kernel for each connection are saved, and must not be missed."""
    asked: list[tuple[int, int]] = []

    class Asking(NativeConnection):
        def connection_made(self, transport: Any) -> None:
            sock = transport.get_extra_info("socket")
            asked.append(_tcp_options(sock))
            super().connection_made(transport)
            asked.append(_tcp_options(sock))

    async def converse() -> None:
        sio = socketio.AsyncServer(async_mode="asgi", tcp_user_timeout=17.5)
        config = uvicorn.Config(socketio.ASGIApp(sio), http=Asking, port=0, lifespan="off", log_level="warning")
        server = StoppingServer(config, None)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        await _converse(port)
        await asyncio.sleep(_native.TUNED_AFTER + 0.1)
        await _converse(port)
        sio.eio._options.tcp_user_timeout = 23.0  # what the listener has is out of date then
        await _converse(port)
        server.should_exit = True
        await serving

    with asyncio.Runner(loop_factory=importlib.import_module("uvloop").new_event_loop) as runner:
        runner.run(converse())
    before, after = asked[::2], asked[1::2]
    assert before == [(1, 17_500)] * 3
    assert after == [(1, 17_500), (1, 17_500), (1, 23_000)]


def test_a_loop_that_was_blocked_does_not_take_earlier_connections_for_tuned() -> None:
    """They are accepted after the timer that says when all that come have the listener's options."""
    seen: list[float] = []

    class Loop:
        now = 0.0

        def time(self) -> float:
            return self.now

        def call_later(self, delay: float, function: Any, *args: Any) -> None:
            seen.append(delay)
            self.timer = (function, args)

    loop = Loop()
    route = _native.Route(socketio.AsyncServer(async_mode="asgi").eio._registry, "/socket.io/", None, 5.0)
    _native._note_inherited(route, loop, 23.0, -5.0)
    assert seen == [_native.TUNED_AFTER]
    loop.now += _native.TUNED_AFTER
    function, args = loop.timer
    function(*args)
    assert seen == [_native.TUNED_AFTER]


def _tcp_options(sock: Any) -> tuple[int, int]:
    """Give TCP_NODELAY and TCP_USER_TIMEOUT of a socket, as the kernel has them."""
    nodelay = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    return int(bool(nodelay)), sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


async def _converse(port: int) -> None:
    link = await Client(port, 4, "/socket.io/").live_websocket()
    link.abort()
