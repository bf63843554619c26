"""A server that runs out of descriptors, and one that is asked twice to stop."""

import asyncio
import signal
import time

import pytest

from fastsio.net.loops import is_fallback
from wire import raw
from wire.live import REFERENCE, Server
from wire.sessions import Client

pytestmark = pytest.mark.skipif(REFERENCE is not None, reason="the process is started by fastsio")
DESCRIPTORS = 64


@pytest.mark.threat("T196")
@pytest.mark.skipif(
    is_fallback(), reason="asyncio logs each of the 2048 connections that it could not accept, every second"
)
async def test_descriptors_run_out_and_come_back() -> None:
    server = Server("native", "wire.review_app:default", descriptors=DESCRIPTORS)
    try:
        canary = await Client(server.port, 4, "/socket.io/").live_websocket()
        await canary.send("40")
        await canary.receive()
        crowd = []
        for _ in range(2 * DESCRIPTORS):  # the kernel takes them; the server cannot take all
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            crowd.append(writer)
        await asyncio.sleep(0.5)
        before = server.cpu()
        for number in range(5):
            await canary.send(f'42{number}["counted"]')
            assert str((await canary.receive())[1]).startswith(f"43{number}[")
            await asyncio.sleep(0.1)
        assert server.cpu() - before < 0.25, "the server does not spin"
        for writer in crowd:
            writer.transport.abort()
        deadline = time.monotonic() + 3
        while True:
            try:
                link = await Client(server.port, 4, "/socket.io/").live_websocket()
                break
            except (OSError, AssertionError, asyncio.IncompleteReadError, TimeoutError):
                assert time.monotonic() < deadline, "it does not accept again"
                await asyncio.sleep(0.1)
        link.abort()
        assert len(server.log().splitlines()) < 50, server.log()[:3000]
    finally:
        server.stop()


@pytest.mark.threat("T198", "T199")
@pytest.mark.parametrize("is_answering", [True, False])
async def test_it_stops_when_it_is_asked_and_at_once_when_asked_again(is_answering: bool) -> None:
    server = Server("native", "wire.review_app:default")
    link = await Client(server.port, 4, "/socket.io/").live_websocket()
    await link.send("40")
    await link.receive()
    start = time.monotonic()
    server.send(signal.SIGTERM)
    said = [await link.receive()]
    while said[-1][0] != "close":
        said.append(await link.receive())
    assert said[-1] == ("close", 1001), "in words that let a client come back"
    assert ("text", "41") not in said, "a client that is told that it was disconnected does not come back by itself"
    if is_answering:
        await link.send_bytes(raw.frame(raw.CLOSE, b"\x03\xe9"))
    else:
        server.send(signal.SIGINT)  # uvicorn waits no longer
    async with asyncio.timeout(5):
        while server.is_running:
            await asyncio.sleep(0.02)
    assert time.monotonic() - start < 2
    assert server.stop() in (0, -signal.SIGTERM, -signal.SIGINT)
    assert "Traceback" not in server.log()


@pytest.mark.threat("T198", "T199")
@pytest.mark.parametrize("signals", [1, 2])
async def test_a_drain_takes_its_time_and_a_second_signal_ends_it(signals: int) -> None:
    server = Server("native", "wire.review_app:default --drain 3")
    links = []
    for _ in range(6):
        link = await Client(server.port, 4, "/socket.io/").live_websocket()
        await link.send("40")
        await link.receive()
        links.append(link)
    start = time.monotonic()
    server.send(signal.SIGTERM)
    times = []
    if signals == 2:
        await asyncio.sleep(0.5)
        server.send(signal.SIGTERM)

    async def leave(link: raw.WebSocket) -> None:
        while (await link.receive())[0] != "close":
            pass
        times.append(time.monotonic() - start)
        await link.send_bytes(raw.frame(raw.CLOSE, b"\x03\xe9"))

    await asyncio.gather(*(leave(link) for link in links))
    async with asyncio.timeout(8):
        while server.is_running:
            await asyncio.sleep(0.02)
    if signals == 1:
        assert 1.5 < max(times) < 3 and max(times) - min(times) > 1.2, times
    else:
        assert max(times) < 1.5 and time.monotonic() - start < 2.5, times
    assert server.stop() in (0, -signal.SIGTERM)
    assert "Traceback" not in server.log()
