"""An application whose handlers do what goes wrong in real life: wait, fail, get cancelled, send too much.

May import: `fastsio`. `default`, `packed`, `inline` and `deflating` are ASGI applications. What handlers see is told to clients of the
namespace `/log`, so tests need no access to the process.
"""

import asyncio
from typing import Any

import fastsio as socketio


def application(**options: Any) -> socketio.ASGIApp:
    sio = socketio.AsyncServer(async_mode="asgi", namespaces=["/", "/log", "/slow", "/other"], **options)

    async def log(*line: Any) -> None:
        await sio.emit("log", line, namespace="/log")

    @sio.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        await sio.save_session(sid, {"name": "Ann"})

    @sio.event
    async def disconnect(sid: str, reason: str) -> None:
        session = await sio.get_session(sid)
        await log("disconnect", reason, session, sio.get_environ(sid) is not None, sio.transport(sid))

    async def slow_connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        await log("connecting", environ is not None)
        await asyncio.sleep(0.2)

    async def slow_disconnect(sid: str, reason: str) -> None:
        await log("slow disconnect", reason)

    async def cancelled(sid: str, reason: str) -> None:
        raise asyncio.CancelledError

    sio.on("connect", slow_connect, namespace="/slow")
    sio.on("disconnect", slow_disconnect, namespace="/slow")
    sio.on("disconnect", cancelled, namespace="/other")

    @sio.on("flood")
    async def flood(sid: str, count: int, size: int) -> None:
        for number in range(count):
            await sio.emit("flood", (number, "x" * size), to=sid)

    counts: dict[str, int] = {}

    @sio.on("count")
    async def count(sid: str, *args: Any) -> None:
        counts[sid] = counts.get(sid, 0) + 1
        await asyncio.sleep(0)

    @sio.on("counted")
    async def counted(sid: str) -> int:
        return counts.get(sid, 0)

    @sio.on("members", namespace="/log")
    async def members(sid: str) -> dict[str, int]:
        return {name: len(list(sio.manager.get_participants(name, None))) for name in ("/", "/slow", "/other")}

    return socketio.ASGIApp(sio)


default = application()
packed = application(serializer="msgpack")
inline = application(async_handlers=False)
deflating = application(per_message_deflate=True)
