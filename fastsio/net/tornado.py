"""The Tornado wire: a handler class for the rules of a `tornado.web.Application`.

May import: the engine floor, `_http`, `hosted`. Never knows rooms or handlers. Origins are judged by the engine.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import tornado.web
import tornado.websocket

from fastsio._http import Request, Response, cors_headers, finished_headers
from fastsio.engine.registry import Registry
from fastsio.net.hosted import Event, HostedExchange, HostedLink, answer, asks_for_websocket, converse


def handler_class(registry: Registry, serve_request: Callable[[Any], Awaitable[None]]) -> type:
    """Give the handler class of a server, to be mounted at its path."""
    return type("Handler", (Handler,), {"registry": registry, "serve_request": staticmethod(serve_request)})


async def serve(registry: Registry, handler: "Handler") -> None:
    """Answer the request of a handler; for a WebSocket, when it is over."""
    exchange = TornadoExchange(handler)
    result = await answer(registry, exchange)
    if isinstance(result, HostedLink):
        await handler.converse(result, cors_headers(registry.options, exchange.request))
    elif result is not None:
        handler.respond(result, finished_headers(registry.options, exchange.request, result))


def make_request(handler: "Handler") -> Request:
    source = handler.request
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in source.headers.get_all()]
    request = Request(source.method, source.path, (source.query or "").encode(), headers)
    request.scheme = source.protocol
    request.client = (source.remote_ip, 0)
    request.extras = lambda *_: {
        "tornado.handler": handler,
        "SERVER_SOFTWARE": "aiohttp",  # python-engineio's word
        "SERVER_NAME": "aiohttp",
        "SERVER_PROTOCOL": f"HTTP/{source.version}" if "/" not in source.version else source.version,
    }
    return request


class TornadoExchange(HostedExchange):
    """A request that a Tornado handler has read, up to the limit."""

    def __init__(self, handler: "Handler") -> None:
        super().__init__(make_request(handler))
        self.handler = handler
        self.is_upgrade = asks_for_websocket(self.request)

    async def next_chunk(self) -> bytes | None:
        return self.handler.chunks.popleft() if self.handler.chunks else None

    async def client_left(self) -> None:
        await self.handler.left.wait()


@tornado.web.stream_request_body
class Handler(tornado.websocket.WebSocketHandler):
    """One request, or one WebSocket. Made by `handler_class` for a server."""

    registry: Registry
    serve_request: Callable[[Any], Awaitable[None]]

    def prepare(self) -> None:
        self.chunks: deque[bytes] = deque()
        self.left = asyncio.Event()
        self.link: HostedLink | None = None
        self._room = self.registry.options.max_http_buffer_size + 1

    def data_received(self, chunk: bytes) -> None:
        """Keep a part of the body, as far as a byte too many shows that there is too much."""
        if self._room:
            self.chunks.append(chunk[: self._room])
            self._room -= len(self.chunks[-1])

    async def get(self, *args: Any, **kwargs: Any) -> None:
        await self.serve_request(self)

    async def post(self, *args: Any, **kwargs: Any) -> None:
        await self.serve_request(self)

    async def options(self, *args: Any, **kwargs: Any) -> None:
        await self.serve_request(self)

    def on_connection_close(self) -> None:
        self.left.set()
        super().on_connection_close()

    def respond(self, response: Response, headers: list[tuple[bytes, bytes]]) -> None:
        """Write a whole answer."""
        self.set_status(response.status)
        self._set_headers(headers)
        self.finish(response.body)

    def _set_headers(self, headers: list[tuple[bytes, bytes]]) -> None:
        for name, _ in headers:
            self.clear_header(name.decode("latin-1"))
        for name, value in headers:
            self.add_header(name.decode("latin-1"), value.decode("latin-1"))

    def compute_etag(self) -> str | None:
        return None

    # --- WebSocket

    async def converse(self, link: HostedLink, headers: list[tuple[bytes, bytes]]) -> None:
        """Be the WebSocket of a link until its end."""
        self.link = link
        self._set_headers(headers)
        self._opened = asyncio.Event()
        stream = self.request.connection.stream  # type: ignore[union-attr]
        await converse(link, super().get(), self._send, closes_while_reading=True, abort=stream.close)

    def open(self, *args: Any, **kwargs: Any) -> None:
        self._opened.set()

    async def _send(self, event: Event) -> None:
        await self._opened.wait()
        if event["type"] == "websocket.close":
            self.close(event["code"])
        elif (text := event.get("text")) is not None:
            await self.write_message(text)
        else:
            await self.write_message(event["bytes"], binary=True)

    async def on_message(self, message: str | bytes) -> None:
        if self.link is not None:
            self.link.take(message)
            await self.link.readable()

    def check_origin(self, origin: str) -> bool:
        return True  # the engine has judged it

    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if self.registry.options.per_message_deflate else None

    @property
    def max_message_size(self) -> int:
        return int(self.registry.options.max_http_buffer_size)
