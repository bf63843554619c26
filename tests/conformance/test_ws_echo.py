"""The bare echo that conformance suites talk to gives back what it gets, within its limits."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import websockets
from websockets.extensions.permessage_deflate import PerMessageDeflate

from fastsio.testing import ws_echo
from tests.ports import free_port
from wire import raw

MAX_SIZE = 100_000


@pytest.fixture
async def port() -> AsyncIterator[int]:
    number = free_port()
    server = ws_echo.server(number, MAX_SIZE)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield number
    server.should_exit = True
    await running


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_messages_come_back(port: int, compression: str | None) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{port}/any/path", compression=compression) as link:
        assert any(isinstance(one, PerMessageDeflate) for one in link.protocol.extensions) is (compression is not None)
        for message in ("", "text €", b"", b"\x00\xff", "x" * MAX_SIZE):
            await link.send(message)
            assert await link.recv() == message


async def test_a_message_over_the_limit_is_refused(port: int) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{port}") as link:
        await link.send("x" * (MAX_SIZE + 1))
        with pytest.raises(websockets.ConnectionClosedError) as caught:
            await link.recv()
    assert caught.value.rcvd is not None and caught.value.rcvd.code == 1009


async def test_a_message_may_come_in_many_fragments(port: int) -> None:
    link = await raw.websocket(port, "/")
    await link.send_bytes(raw.frame(raw.BINARY, b"a", False) + raw.frame(0, b"b", False) * 10_000 + raw.frame(0, b"c"))
    assert await link.receive() == ("hex", (b"a" + b"b" * 10_000 + b"c").hex())
    await link.close()


async def test_what_is_no_websocket_is_refused(port: int) -> None:
    answer = await raw.fetch(port, "GET", "/")
    assert answer.status == 426
    assert "upgrade" in answer.headers
