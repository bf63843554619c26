"""The end of a client (contract 2.10, 2.17): who ended it, what the handler is told, what is left behind."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage
from wire import raw


def watched_server(stage: Stage, **options: Any) -> Any:
    """Give a server that notes every connect and disconnect of two namespaces."""
    sio = stage.server(namespaces=["/", "/x"], **options)
    for namespace in ("/", "/x"):
        sio.on("disconnect", stage.noting(f"disconnect of {namespace}"), namespace=namespace)
    sio.on("E", stage.noting("E", returns=1))
    return sio


def left_behind(stage: Stage, sio: Any) -> None:
    """Note what the tables hold."""
    stage.note("left behind", dict(sio.manager.rooms), dict(sio.environ), len(sio.eio.sockets))


async def _disconnect_packet(sio: Any, client: Any) -> None:
    await client.send("41")
    await client.send("41/x,")


async def _close_packet(sio: Any, client: Any) -> None:
    await client.send("1")


async def _websocket_close(sio: Any, client: Any) -> None:
    await client.socket.send_bytes(raw.frame(raw.CLOSE, b"\x03\xe9"))


async def _abort(sio: Any, client: Any) -> None:
    client.abort()


async def _server_disconnects(sio: Any, client: Any) -> None:
    await sio.disconnect(client.sid)
    await sio.disconnect(client.sids["/x"], namespace="/x")
    await sio.disconnect(client.sid)


async def _engine_disconnects(sio: Any, client: Any) -> None:
    asyncio.ensure_future(sio.eio.disconnect(client.eio_sid))


ENDS: dict[str, Callable[[Any, Any], Awaitable[None]]] = {
    "packet": _disconnect_packet,
    "close_packet": _close_packet,
    "websocket_close": _websocket_close,
    "abort": _abort,
    "server": _server_disconnects,
    "engine": _engine_disconnects,
}


@scenario("2.10", ENDS)
async def reasons_over_websocket(stage: Stage, end: Callable[[Any, Any], Awaitable[None]]) -> None:
    sio = watched_server(stage)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    await end(sio, ann)
    await stage.settle()
    stage.note("members", dict(sio.manager.rooms))


@scenario("2.10", {name: ENDS[name] for name in ("packet", "close_packet", "server", "engine")})
async def reasons_over_polling(stage: Stage, end: Callable[[Any, Any], Awaitable[None]]) -> None:
    sio = watched_server(stage)
    await stage.serve(sio)
    ann = await stage.poller("ann")
    await ann.join("/x")
    await end(sio, ann)
    await stage.settle()
    stage.note("members", dict(sio.manager.rooms))


@scenario("2.10")
async def tables_are_empty_afterwards(stage: Stage) -> None:
    sio = watched_server(stage)
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.guest("bob")
    await ann.join("/x")
    await sio.enter_room(ann.sid, "room")
    await sio.emit("question", to=ann.sid, callback=stage.noting("never"))
    await stage.settle()
    await ann.leave()
    stage.note(
        "left",
        sio.rooms(ann.sid),
        list(sio.manager.get_namespaces()),
        "room" in sio.manager.rooms["/"],
        dict(sio.manager.callbacks),
    )
    await bob.leave()
    left_behind(stage, sio)


@scenario("2.10")
async def inside_the_disconnect_handler(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def disconnect(sid: str, reason: str) -> None:
        stage.note("reason", reason, sio.manager.is_connected(sid, "/"))
        stage.note("rooms", sio.rooms(sid), sio.transport(sid), sio.get_environ(sid) is not None)
        await sio.emit("goodbye", to=sid)
        await sio.emit("to all")
        await sio.disconnect(sid)
        await stage.outcome("enter a room", sio.enter_room(sid, "room"))

    await stage.serve(sio)
    ann, _ = await stage.guest("ann"), await stage.guest("bob")
    await sio.enter_room(ann.sid, "a")
    await ann.send("41")
    stage.note("afterwards", sio.rooms(ann.sid), list(sio.manager.rooms["/"]))


def disconnect_shapes(stage: Stage) -> dict[str, Any]:
    async def two(sid: str, reason: str) -> None:
        stage.note("two", sid, reason)

    async def one(sid: str) -> None:
        stage.note("one", sid)

    def plain_one(sid: str) -> None:
        stage.note("plain one", sid)

    async def any_number(*args: Any) -> None:
        stage.note("any number", *args)

    return {handler.__name__: handler for handler in (two, one, plain_one, any_number)}


@scenario("2.10", {name: name for name in ("two", "one", "plain_one", "any_number")})
async def disconnect_handlers(stage: Stage, shape: str) -> None:
    sio = stage.server()
    sio.on("disconnect", disconnect_shapes(stage)[shape])
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.guest("bob")
    await ann.leave()
    await sio.disconnect(bob.sid)
    await stage.settle()


@scenario("2.10")
async def the_server_disconnects_and_the_connection_stays(stage: Stage) -> None:
    sio = watched_server(stage)
    await stage.serve(sio)
    ann = await stage.poller("ann")
    await sio.disconnect(ann.sid)
    await stage.settle()
    await stage.outcome("again", sio.disconnect(ann.sid))
    await stage.outcome("unknown", sio.disconnect("unknown"))
    await stage.outcome("elsewhere", sio.disconnect(ann.sid, namespace="/nowhere"))
    await stage.outcome("local", sio.disconnect(ann.sid, ignore_queue=True))
    await ann.join()
    await ann.ask("E")


@scenario("2.10")
async def a_handler_disconnects_others(stage: Stage) -> None:
    sio = watched_server(stage)

    @sio.event
    async def everybody_out(sid: str) -> None:
        for other, _ in list(sio.manager.get_participants("/", None)):
            await sio.disconnect(other)

    await stage.serve(sio)
    ann, _ = await stage.guest("ann"), await stage.guest("bob")
    await ann.emit("everybody_out")
    stage.note("rooms", dict(sio.manager.rooms))


@scenario("2.10")
async def constants(stage: Stage) -> None:
    reason = stage.socketio.AsyncServer.reason
    names = ("SERVER_DISCONNECT", "CLIENT_DISCONNECT", "PING_TIMEOUT", "TRANSPORT_CLOSE", "TRANSPORT_ERROR")
    stage.note("reasons", [getattr(reason, name) for name in names], reason is stage.engineio.AsyncServer.reason)
    stage.note("reserved", stage.socketio.AsyncServer.reserved_events)


@scenario("2.10")
async def engine_disconnect_of_all(stage: Stage) -> None:
    sio = watched_server(stage)
    await stage.outcome("of nobody", sio.eio.disconnect())
    await stage.serve(sio)
    await stage.guest("ann")
    await stage.guest("bob")
    asyncio.ensure_future(sio.eio.disconnect())
    await stage.settle()
    left_behind(stage, sio)


@scenario("2.10")
async def closed_while_connecting(stage: Stage) -> None:
    """A client that leaves while its connect handler runs leaves no trace."""
    sio = stage.server()
    gate = asyncio.Event()

    @sio.event
    async def connect(sid: str, environ: Any, auth: Any) -> None:
        stage.note("connect begins")
        await gate.wait()
        stage.note("connect ends")

    sio.on("disconnect", stage.noting("disconnect"))
    await stage.serve(sio)
    ann = await stage.client("ann").polling(polls=False)
    joining = asyncio.create_task(ann.post("40"))
    await stage.settle()
    leaving = asyncio.create_task(ann.post("1"))
    await stage.settle()
    gate.set()
    await asyncio.wait((joining, leaving))
    await stage.settle()
    stage.note("rooms", dict(sio.manager.rooms))


# --- transport, helpers, shutdown (2.17)


@scenario("2.17")
async def transports(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.poller("bob")
    stage.note("transports", sio.transport(ann.sid), sio.transport(bob.sid), sio.eio.transport(ann.eio_sid))
    await stage.outcome("unknown", lambda: sio.transport("unknown"))
    await stage.outcome("unknown", lambda: sio.eio.transport("unknown"))


@scenario("2.17")
async def helpers(stage: Stage) -> None:
    sio = stage.server()

    async def work(*args: Any, **named: Any) -> Any:
        await sio.sleep(0)
        return args, named

    task = sio.start_background_task(work, 1, two=2)
    stage.note("task", isinstance(task, asyncio.Task), await task)
    await stage.outcome("sleep", sio.sleep(0))
    await stage.outcome("plain function", lambda: sio.start_background_task(lambda: 1))
    await stage.outcome("based on", sio.is_asyncio_based)


@scenario("2.17")
async def shutdown(stage: Stage) -> None:
    sio = watched_server(stage)
    await stage.outcome("before use", sio.shutdown())
    sio = watched_server(stage)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await stage.outcome("shutdown", sio.shutdown())
    await ann.ask("E")
    await stage.outcome("again", sio.shutdown())
    bob = await stage.guest("bob")
    await bob.ask("E")
