"""A site with a live part: auth, several arguments in one event, static files, and a FastAPI application beside it.

Written for python-socketio. The only thing that knows of this project is the name of the module to import.
"""

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

socketio = importlib.import_module(os.environ.get("SIO_MODULE", "fastsio"))

PUBLIC = Path(__file__).parent / "public"
state: dict[str, Any] = {"lifespan": "never ran"}


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[None]:
    state["lifespan"] = "running"
    yield


api = FastAPI(lifespan=lifespan)
sio = socketio.AsyncServer(async_mode="asgi")


@api.get("/hello")
async def hello() -> dict[str, Any]:
    return {"message": "hello", "lifespan": state["lifespan"]}


@api.post("/announce")
async def announce(text: str) -> dict[str, bool]:
    await sio.emit("announcement", text)
    return {"sent": True}


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    await sio.emit("hello", (1, 2, {"hello": "you", "auth": auth}), to=sid)


@sio.event
async def state_of_environ(sid: str) -> dict[str, Any]:
    environ = sio.get_environ(sid)
    names = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "HTTP_X_NAME", "wsgi.url_scheme")
    return {name: environ[name] for name in names} | {"same": environ is sio.get_environ(sid)}


@sio.event
def disconnect(sid: str) -> None:
    state["left"] = state.get("left", 0) + 1


@sio.on("*")
async def anything(event: str, sid: str, *args: Any) -> list[Any]:
    return [event, list(args)]


app = socketio.ASGIApp(
    sio,
    other_asgi_app=api,
    static_files={
        "/": str(PUBLIC / "fiddle.html"),
        "/docs": str(PUBLIC / "docs"),
        "/plain": {"filename": str(PUBLIC / "docs/note.txt"), "content_type": "text/x-note"},
    },
)
