"""What the doctor is sent to: Socket.IO servers with options of the environment, and a server of another make.

May import: fastsio, python-socketio. Started by `wire.live`.
"""

import asyncio
import json
import os
from typing import Any

import socketio

import fastsio

OPTIONS: dict[str, Any] = json.loads(os.environ.get("DOCTOR_OPTIONS", "{}"))
PATH = os.environ.get("DOCTOR_PATH", "socket.io")

sio = fastsio.AsyncServer(async_mode="asgi", **OPTIONS)
app = fastsio.ASGIApp(sio, socketio_path=PATH)


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    if os.environ.get("DOCTOR_REFUSES"):
        raise fastsio.exceptions.ConnectionRefusedError("log in first")
    await asyncio.sleep(float(os.environ.get("DOCTOR_THINKS", "0")))


theirs = socketio.ASGIApp(socketio.AsyncServer(async_mode="asgi", **OPTIONS))
engine = fastsio.engineio.ASGIApp(fastsio.engineio.AsyncServer(async_mode="asgi"), engineio_path="socket.io")


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """A web server without Socket.IO."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"<html>Welcome</html>"})


async def broken(scope: Any, receive: Any, send: Any) -> None:
    """A server that fails at everything."""
    if scope["type"] == "http":
        raise RuntimeError("as it should")
