"""A Socket.IO client in memory, for tests of an application: through admission, session and codec, without a socket.

May import: `engine`, `_http`, `packet`, `clock`. Speaks Engine.IO over a WebSocket that is not there; never touches handlers or
rooms by another way than a client would.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import Any
from urllib.parse import urlencode

from fastsio._http import AsgiExtras, Exchange, Request, Response
from fastsio.engine import _admission
from fastsio.engine._session import Link
from fastsio.packet import Packet
from fastsio.testing.clock import Clock, settle

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = range(7)
# Seconds that a test waits for what should have come at once.
PATIENCE = 2.0

Event = tuple[str, tuple[Any, ...]]


class ConnectionRefused(ConnectionError):
    """The server did not let the client in.

    Attributes:
        data: what the client was told: the error of a connect handler, or the sentence of a refused handshake.
        status: of the HTTP answer, when it was the handshake; else None.
    """

    def __init__(self, data: Any, status: int | None = None) -> None:
        super().__init__(data)
        self.data, self.status = data, status


@asynccontextmanager
async def client(
    sio: Any,
    auth: Any = None,
    namespace: str = "/",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    eio: int = 4,
) -> AsyncIterator["Client"]:
    """Connect a client to a server, and disconnect it at the end.

    Args:
        sio: the `AsyncServer`. Its handlers run on the running loop.
        auth: what the client sends when it joins.
        namespace: the one that it joins.
        headers: of its handshake, for example cookies or an Origin.
        query: parameters of its handshake.
        eio: Engine.IO revision, 4 or 3.

    Raises:
        ConnectionRefused: it was not let in.

    Example:
        async with fastsio.testing.client(sio, auth={"token": "abc"}) as anna:
            await anna.emit("say", "hello")
            assert await anna.receive("said") == "hello"
    """
    made = Client(sio, headers, query, eio)
    await made.connect(namespace, auth)
    try:
        yield made
    finally:
        await made.disconnect()


class Client:
    """A connected client; `client` makes one.

    Attributes:
        sid: the id that handlers know it by, in the namespace it joined first.
        received: (event, arguments) of everything that came and has not been taken by `receive`.
        is_connected: the connection stands.
        close_code: with which the server has closed it, None while it has not.
        answers_pings: keep the connection alive; False to see what happens to a client that is silent.
        clock: the time of the server.
    """

    def __init__(self, sio: Any, headers: Mapping[str, str] | None, query: Mapping[str, str] | None, eio: int) -> None:
        self.sio, self._headers, self._query, self._eio = sio, dict(headers or {}), dict(query or {}), eio
        self.sid: str | None = None
        self.received: list[Event] = []
        self.close_code: int | None = None
        self.answers_pings = True
        self.clock = Clock()
        self._wire: _Wire | None = None
        self._namespace = "/"
        self._answers: dict[str, dict[str, Any]] = {}  # namespace -> what it was told when it joined
        self._handlers: dict[str, Callable[..., Any]] = {}
        self._acks: dict[int, asyncio.Future[tuple[Any, ...]]] = {}
        self._handling: set[asyncio.Future[None]] = set()  # held: a loop holds its tasks only weakly
        self._last_ack = 0
        self._changed = asyncio.Event()

    # --- coming and going

    @property
    def is_connected(self) -> bool:
        return self._wire is not None and self.close_code is None

    async def connect(self, namespace: str = "/", auth: Any = None) -> None:
        """Connect, and join a namespace. After `disconnect`, or a lost connection, this is a new client.

        Raises:
            ConnectionRefused: it was not let in.
        """
        registry = self.sio.eio._registry
        registry.attach_loop()
        self.close_code, self._answers, self.sid = None, {}, None
        exchange = _Exchange(self._request(), self)
        _admission.admit(registry, exchange)
        await self._until(lambda: exchange.is_answered, "the handshake was not answered")
        if exchange.refusal is not None:
            raise ConnectionRefused(_plain(exchange.refusal.body), exchange.refusal.status)
        self._wire, self._namespace = exchange.wire, namespace
        if self._eio == 3 and namespace == "/":  # joined unasked
            await self._welcomed("/")
        else:
            await self.join(namespace, auth)

    async def join(self, namespace: str, auth: Any = None) -> None:
        """Join one more namespace.

        Raises:
            ConnectionRefused: its connect handler refused, or there is no such namespace.
        """
        self._send(CONNECT, auth, namespace)
        await self._welcomed(namespace)

    async def _welcomed(self, namespace: str) -> None:
        await self._until(lambda: namespace in self._answers or not self.is_connected, f"no answer of {namespace}")
        answer = self._answers.get(namespace, {"error": "the connection was closed"})
        if "error" in answer:
            raise ConnectionRefused(answer["error"])
        if namespace == self._namespace:
            self.sid = answer["sid"]

    async def leave(self, namespace: str) -> None:
        """Leave a namespace; the connection stays."""
        self._send(DISCONNECT, None, namespace)
        await settle()

    async def disconnect(self) -> None:
        """Close the connection as a client does, and let disconnect handlers run."""
        if self.is_connected and self._wire is not None:
            self._wire.receive("1")
        await settle()
        self._end(1000)

    async def lose(self) -> None:
        """Lose the connection without a word, as in a tunnel whose other end the server sees close."""
        if self._wire is not None:
            self._wire.disconnected()
        await settle()
        self._end(1006)

    # --- talking

    def on(self, event: str, handler: Callable[..., Any] | None = None) -> Any:
        """Handle an event as it comes; what the handler returns is the acknowledgement. Also a decorator."""
        if handler is None:
            return lambda function: self.on(event, function) or function
        self._handlers[event] = handler
        return None

    async def emit(self, event: str, *args: Any, namespace: str | None = None) -> None:
        """Send an event, and let its handler start. Bytes travel as attachments."""
        self._send(EVENT, [event, *args], namespace or self._namespace)
        await settle()

    async def call(self, event: str, *args: Any, namespace: str | None = None, timeout: float = PATIENCE) -> Any:
        """Send an event and give its acknowledgement: one value, a tuple of several, None for none.

        Raises:
            TimeoutError: none came.
        """
        self._last_ack += 1
        answer = self._acks[self._last_ack] = asyncio.get_running_loop().create_future()
        self._send(EVENT, [event, *args], namespace or self._namespace, self._last_ack)
        return _one(await asyncio.wait_for(answer, timeout))

    async def receive(self, event: str, timeout: float = PATIENCE) -> Any:
        """Give the arguments of the next event of that name, waiting for it: one value, a tuple of several, None for none.

        Others stay in `received`.

        Raises:
            TimeoutError: none came; says what did.
        """
        await self._until(lambda: any(name == event for name, _ in self.received), f"no event {event!r} came", timeout)
        at = [name for name, _ in self.received].index(event)
        return _one(self.received.pop(at)[1])

    async def receives_nothing(self, event: str | None = None) -> bool:
        """Tell, after everything that is ready has run, whether no event (of that name) has come."""
        await settle()
        return not any(event in (None, name) for name, _ in self.received)

    # --- inside

    def _request(self) -> Request:
        query = urlencode({"EIO": self._eio, "transport": "websocket", **self._query})
        own = [(b"host", b"testing"), (b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
        headers = [*own, *((name.lower().encode(), text.encode()) for name, text in self._headers.items())]
        request = Request("GET", "/socket.io/", query.encode(), headers)
        request.client, request.server = ("127.0.0.1", 0), ("127.0.0.1", 80)
        request.extras = EXTRAS
        return request

    async def _until(self, condition: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
        end = asyncio.get_running_loop().time() + timeout
        await settle()
        while not condition():
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), end - asyncio.get_running_loop().time())
            except TimeoutError:
                raise TimeoutError(f"{what} within {timeout:g} s; what came: {self.received!r}") from None

    def _send(self, type: int, data: Any, namespace: str, id: int | None = None) -> None:
        if self._wire is None or not self.is_connected:
            raise ConnectionError("this client is not connected")
        encoded = Packet(type, data=data, namespace=namespace, id=id).encode()
        for part in encoded if isinstance(encoded, list) else [encoded]:
            self._wire.receive(f"4{part}" if isinstance(part, str) else part if self._eio == 4 else b"\x04" + part)

    def _take(self, packet: Packet) -> None:
        """Something came from the server."""
        namespace = packet.namespace or "/"
        if packet.packet_type == CONNECT:
            self._answers[namespace] = {"sid": (packet.data or {}).get("sid") or self._engine_sid(namespace)}
        elif packet.packet_type == CONNECT_ERROR:
            self._answers[namespace] = {"error": packet.data}
        elif packet.packet_type in (EVENT, BINARY_EVENT):
            self._take_event(namespace, packet.data[0], tuple(packet.data[1:]), packet.id)
        elif packet.packet_type in (ACK, BINARY_ACK):
            waiting = self._acks.pop(packet.id or 0, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(tuple(packet.data))
        self._changed.set()

    def _engine_sid(self, namespace: str) -> str | None:
        sid = None if self._wire is None else self._wire.engine_sid
        return sid if namespace == "/" or sid is None else f"{namespace}#{sid}"

    def _take_event(self, namespace: str, event: str, args: tuple[Any, ...], id: int | None) -> None:
        handler = self._handlers.get(event)
        if handler is None:
            self.received.append((event, args))
        else:
            handling = asyncio.ensure_future(self._handle(handler, namespace, args, id))
            self._handling.add(handling)
            handling.add_done_callback(self._handling.discard)

    async def _handle(self, handler: Callable[..., Any], namespace: str, args: tuple[Any, ...], id: int | None) -> None:
        result = handler(*args)
        if isawaitable(result):
            result = await result
        if id is not None and self.is_connected:
            data = [] if result is None else list(result) if isinstance(result, tuple) else [result]
            self._send(ACK, data, namespace, id)

    def _end(self, code: int) -> None:
        if self.close_code is None:
            self.close_code = code
        for waiting in self._acks.values():
            waiting.cancel()
        self._acks.clear()
        self._changed.set()


class _Exchange(Exchange):
    """A handshake in memory."""

    def __init__(self, request: Request, owner: Client) -> None:
        super().__init__(request)
        self.is_upgrade = True
        self.is_answered = False
        self.refusal: Response | None = None
        self.wire: _Wire | None = None
        self._owner = owner

    def respond(self, response: Response) -> None:
        self.refusal, self.is_answered = response, True
        self._owner._changed.set()

    def upgrade(self, session: Any, is_probe: bool) -> "_Wire":
        self.wire, self.is_answered = _Wire(self._owner), True
        self._owner._wire = self.wire  # a revision 3 client is greeted before this returns
        self._owner._changed.set()
        return self.wire


class _Wire(Link):
    """The WebSocket that is not there: what the server sends is read at once."""

    def __init__(self, owner: Client) -> None:
        self._owner = owner
        self._partial: Packet | None = None
        self.engine_sid: str | None = None

    def flush(self) -> int:
        self._read(self.take_events())
        return 0

    def write_now(self, message: Any) -> int:
        self._read(message.events(4, False))
        return 0

    def finish(self, code: int, farewell: Any) -> int:
        self.flush()
        if farewell is not None:
            self.write_now(farewell)
        if self._owner._wire is self:
            self._owner._end(code)
        return 0

    def _read(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            text = event.get("text")
            if text is None:
                self._read_attachment(event["bytes"])
            elif text[0] == "0":
                self.engine_sid = json.loads(text[1:])["sid"]
            elif text[0] == "2" and self._owner.answers_pings:
                asyncio.get_running_loop().call_soon(self.receive, "3")
            elif text[0] == "4":
                self._read_packet(text[1:])

    def _read_packet(self, text: str) -> None:
        packet = Packet(encoded_packet=text)
        if packet.attachment_count:
            self._partial = packet
        else:
            self._owner._take(packet)

    def _read_attachment(self, data: bytes) -> None:
        partial = self._partial
        if partial is not None and partial.add_attachment(data if self._owner._eio == 4 else data[1:]):
            self._partial = None
            self._owner._take(partial)


def _one(args: tuple[Any, ...]) -> Any:
    return args if len(args) > 1 else args[0] if args else None


def _plain(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


async def _no_channel(*args: Any) -> None:
    raise RuntimeError("a client in memory has no ASGI channel to receive from or send to")


EXTRAS = AsgiExtras(None, _no_channel)  # what an ASGI host adds to an environ
