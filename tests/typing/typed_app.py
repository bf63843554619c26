"""An application with all its types, read by mypy and pyright and never run. What it asserts, both have to see.

Every `type: ignore` in it is a mistake that has to be found: both checkers complain of one that hides nothing.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any, assert_type

import fastsio as socketio
from fastsio import engineio
from fastsio.alias import Report
from fastsio.exceptions import ConnectionRefusedError, TimeoutError

sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*", client_manager=socketio.AsyncManager())
app = socketio.ASGIApp(sio, static_files={"/": "index.html"}, on_startup=lambda: None)


# --- handlers keep their types


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: dict[str, str] | None) -> None:
    if not auth or auth.get("token") != "secret":
        raise ConnectionRefusedError("who are you?", {"code": 401})
    await sio.save_session(sid, {"name": auth["name"]})
    await sio.enter_room(sid, "lobby")


@sio.event
def disconnect(sid: str, reason: str) -> None:
    if reason == sio.reason.CLIENT_DISCONNECT:
        print(sid, "has left")


@sio.on("chat message")
async def chat_message(sid: str, text: str) -> bool:
    async with sio.session(sid) as session:
        assert_type(session, dict[str, Any])
        await sio.emit("chat message", {"from": session["name"], "text": text}, room="lobby", skip_sid=sid)
    return True


@sio.on("*", namespace="/news")
def anything(event: str, sid: str, *args: object) -> tuple[str, int]:
    return event, len(args)


@sio.event(namespace="/admin")
async def kick(sid: str, whom: str) -> None:
    await sio.disconnect(whom, namespace="/")


def plain(sid: str) -> int:
    return len(sio.rooms(sid))


async def check_handlers() -> None:
    assert_type(await connect("sid", {}, None), None)
    assert_type(disconnect("sid", "why"), None)
    assert_type(await chat_message("sid", "hello"), bool)
    assert_type(anything("tick", "sid", 1, 2), tuple[str, int])
    assert_type(await kick("sid", "another"), None)
    assert_type(sio.on("plain", plain), None)
    assert_type(sio.on("plain")(plain)("sid"), int)
    assert_type(sio.event(plain)("sid"), int)
    await chat_message("sid", 1)  # type: ignore[arg-type]
    anything("tick")  # type: ignore[call-arg]
    sio.on(1)  # type: ignore[call-overload]
    sio.on("plain", namespace=1)  # type: ignore[call-overload]


# --- the server


async def check_server(sid: str) -> None:
    assert_type(sio.rooms(sid), list[Any])
    assert_type(sio.transport(sid), str)
    assert_type(sio.get_environ(sid), dict[str, Any] | None)
    assert_type(await sio.get_session(sid, namespace="/news"), dict[str, Any])
    assert_type(sio.session(sid), AbstractAsyncContextManager[dict[str, Any], bool | None])
    assert_type(await sio.emit("news", ("a", 1), to=["lobby", sid], callback=answered), None)
    try:
        answer = await sio.call("question", {"n": 1}, to=sid, timeout=5)
    except TimeoutError:
        answer = None
    print(answer)
    assert_type(sio.start_background_task(tick, 5.0), asyncio.Task[Any])
    assert_type(await sio.sleep(1), None)
    await sio.emit()  # type: ignore[call-arg]
    sio.rooms(1)  # type: ignore[arg-type]


async def tick(seconds: float) -> None:
    while True:
        await sio.sleep(seconds)
        await sio.emit("tick", b"tock")


def answered(*args: Any) -> None:
    print(args)


# --- class-based namespaces


class Chat(socketio.AsyncNamespace):
    async def on_connect(self, sid: str, environ: dict[str, Any]) -> bool:
        assert_type(self.namespace, str)
        await self.enter_room(sid, "lobby")
        return True

    async def on_say(self, sid: str, text: str) -> None:
        assert_type(self.rooms(sid), list[Any])
        await self.emit("said", text, room="lobby")


sio.register_namespace(Chat("/chat"))


# --- the Engine.IO server alone

eio = engineio.AsyncServer(ping_interval=(25, 5), transports=["websocket"])
bare = engineio.ASGIApp(eio, engineio_path="engine.io")


@eio.on("message")
async def echo(sid: str, data: str | bytes) -> None:
    await eio.send(sid, data)


async def check_engine() -> None:
    assert_type(await echo("sid", b""), None)
    assert_type(eio.on("message", echo), None)
    assert_type(eio.transport("sid"), str)


# --- the other names


def check_names() -> None:
    assert_type(socketio.install(), Report)
    assert_type(socketio.install().held, dict[str, tuple[str, ...]])
    assert_type(socketio.uninstall(), None)
    client: Any = socketio.AsyncClient()
    print(client)


if __name__ == "__main__":
    socketio.run(app, host="127.0.0.1", port=5000)
