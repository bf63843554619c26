"""One scripted application on either library, served by uvicorn inside the test's own loop, and an admin that listens.

May import: both servers and python-socketio's client. Judges nothing.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any, Self

import socketio as reference
import uvicorn

import fastsio

LIBRARIES: dict[str, ModuleType] = {"fastsio": fastsio, "reference": reference}
STATS_INTERVAL = 0.3


def make_server(library: ModuleType, **options: Any) -> Any:
    """Give a server with a little of everything in it: rooms, emits of each kind, two namespaces, a refusal."""
    sio = library.AsyncServer(async_mode="asgi", cors_allowed_origins="*", **options)

    @sio.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> Any:
        if auth == "refuse me":
            return False
        await sio.emit("welcome", {"n": 1}, to=sid)
        return None

    @sio.event
    async def enter(sid: str, room: str) -> None:
        await sio.enter_room(sid, room)

    @sio.event
    async def leave(sid: str, room: str) -> None:
        await sio.leave_room(sid, room)

    @sio.event
    async def say(sid: str, room: str, text: str) -> str:
        await sio.emit("said", (text, 2), room=room, skip_sid=sid)
        return "ok"

    @sio.event
    async def close(sid: str, room: str) -> None:
        await sio.close_room(room)

    @sio.on("*", namespace="/other")
    async def anything(event: str, sid: str, *args: Any) -> None:
        await sio.emit("seen", [event, *args], to=sid, namespace="/other")

    return sio


@asynccontextmanager
async def served(library: ModuleType, sio: Any, native: bool = False) -> AsyncIterator[str]:
    """Serve an application until the end of the block; give its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    options: dict[str, Any] = {"log_level": "error", "lifespan": "off"}
    if native:
        from fastsio.net._native import NativeConnection

        options["http"] = NativeConnection
    server = uvicorn.Server(uvicorn.Config(library.ASGIApp(sio), **options))
    task = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await asyncio.wait_for(task, 10)


class Listener:
    """A client that writes down everything it hears in one namespace."""

    def __init__(self, namespace: str = "/") -> None:
        self.namespace = namespace
        self.client = reference.AsyncClient(reconnection=False)
        self.heard: list[list[Any]] = []
        self.client.on("*", self._note, namespace=namespace)

    async def _note(self, event: str, *args: Any) -> None:
        self.heard.append([event, *args])

    async def connect(self, url: str, auth: Any = None, transports: Any = ("websocket",)) -> "Listener":
        await self.client.connect(
            url, auth=auth, namespaces=[self.namespace], transports=list(transports), wait_timeout=3, retry=False
        )
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.disconnect()

    @property
    def sid(self) -> str:
        return str(self.client.get_sid(self.namespace))

    async def emit(self, event: str, *args: Any) -> None:
        await self.client.emit(event, args, namespace=self.namespace)

    async def call(self, event: str, *args: Any) -> Any:
        return await self.client.call(event, args, namespace=self.namespace, timeout=3)

    def of(self, *names: str) -> list[list[Any]]:
        return [message for message in self.heard if message[0] in names]

    async def until(self, name: str, count: int = 1) -> list[list[Any]]:
        """Wait until an event has come so many times."""
        async with asyncio.timeout(5):
            while len(self.of(name)) < count:
                await asyncio.sleep(0.01)
        return self.of(name)
