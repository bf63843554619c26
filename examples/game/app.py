"""A game for everybody who opens the page: gather the dots. The server moves the world twenty times a second.

Shows `volatile`: where everybody is goes out with each tick, and a player whose connection is full is left out of it, since the
next tick says it again. Who joined, scored or left must arrive, and is sent as ever.
"""

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import fastsio as socketio

HERE = Path(__file__).parent
TICK = 0.05  # seconds
SPEED = 0.35  # of the field in a second
REACH = 0.03
DOTS, MAX_PLAYERS = 12, 200
COLORS = ("#e5484d", "#f5a524", "#30a46c", "#3e7bfa", "#8e4ec6", "#d6409f", "#12a594")

sio = socketio.AsyncServer(async_mode="asgi", max_events_per_second=60, rate_policy="drop")
players: dict[str, dict[str, Any]] = {}  # by sid; "id" is what the others know
dots: list[list[float]] = [[random.random(), random.random()] for _ in range(DOTS)]
_world: asyncio.Task[None] | None = None
_count = 0


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> bool | None:
    """Put a player into the field; the first one sets the world going."""
    global _count, _world
    if len(players) >= MAX_PLAYERS:
        return False
    _count += 1
    players[sid] = {"id": _count, "x": random.random(), "y": random.random(), "dx": 0, "dy": 0, "score": 0}
    players[sid]["color"] = COLORS[_count % len(COLORS)]
    await sio.emit("you", _count, to=sid)
    await tell_scores()
    if _world is None or _world.done():
        _world = asyncio.create_task(turn())
    return None


@sio.event
async def disconnect(sid: str, reason: str) -> None:
    players.pop(sid, None)
    await tell_scores()


@sio.event
async def steer(sid: str, dx: Any = 0, dy: Any = 0, *rest: Any) -> None:
    """Take a direction: -1, 0 or 1 each way."""
    if sid in players and dx in (-1, 0, 1) and dy in (-1, 0, 1):
        players[sid].update(dx=dx, dy=dy)


async def turn() -> None:
    """Move everybody until nobody is left."""
    last = time.monotonic()
    while players:
        await asyncio.sleep(TICK)
        now = time.monotonic()
        has_scored = move(min(0.2, now - last))
        last = now
        places = [[one["id"], round(one["x"], 4), round(one["y"], 4)] for one in players.values()]
        await sio.emit("world", (places, dots), volatile=True)
        if has_scored:
            await tell_scores()


def move(seconds: float) -> bool:
    """Let `seconds` pass in the field; tell whether somebody got a dot."""
    has_scored = False
    for one in players.values():
        one["x"] = min(1.0, max(0.0, one["x"] + one["dx"] * SPEED * seconds))
        one["y"] = min(1.0, max(0.0, one["y"] + one["dy"] * SPEED * seconds))
        for dot in dots:
            if abs(dot[0] - one["x"]) < REACH and abs(dot[1] - one["y"]) < REACH:
                dot[:] = [random.random(), random.random()]
                one["score"] += 1
                has_scored = True
    return has_scored


async def tell_scores() -> None:
    await sio.emit("scores", [{name: one[name] for name in ("id", "color", "score")} for one in players.values()])


client = HERE.parent / "chat/static/clients/4.8.4/socket.io.js"
app = socketio.ASGIApp(sio, static_files={"/socket.io.js": str(client), "/": f"{HERE / 'static'}/"})
