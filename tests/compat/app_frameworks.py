"""One live site of aiohttp, Sanic or Tornado, with pages beside it: `python -m compat.app_frameworks HOST PORT`.

Written for python-socketio. The only thing that knows of this project is the name of the module to import.
"""

import asyncio
import importlib
import os
import sys
from pathlib import Path
from typing import Any

socketio = importlib.import_module(os.environ.get("SIO_MODULE", "fastsio"))

PUBLIC = Path(__file__).parent / "public"
PAGE = PUBLIC / "fiddle.html"
sio = socketio.AsyncServer(async_mode=sys.argv[1])
counted: list[int] = []
reasons: list[str] = []


async def count() -> None:
    """Run beside the server from its start on."""
    while True:
        counted.append(len(counted))
        await sio.sleep(0.05)


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    await sio.emit("hello", (1, 2, {"hello": environ["HTTP_X_NAME"], "auth": auth}), to=sid)


@sio.event
async def is_counting(sid: str) -> bool:
    return len(counted) > 1


@sio.event
async def ping_from_page(sid: str) -> None:
    await sio.emit("pong_from_server", room=sid)


@sio.event
async def my_event(sid: str, message: Any) -> None:
    await sio.emit("my_response", {"data": message}, room=sid)


@sio.event
async def my_broadcast(sid: str, message: Any) -> None:
    await sio.emit("my_response", {"data": message})


@sio.event
async def join(sid: str, room: str) -> list[str]:
    await sio.enter_room(sid, room)
    return sorted(name for name in sio.rooms(sid) if name != sid)


@sio.event
async def leave(sid: str, room: str) -> None:
    await sio.leave_room(sid, room)


@sio.event
async def close(sid: str, room: str) -> None:
    await sio.emit("closing", room, room=room)
    await sio.close_room(room)


@sio.event
async def to_room(sid: str, room: str, data: Any) -> None:
    await sio.emit("my_response", {"data": data}, room=room)


@sio.event
async def picture(sid: str, data: bytes) -> tuple[bytes, str]:
    return data[::-1], sio.transport(sid)


@sio.event
async def disconnect_request(sid: str) -> None:
    await sio.disconnect(sid)


@sio.event
async def why(sid: str) -> list[str]:
    return reasons


@sio.event
def disconnect(sid: str, reason: str) -> None:
    reasons.append(reason)


def serve_aiohttp(port: int) -> None:
    from aiohttp import web

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE.read_text(), content_type="text/html")

    async def make_app() -> web.Application:
        """Make the application inside its loop, where the background task can start."""
        sio.start_background_task(count)
        app = web.Application()
        sio.attach(app)
        app.router.add_get("/", page)
        app.router.add_static("/docs", PUBLIC / "docs")
        return app

    web.run_app(make_app(), host="127.0.0.1", port=port, print=None)


def serve_sanic(port: int) -> None:
    from sanic import Request, Sanic
    from sanic.response import HTTPResponse, html

    app: Any = Sanic("site")
    app.config["CORS_SUPPORTS_CREDENTIALS"] = True
    sio.attach(app)
    app.static("/docs", PUBLIC / "docs", name="docs")

    @app.before_server_start
    def before_start(*_: Any) -> None:
        sio.start_background_task(count)

    @app.route("/")
    async def page(_: Request) -> HTTPResponse:
        return html(PAGE.read_text())

    app.run(host="127.0.0.1", port=port, single_process=True, access_log=False, motd=False)


def serve_tornado(port: int) -> None:
    import tornado.web

    class Page(tornado.web.RequestHandler):
        def get(self) -> None:
            self.write(PAGE.read_text())

    async def serve() -> None:
        routes: list[Any] = [
            ("/", Page),
            ("/docs/(.*)", tornado.web.StaticFileHandler, {"path": str(PUBLIC / "docs")}),
            ("/socket.io/", socketio.get_tornado_handler(sio)),
        ]
        tornado.web.Application(routes).listen(port, "127.0.0.1")
        sio.start_background_task(count)
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    {"aiohttp": serve_aiohttp, "sanic": serve_sanic, "tornado": serve_tornado}[sys.argv[1]](int(sys.argv[2]))
