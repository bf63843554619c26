"""A bare WebSocket echo on the native connection class and frame codec, for conformance suites.

May import: the engine floor, `_http`, `options`, `net`. Never speaks Engine.IO, and checks no origin: keep it on loopback.

    python -m fastsio.testing.ws_echo --port 9001 --max-size 33554432 [--no-compression]
"""

import argparse
import logging
from typing import Any

import uvicorn

from fastsio._http import Exchange, Response
from fastsio.engine.registry import Registry
from fastsio.net.loops import best_loop
from fastsio.net.serve import NATIVE
from fastsio.options import Options

# Autobahn's largest message has 16 MiB.
DEFAULT_MAX_SIZE = 32 * 1024 * 1024


def echo(connection: Any, data: bytes, is_binary: bool) -> None:
    connection.say(data, is_binary)


def admit(registry: Registry, exchange: Exchange) -> None:
    """Answer any WebSocket handshake, whatever its path, and refuse everything else."""
    registry.attach_loop()
    if not exchange.is_upgrade:
        return exchange.respond(Response(426, b"Upgrade Required", "text/plain", [(b"Upgrade", b"websocket")]))
    connection = exchange.upgrade(None, True)  # answered at once: no packet of ours follows
    if connection is not None:
        connection.hear(echo)
    return None


class EchoApp:
    """What uvicorn is given: the native wire takes every request, so nothing ever comes here.

    Args:
        max_size: bytes of one message, fragments together and inflated.
        compression: agree to permessage-deflate; every message is compressed then, however short.
    """

    def __init__(self, max_size: int = DEFAULT_MAX_SIZE, compression: bool = True) -> None:
        options = Options()
        options.max_http_buffer_size = max_size
        options.max_fragments = max_size  # Autobahn sends 4 MiB in frames of 64 bytes
        options.per_message_deflate = compression
        options.compression_threshold = 0
        self.registry = Registry(options, logging.getLogger("fastsio.ws_echo"))

    def native_route(self) -> tuple[Registry, str, Any]:
        return self.registry, "/", admit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("the WebSocket echo is served by the native wire alone")


def server(port: int, max_size: int = DEFAULT_MAX_SIZE, compression: bool = True) -> uvicorn.Server:
    """Give a uvicorn server of the echo on loopback; `await server(...).serve()` runs it."""
    app = EchoApp(max_size, compression)
    return uvicorn.Server(
        uvicorn.Config(app, port=port, http=NATIVE, loop=best_loop(), lifespan="off", log_level="warning")
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fastsio.testing.ws_echo", description=__doc__)
    parser.add_argument("--port", type=int, default=9001)
    parser.add_argument("--max-size", type=int, default=DEFAULT_MAX_SIZE, help="bytes of one message")
    parser.add_argument("--no-compression", action="store_true", help="decline permessage-deflate")
    arguments = parser.parse_args()
    server(arguments.port, arguments.max_size, not arguments.no_compression).run()


if __name__ == "__main__":
    main()
