"""What every Engine.IO server is, asyncio or not: its options, which stay live, its handlers, its sessions.

May import: the engine floor, `options`, `logs`, `payload`, `hosts`. Never waits: that is `async_server`.
"""

import difflib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar, overload

from fastsio.engine import reasons
from fastsio.engine._ids import IdMaker, generate_sid
from fastsio.engine._session import Session
from fastsio.engine.registry import Registry
from fastsio.engineio import hosts
from fastsio.engineio.async_socket import Sockets
from fastsio.engineio.logs import server_logger
from fastsio.engineio.packet import Packet, message_text
from fastsio.engineio.payload import Payload
from fastsio.options import (
    TRANSPORTS,
    Options,
    checked_choice,
    checked_cookie,
    checked_json,
    checked_origins,
    checked_protocols,
    checked_transports,
)

# A handler, whose type decorators keep.
Handler = TypeVar("Handler", bound=Callable[..., Any])

EVENTS = ("connect", "message", "disconnect")
# How much two names of options have in common, of 1, before one is taken for the other.
ALIKE = 0.8


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
        _put(self._options, name, check(value))

    return property(get, set)


def _put(options: Options, name: str, value: Any) -> None:
    """Set one of the live options.

    Raises:
        ValueError, TypeError: it cannot be that, and stays what it was; the message names option and value.
    """
    before = getattr(options, name)
    try:
        setattr(options, name, value)
    except TypeError as exc:
        raise TypeError(f"{name}={value!r}: {exc}") from exc
    except OverflowError as exc:
        raise ValueError(f"{name}={value!r}: {exc}") from exc
    now = getattr(options, name)
    if isinstance(now, (int, float)) and not now >= 0:  # or it is no number at all
        setattr(options, name, before)
        raise ValueError(f"{name}={value!r}; choose 0 or more")


def _policy(name: str) -> property:
    return _option(name, partial(checked_choice, name))


class BaseServer:
    """The part of an Engine.IO server that does not depend on how it waits. See `AsyncServer` for the arguments."""

    compression_methods = ["gzip", "deflate"]
    event_names = list(EVENTS)
    valid_transports = list(TRANSPORTS)
    reason = Reason

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
        for name in options.keys() & OPTION_NAMES:
            setattr(self, name, options[name])
        self.async_handlers = async_handlers
        self.start_service_task = monitor_clients is not False
        self.json = checked_json(json)
        self.sockets = Sockets(self)
        self.logger = server_logger("engineio.server", logger)
        self._complain_of(options.keys() - OPTION_NAMES)
        self.handlers: dict[str, Callable[..., Any]] = {}
        self._registry = Registry(self._options, self.logger)
        self._registry.new_sid = IdMaker(self, ORIGINAL_GENERATE_ID)
        self._registry.accept = self._accept

    def _complain_of(self, unknown: Iterable[str]) -> None:
        """Name options that do nothing. python-engineio takes any name, and so applications have some that are of no use."""
        for name in sorted(unknown):
            like = difflib.get_close_matches(name, OPTION_NAMES, 1, ALIKE)
            hint = f"; did you mean {like[0]}?" if like else ""
            self.logger.error("option %s is not known and does nothing%s", name, hint)

    def _accept(self, session: Session) -> Any:
        raise NotImplementedError

    def is_asyncio_based(self) -> bool:
        return False

    def async_modes(self) -> list[str]:
        return list(hosts.ASYNC_MODES)

    def create_queue(self, *args: Any, **kwargs: Any) -> Any:
        """Give a queue of the kind that the server waits with."""
        raise NotImplementedError

    def get_queue_empty_exception(self) -> Any:
        raise NotImplementedError

    def create_event(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    # --- options, live: see `fastsio.options`

    # what is served, and to whom
    transports = _option("transports", checked_transports)
    protocols = _option("protocols", checked_protocols)
    allow_upgrades = _option("allow_upgrades")
    jsonp = _option("jsonp")
    http_compression = _option("http_compression")
    compression_threshold = _option("compression_threshold")
    per_message_deflate = _option("per_message_deflate")
    cookie = _option("cookie", checked_cookie)
    cors_allowed_origins = _option("cors_allowed_origins", checked_origins)
    cors_credentials = _option("cors_credentials")
    # deadlines
    ping_timeout = _option("ping_timeout")
    upgrade_timeout = _option("upgrade_timeout")
    connect_timeout = _option("connect_timeout")
    linger_timeout = _option("linger_timeout")
    hold_timeout = _option("hold_timeout")
    tcp_user_timeout = _option("tcp_user_timeout")
    # what one client may send
    max_http_buffer_size = _option("max_http_buffer_size")
    max_fragments = _option("max_fragments")
    max_attachments = _option("max_attachments")
    max_binary_packet = _option("max_binary_packet")
    max_events_per_second = _option("max_events_per_second")
    max_bytes_per_second = _option("max_bytes_per_second")
    rate_burst = _option("rate_burst")
    rate_policy = _policy("rate_policy")
    control_rate = _option("control_rate")
    control_burst = _option("control_burst")
    # what it may have
    max_namespaces = _option("max_namespaces")
    max_rooms = _option("max_rooms")
    max_pending_acks = _option("max_pending_acks")
    max_waiting_packets = _option("max_waiting_packets")
    max_waiting_bytes = _option("max_waiting_bytes")
    pause_at_packets = _option("pause_at_packets")
    pause_at_bytes = _option("pause_at_bytes")
    # what it may be owed
    max_send_buffer = _option("max_send_buffer")
    max_send_packets = _option("max_send_packets")
    high_water = _option("high_water")
    slow_client_policy = _policy("slow_client_policy")
    max_poll_response = _option("max_poll_response")
    # how many clients
    max_sessions = _option("max_sessions")
    max_sessions_per_address = _option("max_sessions_per_address")
    handshake_rate = _option("handshake_rate")
    handshake_burst = _option("handshake_burst")
    max_loop_lag = _option("max_loop_lag")
    retry_after = _option("retry_after")
    # what is said of it
    log_rate = _option("log_rate")
    watchdog = _option("watchdog")

    @property
    def ping_interval(self) -> float:
        """Seconds between pings. May be assigned (seconds, grace seconds)."""
        return self._options.ping_interval

    @ping_interval.setter
    def ping_interval(self, value: float | tuple[float, float]) -> None:
        both = value if isinstance(value, tuple) else (value, 0)
        if len(both) != 2:
            raise ValueError(f"ping_interval={value!r}; choose seconds, or two of them: (interval, grace period)")
        before = self._options.ping_interval
        _put(self._options, "ping_interval", both[0])
        try:
            _put(self._options, "ping_grace", both[1])
        except BaseException:
            self._options.ping_interval = before
            raise

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

    def transport(self, sid: str) -> str:
        """Give the name of the transport in use: "polling" or "websocket".

        Raises:
            KeyError: there is no such connection.
        """
        return self._find(sid).transport

    def generate_id(self) -> str:
        """Give a session id: 20 characters that nobody can guess."""
        return generate_sid()

    def _as_message(self, data: Any) -> str | bytes:
        if isinstance(data, (str, bytes)):
            return data
        if isinstance(data, bytearray):
            return bytes(data)
        return message_text(data, self.json or Packet.json)

    def _session_dict(self, session: Session) -> dict[str, Any]:
        if session.user_session is None:
            session.user_session = {}
        return session.user_session

    def _find(self, sid: str) -> Session:
        session = self._registry.find(sid)
        if session is None:
            raise KeyError("Session not found")
        return session


# What may be given to a server, and set on a running one.
OPTION_NAMES = {
    name for name, one in vars(BaseServer).items() if isinstance(one, property) and hasattr(Options(), name)
}
ORIGINAL_GENERATE_ID = BaseServer.generate_id  # as long as nobody has put another in its place
