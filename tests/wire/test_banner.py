"""What `fastsio run` says before it serves.

May import: the command's rooms, both makes, live servers.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import socketio
from starlette.applications import Starlette
from starlette.routing import Mount, Route

import fastsio
from fastsio.net.banner import banner, servers_in, warnings
from wire.live import Server

UNSAFE = """
import fastsio

sio = fastsio.AsyncServer(async_mode="asgi", cors_allowed_origins="*", jsonp=True, max_http_buffer_size=200_000_000)
sio.instrument(auth=False)
app = fastsio.ASGIApp(sio, socketio_path="live")
"""


def make(library: Any = fastsio, path: str | None = "socket.io", **options: Any) -> Any:
    return library.ASGIApp(library.AsyncServer(async_mode="asgi", **options), socketio_path=path)


def show(app: Any, is_native: bool = True, port: int = 8000, **options: Any) -> str:
    return banner(app, "9.9", "127.0.0.1", port, is_native, {"loop": "uvloop", **options})


def test_what_is_served() -> None:
    text = show(
        make(protocols=[4], ping_interval=7, ping_timeout=3, transports=["websocket"], max_http_buffer_size=5000)
    )
    assert text.splitlines() == [
        "fastsio 9.9   http://127.0.0.1:8000",
        "  Socket.IO  /socket.io/   over websocket",
        "  Engine.IO  4 (JavaScript clients 3 and 4, python-socketio 5)",
        "  heartbeat  a ping every 7 s, 3 s to answer",
        "  limits     5 kB a message, 16.8 MB or 50,000 packets waiting for one client",
        "  wire       native, on uvloop",
    ]


def test_both_revisions_and_both_wires() -> None:
    assert re.search(r"Engine.IO  4 \(.+\), 3 \(JavaScript clients 1 and 2\)", show(make()))
    assert "wire       ASGI, on asyncio" in show(make(), is_native=False, loop="asyncio")
    assert "wire       ASGI" in show(make(path=None)) and "Socket.IO  every path" in show(make(path=None))
    assert "wire       ASGI" in show(make(), root_path="/behind")
    theirs = show(make(socketio))
    assert "wire       ASGI" in theirs and "Engine.IO  4 (" in theirs and "3 (JavaScript" not in theirs


def test_addresses() -> None:
    assert "https://127.0.0.1:8000" in show(make(), ssl_certfile="cert.pem")
    assert "unix:/run/io.sock" in show(make(), uds="/run/io.sock")
    assert "on a port that the system chooses" in show(make(), port=0)
    assert "http://[::1]:80" in banner(make(), "9.9", "::1", 80, True, {})


def test_other_processes_import_the_application_themselves() -> None:
    assert "2 workers: each process" in show(None, workers=2)
    assert "--reload: each process" in show(None, reload=True)


def test_servers_are_found_where_they_are_mounted() -> None:
    async def page(request: Any) -> None: ...

    inner = Starlette(routes=[Route("/page", page), Mount("/ws", make()), Mount("/x", make(path="/x/socket.io"))])
    inner.mount("/deep", Starlette(routes=[Mount("/all", make(path=None))]))
    app = fastsio.ASGIApp(fastsio.AsyncServer(async_mode="asgi"), inner)
    assert [path for path, _ in servers_in(app)] == ["/socket.io/", "/ws/socket.io/", "/x/socket.io/", "/deep/all"]
    assert "none was found" in show(Starlette())


@pytest.mark.parametrize(
    ("options", "sign"),
    [
        ({"cors_allowed_origins": "*"}, "every web page can connect"),
        ({"cors_allowed_origins": ["https://a.example", "*"]}, "every web page can connect"),
        ({"cors_allowed_origins": []}, "checks no origin"),
        ({"jsonp": True}, "jsonp=True"),
        ({"max_http_buffer_size": 100_000_000}, "messages of 100 MB"),
    ],
)
def test_unsafe_settings_of_a_server(options: dict[str, Any], sign: str) -> None:
    said = warnings(make(**options), "127.0.0.1", {})
    assert len(said) == 1 and sign in said[0]


def test_an_admin_ui_for_everybody() -> None:
    said = []
    for auth, read_only in ((False, False), (False, True), ({"username": "me"}, False)):
        app = make()
        app.engineio_server.instrument(auth=auth, read_only=read_only)
        said.append(warnings(app, "127.0.0.1", {}))
    assert "can disconnect and emit" in said[0][0] and "can disconnect" not in said[1][0] and said[2] == []


@pytest.mark.parametrize(
    ("options", "sign"),
    [
        ({"reload": True}, "--reload"),
        ({"log_level": "trace"}, "--log-level trace"),
        ({"forwarded_allow_ips": "127.0.0.1,*"}, "--forwarded-allow-ips"),
        ({"workers": 2}, "--workers 2"),
    ],
)
def test_unsafe_options_of_the_command(options: dict[str, Any], sign: str) -> None:
    said = warnings(None, "127.0.0.1", options)
    assert len(said) == 1 and said[0].startswith(sign)


def test_safe_settings_are_not_talked_about() -> None:
    assert warnings(make(), "0.0.0.0", {"log_level": "info", "workers": 1}) == []
    assert warnings(make(socketio), "127.0.0.1", {}) == []
    assert len(warnings(make(), "8.8.8.8", {})) == 1 and warnings(make(), "8.8.8.8", {"ssl_certfile": "cert.pem"}) == []


@pytest.mark.parametrize(
    ("level", "option", "has_banner", "has_warnings"),
    [
        ("info", "", True, True),
        ("warning", "", False, True),
        ("error", "", False, False),
        ("info", "--no-banner", False, False),
    ],
)
def test_levels_and_no_banner(tmp_path: Path, level: str, option: str, has_banner: bool, has_warnings: bool) -> None:
    (tmp_path / "unsafe.py").write_text(UNSAFE)
    running = Server("module", f"fastsio run unsafe:app --app-dir {tmp_path} --log-level {level} {option} --port")
    try:
        log = running.log()
    finally:
        running.stop()
    assert (f"http://127.0.0.1:{running.port}\n  Socket.IO  /live/ " in log) is has_banner
    assert (log.count("WARNING:  /live/: ") == 4) is has_warnings and ("WARNING" in log) is has_warnings


def test_json_lines_warn_too(tmp_path: Path) -> None:
    (tmp_path / "unsafe.py").write_text(UNSAFE)
    running = Server("module", f"fastsio run unsafe:app --app-dir {tmp_path} --log-format json --port")
    try:
        lines = [json.loads(line) for line in running.log().splitlines()]
    finally:
        running.stop()
    warned = [line["message"] for line in lines if line["level"] == "WARNING"]
    assert len(warned) == 4 and all(text.startswith("/live/: ") for text in warned)
