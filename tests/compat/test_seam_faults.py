"""What applications put in the server's place fails, or ends clients in the middle: the server and the others go on.

May import: fastsio. No sockets are used: clients are made up by hand, as test clients of applications do it.
"""

import asyncio
import json
from typing import Any

import pytest

import fastsio
from fastsio.errors import ProtocolError
from fastsio.packet import Packet

TURN = 0.01


async def joined(sio: Any, eio_sid: str = "eio-1", *namespaces: str) -> list[str]:
    """Let a made-up client into namespaces; give its sids."""
    await sio._handle_eio_connect(eio_sid, {})
    for namespace in namespaces or ("/",):
        await sio._handle_eio_message(eio_sid, "0" if namespace == "/" else f"0{namespace},")
    await asyncio.sleep(TURN)
    return [sio.manager.sid_from_eio_sid(eio_sid, namespace) for namespace in namespaces or ("/",)]


# --- after the end


@pytest.mark.parametrize("serializer", ["default", "msgpack", type("Own", (Packet,), {})])
async def test_messages_after_the_end_are_ignored(serializer: Any):
    sio = fastsio.AsyncServer(async_mode="asgi", serializer=serializer)
    heard: list[str] = []
    sio.on("late", lambda sid: heard.append(sid))
    await sio._handle_eio_connect("eio-1", {})
    await sio.eio.disconnect("eio-1")
    await sio._handle_eio_message("eio-1", '2["late"]')
    await sio._handle_eio_message("eio-1", b"late")
    assert heard == []


@pytest.mark.parametrize("message", ['2["bye"]', '51-["bye",{"_placeholder":true,"num":0}]'])
async def test_a_json_module_that_ends_the_session_it_reads_for(message: str):
    class Ending:
        dumps = staticmethod(json.dumps)

        @staticmethod
        def loads(text: str) -> Any:
            if "bye" in text:
                del sio.eio.sockets["eio-1"]
            return json.loads(text)

    sio = fastsio.AsyncServer(async_mode="asgi", json=Ending)
    heard: list[Any] = []
    sio.on("bye", lambda sid, *args: heard.append("bye"))
    sio.on("disconnect", lambda sid, reason: heard.append(reason))
    await joined(sio)
    await sio._handle_eio_message("eio-1", message)
    await asyncio.sleep(TURN)
    assert heard == ["server disconnect"]


# --- managers and packet classes that fail


class Failing(fastsio.AsyncManager):
    """Fails in the method that it is told to."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self._method = method

    def _fail(self, method: str) -> None:
        if method == self._method:
            raise RuntimeError(f"{method} fails")

    async def connect(self, sid: str, namespace: str) -> str | None:
        self._fail("connect")
        return None if self._method == "forget" else await super().connect(sid, namespace)

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        self._fail("pre_disconnect")
        return super().pre_disconnect(sid, namespace)

    async def disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        self._fail("disconnect")
        await super().disconnect(sid, namespace, **kwargs)


class Mute(Packet):
    """Cannot write a CONNECT."""

    def encode(self) -> Any:
        if self.packet_type == 0:
            raise RuntimeError("mute")
        return super().encode()


@pytest.mark.parametrize(
    "options",
    [{"client_manager": "connect"}, {"client_manager": "forget"}, {"serializer": Mute}],
    ids=["manager", "lazy manager", "packet class"],
)
async def test_a_client_that_cannot_be_let_in_is_nowhere_and_its_end_holds_nobody_up(options: Any):
    if "client_manager" in options:
        options = {"client_manager": Failing(options["client_manager"])}
    sio = fastsio.AsyncServer(async_mode="asgi", **options)
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    await joined(sio)
    async with asyncio.timeout(5):  # a loop that never yields would not even see this
        await sio._handle_eio_disconnect("eio-1", "transport close")
    assert list(sio.manager.get_namespaces()) == []
    assert not sio.eio._registry.sessions


@pytest.mark.parametrize("method", ["pre_disconnect", "disconnect"])
async def test_a_manager_that_fails_when_clients_leave_loses_no_handler(method: str):
    sio = fastsio.AsyncServer(async_mode="asgi", client_manager=Failing(method), namespaces="*")
    heard: list[tuple[str, str]] = []
    for namespace in ("/a", "/b", "/c"):
        sio.on("disconnect", lambda sid, reason, name=namespace: heard.append((name, reason)), namespace=namespace)
    await joined(sio, "eio-1", "/a", "/b", "/c")
    await sio._handle_eio_disconnect("eio-1", "transport close")
    assert heard == [(name, "transport close") for name in ("/a", "/b", "/c")]
    assert list(sio.manager.get_namespaces()) == []


async def test_a_farewell_that_cannot_be_sent_is_a_farewell_all_the_same():
    sio = fastsio.AsyncServer(async_mode="asgi")
    heard: list[str] = []
    sio.on("disconnect", lambda sid, reason: heard.append(reason))
    [sid] = await joined(sio)

    def refuse(eio_sid: str, packet: Any) -> None:
        raise RuntimeError("not sent")

    sio._send_packet = refuse  # type: ignore[method-assign,assignment]
    with pytest.raises(RuntimeError, match="not sent"):
        await sio.disconnect(sid)
    assert heard == ["server disconnect"]
    assert list(sio.manager.get_namespaces()) == []


# --- packet classes and hostile clients


class Plain(Packet):
    """A packet class of an application that changes nothing."""


async def fed(sio: Any, *messages: str | bytes) -> str | None:
    """Give a made-up client's messages to a server; give the code of the first that is refused."""
    await joined(sio)
    try:
        for message in messages:
            await sio._handle_eio_message("eio-1", message)
    except ProtocolError as error:
        return error.code
    return None


@pytest.mark.parametrize("serializer", ["default", Plain])
@pytest.mark.parametrize(
    "messages",
    [['59999999999-["x"]'], ['565-["x"]'], ['52-["x"]', b"1" * 600, b"2" * 600]],
    ids=["any number", "one too many", "too many bytes"],
)
async def test_attachments_keep_to_the_limits_with_any_packet_class(serializer: Any, messages: list[Any]):
    sio = fastsio.AsyncServer(async_mode="asgi", serializer=serializer, max_binary_packet=1000)
    assert await fed(sio, *messages) == "SIO_BAD_ATTACHMENTS"


async def test_attachments_within_the_limits_reach_the_handler_packet_after_packet():
    sio = fastsio.AsyncServer(async_mode="asgi", serializer=Plain, max_binary_packet=1000)
    heard: list[bytes] = []
    sio.on("x", lambda sid, data: heard.append(data))
    packet = '51-["x",{"_placeholder":true,"num":0}]'
    assert await fed(sio, *([packet, b"1" * 900] * 3)) is None
    await asyncio.sleep(TURN)
    assert heard == [b"1" * 900] * 3


async def test_a_packet_class_whose_text_is_json_is_given_values_over_every_transport():
    class Mapped(Packet):
        def decode(self, encoded_packet: Any) -> int:
            self.packet_type, self.data = encoded_packet["type"], encoded_packet.get("data")
            return 0

    sio = fastsio.AsyncServer(async_mode="asgi", serializer=Mapped)
    message = sio._hub.packer.reader(1, 1).feed('{"type":2,"data":["news",1]}')
    assert (message.type, message.data) == (2, ["news", 1])


async def test_an_insatiable_packet_class_is_bounded():
    class Insatiable(Packet):
        def add_attachment(self, attachment: bytes) -> bool:
            return False

    sio = fastsio.AsyncServer(async_mode="asgi", serializer=Insatiable, max_attachments=3)
    assert await fed(sio, '51-["x"]', b"1", b"2", b"3") is None
    sio = fastsio.AsyncServer(async_mode="asgi", serializer=Insatiable, max_attachments=3)
    assert await fed(sio, '51-["x"]', b"1", b"2", b"3", b"4") == "SIO_BAD_ATTACHMENTS"


async def test_a_packet_class_uses_the_json_module_of_its_server():
    class Shouting:
        dumps = staticmethod(lambda value, **options: json.dumps(value, **options).upper())
        loads = staticmethod(json.loads)

    sio = fastsio.AsyncServer(async_mode="asgi", serializer=Plain, json=Shouting)
    assert sio._hub.packer.encode(2, "/", None, ["news"]) == '2["NEWS"]'
    assert Plain.json is Packet.json


# --- loggers that are not the standard library's


class Shy:
    """A logger as other libraries make them: it has the methods, and nothing to ask."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, line: str, *args: Any, **options: Any) -> None:
        self.lines.append(line % args)

    warning = error = debug = exception = info

    def log(self, level: int, line: str, *args: Any) -> None:
        self.info(line, *args)


class Obliging(Shy):
    """One that has an answer to everything."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args: True


@pytest.mark.parametrize("make", [Shy, Obliging])
async def test_any_object_may_be_the_logger(make: type[Shy]):
    logger, engine_logger = make(), make()
    sio = fastsio.AsyncServer(async_mode="asgi", logger=logger, engineio_logger=engine_logger)
    await joined(sio)
    await sio._handle_eio_message("eio-1", '2["hello"]')
    await sio.emit("news")
    sio.logger = later = make()
    await sio._handle_eio_message("eio-1", '2["hello"]')
    assert [line.partition(" from")[0] for line in logger.lines] == [
        'received event "hello"', 'emitting event "news" to all [/]'
    ]  # fmt: skip
    assert len(later.lines) == 1
    assert any("Sending packet MESSAGE" in line for line in engine_logger.lines)


# --- replaced sending that waits


class Slow(fastsio.AsyncServer):
    """Sends by hooks that take their time: the longer, the shorter the packet."""

    def __init__(self, **options: Any) -> None:
        super().__init__(async_mode="asgi", **options)
        self.sent: list[Any] = []

    async def _send_packet(self, eio_sid: str, pkt: Any) -> None:
        await self._send_slowly(pkt.encode())

    async def _send_eio_packet(self, eio_sid: str, eio_pkt: Any) -> None:
        await self._send_slowly(eio_pkt.data)

    async def _send_slowly(self, data: Any) -> None:
        await asyncio.sleep(0.03 / len(str(data)))
        self.sent.append(data)


async def test_packets_are_in_order_however_long_their_hooks_take():
    sio = Slow()
    [sid] = await joined(sio)
    await asyncio.sleep(0.05)
    del sio.sent[:]
    await sio.emit("short")
    await sio.emit("with attachments", [b"1", b"222222222222"])
    await sio.emit("with callback", to=sid, callback=print)
    await sio.emit("a much longer one, sent at once by itself", list(range(100)))
    await asyncio.sleep(0.1)
    kinds = [data if isinstance(data, bytes) else json.loads(data.lstrip("0123456789-"))[0] for data in sio.sent]
    assert kinds[:4] == ["short", "with attachments", b"1", b"222222222222"]
    assert kinds[4:] == ["with callback", "a much longer one, sent at once by itself"]
    assert sio._hub.tap._last == {}


@pytest.mark.parametrize("agrees", [True, False])
async def test_clients_that_are_not_in_yet_are_sent_nothing_by_hooks_either(agrees: bool):
    sio = Slow()
    gate = asyncio.Event()

    @sio.event
    async def connect(sid: str, environ: Any) -> bool:
        await sio.emit("direct", to=sid)
        await gate.wait()
        return agrees

    await sio._handle_eio_connect("eio-1", {})
    joining = asyncio.ensure_future(sio._handle_eio_message("eio-1", "0"))
    await asyncio.sleep(TURN)
    await sio.emit("to everybody", callback=print)
    await asyncio.sleep(0.05)
    assert sio.sent == []
    gate.set()
    await joining
    await asyncio.sleep(0.1)
    heads = [packet[:2] for packet in sio.sent]
    assert heads == (["0{", "2[", "21"] if agrees else ["4{"])
