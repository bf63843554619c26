"""The ASGI wire: the same engine fed by ASGI events, under any ASGI server.

May import: the engine floor, `_http`, `hosted`. Never knows rooms or handlers.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastsio._http import Request, Response, cors_headers, finished_headers
from fastsio.engine import _admission
from fastsio.engine.registry import Registry
from fastsio.net.hosted import ClientLeft, HostedExchange, HostedLink, answer, converse

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def serve(registry: Registry, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one `http` or `websocket` scope."""
    registry.attach_loop()
    if scope["type"] == "websocket":
        await _serve_websocket(registry, scope, receive, send)
    else:
        await _serve_http(registry, scope, receive, send)


def make_request(scope: Scope, receive: Receive, send: Send) -> Request:
    headers = [(bytes(name).lower(), bytes(value)) for name, value in scope.get("headers") or ()]
    request = Request(scope.get("method", "GET"), scope["path"], bytes(scope.get("query_string") or b""), headers)
    scheme: str = scope.get("scheme", "http")
    request.scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    request.client = tuple(scope["client"]) if scope.get("client") else None
    request.extras = lambda *_: {"asgi.scope": scope, "asgi.receive": receive, "asgi.send": send}
    return request


class AsgiExchange(HostedExchange):
    """A request that an ASGI server tells in events."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(make_request(scope, receive, send))
        self._receive = receive

    async def next_chunk(self) -> bytes | None:
        event = await self._receive()
        if event["type"] == "http.disconnect":
            raise ClientLeft
        self.is_complete = not event.get("more_body")
        return event.get("body") or b""

    async def client_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


# --- HTTP


async def _serve_http(registry: Registry, scope: Scope, receive: Receive, send: Send) -> None:
    exchange = AsgiExchange(scope, receive, send)
    response = await answer(registry, exchange)
    if response is None:
        return
    headers = finished_headers(registry.options, exchange.request, response)
    await send({"type": "http.response.start", "status": response.status, "headers": _lowered(headers)})
    body = b"" if exchange.request.method == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})


def _lowered(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in headers]


# --- WebSocket


async def _serve_websocket(registry: Registry, scope: Scope, receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect
    exchange = AsgiExchange(scope, receive, send)
    exchange.is_upgrade = True
    _admission.admit(registry, exchange)
    link = await exchange.answer
    if isinstance(link, Response):
        await _refuse_websocket(registry, scope, exchange, send)
        return
    headers = cors_headers(registry.options, exchange.request)
    try:
        await send({"type": "websocket.accept", "headers": _lowered(headers)})
    except BaseException:
        link.disconnected()
        raise
    await converse(link, _read(link, receive), send)


async def _refuse_websocket(registry: Registry, scope: Scope, exchange: AsgiExchange, send: Send) -> None:
    """Answer as over HTTP where the ASGI server can, else close before accepting (HTTP 403)."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1000, "reason": exchange.answer.result().sentence})
        return
    response = exchange.answer.result()
    headers = _lowered(finished_headers(registry.options, exchange.request, response))
    await send({"type": "websocket.http.response.start", "status": response.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": response.body})


async def _read(link: HostedLink, receive: Receive) -> None:
    while (event := await receive())["type"] == "websocket.receive":
        message = event.get("text")
        link.take(message if message is not None else event.get("bytes") or b"")
        await link.readable()
