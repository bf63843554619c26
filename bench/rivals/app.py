"""The application of every Python server that is measured: one file, so that all of them run the same handlers.

The environment says which library it runs on: SIO_MODULE (socketio or fastsio) and SIO_ASYNC_MODE (asgi or aiohttp).
Its JavaScript twin is `app.mjs`.
"""

import importlib
import os
from typing import Any

library = importlib.import_module(os.environ["SIO_MODULE"])
sio = library.AsyncServer(async_mode=os.environ.get("SIO_ASYNC_MODE", "asgi"))
if os.environ.get("SIO_ASYNC_MODE", "asgi") == "asgi":
    app = library.ASGIApp(sio)


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    await sio.enter_room(sid, "all")


@sio.event
async def echo(sid: str, data: Any) -> None:
    await sio.emit("echo", data, to=sid)


@sio.event
async def ack(sid: str, data: Any) -> Any:
    return data


@sio.event
async def fan(sid: str, data: Any) -> None:
    await sio.emit("fan", data, room="all")
