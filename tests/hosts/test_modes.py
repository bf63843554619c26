"""The mode of a server, and the entry points that work whatever it is called; where a mounted application is found.

May import: the public floor. Requests are made up here: what travels is tested by `test_hosts`.
"""

import importlib
import logging
from typing import Any

import pytest
from aiohttp import web
from starlette.applications import Starlette

import fastsio
from fastsio import engineio
from hosts.conftest import HOSTS, Host
from hosts.conversation import polling_client
from wire import raw
from wire.live import Server

MODES = ["aiohttp", "sanic", "tornado", "asgi"]
SERVERS = [fastsio.AsyncServer, engineio.AsyncServer]


# --- modes


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("mode", MODES)
def test_the_mode_is_what_was_asked_for(server: Any, mode: str):
    assert server(async_mode=mode).async_mode == mode


@pytest.mark.parametrize("server", SERVERS)
def test_the_first_mode_is_chosen(server: Any):
    assert server().async_mode == "aiohttp"


def test_a_mode_that_is_not_installed_is_passed_over(monkeypatch: pytest.MonkeyPatch):
    find = importlib.util.find_spec
    missing = ("aiohttp", "sanic")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))
    assert engineio.AsyncServer().async_mode == "tornado"
    with pytest.raises(ValueError, match="not installed"):
        engineio.AsyncServer(async_mode="sanic")


@pytest.mark.parametrize("server", SERVERS)
def test_an_unknown_mode_names_the_others(server: Any):
    with pytest.raises(ValueError, match="threading.*aiohttp, sanic, tornado, asgi"):
        server(async_mode="threading")


def test_modes_are_listed():
    assert engineio.AsyncServer().async_modes() == MODES


@pytest.mark.parametrize("mode", MODES)
def test_drivers_are_importable(mode: str):
    importlib.import_module(f"fastsio.engineio.async_drivers.{mode}")


@pytest.mark.parametrize("mode", ["asgi", "tornado"])
def test_attach_needs_a_mode_that_has_it(mode: str):
    with pytest.raises(KeyError) as caught:
        fastsio.AsyncServer(async_mode=mode).attach(web.Application())
    assert caught.value.args[0] == "create_route"


def test_attach_needs_an_application():
    with pytest.raises(TypeError, match="builtins.dict"):
        fastsio.AsyncServer().attach({})
    with pytest.raises(TypeError, match="Starlette"):
        fastsio.AsyncServer().attach(Starlette())


@pytest.mark.parametrize("mode", [None, "aiohttp", "sanic"])
def test_attach_goes_by_the_application(mode: str | None):
    app = web.Application()
    fastsio.AsyncServer(async_mode=mode).attach(app, socketio_path="/chat/")
    engineio.AsyncServer(async_mode=mode).attach(app)
    assert [resource.canonical for resource in app.router.resources()] == ["/chat/", "/engine.io/"]
    assert {route.method for route in app.router.routes()} == {"GET", "HEAD", "POST", "OPTIONS"}


@pytest.mark.parametrize("mode", MODES)
async def test_asgi_works_in_every_mode(mode: str):
    app = fastsio.ASGIApp(fastsio.AsyncServer(async_mode=mode))
    assert await status(app, "/socket.io/") == 200


# --- where it is found


async def status(app: Any, path: str, root_path: str = "") -> int:
    """Ask for a handshake as an ASGI server does."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    query = b"EIO=4&transport=polling"
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query,
        "headers": [],
        "root_path": root_path,
    }
    await app(scope, receive, send)
    return int(sent[0]["status"])


FOUND = [
    # socketio_path, root_path, path as the host gives it, is it the server's?
    ("socket.io", "", "/socket.io/", True),
    ("socket.io", "", "/socket.io", True),
    ("socket.io", "", "/socket.iox/", False),
    ("socket.io", "", "/ws/socket.io/", False),
    ("socket.io", "/ws", "/ws/socket.io/", True),
    ("socket.io", "/ws", "/socket.io/", True),  # a host that cuts the prefix off
    ("socket.io", "/ws", "/ws/other/", False),
    ("socket.io", "/ws/", "/ws/socket.io/", True),
    ("/ws/socket.io", "/ws", "/ws/socket.io/", True),
    ("/ws/socket.io/", "/ws", "/socket.io/", True),
    ("/ws/socket.io", "/ws", "/ws/ws/socket.io/", False),
    ("socket.io", "/a/b", "/a/b/socket.io/", True),
    ("socket.io", "/socket.io", "/socket.io/", True),
    ("", "/ws", "/ws/", True),
    (None, "/ws", "/ws/anything", True),
]


@pytest.mark.parametrize(("socketio_path", "root_path", "path", "is_ours"), FOUND)
async def test_where_it_is_found(socketio_path: str | None, root_path: str, path: str, is_ours: bool):
    app = fastsio.ASGIApp(fastsio.AsyncServer(), socketio_path=socketio_path)
    assert await status(app, path, root_path) == (200 if is_ours else 404)


async def test_one_application_at_two_prefixes():
    app = fastsio.ASGIApp(fastsio.AsyncServer())
    for prefix in ("/a", "/b", "/a"):
        assert await status(app, f"{prefix}/socket.io/", prefix) == 200
        assert await status(app, "/c/socket.io/", prefix) == 404


@pytest.mark.parametrize(
    ("socketio_path", "root_path", "shown"),
    [
        ("socket.io", "", "/socket.io/"),
        ("socket.io", "/ws", "/ws/socket.io/"),
        ("/ws/socket.io", "/ws", "/ws/socket.io/"),
        (None, "/ws", "/ws/"),
    ],
)
async def test_the_path_is_told_once(
    socketio_path: str | None, root_path: str, shown: str, caplog: pytest.LogCaptureFixture
):
    logger = logging.getLogger("test.served")
    caplog.set_level(logging.INFO)
    app = fastsio.ASGIApp(fastsio.AsyncServer(logger=logger), socketio_path=socketio_path)
    for _ in range(2):
        await status(app, "/elsewhere", root_path)
    told = [record.getMessage() for record in caplog.records if record.name == logger.name]
    assert told == [f"Socket.IO is served at {shown}"]


async def test_neighbours_of_a_mount(host: Host):
    """What is not the server's is answered by the host, or by nobody."""
    await polling_client(host)
    response = await raw.fetch(host.port, "GET", host.path.replace("socket.io", "elsewhere"))
    assert response.status == 404


@pytest.mark.parametrize("name", ["starlette", "fastapi"])
async def test_fastsio_run_tells_where_a_mount_is(name: str):
    """Whoever asks at the wrong path finds the right one in the log."""
    server = Server("native", HOSTS[name][1], log_level="info")
    try:
        assert (await raw.fetch(server.port, "GET", "/socket.io/?EIO=4&transport=polling")).status == 404
        assert "Socket.IO is served at /ws/socket.io/" in server.log()
    finally:
        server.stop()


def test_an_application_refuses_a_server_of_the_other_make():
    """Half a switch, one file with the old import, must not look like a whole one."""
    import socketio

    with pytest.raises(TypeError, match="import fastsio as socketio"):
        fastsio.ASGIApp(socketio.AsyncServer(async_mode="asgi"))
    with pytest.raises(TypeError, match="NoneType, which is no server"):
        fastsio.ASGIApp(None)
