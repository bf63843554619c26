"""The conversation, over every host: polling, WebSocket, upgrade, refusals, limits, ends.

May import: the raw client, python-socketio's client. What a host cannot do is said where it is skipped.
"""

import asyncio
import json

import pytest
import socketio

from hosts.app import LIMIT, ORIGIN
from hosts.conftest import Host, start
from hosts.conversation import encode, polling_client, reason_of, url, websocket_client
from wire import raw

UNSUPPORTED = "The client is using an unsupported version of the Socket.IO or Engine.IO protocols"


@pytest.mark.parametrize("version", [4, 3])
async def test_long_polling(host: Host, version: int):
    client = await polling_client(host, version)
    assert client.opened["upgrades"] == ["websocket"]
    assert (await client.post('427["echo",1,"zwei"]')).body.lower() == b"ok"
    assert await client.next() == '42["echoed",1,"zwei"]'
    assert await client.next() == '437[1,"zwei"]'


async def test_a_waiting_poll_is_answered(host: Host):
    client = await polling_client(host)
    waiting = asyncio.ensure_future(client.poll())
    await asyncio.sleep(0.05)
    await client.post('42["echo","late"]')
    response = await waiting
    assert (response.status, response.body) == (200, b'42["echoed","late"]')
    assert response.headers["content-type"].lower() == "text/plain; charset=utf-8"


@pytest.mark.parametrize("version", [4, 3])
async def test_websocket(host: Host, version: int):
    client = await websocket_client(host, version)
    assert client.opened["upgrades"] == []
    await client.socket.send('427["echo","grüß dich"]')
    assert await client.next() == '42["echoed","grüß dich"]'
    assert await client.next() == '437["grüß dich"]'
    client.socket.abort()


async def test_binary_over_websocket(host: Host):
    client = await websocket_client(host)
    await client.socket.send('451-["echo",{"_placeholder":true,"num":0}]')
    await client.socket.send(b"\x00\xff\x1e")
    assert await client.next() == '451-["echoed",{"_placeholder":true,"num":0}]'
    assert await client.socket.receive() == ("hex", "00ff1e")
    client.socket.abort()


@pytest.mark.parametrize("version", [4, 3])
async def test_upgrade(host: Host, version: int):
    client = await polling_client(host, version)
    poll = asyncio.ensure_future(client.poll())
    socket = await raw.websocket(host.port, url(host, version, "websocket", client.sid))
    await socket.send("2probe")
    assert await socket.receive() == ("text", "3probe")
    assert (await poll).body == encode(version, "6")
    await socket.send("5")
    await socket.send('427["echo","moved"]')
    assert await socket.receive() == ("text", '42["echoed","moved"]')
    assert await socket.receive() == ("text", '437["moved"]')
    assert (await client.poll()).body == b'"Unexpected HTTP request"'
    socket.abort()


async def test_python_client_upgrades(host: Host):
    client = socketio.AsyncClient(reconnection=False)
    echoes: list[tuple[object, ...]] = []
    client.on("echoed", lambda *args: echoes.append(args))
    await client.connect(f"http://127.0.0.1:{host.port}", socketio_path=host.path.strip("/"), auth={"token": "t"})
    try:
        assert client.transport() == "websocket"
        assert await client.call("echo", {"data": b"\x01\x02"}, timeout=3) == {"data": b"\x01\x02"}
        assert echoes == [({"data": b"\x01\x02"},)]
    finally:
        await client.disconnect()


# --- refusals


@pytest.mark.parametrize(
    ("method", "query", "sentence"),
    [
        ("GET", "EIO=4&transport=pigeon", "Invalid transport"),
        ("GET", "transport=polling", UNSUPPORTED),
        ("GET", "EIO=5&transport=polling", UNSUPPORTED),
        ("GET", "EIO=4&transport=polling&sid=nobody", "Invalid session nobody"),
        ("POST", "EIO=4&transport=polling&sid=nobody", "Invalid session nobody"),
        ("POST", "EIO=4&transport=polling", "Invalid session None"),
        ("GET", "EIO=4&transport=websocket", "Invalid websocket upgrade"),
    ],
)
async def test_refusal(host: Host, method: str, query: str, sentence: str):
    body = b"4x" if method == "POST" else None
    response = await raw.fetch(host.port, method, f"{host.path}?{query}", body=body)
    assert (response.status, json.loads(response.body)) == (400, sentence)
    assert response.headers["content-type"] == "text/plain"


async def test_other_methods_are_refused(host: Host):
    client = await polling_client(host)
    response = await raw.fetch(host.port, "PUT", client.url, body=b"4")
    assert response.status == 405
    assert (response.body == b"Method Not Found") is host.speaks_asgi  # else it is the framework's own


async def test_options(host: Host):
    asked = {"Origin": ORIGIN, "Access-Control-Request-Headers": "x-token"}
    response = await raw.fetch(host.port, "OPTIONS", url(host), asked)
    assert (response.status, response.body) == (200, b"OK")
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["access-control-allow-methods"] == "OPTIONS, GET, POST"
    assert response.headers["access-control-allow-headers"] == "x-token"


@pytest.mark.threat("T048")
async def test_origins(host: Host):
    response = await raw.fetch(host.port, "GET", url(host), {"Origin": "http://evil.example"})
    assert (response.status, json.loads(response.body)) == (400, "http://evil.example is not an accepted origin.")
    assert "access-control-allow-origin" not in response.headers
    opened = await raw.open_websocket(host.port, url(host, transport="websocket"), {"Origin": "http://evil.example"})
    assert isinstance(opened, raw.Response), "a WebSocket was opened from a foreign origin"
    assert opened.status in (400, 403)  # 403: an ASGI server that knows no other answer
    opened = await raw.open_websocket(host.port, url(host, transport="websocket"), {"Origin": ORIGIN})
    assert isinstance(opened, raw.WebSocket)
    opened.abort()


# --- limits and ends


async def test_body_in_pieces(host: Host):
    client = await polling_client(host)
    body = encode(4, '427["echo","' + "x" * 1000 + '"]')
    exchange = await raw.begin(host.port, "POST", client.url, body=body[:10], missing=len(body) - 10)
    for begin, end in ((10, 500), (500, None)):
        await asyncio.sleep(0.05)
        await exchange.send(body[begin:end])
    assert (await exchange.response()).status == 200
    assert await client.next() == '42["echoed","' + "x" * 1000 + '"]'


async def test_chunked_body(host: Host):
    client = await polling_client(host)
    body = b'42["echo","chunks"]'
    head = raw.request_bytes("POST", client.url, {"Transfer-Encoding": "chunked"})
    exchange = await raw.open_exchange(host.port, head + b"5\r\n" + body[:5] + b"\r\n")
    await exchange.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body) - 5, body[5:]))
    assert (await exchange.response()).status == 200
    assert await client.next() == '42["echoed","chunks"]'


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
@pytest.mark.threat("T032", "T033", "T207")
async def test_body_too_large(host: Host, chunked: bool):
    client = await polling_client(host)
    body = b"4" + b"x" * LIMIT
    if chunked:
        head = raw.request_bytes("POST", client.url, {"Transfer-Encoding": "chunked"})
        exchange = await raw.open_exchange(host.port, head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    else:
        exchange = await raw.begin(host.port, "POST", client.url, body=body)
    assert (await exchange.response()).status == 400
    assert await reason_of(host, client.id) == "transport error"


async def test_body_of_the_limit(host: Host):
    client = await polling_client(host)
    packet = '42["echo","' + "x" * (LIMIT - 13) + '"]'
    assert len(packet) == LIMIT
    assert (await client.post(packet)).status == 200
    assert await client.next() == packet.replace("echo", "echoed")


@pytest.mark.threat("T108")
async def test_message_too_large(host: Host):
    client = await websocket_client(host)
    await client.socket.send('42["echo","' + "x" * (LIMIT - 13) + '"]')
    assert (await client.next()).startswith('42["echoed"')
    await client.socket.send("4" + "x" * LIMIT)
    assert await client.socket.receive() == ("close", 1009)
    assert await reason_of(host, client.id) in ("transport error", "transport close")


async def test_client_says_goodbye(host: Host):
    client = await polling_client(host)
    assert (await client.post("41")).status == 200
    assert await reason_of(host, client.id) == "client disconnect"


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_client_leaves_its_websocket(host: Host, how: str):
    client = await websocket_client(host)
    await client.socket.close() if how == "close" else client.socket.abort()
    assert await reason_of(host, client.id) == "transport close"


async def test_client_leaves_its_poll(host: Host):
    client = await polling_client(host)
    poll = await raw.begin(host.port, "GET", client.url)
    await asyncio.sleep(0.1)
    poll.abort()
    assert await reason_of(host, client.id) == "transport error"


async def test_environ(host: Host):
    client = await websocket_client(host)
    environ = await client.ask("my_environ")
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["PATH_INFO"] == host.path
    assert environ["QUERY_STRING"] == "EIO=4&transport=websocket"
    assert environ["HTTP_HOST"] == "127.0.0.1"
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert environ["SCRIPT_NAME"] == ""
    assert environ["wsgi.url_scheme"] == "http"
    extras = {"aiohttp": "aiohttp.request", "sanic": "sanic.request", "tornado": "tornado.handler"}
    assert extras.get(host.name, "asgi.scope") in environ
    software = {"aiohttp": "aiohttp", "sanic": "sanic", "tornado": "aiohttp"}
    assert environ["SERVER_SOFTWARE"] == software.get(host.name, "asgi")
    client.socket.abort()


def test_no_client_has_caused_a_traceback(host: Host):
    """Runs after the others on the same host."""
    assert "Traceback" not in host.server.log()
    assert "exception" not in host.server.log().lower()


@pytest.mark.parametrize("name", ["aiohttp", "sanic"])
@pytest.mark.threat("T198")
async def test_stopping(name: str):
    """Clients are told that the host stops, a waiting poll included, and nobody keeps it from stopping."""
    running = start(name)
    socket = (await websocket_client(running)).socket
    polling = await polling_client(running)
    poll = asyncio.ensure_future(polling.poll())
    await asyncio.sleep(0.05)
    stopped = asyncio.create_task(asyncio.to_thread(running.server.stop, 5))
    assert await socket.receive() == ("close", 1001)
    assert (await poll).status == 200
    await socket.close()
    assert await stopped in (0, -15, 143), running.server.log()
    assert "Traceback" not in running.server.log()
