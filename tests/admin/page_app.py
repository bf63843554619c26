"""The application that the real Admin UI looks at; it serves the page itself.

Environment: `ADMIN_MODE` and `ADMIN_READ_ONLY` are arguments of `instrument()`.
"""

import os
from pathlib import Path

import fastsio as socketio

DIST = Path(__file__).parent / "node_modules" / "@socket.io" / "admin-ui" / "ui" / "dist"

sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")
sio.instrument(
    auth={"username": "admin", "password": "secret"},
    mode=os.environ.get("ADMIN_MODE", "development"),
    read_only=os.environ.get("ADMIN_READ_ONLY") == "1",
    server_id="fastsio-1",
    server_stats_interval=0.5,
)
app = socketio.ASGIApp(sio, static_files={"/ui": str(DIST)})


@sio.event
async def enter(sid: str, room: str) -> str:
    await sio.enter_room(sid, room)
    return "ok"


@sio.event
async def say(sid: str, room: str, text: str) -> None:
    await sio.emit("said", text, room=room)


@sio.event(namespace="/chat")
async def hello(sid: str, name: str) -> str:
    return f"hello {name}"
