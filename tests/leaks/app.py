"""The application of the leak tests, and its census: `GET /census` counts what the process holds.

May import: `fastsio`. `plain` and `deflating` are ASGI applications; timers are short, so that what is abandoned ends soon.
"""

import json
import logging
from typing import Any

import fastsio as socketio
from leaks.census import census


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
