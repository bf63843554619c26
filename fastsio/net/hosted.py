"""What the wires have in common whose host runs a coroutine for each request: the answer, the body, the WebSocket.

May import: the engine floor, `_http`, `errors`. Never knows a host: `asgi`, `aiohttp`, `sanic` and `tornado` subclass.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastsio._http import Exchange, Request, Response
from fastsio.engine import _admission, _polling, reasons
from fastsio.engine._session import Link, Session
from fastsio.engine.registry import Registry

# What a link has to send, as an ASGI event: "websocket.send" with "text" or "bytes", or "websocket.close" with "code".
Event = dict[str, Any]
SendEvent = Callable[[Event], Awaitable[None]]

# A body announced as longer than this is as good as one of this length: too long.
MAX_LENGTH = 2**62
MAX_DIGITS = 20
# "No close code" can only be said as 1000 to a host.
NO_CODE = 1005
# Seconds between two parts of a body; a session that ends meanwhile takes no more of them.
BODY_TIMEOUT = 20.0
# Seconds that the last words to a client may take.
CLOSE_TIMEOUT = 5.0


class ClientLeft(Exception):
    """The client has gone in the middle of its request."""


class HostedExchange(Exchange):
    """A request whose answer a coroutine waits for."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.content_length = announced_length(request)
        self.is_complete = False  # the part of the body that was given last is its end

    def respond(self, response: Response | Link) -> None:
        if not self.answer.done():
            self.answer.set_result(response)

    def upgrade(self, session: Session, is_probe: bool) -> Link | None:
        link = HostedLink(self.request.param("b64") is not None)
        self.respond(link)
        return link

    # --- the host's side

    async def next_chunk(self) -> bytes | None:
        """Give the next part of the body, None after its end.

        Raises:
            ClientLeft: there will be no end.
        """
        raise NotImplementedError

    async def client_left(self) -> None:
        """Return when the client has left, whose request has been read."""
        raise NotImplementedError

    def has_left(self) -> bool:
        """Tell whether the host knows by now that nobody will read the answer."""
        return False


def announced_length(request: Request) -> int:
    """Give the bytes that a request announces as its body."""
    length = request.header(b"content-length")
    if length is None or not (length.isascii() and length.isdigit()):
        return 0
    return min(int(length[:MAX_DIGITS]), MAX_LENGTH)


def asks_for_websocket(request: Request) -> bool:
    """Tell whether a request's headers ask for a WebSocket (RFC 6455 4.2.1)."""
    upgrade, connection = request.header(b"upgrade") or "", request.header(b"connection") or ""
    return upgrade.lower() == "websocket" and "upgrade" in [word.strip() for word in connection.lower().split(",")]


# --- HTTP


async def answer(registry: Registry, exchange: HostedExchange) -> Any:
    """Judge a request and wait for its answer: a `Response`, a `HostedLink`, or None when its client has left."""
    registry.attach_loop()
    session = _admission.admit(registry, exchange)
    if session is not None:
        try:
            await _receive_body(registry, session, exchange)
        except ClientLeft:
            exchange.is_gone = True
            _polling.post_lost(session, exchange)
        except BaseException:
            _polling.post_lost(session, exchange)
            raise
    elif not exchange.answer.done():
        await _wait(registry, exchange)
    return exchange.answer.result() if exchange.answer.done() else None


async def _receive_body(registry: Registry, session: Session, exchange: HostedExchange) -> None:
    """Read the body of an admitted POST, never more of it than the limit, and take it."""
    chunks: list[bytes] = []
    size = 0
    chunk = await _next_unless_answered(exchange)
    while chunk is not None and session.is_live:
        size += len(chunk)
        if size > registry.options.max_http_buffer_size:
            return _polling.post_too_large(registry, session, exchange)
        chunks.append(chunk)
        if exchange.is_complete:
            break
        chunk = await _next_unless_answered(exchange)
        if exchange.answer.done():
            return None
    _polling.post(registry, session, exchange, b"".join(chunks))
    await exchange.answer
    return None


async def _next_unless_answered(exchange: HostedExchange) -> bytes | None:
    """Give the next part of a body; the wait ends when the exchange is answered meanwhile (an overlapping POST).

    Raises:
        ClientLeft: nothing has come for too long, and that is answered.
    """
    chunk = asyncio.ensure_future(exchange.next_chunk())
    try:
        await asyncio.wait((exchange.answer, chunk), timeout=BODY_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
    finally:
        is_late = chunk.cancel()
    if exchange.answer.done():
        return None
    if is_late:
        exchange.respond(Response(408, b"Request Timeout", "text/plain"))
        raise ClientLeft
    return chunk.result()


async def _wait(registry: Registry, exchange: HostedExchange) -> None:
    """Wait for the answer of an open exchange, or for its client to leave."""
    gone = asyncio.ensure_future(exchange.client_left())
    try:
        await asyncio.wait((exchange.answer, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        session = registry.sessions.get(exchange.request.param("sid") or "")
        if not exchange.answer.done():
            exchange.is_gone = True
            if session is not None:
                _polling.poll_lost(session, exchange)
        elif session is not None and exchange.has_left():
            session.close(reasons.TRANSPORT_ERROR)  # what was owed went to nobody


# --- WebSocket


class HostedLink(Link):
    """A WebSocket that a host holds. A writer task sends what is owed, in order."""

    def __init__(self, b64: bool) -> None:
        self.b64 = b64
        self.events: list[Event] = []  # what the writer takes next
        self.sending: deque[Event] = deque()  # what it is at
        self.wake: asyncio.Future[None] | None = None
        self.reader: asyncio.Future[None] | None = None  # to be stopped before the close is sent
        self.give_up: Callable[[], Any] | None = None  # called when the client does not take the end
        self.is_over = False
        self.held: asyncio.Future[None] | None = None  # until when nothing more is to be read

    def hold(self, held: bool) -> int:
        if held and self.held is None:
            self.held = asyncio.get_running_loop().create_future()
        elif not held and self.held is not None:
            if not self.held.done():
                self.held.set_result(None)
            self.held = None
        return 0

    async def readable(self) -> None:
        """Return when the session wants to hear more."""
        while self.held is not None:
            await asyncio.shield(self.held)

    def is_congested(self) -> bool:
        return bool(self.sending and self.events)  # some hosts need a turn of the loop for each: one says nothing

    @property
    def unsent(self) -> int:
        return sum(_size(event.get("text") or event.get("bytes") or "") for event in (*self.sending, *self.events))

    def flush(self) -> int:
        if not self.events and self._has_room():
            self.take_events(self.events)
        self.owe([])
        return 0

    def _has_room(self) -> bool:
        """Tell whether the writer may be given more. What is much stays in the outbox, where the limits see it."""
        session = self.session
        return not self.sending or session is None or session.backlog[0] <= session.options.high_water

    def write_now(self, message: Any) -> int:
        self.owe(message.events(4, self.b64))
        return 0

    def finish(self, code: int, farewell: Any) -> int:
        if not self.is_over:
            self.take_events(self.events)
            last: list[Event] = [] if farewell is None else farewell.events(4, self.b64)
            self.owe([*last, {"type": "websocket.close", "code": 1000 if code == NO_CODE else code}])
            self.is_over = True
            self.session = None
            if self.give_up is not None:  # a client that does not read would otherwise stay for ever
                asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self.give_up)
        return 0

    def owe(self, events: list[Event]) -> None:
        if not self.is_over:
            self.events.extend(events)
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(None)

    async def write(self, send: SendEvent) -> None:
        """Send what is owed, until the end."""
        loop = asyncio.get_running_loop()
        while True:
            self.sending.extend(self.events)
            self.events.clear()
            while self.sending:
                event = self.sending[0]
                if event["type"] == "websocket.close":
                    await self._stop_reading()
                    await send(event)
                    return
                await send(event)
                self.sending.popleft()
            if not self.events:
                self.take_events(self.events)
            if not self.events:
                if self.is_over:
                    return
                self.wake = loop.create_future()
                if not self.events and not self.is_over:  # by a finalizer, while it was made
                    await self.wake
                self.wake = None

    async def _stop_reading(self) -> None:
        """Some hosts can close only when nobody waits for a message."""
        if self.reader is not None and not self.reader.done():
            self.reader.cancel()
            await asyncio.sleep(0)

    def take(self, message: str | bytes) -> None:
        """Take one message from the client, if it keeps to the limit."""
        session = self.session
        if session is None:
            return
        if _size(message) > session.options.max_http_buffer_size:
            self.refuse_size()
        else:
            self.receive(message)

    def refuse_size(self) -> None:
        """A message is too long: close with 1009."""
        if self.session is not None:
            self.session.refuse_large_message()


async def converse(
    link: HostedLink,
    reading: Coroutine[Any, Any, None],
    send: SendEvent,
    closes_while_reading: bool = False,
    abort: Callable[[], Any] | None = None,
) -> None:
    """Run both directions of a WebSocket: `reading` gives messages to the link, and ends when there are no more.

    A client that has not taken the end `CLOSE_TIMEOUT` seconds after it was written is left; then `abort` is called.
    """
    reader = asyncio.ensure_future(reading)
    writer = asyncio.ensure_future(link.write(send))
    link.reader = None if closes_while_reading else reader
    link.give_up = reader.cancel
    if link.is_over:  # between the handshake and here
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, link.give_up)
    try:
        await asyncio.wait({reader})
    finally:
        is_ours = link.is_over  # the end: then the writer has last words, and comes to an end of its own
        if not is_ours:
            link.disconnected()
            link.is_over = True
        link.owe([])
        if is_ours and not writer.done():
            await asyncio.wait({writer}, timeout=CLOSE_TIMEOUT)
        is_stuck = is_ours and not writer.done()
        for task in (reader, writer):
            task.cancel()
        failed, _ = await asyncio.gather(reader, writer, return_exceptions=True)
        if is_stuck and abort is not None:
            abort()
    if isinstance(failed, Exception):
        raise failed


def _size(message: str | bytes) -> int:
    """Give the bytes of a message on the wire."""
    return len(message) if isinstance(message, bytes) or message.isascii() else len(message.encode("utf-8", "replace"))
