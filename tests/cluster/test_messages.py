"""The messages of a cluster, against python-socketio's own managers: what one writes the other reads, field for field.

The oracle is the installed python-socketio, with `_publish` caught.
"""

import asyncio
import importlib
import json
from typing import Any

import pytest
import socketio

import fastsio
from fastsio.cluster import messages, reading
from fastsio.serial import Json

HOST = "0" * 32


class Caught:
    """A write-only manager of either make whose messages end here."""

    def __init__(self, module: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        sent = self.sent

        base = importlib.import_module(f"{module.__name__}.async_pubsub_manager").AsyncPubSubManager

        class Manager(base):  # type: ignore[misc,valid-type]
            async def _publish(self, data: dict[str, Any]) -> None:
                sent.append(data)

        self.manager = Manager(write_only=True)
        server = module.AsyncServer(async_mode="asgi")
        server.manager = self.manager
        self.manager.set_server(server)
        self.manager.host_id = HOST


class CaughtSync(Caught):
    def __init__(self, module: Any) -> None:
        self.sent = []
        self.manager = module.PubSubManager(write_only=True)
        self.manager.host_id = HOST
        self.manager._publish = self.sent.append


EMITS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("ev", "x"), {}),
    (("ev", None), {}),
    (("ev", [1, 2]), {}),
    (("ev", (1, [2], None)), {"namespace": "/n"}),
    (("ev", ()), {}),
    (("ev", {"a": {"b": [1.5, True]}}), {"room": "r"}),
    (("ev", b"bin"), {"room": ["r", "s"]}),
    (("ev", ({"deep": [b"1", {"er": bytearray(b"2")}]}, b"")), {"skip_sid": "s1"}),
    (("é 😀", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")), {"skip_sid": ["s1", "s2"]}),
    (("ev", 2**70), {"to": 7}),
]


@pytest.mark.parametrize("args, options", EMITS)
async def test_emits_are_those_of_python_socketio(args: tuple[Any, ...], options: dict[str, Any]):
    ours, theirs = Caught(fastsio), Caught(socketio)
    for caught in (ours, theirs):
        await caught.manager.emit(*args, **options)
    assert ours.sent == theirs.sent
    assert list(ours.sent[0]) == list(theirs.sent[0])
    ours, theirs = CaughtSync(fastsio), CaughtSync(socketio)
    theirs.manager._handle_emit = lambda message: None  # it has no server here
    for caught in (ours, theirs):
        caught.manager.emit(*args, **options)
    assert ours.sent == theirs.sent


REQUESTS: list[tuple[str, tuple[Any, ...]]] = [
    ("can_disconnect", ("sid", "/")),
    ("can_disconnect", ("sid", None)),
    ("disconnect", ("sid", "/n")),
    ("enter_room", ("sid", "/", "room")),
    ("leave_room", ("sid", None, "room")),
    ("close_room", ("room", "/n")),
    ("close_room", ("room",)),
]


@pytest.mark.parametrize("method, args", REQUESTS)
async def test_requests_are_those_of_python_socketio(method: str, args: tuple[Any, ...]):
    ours, theirs = Caught(fastsio), Caught(socketio)
    for caught in (ours, theirs):
        await getattr(caught.manager, method)(*args)
    assert ours.sent == theirs.sent
    assert list(ours.sent[0]) == list(theirs.sent[0])


async def test_what_asks_for_an_acknowledgement_names_room_namespace_and_id():
    ours = Caught(fastsio)
    await ours.manager.emit("ev", 1, room="r", namespace="/n", callback=print)
    room, namespace, id = ours.sent[0]["callback"]
    assert (room, namespace) == ("r", "/n") and isinstance(id, int)
    with pytest.raises(ValueError):
        await ours.manager.emit("ev", 1, callback=print)
    with pytest.raises(RuntimeError):
        await fastsio.AsyncPubSubManager(write_only=True).emit("ev", 1, room="r", callback=print)


@pytest.mark.parametrize("args, options", EMITS)
@pytest.mark.parametrize("form", ["dict", "text", "bytes"])
async def test_what_python_socketio_writes_is_read(args: tuple[Any, ...], options: dict[str, Any], form: str):
    theirs = Caught(socketio)
    await theirs.manager.emit(*args, **options)
    sent = theirs.sent[0]
    raw = {"dict": sent, "text": json.dumps(sent), "bytes": json.dumps(sent).encode()}[form]
    message = reading.read(raw)
    assert message is not None and message.method == "emit" and message.host_id == HOST
    data = args[1]
    expected = data[0] if isinstance(data, tuple) and len(data) == 1 else data
    assert reading.data(message) == expected
    target = reading.target(message)
    assert target.namespace == options.get("namespace", "/")
    assert target.room == options.get("room", options.get("to"))
    text = reading.packet_arguments(message)
    assert (text is None) == (form == "dict" or sent["binary"])
    if text is not None:
        packet = json.loads(messages.ready_text(args[0], text))
        assert packet == [args[0], *([] if data is None else data if isinstance(data, tuple) else [data])]


@pytest.mark.parametrize("args, options", EMITS)
async def test_what_fastsio_writes_python_socketio_reads(args: tuple[Any, ...], options: dict[str, Any]):
    ours, theirs = Caught(fastsio), Caught(socketio)
    await ours.manager.emit(*args, **options)
    payload = messages.number(messages.encode(ours.sent[0], Json()), 5)
    heard: list[Any] = []

    async def emit(self: Any, *args: Any, **options: Any) -> None:
        heard.append((args, options))

    base = socketio.AsyncManager
    original, base.emit = base.emit, emit
    try:
        await theirs.manager._handle_emit(json.loads(payload))
    finally:
        base.emit = original
    data = args[1]
    expected = data[0] if isinstance(data, tuple) and len(data) == 1 else data
    assert heard[0][0] == (args[0], expected)
    assert heard[0][1]["room"] == options.get("room", options.get("to"))


def test_finished_data_and_numbers_make_the_same_message():
    message = messages.emit(HOST, "ev", ["x", {"é": 1}], False, ("/", None, None))
    slow = json.loads(messages.encode(message, Json()))
    fast = json.loads(messages.number(messages.encode(message, Json(), '["x",{"é":1}]'.encode()), 3))
    assert fast.pop("seq") == 3
    assert fast == slow == message


@pytest.mark.parametrize("args, options", EMITS)
async def test_a_message_put_together_is_the_one_that_is_encoded(args: tuple[Any, ...], options: dict[str, Any]):
    ours = Caught(fastsio)
    await ours.manager.emit(*args, **options)
    message = ours.sent[0]
    room = options.get("room", options.get("to"))
    target = options.get("namespace", "/"), room, options.get("skip_sid")
    text = json.dumps(message["data"]).encode()
    payload = messages.finished(HOST, args[0], text, target)
    assert payload is not None
    assert {**json.loads(payload), "binary": message["binary"]} == message
    assert list(json.loads(payload)) == list(message)


@pytest.mark.parametrize("name", [2**70, "\ud800"])
def test_names_that_only_the_standard_module_writes(name: Any):
    assert messages.finished(HOST, "ev", b"[]", ("/", name, None)) is None


@pytest.mark.threat("T211")
def test_own_messages_are_known_by_their_end():
    own = messages.ending(HOST).decode()
    spoofs = [own, own + "1}", own + '1}"']

    def is_own(host_id: str, event: str, data: Any, room: str | None) -> bool:
        payload = messages.finished(host_id, event, json.dumps([data]).encode(), ("/", room, None))
        assert payload is not None
        return messages.ending(HOST) in messages.number(payload, 2**62)[-messages.ENDING_SPAN :]

    assert is_own(HOST, "ev", "x", None)
    for spoof in spoofs:
        assert not is_own("1" * 32, spoof, spoof, spoof)
        assert not is_own(spoof, "ev", 1, None)
    heartbeat = messages.number(messages.encode(messages.heartbeat(HOST), Json()), 7)
    assert messages.ending(HOST) in heartbeat[-messages.ENDING_SPAN :]


@pytest.mark.parametrize("name", ["_listen", "_redis_listen_with_retries"])
async def test_who_listens_in_an_own_way_is_asked_message_by_message(name: str):
    async def listen(self: Any) -> Any:
        yield {"type": "message", "pattern": None, "channel": b"socketio", "data": b"{}"}

    manager = type("Own", (fastsio.AsyncRedisManager,), {name: listen})()
    async with asyncio.timeout(5):
        batches = [batch async for batch in manager._batches()]
    assert [len(batch) for batch in batches] == [1]
    assert batches[0][0] == b"{}" or name == "_listen"


@pytest.mark.parametrize("text", [b"[]", b"[ ]", b"[null]", b"[ null\n]"])
def test_no_arguments_in_any_spelling(text: bytes):
    assert messages.ready_text("ev", text) == b'["ev"]'


@pytest.mark.parametrize("text", [b"[1]", b"[ null , 1]", b'["x"]', b"[[]]"])
def test_ready_text_is_json(text: bytes):
    assert json.loads(messages.ready_text('e"v', text)) == ['e"v', *json.loads(text)]


def test_binary_answers_between_nodes_of_fastsio():
    owner = messages.CallbackOwner("sid", "/", 9)
    message = messages.callback(HOST, owner, (b"\x00", {"x": [b"\x01"]}), True)
    read = reading.read(messages.encode(message, Json()))
    assert read is not None and reading.answer(read) == ("sid", 9, [b"\x00", {"x": [b"\x01"]}])
    with pytest.raises(TypeError):  # to python-socketio it cannot go, and nothing false is sent
        messages.encode(messages.callback(HOST, owner, (b"\x00",), False), Json())
    assert messages.callback(HOST, owner, (1,), True) == messages.callback(HOST, owner, (1,), False)


NOT_MESSAGES: list[Any] = [None, 5, "", b"\xff", "[]", "null", "{}", '{"method": 1}', {"method": None}, [], b"\x80."]


@pytest.mark.parametrize("raw", NOT_MESSAGES, ids=repr)
def test_what_is_no_message(raw: Any):
    assert reading.read(raw) is None


BROKEN: list[dict[str, Any]] = [
    {"event": {"a": 1}, "data": [1], "namespace": "/"},
    {"data": [1], "namespace": "/"},
    {"event": "ev", "namespace": "/"},
    {"event": "ev", "data": [1]},
    {"event": "ev", "data": [1], "namespace": ["/"]},
    {"event": "ev", "data": [1], "namespace": "/", "room": {"a": 1}},
    {"event": "ev", "data": [1], "namespace": "/", "room": [{}]},
    {"event": "ev", "data": [1], "namespace": "/", "skip_sid": [[]]},
    {"event": "ev", "data": [1], "namespace": "/", "skip_sid": 5},
    {"event": "ev", "data": 1, "namespace": "/", "binary": True},
    {"event": "ev", "data": [], "namespace": "/", "binary": True},
    {"event": "ev", "data": [[{"_placeholder": True, "num": 1}], "YQ=="], "namespace": "/", "binary": True},
    {"event": "ev", "data": [[{"_placeholder": True, "num": -1}], "YQ=="], "namespace": "/", "binary": True},
    {"event": "ev", "data": [[{"_placeholder": True, "num": "0"}], "YQ=="], "namespace": "/", "binary": True},
    {"event": "ev", "data": [[{"_placeholder": True, "num": 0}], "Y"], "namespace": "/", "binary": True},
    {"event": "ev", "data": [[{"_placeholder": True, "num": 0}], 7], "namespace": "/", "binary": True},
    {"event": "ev", "data": [[{"_placeholder": True, "num": True}], "YQ==", "YQ=="], "namespace": "/", "binary": True},
    {"event": "ev", "data": [[{"_placeholder": True, "num": 0}] * 2, "YQ=="], "namespace": "/", "binary": True},
    {"event": True, "data": [1], "namespace": "/"},
    {"event": None, "data": [1], "namespace": "/"},
    {"event": float("nan"), "data": [1], "namespace": "/"},
    {"event": float("-inf"), "data": [1], "namespace": "/"},
]


@pytest.mark.parametrize("fields", BROKEN, ids=repr)
def test_broken_events_are_called_so(fields: dict[str, Any]):
    message = reading.read(json.dumps({"method": "emit", **fields}))
    assert message is not None
    with pytest.raises(reading.MalformedError):
        reading.target(message)
        reading.event(message)
        reading.data(message)


OWNERS: list[Any] = [
    5,
    [],
    ["x", "/"],
    [{}, "/", 1],
    [None, "/", 1],
    ["x", None, 1],
    ["x", "/", []],
    ["x" * 10_001, "/", 1],
]


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: repr(owner)[:40])
def test_callbacks_that_no_node_asks_for(owner: Any):
    """They would be sent back with each acknowledgement."""
    message = reading.read(json.dumps({"method": "emit", "callback": owner, "host_id": HOST}))
    assert message is not None
    with pytest.raises(reading.MalformedError):
        reading.callback_owner(message)


@pytest.mark.parametrize("room", [None, ["a", "b"], {"a": 1}, []], ids=repr)
def test_clients_enter_one_room_at_a_time(room: Any):
    message = reading.read(json.dumps({"method": "enter_room", "sid": "x", "room": room, "namespace": "/"}))
    assert message is not None
    with pytest.raises(reading.MalformedError):
        reading.one_room(message)


@pytest.mark.parametrize("name", [2**70, 1.5, 7, "\ud800", 'quo"ted'])
def test_any_name_that_has_json_makes_a_packet(name: Any):
    assert json.loads(messages.ready_text(name, b"[1]")) == [name, 1]


def test_what_only_the_standard_module_reads_is_read():
    message = reading.read(b'{"method": "emit", "event": "ev", "data": [NaN, "\\ud83d"], "namespace": "/"}')
    assert message is not None
    number, text = reading.data(message)
    assert number != number and text == "\ufffd"


async def test_a_base_class_of_an_applications_own():
    """Two managers over a queue: `_publish` and `_listen` are all that an application gives."""
    queues: list[asyncio.Queue[Any]] = []

    class QueueManager(fastsio.AsyncPubSubManager):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__(channel="any")
            self.queue: asyncio.Queue[Any] = asyncio.Queue()
            queues.append(self.queue)

        async def _publish(self, data: dict[str, Any]) -> None:
            for queue in queues:
                await queue.put(self.json.dumps(data))

        async def _listen(self) -> Any:
            while True:
                yield await self.queue.get()

    servers = [fastsio.AsyncServer(async_mode="asgi", client_manager=QueueManager()) for _ in range(2)]
    first, second = (server.manager for server in servers)
    second.basic_enter_room("sid", "/", None, eio_sid="eio")
    for manager in (first, second):
        manager.initialize()
    await first.enter_room("sid", "/", "red")
    async with asyncio.timeout(5):
        while "red" not in second.get_rooms("sid", "/"):
            await asyncio.sleep(0)
    await first.close_room("red")
    async with asyncio.timeout(5):
        while "red" in second.get_rooms("sid", "/"):
            await asyncio.sleep(0)
    for manager in (first, second):
        manager.thread.cancel()
        await asyncio.wait({manager.thread})


@pytest.mark.threat("T226", "T166")
async def test_nobody_waits_any_more_after_a_call_has_timed_out():
    ours = Caught(fastsio)
    with pytest.raises(fastsio.exceptions.TimeoutError):
        await ours.manager.server.call("question", 1, to="somebody elsewhere", timeout=0.01)
    assert ours.sent[0]["callback"][0] == "somebody elsewhere"
    assert len(ours.manager._answers) == 0


async def test_nobody_is_nobody_on_other_nodes_too():
    ours = Caught(fastsio)
    await ours.manager.server.emit("ev", 1, to=[])
    assert ours.sent == []


@pytest.mark.threat("T178")
async def test_data_without_json_are_refused_before_anybody_is_sent_anything():
    ours = Caught(fastsio)
    with pytest.raises(TypeError):
        await ours.manager.emit("ev", object())
    assert ours.sent == []
