"""The ASGI wire: the same engine fed by ASGI events, under any ASGI server.

May import: the engine floor, `_http`, `errors`. Never knows rooms or handlers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastsio._http import Exchange, Request, Response, cors_headers, finished_headers
from fastsio.engine import admission, polling
from fastsio.engine._session import Link, Session
from fastsio.engine.registry import Registry
from fastsio.errors import ProtocolError

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# A body announced as longer than this is as good as one of this length: too long.
MAX_LENGTH = 2**62
# Close codes that an ASGI server may be asked for; "no code" can only be said as 1000.
NO_CODE = 1005


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
    request.scope = scope
    request.extras = lambda _: {"asgi.scope": scope, "asgi.receive": receive, "asgi.send": send}
    return request


class AsgiExchange(Exchange):
    """A request whose answer a coroutine waits for."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def respond(self, response: Response | Link) -> None:
        if not self.answer.done():
            self.answer.set_result(response)

    def upgrade(self, session: Session, is_probe: bool) -> Link | None:
        link = AsgiLink(self.request.param("b64") is not None)
        self.respond(link)
        return link


# --- HTTP


async def _serve_http(registry: Registry, scope: Scope, receive: Receive, send: Send) -> None:
    exchange = AsgiExchange(make_request(scope, receive, send))
    length = exchange.request.header(b"content-length")
    exchange.content_length = min(int(length), MAX_LENGTH) if length and length.isascii() and length.isdigit() else 0
    session = admission.admit(registry, exchange)
    if session is not None:
        try:
            await _receive_body(registry, session, exchange, receive)
        except BaseException:
            polling.post_lost(session, exchange)
            raise
    elif not exchange.answer.done():
        await _wait(registry, exchange, receive)
    if exchange.answer.done():
        await _send_response(registry, exchange, send)


async def _receive_body(registry: Registry, session: Session, exchange: AsgiExchange, receive: Receive) -> None:
    """Read the body of an admitted POST, never more of it than the limit, and take it."""
    chunks: list[bytes] = []
    size = 0
    while True:
        event = await _receive_unless_answered(exchange, receive) if chunks else await receive()
        if event is None:
            return
        if event["type"] == "http.disconnect":
            exchange.is_gone = True
            polling.post_lost(session, exchange)
            return
        chunk = event.get("body") or b""
        size += len(chunk)
        if size > registry.options.max_http_buffer_size:
            polling.post_too_large(registry, session, exchange)
            return
        chunks.append(chunk)
        if not event.get("more_body"):
            break
    polling.post(registry, session, exchange, b"".join(chunks))
    await exchange.answer


async def _receive_unless_answered(exchange: AsgiExchange, receive: Receive) -> dict[str, Any] | None:
    """Give the next event; None when the exchange was answered before its body had come (an overlapping POST)."""
    event = asyncio.ensure_future(receive())
    await asyncio.wait((exchange.answer, event), return_when=asyncio.FIRST_COMPLETED)
    if not exchange.answer.done():
        return event.result()
    event.cancel()
    return None


async def _wait(registry: Registry, exchange: AsgiExchange, receive: Receive) -> None:
    """Wait for the answer of an open exchange, or for its client to leave."""
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((exchange.answer, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not exchange.answer.done():
            exchange.is_gone = True
            session = registry.sessions.get(exchange.request.param("sid") or "")
            if session is not None:
                polling.poll_lost(session, exchange)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_response(registry: Registry, exchange: AsgiExchange, send: Send) -> None:
    response = exchange.answer.result()
    headers = finished_headers(registry.options, exchange.request, response)
    await send({"type": "http.response.start", "status": response.status, "headers": _lowered(headers)})
    body = b"" if exchange.request.method == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})


def _lowered(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in headers]


# --- WebSocket


class AsgiLink(Link):
    """A WebSocket that an ASGI server holds. A writer task sends what is owed, in order."""

    def __init__(self, b64: bool) -> None:
        self.b64 = b64
        self.events: list[dict[str, Any]] = []
        self.wake: asyncio.Future[None] | None = None
        self.is_over = False

    def flush(self) -> int:
        self._owe(self.take_events() if not self.events else [])
        return 0

    def write_now(self, message: Any) -> int:
        self._owe(message.events(4, self.b64))
        return 0

    def finish(self, code: int, farewell: Any) -> int:
        if not self.is_over:
            events = self.take_events()
            if farewell is not None:
                events.extend(farewell.events(4, self.b64))
            self._owe([*events, {"type": "websocket.close", "code": 1000 if code == NO_CODE else code}])
            self.is_over = True
            self.session = None
        return 0

    def _owe(self, events: list[dict[str, Any]]) -> None:
        if not self.is_over:
            self.events.extend(events)
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(None)

    async def write(self, send: Send) -> None:
        """Send what is owed, until the end. What waits longer stays in the outbox, where the limits see it."""
        loop = asyncio.get_running_loop()
        while True:
            events, self.events = self.events, []
            for event in events:
                await send(event)
                if event["type"] == "websocket.close":
                    return
            if not self.events:
                self.events = self.take_events()
            if not self.events:
                if self.is_over:
                    return
                self.wake = loop.create_future()
                await self.wake
                self.wake = None


async def _serve_websocket(registry: Registry, scope: Scope, receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect
    exchange = AsgiExchange(make_request(scope, receive, send))
    exchange.is_upgrade = True
    admission.admit(registry, exchange)
    answer = await exchange.answer
    if isinstance(answer, Response):
        await _refuse_websocket(registry, scope, exchange, send)
        return
    headers = cors_headers(registry.options, exchange.request)
    try:
        await send({"type": "websocket.accept", "headers": _lowered(headers)})
    except BaseException:
        answer.disconnected()
        raise
    await _exchange_messages(answer, receive, send)


async def _refuse_websocket(registry: Registry, scope: Scope, exchange: AsgiExchange, send: Send) -> None:
    """Answer as over HTTP where the ASGI server can, else close before accepting (HTTP 403)."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1000, "reason": exchange.answer.result().sentence})
        return
    response = exchange.answer.result()
    headers = _lowered(finished_headers(registry.options, exchange.request, response))
    await send({"type": "websocket.http.response.start", "status": response.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": response.body})


async def _exchange_messages(link: AsgiLink, receive: Receive, send: Send) -> None:
    writer = asyncio.ensure_future(link.write(send))
    try:
        await _read(link, receive, writer)
    finally:
        if not link.is_over:
            link.disconnected()
            link.is_over = True
        link._owe([])
        if not writer.done():
            writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def _read(link: AsgiLink, receive: Receive, writer: asyncio.Future[None]) -> None:
    while True:
        event = await receive()
        if event["type"] != "websocket.receive":
            return
        message = event.get("text")
        if message is None:
            message = event.get("bytes") or b""
        session = link.session
        if session is None:
            continue
        if _size(message) > session.options.max_http_buffer_size:
            limit = session.options.max_http_buffer_size
            session.violate(ProtocolError("WS_TOO_LARGE", f"a message of more than {limit} bytes"), 1009)
            continue
        link.receive(message)


def _size(message: str | bytes) -> int:
    """Give the bytes of a message on the wire."""
    return len(message) if isinstance(message, bytes) or message.isascii() else len(message.encode("utf-8", "replace"))
