"""A notice board, open to the Admin UI: a page, a pulse that the first visitor starts, round trips without data.

Written for python-socketio. The only thing that knows of this project is the name of the module to import.
"""

import asyncio
import importlib
import os
from pathlib import Path
from typing import Any

socketio = importlib.import_module(os.environ.get("SIO_MODULE", "fastsio"))

PAGE = Path(__file__).parent / "public" / "fiddle.html"

sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=None)
sio.instrument(auth={"username": "admin", "password": "secret"})
app = socketio.ASGIApp(sio, static_files={"/": str(PAGE)})
pulse: "asyncio.Task[None] | None" = None
reasons: list[str] = []


async def beat() -> None:
    for number in range(1, 4):
        await sio.sleep(0.1)
        await sio.emit("notice", {"number": number, "text": "pulse"})


@sio.on("connect")
async def came(sid: str, environ: dict[str, Any]) -> None:
    global pulse
    if pulse is None:
        pulse = sio.start_background_task(beat)
    await sio.emit("notice", {"text": "welcome", "number": 0}, to=sid)


@sio.on("round trip")
async def round_trip(sid: str) -> None:
    await sio.emit("and back", room=sid)


@sio.on("pin up")
async def pin_up(sid: str, note: Any) -> None:
    await sio.emit("notice", note)


@sio.on("pin for me")
async def pin_for_me(sid: str, note: Any) -> None:
    await sio.emit("notice", note, to=sid)


@sio.on("enter corner")
async def enter(sid: str, corner: str) -> None:
    await sio.enter_room(sid, corner)
    await sio.emit("in corners", sorted(room for room in sio.rooms(sid) if room != sid), to=sid)


@sio.on("leave corner")
async def leave(sid: str, corner: str) -> None:
    await sio.leave_room(sid, corner)
    await sio.emit("in corners", sorted(room for room in sio.rooms(sid) if room != sid), to=sid)


@sio.on("clear corner")
async def clear(sid: str, corner: str) -> None:
    await sio.emit("notice", {"cleared": corner}, room=corner)
    await sio.close_room(corner)


@sio.on("tell corner")
async def tell(sid: str, note: dict[str, Any]) -> None:
    await sio.emit("notice", note["text"], room=note["corner"])


@sio.on("show me out")
async def show_out(sid: str) -> None:
    await sio.disconnect(sid)


@sio.on("reasons")
async def tell_reasons(sid: str) -> list[str]:
    return reasons


@sio.on("disconnect")
def went(sid: str, reason: str) -> None:
    reasons.append(reason)
