"""What hostile, broken and unlucky clients send, what they are answered, and that nobody else notices.

May import: the conversation drivers. After each case a canary, a well-behaved client that was there all along, still
gets its echo, and the log has grown by one line at most, without a traceback.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deviations.wire import BAD_REQUEST, UNSUPPORTED, refusal
from wire import raw
from wire.conftest import ServerFor
from wire.live import REFERENCE, Server
from wire.replay import replay_http
from wire.sessions import Client, after, is_closed

Json = dict[str, Any]

pytestmark = pytest.mark.skipif(bool(REFERENCE), reason="answers of this server, not of the official one")

ENGINE = "wire.engine_app:tight"
SOCKETIO = "wire.socketio_app:tight"
# uvicorn's own complaint about each WebSocket handshake that an application answers with an HTTP response.
HOST_LINE = "ASGI callable returned without completing handshake"
TOO_LONG = "4" + "x" * 1000  # the applications accept messages of 1000 bytes
BAD_METHOD = {
    "status": 400,
    "headers": {"content-type": "application/json"},
    "body": '{"code":2,"message":"Bad handshake method"}',
}


class Watch:
    """A canary on one server, and the size of its log before a case."""

    def __init__(self, server: Server, socket: raw.WebSocket, ping: str, echo: str) -> None:
        self.server, self.socket, self.ping, self.echo = server, socket, ping, echo
        self.start = server.log_size

    async def verdict(self) -> None:
        await self.socket.send(self.ping)
        await after(self.socket, ("text", self.echo))
        self.socket.abort()
        log = [line for line in self.server.log(self.start).splitlines() if HOST_LINE not in line]
        assert not any("Traceback" in line for line in log), log
        assert len(log) <= 1, log


@pytest.fixture
async def engine(server_for: ServerFor) -> AsyncIterator[Client]:
    """A client of the echo server, watched."""
    server = server_for(ENGINE)
    canary = await Client(server.port, 4, "/engine.io/").live_websocket()
    watch = Watch(server, canary, "4canary", "4canary")
    yield Client(server.port, 4, "/engine.io/")
    await watch.verdict()


@pytest.fixture
async def socketio(server_for: ServerFor) -> AsyncIterator[Client]:
    """A client of the Socket.IO server, watched."""
    server = server_for(SOCKETIO)
    canary = await Client(server.port, 4, "/socket.io/").live_websocket()
    await canary.send("40")
    await canary.receive()
    await after(canary, ("text", '42["auth",{}]'))
    watch = Watch(server, canary, '421["message-with-ack","canary"]', '431["canary"]')
    yield Client(server.port, 4, "/socket.io/")
    await watch.verdict()


# --- requests that never become a session

REQUESTS: dict[str, tuple[str, str, Json]] = {
    "no revision": ("GET", "?transport=polling", refusal(UNSUPPORTED)),
    "revision 5": ("GET", "?EIO=5&transport=polling", refusal(UNSUPPORTED)),
    "revision 04": ("GET", "?EIO=04&transport=polling", refusal(UNSUPPORTED)),
    "two revisions": ("GET", "?EIO=4&EIO=3&transport=polling", refusal(UNSUPPORTED)),
    "unknown transport": ("GET", "?EIO=4&transport=carrier-pigeon", refusal("Invalid transport")),
    "transport and no upgrade": ("GET", "?EIO=4&transport=websocket", refusal("Invalid websocket upgrade")),
    "unknown sid": ("GET", "?EIO=4&transport=polling&sid=nope", refusal("Invalid session nope")),
    "unknown sid, POST": ("POST", "?EIO=4&transport=polling&sid=nope", refusal("Invalid session nope")),
    "long sid": ("GET", "?EIO=4&transport=polling&sid=" + "a" * 500, refusal("Invalid session " + "a" * 64)),
    "sid with a quote": ("GET", "?EIO=4&transport=polling&sid=%22%3Cb%3E", refusal('Invalid session "<b>')),
    "sid that is not UTF-8": ("GET", "?EIO=4&transport=polling&sid=%ff%fe", refusal("Invalid session \ufffd\ufffd")),
    "POST without sid": ("POST", "?EIO=4&transport=polling", refusal("Invalid session None")),
    "no transport": ("GET", "?EIO=4", refusal("Invalid transport")),
    "PUT": ("PUT", "?EIO=4&transport=polling", BAD_METHOD),
    "DELETE": ("DELETE", "?EIO=4&transport=polling", BAD_METHOD),
    "JSONP, not served": (
        "GET",
        "?EIO=4&transport=polling&j=0",
        {
            "status": 400,
            "headers": {"content-type": "application/json"},
            "body": '{"code":3,"message":"Bad request: JSONP is not enabled on this server"}',
        },
    ),
    "JSONP, no number": ("GET", "?EIO=4&transport=polling&j=alert(1)", refusal("Invalid JSONP index number")),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_request(engine: Client, name: str):
    method, query, expected = REQUESTS[name]
    request = {"method": method, "path": f"/engine.io/{query}"} | ({"body": ""} if method != "GET" else {})
    assert await replay_http(engine.port, [{"request": request, "response": expected}]) == []


@pytest.mark.parametrize("head", [b"\x00\x01\x02\r\n\r\n", b"GET /engine.io/ HTTP/9.9\r\n\r\n", b"GET\r\n\r\n"])
async def test_not_http(engine: Client, head: bytes):
    exchange = await raw.open_exchange(engine.port, head)
    try:
        assert (await exchange.response()).status in (400, 404, 505)
    except raw.Reset:
        pass


async def test_abandoned_head(engine: Client):
    exchange = await raw.open_exchange(engine.port, b"GET /engine.io/?EIO=4&transp")
    exchange.abort()


# --- bodies that end a polling session

BODIES: dict[str, tuple[int, str, Json]] = {
    "unknown type": (4, "9", BAD_REQUEST),
    "letters": (4, "abc", BAD_REQUEST),
    "empty": (4, "", BAD_REQUEST),
    "empty packet at the end": (4, "4a\x1e", BAD_REQUEST),
    "empty packet between": (4, "4a\x1e\x1e4b", BAD_REQUEST),
    "bad base64": (4, "b###", BAD_REQUEST),
    "a ping": (4, "2", BAD_REQUEST),
    "more than the limit": (4, TOO_LONG, BAD_REQUEST),
    "EIO3: no length": (3, "4a", BAD_REQUEST),
    "EIO3: length too large": (3, "99:4a", BAD_REQUEST),
    "EIO3: length of letters": (3, "x:4a", BAD_REQUEST),
    "EIO3: huge length": (3, "9" * 400 + ":4a", BAD_REQUEST),
    "EIO3: negative length": (3, "-2:4a", BAD_REQUEST),
    "EIO3: unknown type": (3, "2:9a", BAD_REQUEST),
}


@pytest.mark.parametrize("name", BODIES)
async def test_body(engine: Client, name: str):
    engine.version, body, expected = BODIES[name]
    await engine.open()
    url = engine.url()
    steps = [
        {"request": {"method": "POST", "path": url, "body": body}, "response": expected},
        {"request": {"method": "GET", "path": url}, "response": refusal(f"Invalid session {engine.sid}")},
    ]
    assert await replay_http(engine.port, steps) == []


async def test_body_that_is_not_utf8(engine: Client):
    await engine.open()
    assert (await engine.post(b"4\xff\xfe")).status == 400
    assert (await engine.poll()).status == 400


async def test_too_many_packets(engine: Client):
    """One body holds at most `Payload.max_decode_packets`; the limit of bytes is reached first here."""
    await engine.open()
    assert (await engine.post("\x1e".join(["4"] * 500))).status == 200
    assert (await engine.post("\x1e".join(["4"] * 501))).status == 400


async def test_chunked_body_over_the_limit(engine: Client):
    """No Content-Length gives the size away: it is counted while it comes."""
    await engine.open()
    head = f"POST {engine.url()} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    exchange = await raw.open_exchange(engine.port, head + b"3e8\r\n" + b"4" * 1000 + b"\r\n" + b"1\r\n4\r\n0\r\n\r\n")
    assert (await exchange.response()).status == 400
    assert (await engine.poll()).status == 400


# --- requests at the wrong time


async def test_overlapping_polls(engine: Client):
    await engine.open()
    first = await engine.begin_poll()
    await asyncio.sleep(0.02)
    assert (await engine.poll()).status == 400
    assert (await first.response()).body == b"1"
    assert (await engine.poll()).status == 400


async def test_overlapping_posts(engine: Client):
    await engine.open()
    first = await engine.begin_post("4a", missing=10)
    await asyncio.sleep(0.02)
    assert (await engine.post("4b")).status == 400
    assert (await engine.poll()).status == 400
    first.abort()


async def test_lost_post(engine: Client):
    await engine.open()
    first = await engine.begin_post("4a", missing=10)
    await asyncio.sleep(0.02)
    first.abort()
    await asyncio.sleep(0.05)
    assert (await engine.poll()).status == 400


async def test_lost_poll(engine: Client):
    """A client that hangs up on its poll is gone; what it was owed is given to nobody."""
    await engine.open()
    first = await engine.begin_poll()
    await asyncio.sleep(0.02)
    first.abort()
    await asyncio.sleep(0.05)
    assert (await engine.poll()).status == 400


async def test_poll_of_a_websocket_session(engine: Client):
    socket = await engine.live_websocket()
    engine.sid = engine.open_packet["sid"]
    assert (await engine.poll()).status == 400
    await socket.send("4a")
    await after(socket, ("text", "4a"))
    socket.abort()


# --- upgrades that go wrong: polling goes on as if there had been none


async def still_polls(client: Client) -> None:
    await client.send("4still")
    answer = await client.poll()
    assert (answer.status, answer.body) == (200, b"4still")


@pytest.mark.parametrize("first", ["5", "4a", "2", "abc", "", b"\x01\x02"], ids=repr)
async def test_first_frame_is_no_probe(engine: Client, first: str | bytes):
    await engine.open()
    socket = await engine.websocket()
    await socket.send(first)
    assert await is_closed(socket)
    await still_polls(engine)


@pytest.mark.parametrize("second", ["4a", "2", "abc", b"\x01\x02"], ids=repr)
async def test_second_frame_is_no_upgrade(engine: Client, second: str | bytes):
    await engine.open()
    socket = await engine.websocket()
    await socket.send("2probe")
    await after(socket, ("text", "3probe"))
    await socket.send(second)
    assert await is_closed(socket)
    await still_polls(engine)


async def test_probe_then_silence(engine: Client):
    """`upgrade_timeout` is 0.3 s here."""
    await engine.open()
    socket = await engine.websocket()
    await socket.send("2probe")
    await after(socket, ("text", "3probe"))
    async with asyncio.timeout(1):
        assert await is_closed(socket)
    await still_polls(engine)


async def test_probe_that_hangs_up(engine: Client):
    await engine.open()
    socket = await engine.websocket()
    await socket.send("2probe")
    await after(socket, ("text", "3probe"))
    socket.abort()
    await asyncio.sleep(0.05)
    await still_polls(engine)


async def test_two_probes(engine: Client):
    await engine.open()
    first = await engine.websocket()
    await first.send("2probe")
    await after(first, ("text", "3probe"))
    assert await is_closed(await engine.websocket())
    await first.send("5")
    await first.send("4a")
    await after(first, ("text", "4a"))
    first.abort()


async def test_probe_of_an_unknown_session(engine: Client):
    engine.sid = "nope"
    refused = await raw.open_websocket(engine.port, engine.url("websocket"))
    assert isinstance(refused, raw.Response)
    assert (refused.status, refused.body) == (400, b'"Invalid session nope"')


async def test_probe_of_another_revision(engine: Client):
    await engine.open()
    engine.version = 3
    refused = await raw.open_websocket(engine.port, engine.url("websocket"))
    assert isinstance(refused, raw.Response) and refused.status == 400
    engine.version = 4
    await still_polls(engine)


# --- WebSocket frames (RFC 6455): close codes are those that clients see on the native wire

FRAMES: dict[str, tuple[bytes, int]] = {
    "not masked": (b"\x81\x024a", 1002),
    "reserved bit": (b"\xf1" + raw.frame(1, b"4a")[1:], 1002),
    "unknown opcode": (raw.frame(3, b"4a"), 1002),
    "continuation of nothing": (raw.frame(0, b"4a"), 1002),
    "new message in a fragmented one": (raw.frame(1, b"4a", fin=False) + raw.frame(1, b"4b"), 1002),
    "fragmented ping": (raw.frame(9, b"", fin=False), 1002),
    "long ping": (raw.frame(9, b"x" * 126), 1002),
    "close of one byte": (raw.frame(8, b"\x03"), 1002),
    "close with a reserved code": (raw.frame(8, b"\x03\xed"), 1002),
    "text that is not UTF-8": (raw.frame(1, b"4\xff"), 1007),
    "message over the limit": (raw.frame(1, TOO_LONG.encode()), 1009),
    "fragments over the limit": (raw.frame(1, b"4" * 900, fin=False) + raw.frame(0, b"4" * 900), 1009),
    "announced 2^62 bytes": (b"\x82\xff\x40" + bytes(7) + b"\x00\x00\x00\x00", 1009),
}


@pytest.mark.parametrize("name", FRAMES)
async def test_frame(engine: Client, wire: str, name: str):
    if wire == "asgi" and name == "text that is not UTF-8":
        pytest.skip("the host logs a traceback of its own")
    data, code = FRAMES[name]
    socket = await engine.live_websocket()
    await socket.send_bytes(data)
    kind, got = await socket.receive()
    assert kind == "close"
    # Under ASGI frames are the host's: some of its codes, and some plain hang-ups, are its own.
    assert got == code or (wire == "asgi" and got in (1000, 1002, 1006, 1007, 1009))


# --- Socket.IO packets. "lives": dropped, the connection stays; else the close code.

LIVES = "lives"
PACKETS: dict[str, tuple[list[str | bytes], str | int]] = {
    "event before CONNECT": (['42["message",1]'], 1005),
    "ack before CONNECT": (["431[]"], 1005),
    "disconnect before CONNECT": (["41"], 1005),
    "event of a namespace never joined": (["40", '42/nope,["message",1]'], 1005),
    "CONNECT twice": (["40", "40"], 1005),
    "CONNECT with a string": (['40"x"'], LIVES),
    "unknown type": (["40", "47"], 1005),
    "empty message": (["40", "4"], 1005),
    "letters": (["40", "4abc"], 1005),
    "object for an event": (["40", "42{}"], 1005),
    "empty event": (["40", "42[]"], LIVES),
    "open JSON": (["40", '42["message"'], 1005),
    "JSON with something after it": (["40", '42["message"]x'], 1005),
    "deep JSON": (["40", '42["message",' + "[" * 900], 1005),
    "object for an ack": (["40", '430{"a":1}'], 1005),
    "id of 200 digits": (["40", f'42{"9" * 200}["message"]'], 1005),
    "ack with an unknown id": (["40", "4399[1]"], LIVES),
    "error from a client": (["40", '44{"message":"x"}'], LIVES),
    "event after leaving": (["40", "41", '42["message",1]', "40"], LIVES),
    "event of a refused namespace": (["40/random,", '42/random,["message",1]', "40"], LIVES),
    "binary without a header": (["40", b"\x01"], 1005),
    "text where an attachment is due": (["40", '451-["message",{"_placeholder":true,"num":0}]', '42["message"]'], 1005),
    "placeholder out of range": (["40", '451-["message",{"_placeholder":true,"num":1}]', b"\x01"], 1005),
    "negative placeholder": (["40", '451-["message",{"_placeholder":true,"num":-1}]', b"\x01"], 1005),
    "no count of attachments": (["40", '45["message"]'], 1005),
    "65 attachments": (["40", '4565-["message"]'], 1005),
    "10^12 attachments": (["40", '451000000000000-["message"]'], 1005),
    "event name that is an object": (["40", '42[{"a":1}]'], LIVES),
    "event name that is null": (["40", "42[null]"], LIVES),
    "event with a reserved name": (["40", '42["disconnect","forged"]'], LIVES),
}


@pytest.mark.parametrize("name", PACKETS)
async def test_packet(socketio: Client, wire: str, name: str):
    packets, outcome = PACKETS[name]
    socket = await socketio.live_websocket()
    for packet in packets:
        await socket.send(packet)
        await asyncio.sleep(0.02)
    if outcome == LIVES:
        await socket.send('4299["message-with-ack","alive"]' if "40" in packets else "40/custom,")
    await _reads(socket, '4399["alive"]' if "40" in packets else "40/custom,", outcome, wire)


async def _reads(socket: raw.WebSocket, sign: str, outcome: str | int, wire: str) -> None:
    """Read until the connection shows that it lives, or closes; that must be the outcome."""
    while True:
        kind, value = await socket.receive()
        if kind == "text" and str(value).startswith(sign):
            assert outcome == LIVES
            break
        if kind != "text" and kind != "hex":
            assert kind == "close" and value == (1000 if wire == "asgi" else outcome)
            break
    socket.abort()


@pytest.mark.parametrize("packet", ['42["message"', "47", '42["message",1]'])
async def test_packet_over_polling(socketio: Client, packet: str):
    """The session ends at once; the POST is refused, and so is the next poll."""
    await socketio.open()
    assert (await socketio.send(packet)).status == 400
    assert (await socketio.poll()).status == 400
