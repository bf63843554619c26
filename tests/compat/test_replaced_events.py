"""Subclasses that see what comes (`_handle_eio_connect` and its like) over a transport: nothing is lost, nothing stays.

May import: fastsio. The transport is long-polling, spoken to the ASGI application without sockets.
"""

import asyncio
from typing import Any

import pytest

import fastsio
import fastsio.engineio

TURN = 0.01


class Watching(fastsio.AsyncServer):
    """Thinks a while before each call is handed on."""

    answer: Any = None

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> Any:  # type: ignore[override]
        await super()._handle_eio_connect(eio_sid, environ)
        await asyncio.sleep(TURN)
        return self.answer


class Client:
    """A long-polling client."""

    def __init__(self, sio: Any, version: int) -> None:
        is_bare = isinstance(sio, fastsio.engineio.AsyncServer)
        self._app = fastsio.engineio.ASGIApp(sio) if is_bare else fastsio.ASGIApp(sio)
        self._path = "/engine.io/" if is_bare else "/socket.io/"
        self._query = f"EIO={version}&transport=polling"

    async def request(self, method: str, body: bytes = b"") -> tuple[int, str]:
        events: list[dict[str, Any]] = []
        scope = {"type": "http", "method": method, "path": self._path, "query_string": self._query.encode()}
        received = iter([{"type": "http.request", "body": body}])

        async def receive() -> dict[str, Any]:
            for event in received:
                return event
            return await asyncio.Future()

        async def send(event: dict[str, Any]) -> None:
            events.append(event)

        async with asyncio.timeout(5):
            await self._app(scope, receive, send)
        return events[0]["status"], events[1]["body"].decode()

    async def open(self) -> tuple[int, str]:
        status, body = await self.request("GET")
        if status == 200:
            self.sid = body.partition('"sid":"')[2].partition('"')[0]
            self._query += f"&sid={self.sid}"
        return status, body


async def test_a_revision_3_client_is_joined_after_a_connect_hook_that_waits():
    client = Client(Watching(async_mode="asgi"), 3)
    _, body = await client.open()
    if "2:40" not in body:
        _, body = await client.request("GET")
    assert "2:40" in body


@pytest.mark.parametrize("version", [3, 4])
async def test_a_client_that_a_hook_refuses_leaves_nothing(version: int):
    sio = Watching(async_mode="asgi")
    sio.answer = False
    client = Client(sio, version)
    assert (await client.open())[0] == 401
    await asyncio.sleep(TURN)
    registry = sio.eio._registry
    assert not registry.sessions and not registry.ending and not registry.tasks
    assert list(sio.manager.get_namespaces()) == []
    assert not sio.environ


@pytest.mark.parametrize("packet", ["4nonsense", "4", '4{"a":1}', "4[1,2]", "4true", '42["before CONNECT"]'])
async def test_what_cannot_be_read_ends_the_session_with_hooks_too(packet: str):
    sio = Watching(async_mode="asgi")
    client = Client(sio, 4)
    await client.open()
    await client.request("POST", packet.encode())
    await asyncio.sleep(TURN)
    assert (await client.request("GET"))[0] == 400
    assert not sio.eio._registry.sessions


async def test_a_disconnect_handler_may_put_the_client_out_of_its_other_namespaces():
    sio = Watching(async_mode="asgi", namespaces="*")
    heard: list[str] = []

    @sio.on("disconnect", namespace="/a")
    async def leave_both(sid: str, reason: str) -> None:
        heard.append("/a")
        await sio.disconnect(sio.manager.sid_from_eio_sid(client.sid, "/b"), namespace="/b")

    sio.on("disconnect", lambda sid, reason: heard.append("/b"), namespace="/b")
    client = Client(sio, 4)
    await client.open()
    await client.request("POST", b"40/a,\x1e40/b,")
    await asyncio.sleep(TURN)
    await client.request("POST", b"1")
    await asyncio.sleep(TURN)
    assert heard == ["/a", "/b"]
    assert list(sio.manager.get_namespaces()) == []
    assert not sio.environ and not sio.eio._registry.ending


@pytest.mark.parametrize("server", [Watching, fastsio.AsyncServer, fastsio.engineio.AsyncServer])
async def test_a_polling_client_that_hears_late_of_its_end_leaves_nothing(server: Any):
    sio = server(async_mode="asgi")
    client = Client(sio, 4)
    await client.open()
    eio = getattr(sio, "eio", sio)
    await eio.disconnect(client.sid)
    await asyncio.sleep(TURN)
    assert list(eio._registry.sessions) == [client.sid]  # it has yet to hear
    assert (await client.request("GET"))[1].endswith("1")
    assert not eio._registry.sessions and not eio._registry.ending
