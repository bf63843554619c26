"""An application whose disconnect handler takes a moment, as one that writes to a database does.

May import: `fastsio`.
"""

import asyncio

import fastsio as socketio

sio = socketio.AsyncServer(async_mode="asgi")
app = socketio.ASGIApp(sio)


@sio.event
async def disconnect(sid: str, reason: str) -> None:
    await asyncio.sleep(0.3)
    print("seen off", reason, flush=True)
