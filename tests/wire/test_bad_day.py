"""What goes wrong in real life, and must not spread: slow readers, bursts, handlers that wait or fail, a stopping server.

Each test was a defect once.
"""

import asyncio
import json
import socket
from typing import Any

import msgpack
import pytest
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from wire import raw
from wire.conftest import ServerFor
from wire.live import REFERENCE, Server
from wire.sessions import Client, is_closed

pytestmark = pytest.mark.skipif(REFERENCE is not None, reason="the application is fastsio's")

APP = "wire.review_app:default"
PATH = "/socket.io/?EIO=4&transport=websocket"


async def join(port: int, namespace: str = "") -> raw.WebSocket:
    """Open a WebSocket and join a namespace."""
    link = await Client(port, 4, "/socket.io/").live_websocket()
    await link.send(f"40{namespace}")
    assert str((await link.receive())[1]).startswith("40")
    return link


async def ask(link: raw.WebSocket, question: str, namespace: str = "") -> Any:
    """Emit an event, and give what its ack carries."""
    await link.send(f'42{namespace}7["{question}"]')
    return json.loads(str((await link.receive())[1]).removeprefix(f"43{namespace}7"))[0]


async def logged(log: raw.WebSocket) -> list[Any]:
    """Give the next line that the application's handlers wrote."""
    kind, text = await log.receive()
    assert kind == "text", kind
    return json.loads(str(text).removeprefix("42/log,"))[1:]


async def quiet(log: raw.WebSocket) -> bool:
    try:
        await log.receive(timeout=0.4)
    except TimeoutError:
        return True
    return False


# --- output


@pytest.mark.parametrize(("count", "size"), [(600, 10_000), (3000, 500), (40, 200_000)])
@pytest.mark.threat("T186", "T102")
async def test_nothing_is_lost_when_a_client_reads_slowly(server_for: ServerFor, count: int, size: int) -> None:
    port = server_for(APP).port
    with socket.socket() as tight:
        tight.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        tight.connect(("127.0.0.1", port))
        tight.setblocking(False)
        async with websockets.connect(f"ws://127.0.0.1:{port}{PATH}", sock=tight, compression=None) as link:
            await link.recv()
            await link.send("40")
            await link.recv()
            await link.send(f'42["flood",{count},{size}]')
            await asyncio.sleep(1)
            numbers = [json.loads((await link.recv())[2:])[1] for _ in range(count)]
    assert numbers == list(range(count))


@pytest.mark.threat("T127")
async def test_compressed_messages_suit_each_window(server_for: ServerFor, wire: str) -> None:
    if wire == "asgi":
        pytest.skip("the ASGI server negotiates compression by itself")
    port = server_for("wire.review_app:deflating").port
    for bits in (None, 9, 12):
        offer = ClientPerMessageDeflateFactory(server_max_window_bits=bits, client_max_window_bits=True)
        async with websockets.connect(f"ws://127.0.0.1:{port}{PATH}", extensions=[offer], compression=None) as link:
            assert "permessage-deflate" in link.response.headers["Sec-WebSocket-Extensions"]
            await link.recv()
            await link.send("40")
            await link.recv()
            await link.send('42["flood",20,5000]')
            assert [json.loads((await link.recv())[2:])[1] for _ in range(20)] == list(range(20))


async def test_short_messages_are_not_compressed(server_for: ServerFor, wire: str) -> None:
    if wire == "asgi":
        pytest.skip("the ASGI server negotiates compression by itself")
    port = server_for("wire.review_app:deflating").port
    link = await raw.open_websocket(port, PATH, {"Sec-WebSocket-Extensions": "permessage-deflate"})
    assert isinstance(link, raw.WebSocket)
    assert (await link.receive())[0] == "text"
    await link.send("40")
    assert (await link.receive())[0] == "text"
    await link.send('42["flood",1,900]')
    assert (await link.receive())[0] == "text"
    await link.send('42["flood",1,1100]')
    kind, head = await link.receive()
    assert kind == "broken" and str(head).startswith("frame head c1"), head  # final, text, compressed
    link.abort()


# --- input


@pytest.mark.parametrize("app", [APP, "wire.review_app:inline"])
@pytest.mark.threat("T173")
async def test_a_burst_of_events_is_worked_through(server_for: ServerFor, app: str) -> None:
    link = await join(server_for(app).port)
    await link.send_bytes(raw.frame(raw.TEXT, b'42["count",1]') * 3000)
    for _ in range(100):
        if (counted := await ask(link, "counted")) == 3000:
            break
        await asyncio.sleep(0.05)
    assert counted == 3000


@pytest.mark.threat("T160", "T172")
async def test_packed_clients_cannot_call_lifecycle_handlers(server_for: ServerFor) -> None:
    link = await Client(server_for("wire.review_app:packed").port, 4, "/socket.io/").live_websocket()
    for namespace in ("/log", "/"):
        await link.send(msgpack.packb({"type": 0, "nsp": namespace}))
        await link.receive()
    await link.send(msgpack.packb({"type": 2, "nsp": "/", "data": ["disconnect", "forged"]}))
    await link.send(msgpack.packb({"type": 2, "nsp": "/", "data": ["counted"], "id": 1}))
    _, answer = await link.receive()  # a handler that ran would have told /log first
    assert msgpack.unpackb(bytes.fromhex(str(answer)))["data"] == [0]


async def test_a_length_beyond_all_measure_is_answered(server_for: ServerFor) -> None:
    server = server_for(APP)
    client = await Client(server.port, 4, "/socket.io/").open()
    start = server.log_size
    head = f"POST {client.url()} HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n"
    response = await (await raw.open_exchange(server.port, head.encode())).response()
    assert response.status == 400
    assert "Traceback" not in server.log(start)


async def test_a_close_that_is_asked_for_is_done(server_for: ServerFor) -> None:
    client = Client(server_for(APP).port, 4, "/socket.io/")
    exchange = await raw.begin(client.port, "GET", client.url(), {"Connection": "close"})
    async with asyncio.timeout(2):
        answer = await exchange.reader.read()
    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_request_behind_a_poll_with_a_body_is_answered(server_for: ServerFor) -> None:
    client = await Client(server_for(APP).port, 4, "/socket.io/").open()
    await client.send("40")
    await client.poll()
    poll = f"GET {client.url()} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    behind = "GET /socket.io/?EIO=9 HTTP/1.1\r\nHost: a\r\n\r\n"
    exchange = await raw.open_exchange(client.port, (poll + behind).encode())
    await asyncio.sleep(0.1)
    await client.send('42["flood",1,1]')
    async with asyncio.timeout(3):
        assert (await raw.read_response(exchange.reader)).body == b'42["flood",0,"x"]'
        assert (await raw.read_response(exchange.reader)).status == 400
    exchange.close()


# --- the end of a client


async def test_a_disconnect_handler_still_finds_its_client(server_for: ServerFor) -> None:
    port = server_for(APP).port
    log = await join(port, "/log,")
    link = await join(port)
    link.abort()
    assert await logged(log) == ["disconnect", "transport close", {"name": "Ann"}, True, "websocket"]


async def test_a_client_that_leaves_while_it_is_let_in_is_seen_off(server_for: ServerFor) -> None:
    port = server_for(APP).port
    log = await join(port, "/log,")
    link = await Client(port, 4, "/socket.io/").live_websocket()
    await link.send("40/slow,")
    assert await logged(log) == ["connecting", True]
    link.abort()
    assert await logged(log) == ["slow disconnect", "transport close"]
    assert (await ask(log, "members", "/log,"))["/slow"] == 0


async def test_a_client_gone_at_once_leaves_no_ghost(server_for: ServerFor) -> None:
    port = server_for(APP).port
    log = await join(port, "/log,")
    link = await Client(port, 4, "/socket.io/").live_websocket()
    await link.send_bytes(raw.frame(raw.TEXT, b"40/slow,") + raw.frame(8, b""))
    # Either it was gone before its handler ran, or it was let in and seen off: never one without the other.
    if not await quiet(log):
        assert await logged(log) == ["slow disconnect", "transport close"]
    assert (await ask(log, "members", "/log,"))["/slow"] == 0


async def test_a_cancelled_disconnect_handler_leaves_no_ghost(server_for: ServerFor) -> None:
    port = server_for(APP).port
    log = await join(port, "/log,")
    link = await join(port, "/other,")
    await link.send("40")
    await link.receive()
    link.abort()
    assert (await logged(log))[0] == "disconnect"
    assert (await ask(log, "members", "/log,"))["/other"] == 0


@pytest.mark.threat("T198")
async def test_stopping_lets_disconnect_handlers_finish(wire: str) -> None:
    server = Server(wire, "wire.stopping_app:app")
    link = await join(server.port)
    poller = await Client(server.port, 4, "/socket.io/").open()
    await poller.send("40")
    await poller.poll()
    await asyncio.to_thread(server.stop)
    await is_closed(link)
    assert server.log().count("seen off") == 2
