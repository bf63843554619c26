"""A chat-like application: events with spaces, rooms, a background task, an old two-argument connect handler.

Written for python-socketio. The only thing that knows of this project is the name of the module to import.
"""

import importlib
import os
from typing import Any

socketio = importlib.import_module(os.environ.get("SIO_MODULE", "fastsio"))

sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=["http://app.example"], ping_interval=(5, 1))
farewells: list[str] = []
ticker = None


async def tick() -> None:
    """Broadcast three ticks, as long-running background tasks do."""
    for count in range(3):
        await sio.sleep(0.05)
        await sio.emit("tick", {"count": count})


@sio.on("start ticking")
async def start_ticking(sid: str) -> None:
    global ticker
    ticker = sio.start_background_task(tick)


@sio.event
async def connect(sid: str, environ: dict[str, Any]) -> None:
    await sio.emit("my response", {"data": "Connected", "from": environ["HTTP_X_NAME"]}, room=sid)
    await sio.emit("my response", {"data": "Somebody came"}, skip_sid=sid)


@sio.on("my event")
async def echo(sid: str, message: Any) -> None:
    await sio.emit("my response", {"data": message["data"]}, room=sid)


@sio.on("my broadcast event")
async def broadcast(sid: str, message: Any) -> None:
    await sio.emit("my response", {"data": message["data"]})


@sio.on("join")
async def join(sid: str, message: Any) -> None:
    await sio.enter_room(sid, message["room"])
    await sio.emit("my response", {"data": "Entered " + message["room"]}, room=sid)


@sio.on("leave")
async def leave(sid: str, message: Any) -> None:
    await sio.leave_room(sid, message["room"])
    await sio.emit("my response", {"data": "Left " + message["room"]}, room=sid)


@sio.on("close room")
async def close(sid: str, message: Any) -> None:
    await sio.emit("my response", {"data": "Closing " + message["room"]}, room=message["room"])
    await sio.close_room(message["room"])


@sio.on("my room event")
async def to_room(sid: str, message: Any) -> None:
    await sio.emit("my response", {"data": message["data"]}, room=message["room"])


@sio.on("to several")
async def to_several(sid: str, rooms: list[str]) -> None:
    await sio.emit("once", rooms, to=rooms)


@sio.on("who is where")
async def where(sid: str) -> dict[str, Any]:
    rooms = [room if room != sid else "own" for room in sio.rooms(sid)]
    return {"rooms": sorted(rooms), "transport": sio.transport(sid)}


@sio.on("disconnect request")
async def leave_me(sid: str) -> None:
    await sio.disconnect(sid)


@sio.on("farewells")
async def tell_farewells(sid: str) -> list[str]:
    return farewells


@sio.event
def disconnect(sid: str, reason: str) -> None:
    farewells.append(reason)


app = socketio.ASGIApp(sio)
