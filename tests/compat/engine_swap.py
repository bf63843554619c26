"""Two ways to put this project's Engine.IO server under python-socketio's own Socket.IO server.

`SWAP` chooses: "class" overrides the hook that python-socketio has for it, "instance" exchanges the finished object,
"none" leaves python-engineio in place.
"""

import os
from typing import Any

import socketio

from fastsio import engineio as compiled

SWAP = os.environ["SWAP"]
OPTIONS: dict[str, Any] = {"async_mode": "asgi", "cors_allowed_origins": "*"}


class OnCompiledEngine(socketio.AsyncServer):
    def _engineio_server_class(self) -> Any:
        return compiled.AsyncServer


def make_server() -> Any:
    if SWAP == "class":
        return OnCompiledEngine(**OPTIONS)
    server = socketio.AsyncServer(**OPTIONS)
    if SWAP == "instance":
        handlers = server.eio.handlers
        server.eio = compiled.AsyncServer(**OPTIONS, async_handlers=False)
        for event, handler in handlers.items():
            server.eio.on(event, handler)
    return server


sio = make_server()
farewells: list[str] = []


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> bool | None:
    if auth == {"refuse": True}:
        return False
    await sio.save_session(sid, {"name": environ["HTTP_X_NAME"]})
    await sio.emit("hello", {"auth": auth}, to=sid)
    return None


@sio.on("echo")
async def echo(sid: str, *args: Any) -> tuple[Any, ...]:
    return args


@sio.on("everybody")
async def everybody(sid: str, data: Any) -> None:
    await sio.emit("news", data)


@sio.on("join")
async def join(sid: str, room: str) -> list[str]:
    await sio.enter_room(sid, room)
    return sorted(name if name != sid else "own" for name in sio.rooms(sid))


@sio.on("to room")
async def to_room(sid: str, room: str, data: Any) -> None:
    await sio.emit("room news", data, room=room, skip_sid=sid)


@sio.on("ask back")
async def ask_back(sid: str) -> Any:
    session = await sio.get_session(sid)
    return [session["name"], sio.transport(sid), await sio.call("question", "really?", to=sid, timeout=2)]


@sio.on("numbers")
async def numbers(sid: str, count: int) -> None:
    for number in range(count):
        await sio.emit("number", number, to=sid)


@sio.on("farewells")
async def tell(sid: str) -> list[str]:
    return farewells


@sio.on("put me out")
async def put_me_out(sid: str) -> None:
    await sio.disconnect(sid)


@sio.event
async def disconnect(sid: str, reason: str) -> None:
    farewells.append(reason)


app = socketio.ASGIApp(sio)
