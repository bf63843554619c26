"""The application that every real client talks to: ordinary python-socketio code, one handler per thing to prove.

Imports one Socket.IO module, fastsio unless SIO_MODULE names another, so the same application runs on the reference.
Never reaches below the public API and never imports the tests.
"""

import importlib
import os
from typing import Any
from urllib.parse import parse_qs

socketio = importlib.import_module(os.environ.get("SIO_MODULE", "fastsio"))

if socketio.__name__ == "socketio":  # the reference takes 16 packets in one POST, fewer than clients send at once
    importlib.import_module("engineio.payload").Payload.max_decode_packets = 10_000

Sid = str
Environ = dict[str, Any]

sio = socketio.AsyncServer(
    async_mode="asgi",
    cors_allowed_origins="*",
    ping_interval=float(os.environ.get("INTEROP_PING_INTERVAL", "0.5")),
    ping_timeout=float(os.environ.get("INTEROP_PING_TIMEOUT", "2")),
    serializer=os.environ.get("INTEROP_SERIALIZER", "default"),
)
app = socketio.ASGIApp(sio)

auths: dict[Sid, Any] = {}
farewells: dict[Sid, str] = {}  # why each client that has left was gone
next_number: dict[str, int] = {}  # per room: what its next broadcast will be numbered


@sio.event
async def connect(sid: Sid, environ: Environ, auth: Any) -> None:
    auths[sid] = auth


@sio.event
async def disconnect(sid: Sid, reason: str) -> None:
    auths.pop(sid, None)
    farewells[sid] = reason


@sio.event
async def whoami(sid: Sid) -> dict[str, Any]:
    """What the server believes about the caller."""
    query = parse_qs(sio.get_environ(sid)["QUERY_STRING"])
    return {"sid": sid, "transport": sio.transport(sid), "auth": auths[sid], "colour": query["colour"][0]}


@sio.event
async def farewell(sid: Sid, other: Sid) -> str:
    """Why `other` was disconnected; empty while it is connected."""
    return farewells.get(other, "")


@sio.event
async def echo(sid: Sid, *args: Any) -> tuple[Any, ...]:
    """Both ways at once: an event with the arguments, and the arguments as the acknowledgement."""
    await sio.emit("echoed", args, to=sid)
    return args


@sio.event
async def ask(sid: Sid, *args: Any) -> Any:
    """Call the caller back and return whatever it answered."""
    return await sio.call("question", args, to=sid, timeout=10)


@sio.event
async def numbered(sid: Sid, number: int) -> None:
    await sio.emit("numbered", number, to=sid)


@sio.event
async def enter(sid: Sid, room: str) -> None:
    await sio.enter_room(sid, room)


@sio.event
async def leave(sid: Sid, room: str) -> None:
    await sio.leave_room(sid, room)


@sio.event
async def say(sid: Sid, room: str, text: str, skip_me: bool) -> None:
    await sio.emit("said", text, to=room, skip_sid=sid if skip_me else None)


@sio.event
async def kick(sid: Sid) -> None:
    await sio.disconnect(sid)


@sio.event
async def join(sid: Sid, room: str) -> int:
    """Enter the room of a flood; the number of the first broadcast that this client must receive."""
    await sio.enter_room(sid, room)
    return next_number.get(room, 0)


@sio.event
async def flood(sid: Sid, room: str, order: dict[str, Any]) -> None:
    """Broadcast the next `count` numbers, yielding every few so that others may join and upgrade meanwhile."""
    for index in range(order["count"]):
        number = next_number.get(room, 0)
        next_number[room] = number + 1
        await sio.emit("flooded", (number, flooded_content(number, order["binary"])), to=room)
        if index % 5 == 4:
            await sio.sleep(0.005)


def flooded_content(number: int, binary: bool) -> Any:
    """Content that follows from the number, so that a receiver can tell a mixed-up attachment."""
    if not binary:
        return f"message {number} \u00e9\u4e16\U0001f600"
    return {"first": number.to_bytes(4, "big"), "more": [bytes([number % 251]) * (1 + number % 50)]}


class Chat(socketio.AsyncNamespace):
    """The second namespace, as a class."""

    async def on_connect(self, sid: Sid, environ: Environ, auth: Any) -> None:
        await self.save_session(sid, {"auth": auth})

    async def on_whoami(self, sid: Sid) -> dict[str, Any]:
        session = await self.get_session(sid)
        return {"sid": sid, "auth": session["auth"]}

    async def on_echo(self, sid: Sid, *args: Any) -> tuple[Any, ...]:
        await self.emit("echoed", ("chat", *args), to=sid)
        return ("chat", *args)

    async def on_kick(self, sid: Sid) -> None:
        await self.disconnect(sid)

    async def on_say_to_all(self, sid: Sid, text: str) -> None:
        await self.emit("said", text)


sio.register_namespace(Chat("/chat"))


@sio.on("connect", namespace="/refused")
async def refuse(sid: Sid, environ: Environ, auth: Any) -> None:
    raise socketio.exceptions.ConnectionRefusedError("not allowed", {"code": 42})
