"""What the load tests put under load: the example's handlers and a few awkward ones, on either library.

SIO_MODULE chooses fastsio or socketio. Namespaces: / and /chat are alike; /login wants a token; /talkative greets everybody.
"""

import importlib
import os
from typing import Any

library = importlib.import_module(os.environ.get("SIO_MODULE", "fastsio"))
sio = library.AsyncServer(async_mode="asgi", namespaces="*")
app = library.ASGIApp(sio)
greeted: dict[str, Any] = {}


def install(namespace: str) -> None:
    """Have the handlers of the example in a namespace."""

    async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        greeted["header"] = environ.get("HTTP_X_LOAD")
        await sio.enter_room(sid, "all", namespace=namespace)

    async def echo(sid: str, data: Any) -> None:
        await sio.emit("echo", data, to=sid, namespace=namespace)

    async def ack(sid: str, data: Any) -> Any:
        return data

    async def fan(sid: str, data: Any) -> None:
        await sio.emit("fan", data, room="all", namespace=namespace)

    for handler in (connect, echo, ack, fan):
        sio.on(handler.__name__, handler, namespace=namespace)


install("/")
install("/chat")


@sio.event
async def quiet(sid: str, data: Any) -> None:
    """Answers nobody."""


@sio.event
async def shout(sid: str, data: Any) -> None:
    await sio.emit("shout", data.upper(), to=sid)


@sio.event
async def header(sid: str, data: Any) -> None:
    """Answers only those who sent a header."""
    if greeted["header"] == "yes":
        await sio.emit("header", data, to=sid)


@sio.event
async def others(sid: str, data: Any) -> None:
    """Tells everybody but the sender."""
    await sio.emit("others", data, room="all", skip_sid=sid)


@sio.on("connect", namespace="/login")
async def login(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
    if not auth or auth.get("token") != "secret":
        raise library.exceptions.ConnectionRefusedError("a token is wanted")


@sio.on("echo", namespace="/login")
async def login_echo(sid: str, data: Any) -> None:
    await sio.emit("echo", data, to=sid, namespace="/login")


@sio.on("connect", namespace="/talkative")
async def greet(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
    await sio.emit("welcome", {"to": "you"}, to=sid, namespace="/talkative")


@sio.on("echo", namespace="/talkative")
async def talk(sid: str, data: Any) -> None:
    await sio.emit("by the way", b"\x00\x01", to=sid, namespace="/talkative")
    await sio.emit("echo", data, to=sid, namespace="/talkative")
