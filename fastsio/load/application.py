"""The application that `fastsio bench --serve` puts under load, and an example of what a server has to do for it.

May import: the public floor. It joins everybody to one room, answers `echo`, acknowledges `ack` and emits `fan` to the room.
The handlers run on python-socketio as they are. `fastsio run fastsio.load.application:app` serves it alone.
"""

from typing import Any

import fastsio as socketio

sio = socketio.AsyncServer(async_mode="asgi")
app = socketio.ASGIApp(sio)


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
