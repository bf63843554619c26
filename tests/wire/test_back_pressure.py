"""A client that is ahead of its handlers is not read on any wire: it waits in the network, and loses nothing."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from wire import raw
from wire.live import REFERENCE, Server
from wire.sessions import Client

pytestmark = pytest.mark.skipif(REFERENCE is not None, reason="python-socketio reads on")
EVENTS = 4000
EVENT = '42["work","' + "x" * 2000 + '"]'
# What may have been read: 256 run, 10 wait, and what one read and the hosts' own queues hold besides.
MOST = 256 + 10 + 500


@pytest.fixture(params=["native", "asgi"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(request.param, "wire.pressure_app:app")
    yield server
    server.stop()


async def join(server: Server) -> Any:
    link = await Client(server.port, 4, "/socket.io/").live_websocket()
    await link.send("40")
    await link.receive()
    return link


async def ask(link: Any, event: str) -> int:
    await link.send(f'421["{event}"]')
    while True:
        kind, text = await link.receive()
        assert kind == "text", (kind, text)  # it waits for nothing that comes after the end
        if text == "2":
            await link.send("3")
        elif text.startswith("431["):
            return int(text[4:-1])


async def test_a_client_that_is_ahead_waits_in_the_network(server: Server) -> None:
    fast, other = await join(server), await join(server)

    async def pour() -> None:
        for _ in range(EVENTS // 100):
            await fast.send_bytes(b"".join(raw.frame(raw.TEXT, EVENT.encode()) for _ in range(100)))

    pouring = asyncio.ensure_future(pour())
    for _ in range(10):  # several times the heartbeat: the one that waits is not blamed for its silence
        await asyncio.sleep(0.2)
        assert await ask(other, "how_many") <= 256
    assert await ask(other, "received") <= MOST
    await other.send('42["go_on"]')
    await asyncio.wait_for(pouring, 20)
    async with asyncio.timeout(20):
        while await ask(other, "how_many") < EVENTS:
            await asyncio.sleep(0.05)
