"""Joining a namespace (contract 2.4): how the handler is called, and what it may do."""

import asyncio
import json
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage

# --- the call (2.4)


def shapes(stage: Stage) -> dict[str, Any]:
    """Give connect handlers of every signature in use."""

    async def two(sid: str, environ: Any) -> None:
        stage.note("two", sid, environ)

    async def three(sid: str, environ: Any, auth: Any) -> None:
        stage.note("three", sid, environ, auth)

    async def optional(sid: str, environ: Any, auth: Any = "default") -> None:
        stage.note("optional", sid, environ, auth)

    async def any_number(*args: Any) -> None:
        stage.note("any number", *args)

    def plain(sid: str, environ: Any, auth: Any) -> None:
        stage.note("plain", sid, environ, auth)

    def plain_two(sid: str, environ: Any) -> None:
        stage.note("plain two", sid, environ)

    return {handler.__name__: handler for handler in (two, three, optional, any_number, plain, plain_two)}


AUTHS: dict[str, Any] = {
    "none": None,
    "dict": {"a": 1},
    "empty": {},
    "text": "secret",
    "zero": 0,
    "list": [1],
    "false": False,
}
SHAPES = ("two", "three", "optional", "any_number", "plain", "plain_two")


@scenario("2.4", {name: name for name in SHAPES})
async def connect_handler_without_auth(stage: Stage, shape: str) -> None:
    sio = stage.server()
    sio.on("connect", shapes(stage)[shape])
    await stage.serve(sio)
    await stage.guest("ann")


@scenario("2.4", {name: name for name in SHAPES})
async def connect_handler_with_auth(stage: Stage, shape: str) -> None:
    sio = stage.server()
    sio.on("connect", shapes(stage)[shape])
    await stage.serve(sio)
    await stage.guest("ann", auth={"a": 1})
    stage.faults()


@scenario("2.4", AUTHS)
async def auth_payloads(stage: Stage, auth: Any) -> None:
    sio = stage.server()
    sio.on("connect", shapes(stage)["three"])
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    await ann.send("40" + json.dumps(auth))


@scenario("2.4")
async def a_type_error_inside_the_handler(stage: Stage) -> None:
    """A handler that itself raises TypeError is run once."""
    sio = stage.server()

    @sio.event
    async def connect(sid: str, environ: Any, auth: Any = None) -> None:
        stage.note("connect")
        raise TypeError("of the application")

    await stage.serve(sio)
    await stage.guest("ann")
    stage.faults()


@scenario("2.4")
async def no_connect_handler(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    stage.note("connected", sio.manager.is_connected(ann.sid, "/"))


@scenario("2.4")
async def class_namespace_connects(stage: Stage) -> None:
    sio = stage.server()

    class Chat(stage.socketio.AsyncNamespace):
        def on_connect(self, sid: str, environ: Any) -> None:
            stage.note("connect", sid, environ)

        async def on_disconnect(self, sid: str) -> None:
            stage.note("disconnect", sid)

    sio.register_namespace(Chat("/chat"))
    await stage.serve(sio)
    ann = await stage.guest("ann", "/chat")
    await ann.send("41/chat,")


@scenario("2.4")
async def inside_the_connect_handler(stage: Stage) -> None:
    """What works while a client is pending: emit, rooms, sessions, environ; not disconnect."""
    sio = stage.server()

    @sio.event
    async def connect(sid: str, environ: Any, auth: Any) -> None:
        stage.note("connected", sio.manager.is_connected(sid, "/"), sio.manager.is_pre_connected(sid, "/"))
        await sio.enter_room(sid, "room")
        await sio.save_session(sid, {"name": "ann"})
        stage.note("rooms", sio.rooms(sid), sio.transport(sid), sio.get_environ(sid) is environ)
        await sio.emit("welcome", to=sid)
        await sio.emit("to the room", to="room")
        await sio.emit("to all")
        await sio.disconnect(sid)

    @sio.event
    async def E(sid: str) -> Any:
        return await sio.get_session(sid)

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")


@scenario("2.4")
async def events_before_and_while_joining(stage: Stage) -> None:
    """Frames that follow the CONNECT wait for the connect handler."""
    sio = stage.server()
    gate = asyncio.Event()

    @sio.event
    async def connect(sid: str, environ: Any, auth: Any) -> None:
        stage.note("connect begins")
        await gate.wait()
        stage.note("connect ends")

    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    await ann.send("40", '421["E"]')
    gate.set()
    await stage.settle()


@scenario("2.4")
async def an_event_for_a_namespace_never_joined(stage: Stage) -> None:
    sio = stage.server(namespaces=["/", "/x"])
    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    await ann.send('421["E"]')
    await ann.join()
    await ann.ask("E")


@scenario("2.4")
async def a_second_connect(stage: Stage) -> None:
    sio = stage.server()
    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.send("40")
    await ann.ask("E")


@scenario("2.4")
async def leaving_and_joining_again(stage: Stage) -> None:
    sio = stage.server()
    sio.on("connect", stage.noting("connect"))
    sio.on("disconnect", stage.noting("disconnect"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.save_session(ann.sid, {"kept": True})
    await ann.send("41")
    await ann.send('421["E"]')
    await ann.join()
    stage.note("session", await sio.get_session(ann.sid))


@scenario("2.4")
async def ids(stage: Stage) -> None:
    """Session ids have one form, and every namespace has its own."""
    sio = stage.server(namespaces="*")
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    every = [ann.eio_sid, *ann.sids.values()]
    stage.note("ids", len(set(every)), {len(sid) for sid in every})
    stage.note("tables", list(sio.environ) == [ann.eio_sid], list(sio.eio.sockets) == [ann.eio_sid])


@scenario("2.4")
async def a_query_in_the_namespace(stage: Stage) -> None:
    sio = stage.server(namespaces=["/foo"])
    sio.on("connect", stage.noting("connect"), namespace="/foo")
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    await ann.send('40/foo?x=1,{"token":2}')
    await ann.send("40/bar?x=1,")
