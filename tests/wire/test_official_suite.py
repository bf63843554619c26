"""What the official protocol suites check, in our own words: Engine.IO 4 and 3, Socket.IO 5.

May import: the raw clients. Timers are those of the suites: ping interval 300 ms, ping timeout 200 ms.
"""

import asyncio
import json

import pytest

from wire import raw
from wire.conftest import ServerFor
from wire.sessions import Client, after, framed, is_closed

ECHO = ("wire.engine_app:E", "/engine.io/")
SOCKETIO = ("wire.socketio_app:suite", "/socket.io/")
KEYS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
ENGINES = [(ECHO, 4), (ECHO, 3), (SOCKETIO, 4)]
NAMES = ["engine4", "engine3", "socketio5"]


@pytest.fixture(params=ENGINES, ids=NAMES)
def client(request: pytest.FixtureRequest, server_for: ServerFor) -> Client:
    """A client of each suite: all of them have an Engine.IO part."""
    (app, path), version = request.param
    return Client(server_for(app).port, version, path)


@pytest.fixture(params=[4, 3], ids=NAMES[:2])
def echo(request: pytest.FixtureRequest, server_for: ServerFor) -> Client:
    """A client of the echo server."""
    return Client(server_for(ECHO[0]).port, request.param, ECHO[1])


def alone(client: Client, *packets: str) -> bytes:
    return framed(client.version, *packets).encode()


# --- Engine.IO: handshake


async def test_polling_handshake(client: Client):
    await client.open()
    packet = client.open_packet
    assert set(packet) == KEYS
    assert packet["upgrades"] == ["websocket"]
    assert (packet["pingInterval"], packet["pingTimeout"], packet["maxPayload"]) == (300, 200, 1_000_000)


async def test_websocket_handshake(client: Client):
    socket = await client.live_websocket()
    assert set(client.open_packet) == KEYS
    assert client.open_packet["upgrades"] == []
    socket.abort()


@pytest.mark.parametrize("query", ["transport=polling", "EIO=abc&transport=polling", "EIO=4&transport=abc"])
async def test_bad_handshake(client: Client, query: str, wire: str):
    if wire == "reference" and "EIO=4" not in query:
        pytest.skip("with EIO 3 allowed the official server takes any revision for 3")
    assert (await raw.fetch(client.port, "GET", f"{client.path}?{query}")).status == 400


@pytest.mark.parametrize("query", ["transport=websocket", "EIO=abc&transport=websocket", "EIO=4&transport=abc"])
async def test_bad_websocket_handshake(client: Client, query: str, wire: str):
    if wire == "reference" and "EIO=4" not in query:
        pytest.skip("with EIO 3 allowed the official server takes any revision for 3")
    refused = await raw.open_websocket(client.port, f"{client.path}?{query}")
    assert isinstance(refused, raw.Response) and refused.status == 400


async def test_missing_transport(client: Client):
    response = await raw.fetch(client.port, "GET", f"{client.path}?EIO={client.version}")
    assert response.status == 400


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_handshake_with_another_method(client: Client, method: str):
    assert (await raw.fetch(client.port, method, client.url(), body=b"4a")).status == 400


# --- Engine.IO: messages


@pytest.mark.parametrize("packets", [["4hello"], ["4test1", "4test2", "4test3"]], ids=["one", "three"])
async def test_polling_echo(echo: Client, packets: list[str]):
    await echo.open(b64="1")
    answer = await echo.send(*packets)
    assert (answer.status, answer.body) == (200, b"ok")
    answer = await echo.poll()
    assert (answer.status, answer.body) == (200, alone(echo, *packets))


async def test_polling_echo_of_binary(echo: Client):
    packets = ["4hello", "bAQIDBA==" if echo.version == 4 else "b4AQIDBA=="]
    await echo.open(b64="1")
    assert (await echo.send(*packets)).body == b"ok"
    assert (await echo.poll()).body == alone(echo, *packets)


async def test_polling_echo_of_binary_to_a_binary_client(server_for: ServerFor):
    echo = await Client(server_for(ECHO[0]).port, 3, ECHO[1]).open()
    assert (await echo.send("4hello", "b4AQIDBA==")).body == b"ok"
    answer = await echo.poll()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.body == bytes.fromhex("0006ff3468656c6c6f0105ff0401020304")


async def test_polling_body_of_nonsense_ends_the_session(echo: Client):
    await echo.open()
    assert (await echo.post("abc")).status in (200, 400)
    assert (await echo.poll()).status == 400


async def test_websocket_echo(echo: Client):
    socket = await echo.live_websocket()
    await socket.send("4hello")
    data = bytes.fromhex("01020304" if echo.version == 4 else "0401020304")
    await socket.send(data)
    await after(socket, ("text", "4hello"), ("hex", data.hex()))
    socket.abort()


async def test_websocket_message_of_nonsense_closes(echo: Client):
    socket = await echo.live_websocket()
    await socket.send("abc")
    assert await is_closed(socket)


# --- Engine.IO: overlapping requests


async def test_second_poll_ends_the_session(client: Client):
    await client.open()
    first = await client.begin_poll()
    await asyncio.sleep(0.02)
    assert (await client.poll()).status in (400, 500)
    answer = await first.response()
    assert (answer.status, answer.body) == (200, alone(client, "1"))
    assert (await client.poll()).status == 400


# --- Engine.IO: heartbeat


async def test_polling_heartbeat(client: Client):
    await client.open()
    for _ in range(3):
        if client.version == 4:
            assert (await client.poll()).body == b"2"
            assert (await client.send("3")).body == b"ok"
        else:
            assert (await client.send("2")).body == b"ok"
            assert (await client.poll()).body == b"1:3"


async def test_websocket_heartbeat(client: Client):
    socket = await client.live_websocket()
    for _ in range(3):
        if client.version == 4:
            await after(socket, ("text", "2"))
            await socket.send("3")
        else:
            await socket.send("2")
            await after(socket, ("text", "3"))
    socket.abort()


async def test_silent_polling_client_is_gone(client: Client):
    await client.open()
    await asyncio.sleep(0.6)
    assert (await client.poll()).status == 400


async def test_silent_websocket_client_is_closed(client: Client):
    socket = await client.live_websocket()
    async with asyncio.timeout(1.0):
        assert await is_closed(socket)


# --- Engine.IO: close


async def test_close_over_polling(client: Client):
    await client.open()
    poll = await client.begin_poll()
    await asyncio.sleep(0.02)
    assert (await client.send("1")).status == 200
    answer = await poll.response()
    assert (answer.status, answer.body) == (200, alone(client, "6"))
    assert (await client.poll()).status == 400


async def test_close_over_websocket(client: Client):
    socket = await client.live_websocket()
    await socket.send("1")
    async with asyncio.timeout(2):
        assert await is_closed(socket)


# --- Engine.IO: upgrade


async def test_upgrade(client: Client):
    await client.open()
    socket = await client.websocket()
    await socket.send("2probe")
    await after(socket, ("text", "3probe"))
    assert (await client.poll()).body == alone(client, "6")
    await socket.send("5")
    if client.path == ECHO[1]:
        await socket.send("4hello")
        await after(socket, ("text", "4hello"))
    socket.abort()


async def test_requests_after_the_upgrade(client: Client):
    await client.open()
    socket = await client.websocket()
    await socket.send("2probe")
    await socket.send("5")
    await after(socket, ("text", "3probe"))
    await asyncio.sleep(0.05)
    assert (await client.poll()).status == 400
    second = await raw.open_websocket(client.port, client.url("websocket"))
    assert isinstance(second, raw.Response) or await is_closed(second)
    if client.path == ECHO[1]:
        await socket.send("4hello")
        await after(socket, ("text", "4hello"))
    socket.abort()


# --- Socket.IO


@pytest.fixture
async def socket(server_for: ServerFor) -> raw.WebSocket:
    """A WebSocket of the Socket.IO server that has joined nothing yet."""
    return await Client(server_for(SOCKETIO[0]).port, 4, SOCKETIO[1]).live_websocket()


async def join(socket: raw.WebSocket, packet: str, namespace: str, auth: str) -> None:
    """Join a namespace, and read what the application says to that."""
    await socket.send(packet)
    _, text = await socket.receive()
    assert str(text).startswith(f"40{namespace}{{")
    assert list(json.loads(str(text)[2 + len(namespace) :])) == ["sid"]
    await after(socket, ("text", f'42{namespace}["auth",{auth}]'))


@pytest.mark.parametrize("namespace", ["", "/custom,"])
@pytest.mark.parametrize("auth", ["", '{"token":"123"}'])
async def test_connect(socket: raw.WebSocket, namespace: str, auth: str):
    await join(socket, f"40{namespace}{auth}", namespace, auth or "{}")


async def test_connect_to_an_unknown_namespace(socket: raw.WebSocket):
    await socket.send("40/random")
    await after(socket, ("text", '44/random,{"message":"Invalid namespace"}'))


@pytest.mark.parametrize("packet", ["4abc", None], ids=["nonsense", "nothing"])
async def test_connect_never(socket: raw.WebSocket, packet: str | None):
    if packet is not None:
        await socket.send(packet)
    assert await is_closed(socket)


async def test_leaving_the_main_namespace(socket: raw.WebSocket):
    await join(socket, "40", "", "{}")
    await socket.send("41")
    await after(socket, ("text", "2"))


async def test_leaving_another_namespace(socket: raw.WebSocket):
    await join(socket, "40", "", "{}")
    await join(socket, "40/custom", "/custom,", "{}")
    await socket.send("41/custom")
    await socket.send('42["message","message to main namespace"]')
    await after(socket, ("text", '42["message-back","message to main namespace"]'))


ARGUMENTS = '1,"2",{"3":[true]}'
TWO_BINARIES = '{"_placeholder":true,"num":0},"2",{"_placeholder":true,"num":1}'
ATTACHMENTS = (b"\x01\x02\x03", b"\x04\x05\x06")
EXCHANGES: dict[str, tuple[str, tuple[bytes, ...], str]] = {
    "text": (f'42["message",{ARGUMENTS}]', (), f'42["message-back",{ARGUMENTS}]'),
    "binary": (f'452-["message",{TWO_BINARIES}]', ATTACHMENTS, f'452-["message-back",{TWO_BINARIES}]'),
    "ack": (f'42456["message-with-ack",{ARGUMENTS}]', (), f"43456[{ARGUMENTS}]"),
    "binary ack": (f'452-789["message-with-ack",{TWO_BINARIES}]', ATTACHMENTS, f"462-789[{TWO_BINARIES}]"),
}


@pytest.mark.parametrize("name", EXCHANGES)
async def test_message(socket: raw.WebSocket, name: str):
    sent, attachments, expected = EXCHANGES[name]
    await join(socket, "40", "", "{}")
    messages: list[str | bytes] = [sent, *attachments]
    for message in messages:
        await socket.send(message)
    await after(socket, ("text", expected), *(("hex", data.hex()) for data in attachments))


@pytest.mark.parametrize("packet", ["4abc", "42{}", '42abc["message-with-ack",1,"2"]'])
async def test_message_of_nonsense_closes(socket: raw.WebSocket, packet: str):
    await join(socket, "40", "", "{}")
    await socket.send(packet)
    assert await is_closed(socket)
