"""The aiohttp wire: the same engine behind a route of an `aiohttp.web.Application`.

May import: the engine floor, `_http`, `hosted`. Never knows rooms or handlers. Heartbeats and limits are the engine's;
aiohttp's own size limit stands behind them, so that nothing too long is even buffered.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import WebSocketError, WSCloseCode, WSMsgType, web
from multidict import CIMultiDict

from fastsio._http import Request, cors_headers, finished_headers
from fastsio.engine.registry import Registry
from fastsio.net.hosted import (
    CLOSE_TIMEOUT,
    ClientLeft,
    Event,
    HostedExchange,
    HostedLink,
    answer,
    asks_for_websocket,
    converse,
)

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
# Seconds between two looks whether a waiting poll's client is there: aiohttp tells handlers of a lost one too late.
LOOK_INTERVAL = 2.0


def attach(
    app: web.Application,
    path: str,
    serve_request: Callable[[web.Request], Awaitable[web.StreamResponse]],
    announce: Callable[[str], None],
    drain: Callable[[], Awaitable[None]],
) -> None:
    """Route `path`, and exactly that, to a server; tell it when the application starts and stops."""
    resource = app.router.add_resource(path)
    for method in METHODS:
        resource.add_route(method, serve_request)

    async def started(app: web.Application) -> None:
        announce(resource.canonical)

    async def stopping(app: web.Application) -> None:
        await drain()

    app.on_startup.append(started)
    app.on_shutdown.append(stopping)


async def serve(registry: Registry, request: web.Request) -> web.StreamResponse:
    """Answer one request; for a WebSocket, when it is over."""
    exchange = AiohttpExchange(request)
    result = await answer(registry, exchange)
    if isinstance(result, HostedLink):
        return await _serve_websocket(registry, exchange, result)
    if result is None:
        return web.Response(status=400)  # nobody reads it
    headers = _multidict(finished_headers(registry.options, exchange.request, result))
    del headers["Content-Length"]  # aiohttp's own business
    return web.Response(status=result.status, body=result.body, headers=headers)


def make_request(source: web.Request) -> Request:
    headers = [(name.lower(), value) for name, value in source.raw_headers]
    request = Request(
        source.method, source.path, source.rel_url.raw_query_string.encode("utf-8", "surrogateescape"), headers
    )
    request.scheme = source.scheme
    peer = source.transport.get_extra_info("peername") if source.transport is not None else None
    request.client = tuple(peer[:2]) if isinstance(peer, tuple) else None
    request.extras = lambda *_: {
        "aiohttp.request": source,
        "wsgi.input": source.content,
        "SERVER_SOFTWARE": "aiohttp",
        "SERVER_NAME": "aiohttp",
        "SERVER_PROTOCOL": f"HTTP/{source.version.major}.{source.version.minor}",
        "QUERY_STRING": source.query_string,
        "RAW_URI": source.path_qs,
    }
    return request


class AiohttpExchange(HostedExchange):
    """A request that aiohttp has read the head of."""

    def __init__(self, source: web.Request) -> None:
        super().__init__(make_request(source))
        self.source = source
        self.is_upgrade = asks_for_websocket(self.request)

    async def next_chunk(self) -> bytes | None:
        try:
            chunk = await self.source.content.readany()
        except (web.RequestPayloadError, ConnectionError) as exc:
            raise ClientLeft from exc
        return chunk or None

    async def client_left(self) -> None:
        while not self.has_left():
            await asyncio.sleep(LOOK_INTERVAL)

    def has_left(self) -> bool:
        return self.source.transport is None or self.source.transport.is_closing()


def _multidict(headers: list[tuple[bytes, bytes]]) -> CIMultiDict[str]:
    return CIMultiDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


# --- WebSocket


async def _serve_websocket(registry: Registry, exchange: AiohttpExchange, link: HostedLink) -> web.StreamResponse:
    options = registry.options
    websocket = web.WebSocketResponse(
        timeout=CLOSE_TIMEOUT,
        compress=options.per_message_deflate,
        max_msg_size=options.max_http_buffer_size + 1,  # aiohttp refuses what is as long as that
    )
    websocket.headers.extend(_multidict(cors_headers(options, exchange.request)))
    try:
        await websocket.prepare(exchange.source)
    except BaseException:
        link.disconnected()
        raise

    async def send(event: Event) -> None:
        if event["type"] == "websocket.close":
            await websocket.close(code=event["code"])
        elif (text := event.get("text")) is not None:
            await websocket.send_str(text)
        else:
            await websocket.send_bytes(event["bytes"])

    def abort() -> None:
        if exchange.source.transport is not None:
            exchange.source.transport.abort()

    await converse(link, _read(link, websocket), send, closes_while_reading=True, abort=abort)
    return websocket


async def _read(link: HostedLink, websocket: web.WebSocketResponse) -> None:
    while (message := await websocket.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
        link.take(message.data)
        await link.readable()
    error = message.data
    if isinstance(error, WebSocketError) and error.code == WSCloseCode.MESSAGE_TOO_BIG:
        link.refuse_size()
