"""The Socket.IO application behind the recorded sessions, and the one of the official suite.

May import: `fastsio`. `recorded` and `suite` are ASGI applications; they differ in their timers only.
"""

import re
from typing import Any

import fastsio as socketio

NAMESPACES = ["/", "/custom", "/secret", "/secret2"]
DYNAMIC = re.compile(r"/dynamic-\d+")


class Known(list[str]):
    """The accepted namespaces, of which "/dynamic-<digits>" are too many to list."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and DYNAMIC.fullmatch(name) is not None)


class Conversation(socketio.AsyncNamespace):
    """What the recordings ask of every namespace."""

    async def on_connect(self, namespace: str, sid: str, environ: dict[str, Any], auth: Any) -> None:
        if namespace == "/secret":
            raise socketio.exceptions.ConnectionRefusedError("not authorized", {"code": 42})
        if namespace == "/secret2":
            raise socketio.exceptions.ConnectionRefusedError("nope")
        await self.emit("auth", {} if auth is None else auth, to=sid, namespace=namespace)

    async def on_message(self, namespace: str, sid: str, *args: Any) -> None:
        await self.emit("message-back", args, to=sid, namespace=namespace)

    async def on_ask(self, namespace: str, sid: str) -> None:
        await self.emit("question", 1, to=sid, namespace=namespace, callback=lambda *answer: None)

    async def on_binary(self, namespace: str, sid: str) -> None:
        await self.emit("b", (b"\x01\x02", {"a": [b"\x03"]}, b""), to=sid, namespace=namespace)

    async def on_kick(self, namespace: str, sid: str) -> None:
        await self.disconnect(sid, namespace=namespace)


def application(**options: Any) -> socketio.ASGIApp:
    server = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=[], namespaces=Known(NAMESPACES), **options)
    server.register_namespace(Conversation("*"))

    @server.on("message-with-ack", namespace="*")
    async def message_with_ack(namespace: str, sid: str, *args: Any) -> tuple[Any, ...]:
        return args

    @server.on("no-arg-ack", namespace="*")
    async def no_arg_ack(namespace: str, sid: str) -> None:
        return None

    @server.on("multi-ack", namespace="*")
    async def multi_ack(namespace: str, sid: str) -> int:
        return 1  # a handler returns once: there is no second acknowledgement to make

    @server.on("kick-all", namespace="*")
    async def kick_all(namespace: str, sid: str) -> None:
        connection = server.manager.eio_sid_from_sid(sid, namespace)
        for name in NAMESPACES:
            if (joined := server.manager.sid_from_eio_sid(connection, name)) is not None:
                await server.disconnect(joined, namespace=name)
        await server.eio.disconnect(connection)

    return socketio.ASGIApp(server)


recorded = application(connect_timeout=0.6)
suite = application(connect_timeout=1.0, ping_interval=0.3, ping_timeout=0.2)
tight = application(connect_timeout=5, max_http_buffer_size=1000)
