"""One connection as python-engineio's applications see it, but for what waits: a thin view of a session.

May import: the engine floor.
"""

import warnings
from typing import Any

from fastsio.engine._session import Session

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


class BaseSocket(metaclass=SocketType):
    """The state of one Engine.IO connection.

    Args:
        server: the `AsyncServer` that it belongs to.
        sid: its session id.
        engine_session: the session behind it; found by its id when None.
    """

    upgrade_protocols = ["websocket"]

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


class OutboxView:
    """The size of an outbox, as applications ask a queue for it."""

    def __init__(self, session: Session | None) -> None:
        self._session = session

    def qsize(self) -> int:
        """Give the number of packets that wait."""
        return 0 if self._session is None else self._session.backlog[1]

    def empty(self) -> bool:
        return self.qsize() == 0
