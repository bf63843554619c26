"""A dashboard of this machine: numbers twice a second, plotted as they come.

Shows `latest`: where a viewer is too slow, a newer value of a gauge takes the place of the one that still waits for it.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import fastsio as socketio

HERE = Path(__file__).parent
EVERY = 0.5  # seconds
KEPT = 120  # values of each gauge that a new viewer is given

sio = socketio.AsyncServer(async_mode="asgi")
history: dict[str, list[list[float]]] = {"load": [], "loop": [], "viewers": [], "sent": []}
_sampler: asyncio.Task[None] | None = None


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
    """Give a new viewer what it missed; the first one starts the clockwork."""
    global _sampler
    await sio.enter_room(sid, "viewers")
    await sio.emit("history", history, to=sid)
    if _sampler is None or _sampler.done():
        _sampler = asyncio.create_task(sample_for_ever())


async def sample_for_ever() -> None:
    """Measure, remember and tell, as long as somebody looks."""
    before, due = sio.stats(), time.monotonic()
    while any(sio.manager.get_participants("/", "viewers")):
        due += EVERY
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        now = sio.stats()
        values = {
            "load": os.getloadavg()[0],
            "loop": max(0.0, time.monotonic() - due) * 1000,  # ms that the event loop was late
            "viewers": now["sessions"]["open"],
            "sent": (now["bytes"]["sent"] - before["bytes"]["sent"]) / EVERY,
        }
        before = now
        for name, value in values.items():
            point = [time.time(), value]
            history[name] = [*history[name], point][-KEPT:]
            await sio.emit("gauge", (name, point), room="viewers", latest=name)


client = HERE.parent / "chat/static/clients/4.8.4/socket.io.js"
app = socketio.ASGIApp(sio, static_files={"/socket.io.js": str(client), "/": f"{HERE / 'static'}/"})
