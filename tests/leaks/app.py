"""The application of the leak tests, and its census: `GET /census` counts what the process holds.

May import: `fastsio`. `plain` and `deflating` are ASGI applications; timers are short, so that what is abandoned ends soon.
"""

import asyncio
import gc
import json
import logging
import os
import sys
from typing import Any

import fastsio as socketio
from fastsio.engine._outbox import Prepared

PAGE = os.sysconf("SC_PAGE_SIZE")
REFERENCED = {"None": None, "True": True, "empty": (), "Prepared": Prepared}


def census(sio: Any) -> dict[str, int]:
    """Count what the server and the process hold, once all that can be collected has been."""
    collected = gc.collect() + gc.collect()
    registry = sio.eio._registry
    halls = sio.manager._rooms.halls.values()
    counts = {
        "sessions": len(registry.sessions),
        "ending": len(registry.ending),
        "members": sum(len(hall.members) for hall in halls),
        "rooms": sum(len(hall.rooms) for hall in halls),
        "tasks": len(asyncio.all_tasks()) + len(registry.tasks),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "objects": len(gc.get_objects()),
        "blocks": sys.getallocatedblocks(),
        "bytes": int(open("/proc/self/statm").read().split()[1]) * PAGE,
        "garbage": len(gc.garbage),
        "collected": collected,
    }
    return counts | {f"references to {name}": sys.getrefcount(value) for name, value in REFERENCED.items()}


def application(**options: Any) -> socketio.ASGIApp:
    sio = socketio.AsyncServer(
        async_mode="asgi",
        cors_allowed_origins="http://good.example",
        ping_interval=0.4,
        ping_timeout=0.4,
        connect_timeout=0.8,
        upgrade_timeout=0.5,
        linger_timeout=0.5,
        max_http_buffer_size=10_000,
        **options,
    )

    @sio.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        if auth == {"refuse": True}:
            raise socketio.exceptions.ConnectionRefusedError("no")
        if auth == {"fail": True}:
            raise ValueError("the application's own")
        await sio.enter_room(sid, "everybody")
        await sio.save_session(sid, {"name": "x" * 100})

    @sio.event
    async def disconnect(sid: str, reason: str) -> None:
        await sio.emit("left", sid, room="everybody")

    @sio.on("*")
    async def echo(event: str, sid: str, *args: Any) -> Any:
        return args

    async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = json.dumps(census(sio)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    sio.logger.setLevel(logging.CRITICAL + 1)
    sio.eio.logger.setLevel(logging.CRITICAL + 1)
    return socketio.ASGIApp(sio, serve)


plain = application()
deflating = application(per_message_deflate=True, compression_threshold=0)
