"""A Litestar application beside the live part: routes, lifespan delegated, a goodbye handler that takes no reason.

Written for python-socketio. The only thing that knows of this project is the name of the module to import.
"""

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, get, post

socketio = importlib.import_module(os.environ.get("SIO_MODULE", "fastsio"))

state: dict[str, Any] = {"lifespan": "never ran", "left": 0}
sio = socketio.AsyncServer(async_mode="asgi")


@asynccontextmanager
async def lifespan(_: Litestar) -> AsyncIterator[None]:
    state["lifespan"] = "running"
    yield


@get("/state")
async def show_state() -> dict[str, Any]:
    return state


@post("/announce")
async def announce(text: str) -> dict[str, bool]:
    await sio.emit("announcement", text)
    return {"sent": True}


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    await sio.emit("hello", (1, 2, {"hello": "you", "auth": auth}), to=sid)


@sio.event
async def twice(sid: str, number: int) -> int:
    return 2 * number


@sio.event
async def disconnect(sid: str) -> None:
    state["left"] += 1


app = socketio.ASGIApp(sio, Litestar([show_state, announce], lifespan=[lifespan]))
