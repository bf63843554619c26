"""Speaking to clients (contract 2.11 to 2.14): targets, data, callbacks, calls, rooms and sessions."""

import asyncio
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


EVENT_NAMES: dict[str, Any] = {"number": 5, "empty": "", "reserved": "connect", "unicode": "h\u00e9\U0001f600", "quoted": 'a"b\\'}


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


# --- callbacks and calls (2.12)


@scenario("2.12")
async def callbacks(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.poller("bob")
    await sio.emit("one", to=ann.sid, callback=stage.noting("callback of one"))
    await sio.emit("two", callback=lambda *args: stage.note("callback of two", *args))
    await stage.settle()
    stage.note("waiting", sorted(sorted(set(found) - {0}) for found in sio.manager.callbacks.values()))
    await ann.send("431[1,2]")
    await ann.send('432["ann"]')
    await bob.send("431[]")
    await ann.send("431[1,2]")
    await ann.send("4399[1]")
    stage.logs()
    await sio.emit("three", (1, 2), to=ann.sid, callback=stage.noting("callback of three"))
    await stage.settle()
    await ann.send("433[[1],null]")
    await ann.send("461-4[1]", b"\x01")


@scenario("2.12")
async def binary_acknowledgements(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.poller("bob")
    for client in (ann, bob):
        await sio.emit("one", to=client.sid, callback=stage.noting("callback"))
    await stage.settle()
    await ann.send('461-1[{"_placeholder":true,"num":0},2]', b"\x01\x02")
    await bob.send('461-1[{"_placeholder":true,"num":0}]', "bAQI=")


ANSWERS = {"none": "[]", "one": "[1]", "one_list": "[[1,2]]", "two": "[1,2]", "null": "[null]", "dict": '[{"a":1}]'}


@scenario("2.12", ANSWERS)
async def calls(stage: Stage, answer: str) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    call = asyncio.create_task(sio.call("question", {"n": 1}, to=ann.sid, timeout=1))
    await stage.settle()
    await ann.send(f"431{answer}")
    await stage.outcome("call", call)


@scenario("2.12")
async def calls_that_fail(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await stage.outcome("no answer", sio.call("question", to=ann.sid, timeout=0.01))
    await stage.outcome("to nobody", sio.call("question", timeout=0.01))
    await stage.outcome("unknown sid", sio.call("question", sid="unknown", timeout=0.01))
    await stage.outcome("no such namespace", sio.call("question", to=ann.sid, namespace="/x", timeout=0.01))
    call = asyncio.create_task(sio.call("question", to=ann.sid, timeout=0.03))
    await stage.settle()
    await ann.leave()
    await stage.outcome("leaves", call)
    error = stage.socketio.exceptions.TimeoutError
    stage.note("class", issubclass(error, TimeoutError), issubclass(error, stage.socketio.exceptions.SocketIOError))


@scenario("2.12")
async def a_late_answer(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await stage.outcome("call", sio.call("question", to=ann.sid, timeout=0.01))
    await ann.send("431[1]")
    await ann.send("432[1]")
    call = asyncio.create_task(sio.call("question", to=ann.sid, timeout=1))
    await stage.settle()
    await ann.send("432[2]")
    await stage.outcome("second call", call)


@scenario("2.12")
async def a_call_within_a_handler(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def E(sid: str) -> Any:
        return await sio.call("question", to=sid, timeout=1)

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")
    await ann.send('431["answer"]')


@scenario("2.12")
async def a_call_within_a_callback(stage: Stage) -> None:
    """Callbacks run in the reader, so an answer cannot be read while one runs."""
    sio = stage.server()

    async def answered(*args: Any) -> None:
        stage.note("callback", *args)
        await stage.outcome("call", sio.call("second", to=ann.sid, timeout=0.03))

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.emit("first", to=ann.sid, callback=answered)
    await stage.settle()
    await ann.send("431[1]")
    await ann.send("432[2]")
    await asyncio.sleep(0.03)


@scenario("2.12")
async def callbacks_in_namespaces(stage: Stage) -> None:
    """Acknowledgement ids are counted for each client of each namespace."""
    sio = stage.server(namespaces="*")
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    for namespace in ("/", "/x", "/x"):
        await sio.emit("question", namespace=namespace, callback=stage.noting(f"callback in {namespace}"))
    await stage.settle()
    await ann.send("43/x,1[1]", "431[0]", "43/x,2[2]", "43/x,1[3]")


# --- rooms (2.13)


@scenario("2.13")
async def rooms(stage: Stage) -> None:
    sio = stage.server()
    ann, bob, cat = await company(stage, sio)
    stage.note("rooms", sio.rooms(ann.sid), sio.rooms(bob.sid), sio.rooms("unknown"), sio.rooms(ann.sid, "/x"))
    await sio.leave_room(bob.sid, "a")
    await sio.leave_room(bob.sid, "never entered")
    await sio.leave_room("unknown", "a")
    await sio.emit("a", to="a")
    await sio.close_room("b")
    await sio.emit("b", to="b")
    stage.note("rooms", sio.rooms(bob.sid), sio.rooms(cat.sid))
    await sio.enter_room(ann.sid, "a")
    await sio.enter_room(ann.sid, ("a", 1))
    await sio.enter_room(ann.sid, None)
    stage.note("rooms", sio.rooms(ann.sid))
    stage.note("participants", list(sio.manager.get_participants("/", "a")), len(list(sio.manager.get_participants("/", None))))


@scenario("2.13")
async def errors_of_rooms(stage: Stage) -> None:
    sio = stage.server()
    ann, bob, _ = await company(stage, sio)
    await stage.outcome("no such namespace", sio.enter_room(ann.sid, "a", namespace="/x"))
    await stage.outcome("unknown sid", sio.enter_room("unknown", "a"))
    await stage.outcome("room of another", sio.enter_room(ann.sid, bob.sid))
    await stage.outcome("own room", sio.enter_room(ann.sid, ann.sid))
    await stage.outcome("close a client's", sio.close_room(bob.sid))
    await stage.outcome("close unknown", sio.close_room("unknown"))
    await stage.outcome("close elsewhere", sio.close_room("a", namespace="/x"))
    await stage.outcome("leave elsewhere", sio.leave_room(ann.sid, "a", namespace="/x"))


@scenario("2.13")
async def leaving_the_own_room(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.leave_room(ann.sid, ann.sid)
    await sio.emit("to the sid", to=ann.sid)
    await sio.emit("to all")
    stage.note("rooms", sio.rooms(ann.sid), sio.manager.is_connected(ann.sid, "/"))
    await ann.leave()
    stage.note("left", dict(sio.manager.rooms))


@scenario("2.13")
async def rooms_change_while_emitting(stage: Stage) -> None:
    """Handlers change the very room that is being served."""
    sio = stage.server()

    @sio.event
    async def E(sid: str) -> None:
        await sio.enter_room(sid, "r")
        await sio.emit("in", to="r")
        await sio.close_room("r")
        await sio.emit("out", to="r")
        await sio.enter_room(sid, "r")
        await sio.emit("again", to="r")
        stage.note("rooms", sio.rooms(sid))

    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.guest("bob")
    await ann.emit("E")
    await bob.emit("E")


# --- sessions (2.14)


@scenario("2.14")
async def sessions(stage: Stage) -> None:
    sio = stage.server(namespaces="*")
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    session = await sio.get_session(ann.sid)
    session["in place"] = 1
    stage.note("live", await sio.get_session(ann.sid), await sio.get_session(ann.sid) is session)
    await sio.save_session(ann.sid, {"saved": 2})
    async with sio.session(ann.sid) as session:
        session["in a block"] = 3
    stage.note("saved", await sio.get_session(ann.sid), await sio.get_session(ann.sids["/x"], namespace="/x"))
    try:
        async with sio.session(ann.sid) as session:
            session["though it raised"] = 4
            raise ValueError
    except ValueError:
        stage.note("raised", await sio.get_session(ann.sid))
    await stage.outcome("unknown", sio.get_session("unknown"))
    await stage.outcome("unknown", sio.save_session("unknown", {}))
    await stage.outcome("elsewhere", sio.get_session(ann.sid, namespace="/x"))
    stage.note("of the connection", await sio.eio.get_session(ann.eio_sid))


@scenario("2.14")
async def sessions_end_with_the_connection(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def disconnect(sid: str, reason: str) -> None:
        stage.note("disconnect", reason, await sio.get_session(sid), sio.rooms(sid), sio.transport(sid), sio.get_environ(sid))

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.save_session(ann.sid, {"name": "ann"})
    await ann.leave()
    await stage.outcome("session", sio.get_session(ann.sid))
    await stage.outcome("transport", lambda: sio.transport(ann.sid))
    stage.note("rest", sio.rooms(ann.sid), sio.get_environ(ann.sid))


@scenario("2.13")
async def room_order(stage: Stage) -> None:
    """Rooms are listed in the order in which they came to be."""
    sio = stage.server()
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.guest("bob")
    for room in ("z", "a", "m"):
        await sio.enter_room(bob.sid, room)
    for room in ("m", "z"):
        await sio.enter_room(ann.sid, room)
    stage.note("order", sio.rooms(bob.sid), sio.rooms(ann.sid))
