"""The Engine.IO server of an application: python-engineio's API over the engine floor.

May import: the engine floor, `options`, `logs`, `payload`; `net` only inside the method that serves a request.
Options are attributes that stay live: what is assigned later counts for new traffic.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar, overload

from fastsio.engine import reasons
from fastsio.engine._session import Session
from fastsio.engine.registry import Registry, generate_sid
from fastsio.engineio import hosts
from fastsio.engineio.application import Application
from fastsio.engineio.async_socket import Sockets
from fastsio.engineio.logs import announcer, server_logger
from fastsio.engineio.packet import MESSAGE, Packet, message_text
from fastsio.engineio.payload import Payload
from fastsio.hub.dispatch import call
from fastsio.options import Options, checked_origins, checked_protocols, checked_transports

# A handler, whose type decorators keep.
Handler = TypeVar("Handler", bound=Callable[..., Any])

EVENTS = ("connect", "message", "disconnect")
# Seconds that disconnect handlers get when the host stops.
DRAIN_TIMEOUT = 10.0


class Reason:
    """Why a client was disconnected; the strings that disconnect handlers are given."""

    SERVER_DISCONNECT = reasons.SERVER_DISCONNECT
    CLIENT_DISCONNECT = reasons.CLIENT_DISCONNECT
    PING_TIMEOUT = reasons.PING_TIMEOUT
    TRANSPORT_CLOSE = reasons.TRANSPORT_CLOSE
    TRANSPORT_ERROR = reasons.TRANSPORT_ERROR
    CONNECT_TIMEOUT = reasons.CONNECT_TIMEOUT
    SLOW_CLIENT = reasons.SLOW_CLIENT
    SERVER_SHUTDOWN = reasons.SERVER_SHUTDOWN


def _option(name: str, check: Callable[[Any], Any] = lambda value: value) -> property:
    """Give an attribute that reads and writes one of the live options."""

    def get(self: Any) -> Any:
        return getattr(self._options, name)

    def set(self: Any, value: Any) -> None:
        setattr(self._options, name, check(value))

    return property(get, set)


class AsyncServer:
    """An Engine.IO server for asyncio.

    Args:
        async_mode: name of the framework that hosts the server, ``"asgi"``, ``"aiohttp"``, ``"sanic"`` or
            ``"tornado"``; the first that is installed when None. Every entry point works, whatever the mode.
        ping_interval: seconds between pings, or (seconds, grace seconds that clients are told on top).
        ping_timeout: seconds until a silent client counts as dead.
        max_http_buffer_size: bytes of one polling body or WebSocket message.
        allow_upgrades: let polling clients move to WebSocket.
        http_compression: compress polling responses.
        compression_threshold: bytes from which they are.
        cookie: name, or dict of attributes, of a cookie for polling handshakes.
        cors_allowed_origins: None (same origin), ``"*"``, an origin, a list, a function, or [] to leave CORS alone.
        cors_credentials: allow credentials.
        logger: True, False, or a logger.
        json: module for application messages that are lists or dicts.
        async_handlers: run message handlers as tasks.
        transports: names of the transports to enable.
        protocols: Engine.IO revisions to serve.
        options: `jsonp`, `upgrade_timeout`, `max_send_buffer` and the other fields of `fastsio.options.Options`.

    Raises:
        ValueError: an option has a value that nothing can be made of.
    """

    reason = Reason
    event_names = EVENTS

    def __init__(
        self,
        async_mode: str | None = None,
        ping_interval: float | tuple[float, float] = 25,
        ping_timeout: float = 20,
        max_http_buffer_size: int = 1_000_000,
        allow_upgrades: bool = True,
        http_compression: bool = True,
        compression_threshold: int = 1024,
        cookie: Any = None,
        cors_allowed_origins: Any = None,
        cors_credentials: bool = True,
        logger: Any = False,
        json: Any = None,
        async_handlers: bool = True,
        monitor_clients: bool | None = None,
        transports: Any = None,
        protocols: Any = (4, 3),
        **options: Any,
    ) -> None:
        self._options = Options()
        self._options.packet_limit = lambda: Payload.max_decode_packets
        self.async_mode = hosts.chosen_mode(async_mode)
        self.ping_interval = ping_interval
        self.ping_timeout = ping_timeout
        self.max_http_buffer_size = max_http_buffer_size
        self.allow_upgrades = allow_upgrades
        self.http_compression = http_compression
        self.compression_threshold = compression_threshold
        self.cookie = cookie
        self.cors_allowed_origins = cors_allowed_origins
        self.cors_credentials = cors_credentials
        self.transports = transports
        self.protocols = protocols
        for name, value in options.items():
            if hasattr(self._options, name):
                setattr(self._options, name, value)
        self.async_handlers = async_handlers
        self.start_service_task = monitor_clients is not False
        self.json = json
        self.sockets = Sockets(self)
        self.logger = server_logger("engineio.server", logger)
        self.handlers: dict[str, Callable[..., Any]] = {}
        self._registry = Registry(self._options, self.logger)
        self._registry.new_sid = lambda: self.generate_id()
        self._registry.accept = self._accept

    # --- options, live

    ping_timeout = _option("ping_timeout")
    max_http_buffer_size = _option("max_http_buffer_size")
    allow_upgrades = _option("allow_upgrades")
    http_compression = _option("http_compression")
    compression_threshold = _option("compression_threshold")
    cookie = _option("cookie")
    cors_allowed_origins = _option("cors_allowed_origins", checked_origins)
    cors_credentials = _option("cors_credentials")
    transports = _option("transports", checked_transports)
    protocols = _option("protocols", checked_protocols)
    jsonp = _option("jsonp")
    upgrade_timeout = _option("upgrade_timeout")

    @property
    def ping_interval(self) -> float:
        """Seconds between pings. May be assigned (seconds, grace seconds)."""
        return self._options.ping_interval

    @ping_interval.setter
    def ping_interval(self, value: float | tuple[float, float]) -> None:
        interval, grace = value if isinstance(value, tuple) else (value, 0)
        self._options.ping_interval = interval
        self._options.ping_grace = grace

    @property
    def ping_interval_grace_period(self) -> float:
        return self._options.ping_grace

    @property
    def log_message_keys(self) -> set[str]:
        """Categories of refusals that have been logged at ERROR; later ones are logged at INFO."""
        return self._registry._reported

    # --- the application's side

    @overload
    def on(self, event: str, handler: None = None) -> Callable[[Handler], Handler]: ...

    @overload
    def on(self, event: str, handler: Callable[..., Any]) -> None: ...

    def on(self, event: str, handler: Callable[..., Any] | None = None) -> Any:
        """Register a handler for connect, message or disconnect; a decorator without `handler`.

        Raises:
            ValueError: there is no such event.
        """
        if event not in EVENTS:
            raise ValueError(f"Invalid event: {event!r}; choose from {EVENTS}")

        def register(function: Handler) -> Handler:
            self.handlers[event] = function
            return function

        if handler is None:
            return register
        register(handler)
        return None

    async def send(self, sid: str, data: Any) -> None:
        """Queue a message: str as text, bytes as binary, lists and dicts as JSON, anything else as its str."""
        session = self._registry.sessions.get(sid)
        if session is None:
            self.logger.warning("Cannot send to sid %s", sid)
        else:
            session.send_message(self._as_message(data))

    def _as_message(self, data: Any) -> str | bytes:
        if isinstance(data, (str, bytes)):
            return data
        if isinstance(data, bytearray):
            return bytes(data)
        return message_text(data, self.json or Packet.json)

    async def send_packet(self, sid: str, pkt: Any) -> None:
        """Queue a packet object; see `fastsio.engineio.packet`."""
        session = self._registry.sessions.get(sid)
        if session is None:
            self.logger.warning("Cannot send to sid %s", sid)
        elif pkt.packet_type == MESSAGE:
            session.send_message(self._as_message(pkt.data))
        else:
            session.send_packet(pkt.packet_type, message_text(pkt.data, self.json or Packet.json))

    async def get_session(self, sid: str) -> dict[str, Any]:
        """Give the dict that the application keeps with a connection.

        Raises:
            KeyError: there is no such connection.
        """
        return self._session_dict(self._find(sid))

    async def save_session(self, sid: str, session: dict[str, Any]) -> None:
        """Replace the dict that the application keeps with a connection."""
        self._find(sid).user_session = session

    def session(self, sid: str) -> AbstractAsyncContextManager[dict[str, Any]]:
        """Give the session dict for an `async with` block, and save it at its end."""
        return self._session_context(sid)

    @asynccontextmanager
    async def _session_context(self, sid: str) -> AsyncIterator[dict[str, Any]]:
        session = await self.get_session(sid)
        try:
            yield session
        finally:
            await self.save_session(sid, session)

    def _session_dict(self, session: Session) -> dict[str, Any]:
        if session.user_session is None:
            session.user_session = {}
        return session.user_session

    def _find(self, sid: str) -> Session:
        session = self._registry.find(sid)
        if session is None:
            raise KeyError("Session not found")
        return session

    async def disconnect(self, sid: str | None = None) -> None:
        """Close one connection, or all of them: disconnect handlers run, the client is told, the transport is closed."""
        if sid is None:
            for session in list(self._registry.sessions.values()):
                session.disconnect()
        elif (found := self._registry.sessions.get(sid)) is not None:
            found.disconnect()

    def transport(self, sid: str) -> str:
        """Give the name of the transport in use: "polling" or "websocket".

        Raises:
            KeyError: there is no such connection.
        """
        return self._find(sid).transport

    def generate_id(self) -> str:
        """Give a session id: 20 characters that nobody can guess."""
        return generate_sid()

    def start_background_task(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> asyncio.Task[Any]:
        """Run a coroutine function as a task."""
        return asyncio.ensure_future(target(*args, **kwargs))

    async def sleep(self, seconds: float = 0) -> None:
        await asyncio.sleep(seconds)

    async def shutdown(self) -> None:
        """Kept for python-engineio's applications: deadlines here end with their sessions."""

    def create_queue(self, *args: Any, **kwargs: Any) -> asyncio.Queue[Any]:
        return asyncio.Queue(*args, **kwargs)

    def get_queue_empty_exception(self) -> type[Exception]:
        return asyncio.QueueEmpty

    def create_event(self, *args: Any, **kwargs: Any) -> asyncio.Event:
        return asyncio.Event(*args, **kwargs)

    def is_asyncio_based(self) -> bool:
        return True

    def async_modes(self) -> list[str]:
        return list(hosts.ASYNC_MODES)

    # --- the host's side

    def attach(self, app: Any, engineio_path: str = "engine.io") -> None:
        """Serve at a path of an aiohttp or Sanic application. Clients are told when the application stops.

        Raises:
            KeyError: `async_mode` is one without such applications.
            TypeError: `app` is not one.
        """
        hosts.attach(self, app, engineio_path, announcer(self.logger, "Engine.IO"))

    async def handle_request(self, *args: Any) -> Any:
        """Serve one ASGI scope `(scope, receive, send)`, one request of aiohttp or Sanic, or one handler of Tornado.

        Returns:
            What the framework expects: a response from aiohttp and Sanic.
        """
        return await hosts.serve(self._registry, *args)

    async def _drain(self) -> None:
        """The host stops: close every client, and let disconnect handlers finish."""
        await self._registry.drain(DRAIN_TIMEOUT)

    def _native_registry(self) -> Registry | None:
        """Give what the native wire needs, unless a subclass wants to see each request."""
        overridden = type(self).handle_request is not AsyncServer.handle_request or "handle_request" in vars(self)
        return None if overridden else self._registry

    # --- the engine's side

    def _accept(self, session: Session) -> Any:
        """Give a new session its sink, and ask the application about it."""
        session.sink = Application(self, session)
        handler = self.handlers.get("connect")
        if handler is None:
            return None
        return self._ask(handler, session)

    async def _ask(self, handler: Callable[..., Any], session: Session) -> Any:
        """Give None when the application accepts, else what the client is shown."""
        from fastsio._http import environ

        session.environ = environ(session.request)
        try:
            result = await call(handler, (session.sid, session.environ))
        except Exception:
            self.logger.exception("the connect handler raised; the client is refused")
            result = False
        return None if result is None or result is True else result or "Unauthorized"
