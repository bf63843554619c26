"""Engine.IO alone: echoes text and bytes, answers round trips, says goodbye with reasons, serves a page.

Written for python-engineio. The only thing that knows of this project is the name of the module to import.
"""

import importlib
import os
from pathlib import Path
from typing import Any

engineio = importlib.import_module({"socketio": "engineio"}.get(os.environ["SIO_MODULE"], "fastsio.engineio"))

eio = engineio.AsyncServer(async_mode="asgi")
reasons: list[str] = []


@eio.on("connect")
async def connect(sid: str, environ: dict[str, Any]) -> Any:
    if environ.get("HTTP_X_NAME") == "stranger":
        return "who are you?"
    await eio.save_session(sid, {"name": environ["HTTP_X_NAME"], "said": 0})
    return None


@eio.on("message")
async def message(sid: str, data: Any) -> None:
    async with eio.session(sid) as session:
        session["said"] += 1
    if data == "ping":
        await eio.send(sid, "pong")
    elif data == "who am I?":
        await eio.send(sid, {**await eio.get_session(sid), "over": eio.transport(sid)})
    elif data == "reasons":
        await eio.send(sid, reasons)
    elif data == "bye":
        await eio.disconnect(sid)
    else:
        await eio.send(sid, data)


@eio.on("disconnect")
def disconnect(sid: str, reason: str) -> None:
    reasons.append(reason)


app = engineio.ASGIApp(eio, static_files={"/": str(Path(__file__).parent / "public" / "fiddle.html")})
