"""A chat whose status is shown twice: to everybody below /status, and to those with a token below /guarded."""

from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount

import fastsio

sio = fastsio.AsyncServer(async_mode="asgi", namespaces=["/", "/news"])


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    await sio.enter_room(sid, "everybody")


@sio.event
async def say(sid: str, text: str) -> None:
    await sio.emit("said", text, room="everybody")


@sio.event
async def fail(sid: str) -> None:
    raise RuntimeError("as a handler may")


pages = Starlette(
    routes=[
        Mount("/status", fastsio.StatusApp(sio)),
        Mount("/guarded", fastsio.StatusApp(sio, token="let-me-see")),
    ]
)
app = fastsio.ASGIApp(sio, pages)
