"""Drawing together: each stroke is a few bytes of coordinates, sent as binary to everybody else.

A stroke is a header ({"color", "width"}) and 32-bit floats, x and y in turn, between 0 and 1: the server checks them and passes
them on as they came.
"""

import math
import struct
from pathlib import Path
from typing import Any

import fastsio as socketio

HERE = Path(__file__).parent
MAX_STROKES, MAX_POINTS = 2000, 2000
COLORS = ("#1d2430", "#e5484d", "#f5a524", "#30a46c", "#3e7bfa", "#8e4ec6")

sio = socketio.AsyncServer(async_mode="asgi", max_http_buffer_size=64 * 1024)
strokes: list[tuple[dict[str, Any], bytes]] = []


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
    await sio.emit("picture", [[head, points] for head, points in strokes], to=sid)
    await tell_how_many(1)


@sio.event
async def disconnect(sid: str, reason: str) -> None:
    await tell_how_many(-1)


async def tell_how_many(change: int) -> None:
    """Say how many draw; the one that comes or goes is not counted among the connected yet, or still is."""
    here = len(list(sio.manager.get_participants("/", None)))
    await sio.emit("people", max(0, here if change > 0 else here - 1))


@sio.event
async def stroke(sid: str, head: Any = None, points: Any = None, *rest: Any) -> bool:
    """Take a stroke and show it to the others; the answer tells whether it was one."""
    if not is_stroke(head, points):
        return False
    kept = {"color": head["color"], "width": head["width"]}
    strokes.append((kept, points))
    del strokes[:-MAX_STROKES]
    await sio.emit("stroke", (kept, points), skip_sid=sid)
    return True


@sio.event
async def clear(sid: str) -> None:
    strokes.clear()
    await sio.emit("clear")


def is_stroke(head: Any, points: Any) -> bool:
    """Tell whether what a client sent can be drawn by the others."""
    if (
        not isinstance(head, dict)
        or not isinstance(points, bytes)
        or not 8 <= len(points) <= 8 * MAX_POINTS
        or len(points) % 8
    ):
        return False
    numbers = struct.unpack(f"<{len(points) // 4}f", points)
    is_width = isinstance(head.get("width"), (int, float)) and 1 <= head["width"] <= 40
    return is_width and head.get("color") in COLORS and all(math.isfinite(one) and -1 <= one <= 2 for one in numbers)


client = HERE.parent / "chat/static/clients/4.8.4/socket.io.js"
app = socketio.ASGIApp(sio, static_files={"/socket.io.js": str(client), "/": f"{HERE / 'static'}/"})
