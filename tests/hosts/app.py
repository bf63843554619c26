"""One Socket.IO application, and the ways to host it. `SIO_MODULE` names the package that serves it.

May import: the package under test, and the frameworks. `asgi` is the ASGI application.
Run as a module, with a framework and a port, it serves under aiohttp, Sanic or Tornado.
"""

import importlib
import logging
import os
import sys
from typing import Any

socketio = importlib.import_module(os.environ.get("SIO_MODULE", "fastsio"))

ORIGIN = "http://good.example"
LIMIT = 2000


def application(async_mode: str | None) -> Any:
    """Give the server of the conversation."""
    server = socketio.AsyncServer(
        async_mode=async_mode, cors_allowed_origins=[ORIGIN], max_http_buffer_size=LIMIT, compression_threshold=100_000
    )
    environs: dict[str, dict[str, Any]] = {}
    reasons: dict[str, str] = {}

    @server.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        environs[sid] = environ
        await server.emit("welcome", auth, to=sid)

    @server.event
    async def echo(sid: str, *args: Any) -> tuple[Any, ...]:
        await server.emit("echoed", args, to=sid)
        return args

    @server.event
    async def reason_of(sid: str, other: str) -> str | None:
        return reasons.get(other)

    @server.event
    async def my_environ(sid: str) -> dict[str, Any]:
        return {
            name: value if isinstance(value, str) else type(value).__name__ for name, value in environs[sid].items()
        }

    @server.event
    async def disconnect(sid: str, reason: str) -> None:
        reasons[sid] = reason

    return server


def serve_aiohttp(port: int) -> None:
    from aiohttp import web

    app = web.Application()
    application("aiohttp").attach(app)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


def serve_sanic(port: int) -> None:
    from sanic import Sanic

    app = Sanic("hosted")
    application("sanic").attach(app)
    app.run(host="127.0.0.1", port=port, single_process=True, access_log=False, motd=False)


def serve_tornado(port: int) -> None:
    import asyncio

    import tornado.web

    async def serve() -> None:
        handler = socketio.get_tornado_handler(application("tornado"))
        tornado.web.Application([("/socket.io/", handler)]).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(serve())


asgi = socketio.ASGIApp(application("asgi"))

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    {"aiohttp": serve_aiohttp, "sanic": serve_sanic, "tornado": serve_tornado}[sys.argv[1]](int(sys.argv[2]))
