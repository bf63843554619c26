"""Speaking to clients (contract 2.11): targets, data, names."""

from collections.abc import Callable
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage


async def company(stage: Stage, sio: Any) -> list[Any]:
    """Serve, and give three clients: ann and bob in room `a`, bob and cat in room `b` and 7; cat polls."""
    await stage.serve(sio)
    clients = [await stage.guest("ann"), await stage.guest("bob"), await stage.poller("cat")]
    for client in clients[:2]:
        await sio.enter_room(client.sid, "a")
    for client in clients[1:]:
        await sio.enter_room(client.sid, "b")
        await sio.enter_room(client.sid, 7)
    return clients


# --- targets (2.11)

TARGETS: dict[str, dict[str, Any]] = {
    "nobody_named": {},
    "to_none": {"to": None},
    "to_room": {"to": "a"},
    "room": {"room": "b"},
    "to_and_room": {"to": "a", "room": "b"},
    "to_number": {"to": 7},
    "to_list": {"to": ["a", "b"]},
    "to_tuple": {"to": ("a", "b", "a")},
    "to_list_of_one": {"to": ["b"]},
    "to_empty_list": {"to": []},
    "to_empty_text": {"to": ""},
    "to_zero": {"to": 0},
    "to_unknown": {"to": "nowhere"},
    "to_unknown_list": {"to": ["nowhere", "a"]},
    "room_list": {"room": ["a", "b"]},
    "room_empty_list": {"room": []},
    "to_set": {"to": {"a", "b"}},
    "to_bytes": {"to": b"a"},
    "other_namespace": {"namespace": "/nobody"},
    "ignoring_the_queue": {"to": "a", "ignore_queue": True},
}


@scenario("2.11", TARGETS)
async def emit_targets(stage: Stage, target: dict[str, Any]) -> None:
    sio = stage.server()
    await company(stage, sio)
    await stage.outcome("emit", lambda: sio.emit("E", 1, **target))
    await stage.settle()


SKIPS: dict[str, Callable[[str, str], Any]] = {
    "sid": lambda ann, bob: ann,
    "list": lambda ann, bob: [ann, bob],
    "tuple": lambda ann, bob: (ann, bob),
    "set": lambda ann, bob: {ann, bob},
    "empty": lambda ann, bob: [],
    "unknown": lambda ann, bob: "unknown",
}


@scenario("2.11", SKIPS)
async def skipping(stage: Stage, skip: Callable[[str, str], Any]) -> None:
    sio = stage.server()
    ann, bob, _ = await company(stage, sio)
    await stage.outcome("emit", sio.emit("E", 1, skip_sid=skip(ann.sid, bob.sid)))
    await stage.settle()


@scenario("2.11")
async def to_a_sid(stage: Stage) -> None:
    sio = stage.server()
    ann, bob, cat = await company(stage, sio)
    await sio.emit("E", to=ann.sid)
    await sio.emit("E", room=cat.sid)
    await sio.emit("E", to=[ann.sid, "b"])
    await sio.send("text", to=bob.sid)
    await sio.send({"data": 1})
    await stage.settle()


DATA: dict[str, Any] = {
    "none": None,
    "text": "text",
    "number": 1.5,
    "list": [1, [2]],
    "dict": {"a": {"b": None}},
    "tuple": (1, "two", [3]),
    "empty_tuple": (),
    "tuple_of_none": (None,),
    "false": False,
    "bytes": b"\x00\xff",
    "empty_bytes": b"",
    "bytearray": bytearray(b"\x01"),
    "memoryview": memoryview(b"\x01"),
    "bytes_within": {"a": [b"\x01", {"b": b"\x02"}], "c": b"\x03"},
    "tuple_with_bytes": (b"\x01", 1, b"\x02"),
    "bytes_in_nested_tuple": {"a": (b"\x01",)},
    "nested_tuple": {"a": (1, 2)},
    "set": {1},
    "object": object(),
    "many_attachments": [bytes([number]) for number in range(10)],
}


@scenario("2.11", DATA)
async def emit_data(stage: Stage, data: Any) -> None:
    """One kind of data, over WebSocket and over polling."""
    sio = stage.server()
    await stage.serve(sio)
    for client in (await stage.guest("ann"), await stage.poller("bob")):
        await stage.outcome("emit", sio.emit("E", data, to=client.sid))
        await stage.settle()
        await sio.emit("still here", to=client.sid)
        await stage.settle()


@scenario("2.11")
async def one_binary_broadcast(stage: Stage) -> None:
    """The same binary event to members on WebSocket and on polling."""
    sio = stage.server()
    await company(stage, sio)
    await sio.emit("E", {"data": b"\x01\x02"})
    await stage.settle()
    await sio.emit("F", 1)
    await stage.settle()


@scenario("2.11")
async def errors_of_encoding(stage: Stage) -> None:
    """Data without a JSON form raise in the caller, even for an empty room; not in a namespace without clients."""
    sio = stage.server()
    await stage.outcome("before anybody", sio.emit("E", {1}))
    await stage.serve(sio)
    await stage.guest("ann")
    await stage.outcome("to all", sio.emit("E", {1}))
    await stage.outcome("to nobody", sio.emit("E", {1}, to="nowhere"))
    await stage.outcome("elsewhere", sio.emit("E", {1}, namespace="/nobody"))
    await stage.settle()


EVENT_NAMES: dict[str, Any] = {
    "number": 5,
    "empty": "",
    "reserved": "connect",
    "unicode": "h\u00e9\U0001f600",
    "quoted": 'a"b\\',
}


@scenario("2.11", EVENT_NAMES)
async def emitted_names(stage: Stage, name: Any) -> None:
    sio = stage.server()
    await stage.serve(sio)
    await stage.guest("ann")
    await stage.outcome("emit", sio.emit(name, 1))
    await stage.settle()


@scenario("2.11")
async def emit_from_anywhere(stage: Stage) -> None:
    """From a handler, from a task, and to a client that is leaving."""
    sio = stage.server()

    @sio.event
    async def E(sid: str) -> None:
        await sio.emit("from the handler", to=sid)
        stage.tasks = [sio.start_background_task(later, sid, number=2)]  # type: ignore[attr-defined]

    async def later(sid: str, number: int) -> None:
        await sio.sleep(0.001)
        await sio.emit("from a task", number, to=sid)

    @sio.event
    async def disconnect(sid: str, reason: str) -> None:
        await sio.emit("to one who leaves", to=sid)

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.emit("E")
    await sio.disconnect(ann.sid)
    await stage.settle()
