"""Server and clients of one application in one process; usage: conversation.py fastsio|installed SERIALIZER.

Under "fastsio" it has changed its import, under "installed" it calls `fastsio.install()` and imports `socketio`.
"""

import asyncio
import socket
import sys
from typing import Any

import uvicorn

if sys.argv[1] == "installed":
    import fastsio

    fastsio.install()
    import socketio  # type: ignore[import-untyped]
else:
    import fastsio as socketio

sio = socketio.AsyncServer(async_mode="asgi", serializer=sys.argv[2])
app = socketio.ASGIApp(sio)


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    if auth != {"token": "secret"}:
        raise socketio.exceptions.ConnectionRefusedError("go away", 7)


@sio.event
async def add(sid: str, a: int, b: int) -> int:
    await sio.emit("added", {"bytes": b"\0\1"}, to=sid)
    return a + b


async def converse(url: str) -> None:
    client = socketio.AsyncClient(serializer=sys.argv[2])
    added: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    client.on("added", added.set_result)
    try:
        await client.connect(url, auth={"token": "wrong"})
        raise AssertionError("let in")
    except socketio.exceptions.ConnectionError:
        pass
    await client.connect(url, auth={"token": "secret"})
    assert await client.call("add", (1, 2)) == 3
    assert await added == {"bytes": b"\0\1"}
    try:
        await client.call("unheard of", timeout=0.2)
        raise AssertionError("answered")
    except socketio.exceptions.TimeoutError:
        pass
    try:
        await client.emit("event", namespace="/elsewhere")
        raise AssertionError("sent")
    except socketio.exceptions.BadNamespaceError:
        pass
    await client.disconnect()


async def main() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    serving = asyncio.create_task(server.serve([listener]))
    await converse(f"http://127.0.0.1:{listener.getsockname()[1]}")
    server.should_exit = True
    await serving


asyncio.run(main())
print("all said")
