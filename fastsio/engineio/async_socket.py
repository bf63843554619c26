"""One connection as python-engineio's applications see it (`sio.eio.sockets`): a thin view of a session.

May import: `base_socket`, the engine floor. A view is made when it is asked for, and then stays the same object.
"""

import asyncio
from collections.abc import Iterator, MutableMapping
from typing import Any

from fastsio.engine import reasons
from fastsio.engine.registry import Registry
from fastsio.engineio.base_socket import BaseSocket
from fastsio.engineio.exceptions import SocketIsClosedError


class AsyncSocket(BaseSocket):
    """One Engine.IO connection of an asyncio server."""

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

    async def _websocket_handler(self, ws: Any) -> None:
        raise NotImplementedError("WebSockets are served by the compiled engine; see AsyncServer.handle_request")

    async def handle_get_request(self, environ: dict[str, Any]) -> list[Any]:
        raise NotImplementedError("requests are served by the compiled engine; see AsyncServer.handle_request")

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        raise NotImplementedError("requests are served by the compiled engine; see AsyncServer.handle_request")


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
