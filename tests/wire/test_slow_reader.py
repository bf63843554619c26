"""A client that does not read is cut for good: its connection is not kept until a timeout has passed."""

import asyncio
import base64
import logging
import time

import pytest
import uvicorn

import fastsio
from fastsio.net._native import NativeConnection

HANDSHAKE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n"
) % base64.b64encode(bytes(16))


@pytest.mark.threat("T186")
async def test_the_connection_of_a_client_that_does_not_read_is_gone_at_once(caplog: pytest.LogCaptureFixture):
    sio = fastsio.AsyncServer(async_mode="asgi")
    sio.eio._registry.options.max_send_buffer = 1_000_000
    reasons: list[str] = []

    @sio.event
    async def disconnect(sid: str, reason: str) -> None:
        reasons.append(reason)

    config = uvicorn.Config(
        fastsio.ASGIApp(sio), host="127.0.0.1", port=0, log_level="critical", http=NativeConnection, lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.servers[0].sockets[0].getsockname()[1], limit=1024
    )
    try:
        writer.write(HANDSHAKE + b"\x81\x82\0\0\0\x0040")
        await reader.readuntil(b'40{"sid"')
        writer.transport.pause_reading()
        end = time.monotonic() + 10
        with caplog.at_level(logging.ERROR, logger="engineio.server"):
            while not reasons and time.monotonic() < end:
                await sio.emit("news", "x" * 100_000)
                await asyncio.sleep(0.001)
        assert reasons == ["slow client"]
        await asyncio.sleep(0.2)
        assert not server.server_state.connections
    finally:
        writer.close()
        server.should_exit = True
        await serving
