"""Clients that send odd heads or do not read: hosts answer, and keep nothing of them.

May import: fastsio, the frameworks, the hosts of the conversation. Clients are bare sockets.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import tornado.httpserver
import tornado.web
from aiohttp import web

import fastsio
from fastsio.net import hosted
from hosts.conftest import Host, start
from tests.ports import free_port

UPGRADE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.mark.parametrize("name", ["uvicorn", "aiohttp", "sanic", "tornado"])
@pytest.mark.parametrize(
    ("query", "header"),
    [(b"", b"\xe2\x82\xac"), (b"", b"\xff\xfe"), (b"&x=\xff", b"plain"), (b"&x=%ff%00", b"plain")],
    ids=["UTF-8", "no UTF-8", "raw query", "escaped query"],
)
@pytest.mark.threat("T019")
async def test_odd_bytes_in_a_head_are_no_fault_of_the_server(
    odd_hosts: dict[str, Host], name: str, query: bytes, header: bytes
):
    host = odd_hosts[name]
    reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
    path = host.path.encode() + b"?EIO=4&transport=polling" + query
    writer.write(b"GET %b HTTP/1.1\r\nHost: a\r\nX-Odd: %b\r\nConnection: close\r\n\r\n" % (path, header))
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    status = int(answer.split()[1])
    assert status == 200 or (status == 400 and query == b"&x=\xff")
    assert "fastsio" not in host.server.log()  # aiohttp logs what its own parser refuses


@pytest.fixture(scope="module")
def odd_hosts() -> Any:
    hosts = {name: start(name) for name in ("uvicorn", "aiohttp", "sanic", "tornado")}
    yield hosts
    for host in hosts.values():
        host.server.stop(grace=3)


# --- clients that do not read


def server(mode: str) -> Any:
    return fastsio.AsyncServer(async_mode=mode, max_send_buffer=100_000, ping_interval=60)


@asynccontextmanager
async def served_by_aiohttp(sio: Any, port: int) -> AsyncIterator[None]:
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield
    await runner.cleanup()


@asynccontextmanager
async def served_by_tornado(sio: Any, port: int) -> AsyncIterator[None]:
    app = tornado.web.Application([("/socket.io/", fastsio.get_tornado_handler(sio))])
    listening = app.listen(port, "127.0.0.1")
    yield
    listening.stop()


@pytest.mark.parametrize(
    ("mode", "served"), [("aiohttp", served_by_aiohttp), ("tornado", served_by_tornado)], ids=["aiohttp", "tornado"]
)
@pytest.mark.threat("T027", "T186")
async def test_a_client_that_does_not_read_is_left(mode: str, served: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hosted, "CLOSE_TIMEOUT", 0.2)
    sio, port = server(mode), free_port()
    before = asyncio.all_tasks()
    async with served(sio, port):
        waiting = asyncio.all_tasks()
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, UPGRADE.encode())
        await loop.sock_recv(client, 1000)
        [eio_sid] = await _until(lambda: list(sio.eio._registry.sessions))
        while eio_sid in sio.eio._registry.sessions:
            await sio.eio.send(eio_sid, "x" * 1_000_000)
            await asyncio.sleep(0.001)
        await _until(lambda: asyncio.all_tasks() <= waiting | before)
        client.close()


@pytest.mark.threat("T026", "T028")
async def test_a_body_that_does_not_come_ends_its_session(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hosted, "BODY_TIMEOUT", 0.2)
    sio, port = server("aiohttp"), free_port()
    async with served_by_aiohttp(sio, port), asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"}")
        [eio_sid] = sio.eio._registry.sessions
        path = f"/socket.io/?EIO=4&transport=polling&sid={eio_sid}"
        writer.write(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n4".encode())
        assert b" 408 " in await reader.readline()
        assert not sio.eio._registry.sessions
        writer.close()


@pytest.mark.threat("T026")
async def test_an_asgi_host_answers_for_a_body_that_does_not_come(monkeypatch: pytest.MonkeyPatch):
    """It would say 500 itself, and write of a fault, if nothing were answered."""
    monkeypatch.setattr(hosted, "BODY_TIMEOUT", 0.2)
    sio = server("asgi")
    app = fastsio.ASGIApp(sio)
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    async def ask(method: str, query: bytes, *events: dict[str, Any]) -> None:
        waiting = list(events)

        async def receive() -> dict[str, Any]:
            return waiting.pop(0) if waiting else await asyncio.Future()

        headers = [(b"host", b"a"), (b"content-length", b"10")]
        scope = {"type": "http", "method": method, "path": "/socket.io/", "query_string": query, "headers": headers}
        await asyncio.wait_for(app(scope, receive, send), 5)

    await ask("GET", b"EIO=4&transport=polling", {"type": "http.request"})
    [eio_sid] = sio.eio._registry.sessions
    sent.clear()
    part = {"type": "http.request", "body": b"4", "more_body": True}
    await ask("POST", f"EIO=4&transport=polling&sid={eio_sid}".encode(), part)
    assert [event.get("status") for event in sent] == [408, None]
    assert not sio.eio._registry.sessions


async def _until(ask: Any) -> Any:
    async with asyncio.timeout(5):
        while not (answer := ask()):
            await asyncio.sleep(0.01)
    return answer
