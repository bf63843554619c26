"""One node of a cluster: the same application on fastsio and on python-socketio; a client tells it what to do.

Imports one Socket.IO module, the one that SIO_MODULE names. Never reaches below the public API.
"""

import importlib
import os
from typing import Any

socketio = importlib.import_module(os.environ["SIO_MODULE"])

if socketio.__name__ == "socketio":
    importlib.import_module("engineio.payload").Payload.max_decode_packets = 10_000

url = os.environ["BROKER_URL"]
manager_class = socketio.AsyncAioPikaManager if url.startswith("amqp") else socketio.AsyncRedisManager
manager = manager_class(url, channel=os.environ["CHANNEL"])
for name in ("heartbeat_interval", "deaf_after"):
    if name.upper() in os.environ:
        setattr(manager, name, float(os.environ[name.upper()]))
sio = socketio.AsyncServer(async_mode="asgi", client_manager=manager, cors_allowed_origins="*")
app = socketio.ASGIApp(sio)
acks: list[Any] = []


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    pass


@sio.event
async def who(sid: str) -> str:
    return sid


@sio.event
async def do(sid: str, method: str, args: list[Any], options: dict[str, Any]) -> Any:
    """Call a method of the server; `call` gives what it gives, any exception its name."""
    if options.pop("with_callback", False):
        options["callback"] = lambda *answer: acks.append(list(answer))
    if options.pop("as_tuple", False):
        args[1] = tuple(args[1])
    try:
        result = await getattr(sio, method)(*args, **options)
    except Exception as exc:
        return {"error": type(exc).__name__}
    return {"result": list(result) if isinstance(result, tuple) else result}


@sio.event
async def do_manager(sid: str, method: str, args: list[Any], options: dict[str, Any]) -> Any:
    await getattr(manager, method)(*args, **options)


@sio.event
async def numbered(sid: str, count: int) -> None:
    """Emit `count` numbered events to everybody."""
    for number in range(count):
        await sio.emit("number", number)


@sio.event
async def emit_large(sid: str, size: int) -> str:
    """Try to emit more than the broker can carry; give the name of what is raised."""
    try:
        await sio.emit("large", "x" * size)
    except ValueError as exc:
        return type(exc).__name__
    return ""


@sio.event
async def flow(sid: str, name: str, count: int, pause: float) -> None:
    """Go on emitting numbered events to everybody, with pauses."""
    for number in range(count):
        await sio.emit("number", (name, number))
        await sio.sleep(pause)
    await sio.emit("flowed", name)


@sio.event
async def burst(sid: str, count: int, room: str | None, pause: float) -> None:
    """Emit as many events of ordinary size as fast as it goes, or with pauses."""
    order = {"id": 12345, "user": "ada", "text": "a line of chat, neither long nor short", "tags": ["a", "b"]}
    for _ in range(count):
        await sio.emit("news", order, room=room)
        await sio.sleep(pause)


@sio.event
async def take_acks(sid: str) -> list[Any]:
    taken = list(acks)
    acks.clear()
    return taken


@sio.event
async def health(sid: str) -> dict[str, Any]:
    state = manager.health
    names = "publishes hears published dropped received malformed missed duplicates reconnects".split()
    return {name: getattr(state, name) for name in names}
