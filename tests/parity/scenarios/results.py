"""What becomes of an event (contract 2.7, 2.8): acknowledgements and failures."""

from collections import namedtuple
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage

Point = namedtuple("Point", "x y")
RESULTS: dict[str, Any] = {
    "none": None,
    "tuple": (1, 2),
    "empty_tuple": (),
    "tuple_of_list": ([1],),
    "named_tuple": Point(1, 2),
    "list": [1, 2],
    "false": False,
    "zero": 0,
    "text": "text",
    "dict": {"a": None},
    "bytes": b"\x01\x02",
    "bytes_within": {"a": [b"\x01", {"b": b"\x02"}]},
    "tuple_of_bytes": (1, b"\x01"),
}


@scenario("2.7", RESULTS)
async def acknowledgements(stage: Stage, result: Any) -> None:
    sio = stage.server()
    sio.on("E", stage.noting("E", returns=result))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E", id=0)
    await ann.emit("E")


@scenario("2.7")
async def a_result_without_a_json_form(stage: Stage) -> None:
    sio = stage.server()
    sio.on("E", stage.noting("E", returns={1, 2}))
    sio.on("F", stage.noting("F", returns="fine"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")
    await ann.ask("F")
    stage.faults()


@scenario("2.7")
async def ids_are_echoed(stage: Stage) -> None:
    sio = stage.server()
    sio.on("E", stage.noting("E", returns=1))
    sio.on("E", stage.noting("E", returns=1), namespace="/x")
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    for id in ("0", "00012", "4294967296", "18446744073709551616", "9" * 100):
        await ann.send(f'42{id}["E"]', f'42/x,{id}["E"]')


@scenario("2.7")
async def an_ack_after_disconnecting(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def E(sid: str) -> str:
        await sio.disconnect(sid)
        return "still sent"

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")


# --- handlers that raise (2.8)


@scenario("2.8", {"async_handlers": True, "inline": False})
async def an_event_handler_raises(stage: Stage, async_handlers: bool) -> None:
    sio = stage.server(async_handlers=async_handlers)

    @sio.event
    async def E(sid: str) -> None:
        raise RuntimeError("of the application")

    @sio.event
    def plain(sid: str) -> None:
        raise RuntimeError("of a plain function")

    @sio.event
    async def one(sid: str, argument: Any) -> str:
        return "one"

    await stage.serve(sio)
    ann = await stage.guest("ann")
    for event in ("E", "plain", "one"):
        await ann.ask(event)
    await ann.ask("one", 1)
    stage.faults()


@scenario("2.8")
async def a_connect_handler_raises(stage: Stage) -> None:
    sio = stage.server()
    calls: list[str] = []

    @sio.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        calls.append(sid)
        if len(calls) == 1:
            raise RuntimeError("of the application")

    await stage.serve(sio)
    ann = await stage.guest("ann")
    stage.note("rooms", len(sio.manager.rooms.get("/", {}).get(None, {})))
    await ann.join("/")
    stage.note("rooms", len(sio.manager.rooms.get("/", {}).get(None, {})))
    stage.faults()


@scenario("2.8")
async def a_disconnect_handler_raises(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def disconnect(sid: str, reason: str) -> None:
        raise RuntimeError("of the application")

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.leave()
    stage.note("left behind", len(sio.environ), sio.manager.get_rooms(ann.sid, "/"), dict(sio.manager.rooms))
    stage.faults()


@scenario("2.8")
async def a_callback_raises(stage: Stage) -> None:
    sio = stage.server()

    async def callback(*args: Any) -> None:
        stage.note("callback", *args)
        raise RuntimeError("of the application")

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.emit("question", to=ann.sid, callback=callback)
    await stage.settle()
    await ann.send("431[1]")
    await sio.emit("question", to=ann.sid, callback=callback)
    await stage.settle()
    stage.faults()
