"""The Sanic wire: the same engine behind a route of a `sanic.Sanic` application.

May import: the engine floor, `_http`, `hosted`. Never knows rooms or handlers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sanic import Sanic
from sanic.compat import Header
from sanic.exceptions import WebsocketClosed
from sanic.request import Request as SanicRequest
from sanic.response import HTTPResponse

from fastsio._http import Request, finished_headers
from fastsio.engine.registry import Registry
from fastsio.net.hosted import Event, HostedExchange, HostedLink, answer, asks_for_websocket, converse

METHODS = ["GET", "POST", "OPTIONS"]
# Seconds between two looks whether a waiting poll's client is there.
LOOK_INTERVAL = 2.0


def attach(
    app: Sanic[Any, Any],
    path: str,
    serve_request: Callable[[SanicRequest], Awaitable[HTTPResponse | None]],
    announce: Callable[[str], None],
    drain: Callable[[], Awaitable[None]],
) -> None:
    """Route `path` to a server, and tell it when the application starts and stops."""

    async def handle(request: SanicRequest) -> HTTPResponse | None:
        return await serve_request(request)

    handle.is_websocket = True  # type: ignore[attr-defined]  # no response is expected after one
    app.add_route(handle, path, methods=METHODS, stream=True, name=f"fastsio-{path}")
    app.enable_websocket()

    async def started(app: Sanic[Any, Any]) -> None:
        announce(path)

    async def stopping(app: Sanic[Any, Any]) -> None:
        await drain()

    app.register_listener(started, "after_server_start")
    app.register_listener(stopping, "before_server_stop")


async def serve(registry: Registry, request: SanicRequest) -> HTTPResponse | None:
    """Answer one request; None when it became a WebSocket, which is over now."""
    exchange = SanicExchange(request)
    result = await answer(registry, exchange)
    if isinstance(result, HostedLink):
        await _serve_websocket(registry, exchange, result)
        return None
    if result is None:
        return HTTPResponse(status=400)  # nobody reads it
    finished = finished_headers(registry.options, exchange.request, result)
    headers = Header((name.decode("latin-1"), value.decode("latin-1")) for name, value in finished)
    return HTTPResponse(status=result.status, body=result.body, headers=headers, content_type=result.content_type)


def make_request(source: SanicRequest) -> Request:
    headers = [(_bytes(name.lower()), _bytes(value)) for name, value in source.headers.items()]
    query = source.query_string
    request = Request(source.method, source.path, _bytes(query), headers)
    request.scheme = "https" if source.conn_info is not None and source.conn_info.ssl else "http"
    request.client = tuple(source.conn_info.peername[:2]) if source.conn_info and source.conn_info.peername else None
    request.extras = lambda *_: {
        "sanic.request": source,
        "SERVER_SOFTWARE": "sanic",
        "SERVER_NAME": "sanic",
        "SERVER_PROTOCOL": f"HTTP/{source.version}",
        "RAW_URI": source.url,
    }
    return request


def _bytes(text: str) -> bytes:
    """Give what a client sent: Sanic reads heads as UTF-8, and other bytes as lone surrogates."""
    return text.encode("utf-8", "surrogateescape")


class SanicExchange(HostedExchange):
    """A request that Sanic has read the head of."""

    def __init__(self, source: SanicRequest) -> None:
        super().__init__(make_request(source))
        self.source = source
        self.is_upgrade = asks_for_websocket(self.request)

    async def next_chunk(self) -> bytes | None:
        stream: Any = self.source.stream
        if stream is not None and stream.request_body:
            return await stream.read() or None
        self.is_complete = True  # a route without `stream` has it already
        return self.source.body

    async def client_left(self) -> None:
        while not self.has_left():
            await asyncio.sleep(LOOK_INTERVAL)

    def has_left(self) -> bool:
        return self.source.conn_info is not None and self.source.conn_info.lost


# --- WebSocket


async def _serve_websocket(registry: Registry, exchange: SanicExchange, link: HostedLink) -> None:
    protocol: Any = exchange.source.transport.get_protocol()
    protocol.websocket_max_size = registry.options.max_http_buffer_size
    try:
        websocket = await protocol.websocket_handshake(exchange.source)
    except BaseException:
        link.disconnected()
        raise

    async def send(event: Event) -> None:
        if event["type"] == "websocket.close":
            await websocket.close(event["code"])
        else:
            await websocket.send(event["text"] if event.get("text") is not None else event["bytes"])

    await converse(link, _read(link, websocket), send, abort=protocol.transport.abort)


async def _read(link: HostedLink, websocket: Any) -> None:
    try:
        while (message := await websocket.recv()) is not None:
            link.take(message)
            await link.readable()
    except (WebsocketClosed, asyncio.CancelledError):
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
