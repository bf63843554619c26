"""`ASGIApp` (contract 1.10, 1.11): paths, hooks, static files."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from parity.scenario import scenario
from parity.scenarios.http import POLL
from parity.stage import Stage


async def other_app(scope: Any, receive: Any, send: Any) -> None:
    """An application that says which path it was asked for."""
    if scope["type"] == "lifespan":
        while (event := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{event['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"other: " + scope["path"].encode()})


PATHS: dict[str, Any] = {
    "default": {},
    "slashes": {"socketio_path": "/a/b/"},
    "deep": {"socketio_path": "a/b"},
    "root": {"socketio_path": ""},
    "slash": {"socketio_path": "/"},
    "none": {"socketio_path": None},
}


@scenario("1.10", PATHS)
async def paths(stage: Stage, options: dict[str, Any]) -> None:
    app = await stage.serve(stage.server(), other_asgi_app=other_app, **options)
    stage.note("path", app.engineio_path)
    for path in ("/socket.io/", "/socket.io", "/socket.iox/", "/a/b/", "/a/b/c", "/", "/other"):
        await stage.http("GET", f"{path}?EIO=4&transport=polling&sid=unknown")


@scenario("1.10")
async def attributes_of_an_app(stage: Stage) -> None:
    sio = stage.server()
    app = stage.socketio.ASGIApp(sio, other_app, {"/x": "y"}, "live")
    stage.note("app", app.engineio_server is sio, app.other_asgi_app is other_app, app.static_files, app.engineio_path)
    stage.note("hooks", app.on_startup, app.on_shutdown)


@scenario("1.10")
async def an_app_that_edits_the_path(stage: Stage) -> None:
    class Moved(stage.socketio.ASGIApp):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["path"].startswith("/prefix"):
                scope = scope | {"path": scope["path"].removeprefix("/prefix")}
            await super().__call__(scope, receive, send)

    sio = stage.server()
    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(Moved(sio))
    ann = stage.client("ann", "/prefix/socket.io/")
    await ann.websocket()
    await ann.join()
    await ann.ask("E")
    await stage.http("GET", f"/prefix{POLL}&sid=unknown")
    await stage.http("GET", f"{POLL}&sid=unknown")
    await stage.http("GET", "/prefix/elsewhere")


async def lifespan_of(stage: Stage, app: Any) -> None:
    """Start and stop an application as an ASGI server does, and note what it says."""
    incoming: asyncio.Queue[Any] = asyncio.Queue()

    async def send(event: Any) -> None:
        stage.note("lifespan", event["type"])

    for event in ("startup", "shutdown"):
        incoming.put_nowait({"type": f"lifespan.{event}"})
    try:
        async with asyncio.timeout(0.2):
            await app({"type": "lifespan"}, incoming.get, send)
    except TimeoutError:
        stage.note("still waiting")


@scenario(
    "1.10", {"plain": "plain", "async": "async", "failing": "failing", "other": "other", "other_with_hook": "both"}
)
async def lifespan(stage: Stage, kind: str) -> None:
    def plain() -> None:
        stage.note("hook")

    async def coroutine() -> None:
        stage.note("async hook")

    async def failing() -> None:
        raise RuntimeError

    async def seen(scope: Any, receive: Any, send: Any) -> None:
        stage.note("the other application sees", scope["type"])
        await other_app(scope, receive, send)

    hooks: dict[str, dict[str, Any]] = {
        "plain": {"on_startup": plain, "on_shutdown": plain},
        "async": {"on_startup": coroutine, "on_shutdown": coroutine},
        "failing": {"on_startup": failing},
        "other": {"other_asgi_app": seen},
        "both": {"other_asgi_app": seen, "on_startup": plain},
    }
    await lifespan_of(stage, stage.socketio.ASGIApp(stage.server(), **hooks[kind]))


@scenario("1.11")
async def static_files(stage: Stage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "deep").mkdir()
        for name in (
            "index.html",
            "a.css",
            "b.JS",
            "c.js",
            "d.svg",
            "e.json",
            "f.png",
            "deep/index.html",
            "deep/default.htm",
        ):
            (root / name).write_text(name)
        files = {
            "/static": str(root),
            "/one": str(root / "a.css"),
            "/typed": {"filename": str(root / "a.css"), "content_type": "x/y"},
            "/dir/": str(root) + "/",
            "/missing": str(root / "none"),
        }
        await stage.serve(stage.server(), static_files=files)
        for path in (
            "/static/a.css",
            "/static/b.JS",
            "/static/c.js",
            "/static/d.svg",
            "/static/e.json",
            "/static/f.png",
            "/one",
            "/typed",
            "/static/",
            "/static/deep/",
            "/static/none",
            "/static/../x",
            "/dir/a.css",
            "/dir/",
            "/missing",
            "/one/more",
        ):
            await stage.http("GET", path)
        await stage.http("POST", "/one")


@scenario("1.11")
async def a_static_directory_without_slash(stage: Stage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "index.html").write_text("index")
        await stage.serve(stage.server(), static_files={"/static": folder})
        await stage.http("GET", "/static")


@scenario("1.11")
async def default_files(stage: Stage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "start.txt").write_text("start")
        files = {"/static": folder, "": {"filename": "start.txt", "content_type": "x/start"}}
        await stage.serve(stage.server(), static_files=files, other_asgi_app=other_app)
        for path in ("/static/", "/static/none", "/else"):
            await stage.http("GET", path)
