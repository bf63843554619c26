"""An environ is let go of after the connect handler, unless the application has kept it or written into it."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest
import socketio
import uvicorn

import fastsio
from fastsio.engine._session import Session
from fastsio.hub._peer import Peer
from fastsio.net._native import NativeConnection

Handler = Callable[[str, dict[str, Any]], None]
KEPT: list[dict[str, Any]] = []


def _nothing(sid: str, environ: dict[str, Any]) -> None:
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["asgi.scope"]["path"] == "/socket.io/"


def _write(sid: str, environ: dict[str, Any]) -> None:
    environ["app.user"] = "ada"


def _replace(sid: str, environ: dict[str, Any]) -> None:
    environ["REMOTE_ADDR"] = "192.0.2.1"


def _delete(sid: str, environ: dict[str, Any]) -> None:
    del environ["SERVER_PORT"]


def _write_state(sid: str, environ: dict[str, Any]) -> None:
    environ["asgi.scope"]["app.user"] = "ada"


def _keep(sid: str, environ: dict[str, Any]) -> None:
    KEPT.append(environ)


def _keep_scope(sid: str, environ: dict[str, Any]) -> None:
    KEPT.append(environ["asgi.scope"])


def _keep_inside(sid: str, environ: dict[str, Any]) -> None:
    KEPT.append(environ["asgi.scope"]["state"])


async def _after_connect(handler: Handler, look: Callable[[Any, str], Any]) -> Any:
    """Connect a client to a server whose connect handler is `handler`; give what `look(server, sid)` gives then."""
    sio = fastsio.AsyncServer(async_mode="asgi")
    sids: list[str] = []

    @sio.event
    async def connect(sid: str, environ: dict[str, Any]) -> None:
        sids.append(sid)
        handler(sid, environ)

    config = uvicorn.Config(
        fastsio.ASGIApp(sio), host="127.0.0.1", port=0, log_level="critical", http=NativeConnection, lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    client = socketio.AsyncClient()
    try:
        await client.connect(
            f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", transports=["websocket"]
        )
        return look(sio, sids[0])
    finally:
        await client.disconnect()
        server.should_exit = True
        await serving


def _held(sio: Any, sid: str) -> Any:
    return next(iter(sio.eio._registry.sessions.values())).environ


async def test_an_untouched_environ_is_let_go_of_and_made_again():
    assert await _after_connect(_nothing, _held) is None
    environ = await _after_connect(_nothing, lambda sio, sid: (sio.get_environ(sid), sio.get_environ(sid)))
    assert environ[0] is environ[1]
    assert environ[0]["PATH_INFO"] == environ[0]["asgi.scope"]["path"] == "/socket.io/"
    assert environ[0]["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.parametrize("handler", [_write, _replace, _delete, _write_state])
async def test_what_a_handler_writes_stays(handler: Handler):
    expected: dict[str, Any] = {"SERVER_PORT": "0", "REMOTE_ADDR": "127.0.0.1", "asgi.scope": {}}
    handler("", expected)
    environ = await _after_connect(handler, lambda sio, sid: sio.get_environ(sid))
    for name in ("app.user", "REMOTE_ADDR", "SERVER_PORT"):
        assert environ.get(name) == expected.get(name)
    assert environ["asgi.scope"].get("app.user") == expected["asgi.scope"].get("app.user")


@pytest.mark.parametrize("handler", [_keep, _keep_scope, _keep_inside])
async def test_what_a_handler_keeps_is_the_same_later(handler: Handler):
    KEPT.clear()
    environ = await _after_connect(handler, lambda sio, sid: sio.get_environ(sid))
    scope = environ["asgi.scope"]
    assert KEPT[0] is {_keep: environ, _keep_scope: scope, _keep_inside: scope["state"]}[handler]


@pytest.mark.threat("T237")
async def test_ended_clients_leave_no_garbage():
    """A session and its peer hold each other; its end has to part them, for the collector comes late."""
    gc.collect()
    gc.disable()
    try:
        before = _count()
        await _after_connect(_nothing, lambda sio, sid: None)
        assert _count() == before
    finally:
        gc.enable()


def _count() -> int:
    return sum(isinstance(thing, (Session, Peer)) for thing in gc.get_objects())
