"""One connection as python-engineio's applications see it (`sio.eio.sockets`): a thin view of a session.

May import: the engine floor, `engineio.packet`. A view is made when it is asked for, and then stays the same object.
"""

import asyncio
import warnings
from collections.abc import Iterator, MutableMapping
from typing import Any

from fastsio.engine import reasons
from fastsio.engine._session import Session
from fastsio.engine.registry import Registry
from fastsio.engineio.exceptions import SocketIsClosedError

# Methods that python-engineio calls for each packet or request and that the compiled engine does without.
NEVER_CALLED = {
    "schedule_ping",
    "_send_ping",
    "poll",
    "receive",
    "handle_get_request",
    "handle_post_request",
    "_websocket_handler",
}


class SocketType(type):
    """Says so when an application replaces a method in vain."""

    def __setattr__(cls, name: str, value: Any) -> None:
        if name in NEVER_CALLED:
            warnings.warn(
                f"fastsio never calls AsyncSocket.{name}: replacing it has no effect "
                "(pings are governed by ping_interval, traffic can be seen through the Socket.IO server's _send_packet)",
                RuntimeWarning,
                stacklevel=2,
            )
        super().__setattr__(name, value)


class AsyncSocket(metaclass=SocketType):
    """One Engine.IO connection.

    Args:
        server: the `AsyncServer` that it belongs to.
        sid: its session id.
        engine_session: the session behind it; found by its id when None.
    """

    def __init__(self, server: Any, sid: str, engine_session: Session | None = None) -> None:
        self.server = server
        self.sid = sid
        self._session = engine_session if engine_session is not None else server._registry.find(sid)

    @property
    def connected(self) -> bool:
        """The handshake has been answered."""
        return self._session is not None and (self._session.is_live or self.closed)

    @property
    def closed(self) -> bool:
        return self._session is None or not self._session.is_open

    @property
    def closing(self) -> bool:
        return self.closed

    @property
    def upgrading(self) -> bool:
        """A WebSocket has been probed and may take over."""
        return self._session is not None and self._session.probing

    @property
    def upgraded(self) -> bool:
        """The connection uses a WebSocket."""
        return self._session is not None and self._session.transport == "websocket"

    @property
    def last_ping(self) -> float | None:
        """When the ping was sent that waits for its pong, in seconds since the epoch; None when none does."""
        return self._session.last_ping if self._session is not None else None

    @property
    def session(self) -> dict[str, Any]:
        """The dict that the application keeps with the connection."""
        if self._session.user_session is None:
            self._session.user_session = {}
        return self._session.user_session

    @session.setter
    def session(self, value: dict[str, Any]) -> None:
        self._session.user_session = value

    @property
    def queue(self) -> "OutboxView":
        """What the client is owed and has not been given."""
        return OutboxView(self._session)

    async def send(self, pkt: Any) -> None:
        """Queue a packet.

        Raises:
            SocketIsClosedError: the connection has ended.
        """
        if self.closed:
            raise SocketIsClosedError()
        await self.server.send_packet(self.sid, pkt)

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """Close the connection: the client is told, unless `abort`; the disconnect handler hears `reason`."""
        if self._session is not None and abort:
            self._session.close(reason or reasons.SERVER_DISCONNECT)
        elif self._session is not None:
            self._session.disconnect(reason or reasons.SERVER_DISCONNECT)
        if wait:
            await asyncio.sleep(0)

    async def check_ping_timeout(self) -> bool:
        """Tell whether the client is still there; deadlines are kept without asking.

        Raises:
            SocketIsClosedError: the connection has ended.
        """
        if self.closed:
            raise SocketIsClosedError()
        return True

    # python-engineio calls these for each packet or request; here the compiled engine does their work

    def schedule_ping(self) -> None:
        """Kept so that it can be named; pings are scheduled by the engine."""

    async def _send_ping(self) -> None:
        """Kept so that it can be named; pings are sent by the engine."""

    async def poll(self) -> list[Any]:
        raise NotImplementedError("polls are answered by the compiled engine; see AsyncServer.handle_request")

    async def receive(self, pkt: Any) -> None:
        raise NotImplementedError("packets are received by the compiled engine; see AsyncServer.handle_request")

    async def handle_get_request(self, environ: dict[str, Any]) -> list[Any]:
        raise NotImplementedError("requests are served by the compiled engine; see AsyncServer.handle_request")

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        raise NotImplementedError("requests are served by the compiled engine; see AsyncServer.handle_request")


class OutboxView:
    """The size of an outbox, as applications ask a queue for it."""

    def __init__(self, session: Session | None) -> None:
        self._session = session

    def qsize(self) -> int:
        """Give the number of packets that wait."""
        return 0 if self._session is None else self._session.backlog[1]

    def empty(self) -> bool:
        return self.qsize() == 0


class Sockets(MutableMapping[str, Any]):
    """`eio.sockets`: eio_sid -> `AsyncSocket`, live. Tests may put sockets of their own in."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._made_up: dict[str, Any] = {}

    @property
    def _registry(self) -> Registry:
        return self._server._registry

    def __getitem__(self, sid: str) -> Any:
        if sid in self._made_up:
            return self._made_up[sid]
        session = self._registry.sessions[sid]
        if session.socket is None:
            session.socket = AsyncSocket(self._server, sid, session)
        return session.socket

    def __setitem__(self, sid: str, socket: Any) -> None:
        self._made_up[sid] = socket

    def __delitem__(self, sid: str) -> None:
        if self._made_up.pop(sid, None) is None:
            self._registry.sessions[sid].close(reasons.SERVER_DISCONNECT)

    def __contains__(self, sid: object) -> bool:
        return sid in self._registry.sessions or sid in self._made_up

    def __iter__(self) -> Iterator[str]:
        return iter([*self._registry.sessions, *self._made_up])

    def __len__(self) -> int:
        return len(self._registry.sessions) + len(self._made_up)

    def copy(self) -> dict[str, Any]:
        return dict(self)

    def __repr__(self) -> str:
        return repr(dict(self))
