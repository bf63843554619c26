"""Python seams of a server for those who replace them: packets out as objects, Engine.IO events in by hand.

May import: `_peer`, `dispatch`, the engine floor. None of this runs unless an application has replaced `_send_packet`,
`_send_eio_packet` or one of the server's Engine.IO handlers, or calls the latter itself, as test clients do.
"""

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from fastsio.engine._session import Link, Session
from fastsio.errors import ProtocolError
from fastsio.hub import _joining
from fastsio.hub._peer import Peer

MESSAGE = 4
EVENT = 2


class Tap:
    """Hands every outgoing packet of a server to its `_send_packet` and `_send_eio_packet`, as python-socketio does.

    Those may wait. Whatever they wait for, the next one for the same client begins after them: order per client is kept,
    and attachments follow their packet.

    Args:
        server: whose methods are called, and whose packet class is used.
        engine_packet: the class of Engine.IO packets.
    """

    def __init__(self, server: Any, engine_packet: Callable[[int, Any], Any]) -> None:
        self._server = server
        self._engine_packet = engine_packet
        self._last: dict[str, asyncio.Task[None]] = {}  # eio_sid -> what was begun last for it, until it is done

    def send(self, eio_sid: str, type: int, namespace: str, id: int | None, data: Any) -> None:
        """One packet to one client."""
        fields = {"namespace": namespace} if id is None else {"namespace": namespace, "id": id}
        self._call(self._server._send_packet, eio_sid, self._server.packet_class(type, data=data, **fields))

    def _send_when_in(self, member: Any, send: Callable[[], None]) -> None:
        """Send to a member; once its connect handler has agreed, if it still runs."""

        def send_late() -> None:
            try:
                send()
            except Exception:
                self._server.logger.exception("a packet for client %s could not be sent", member.label)

        if member.is_pending:
            member.hold(send_late)
        else:
            send()

    def emit(self, members: list[Any], namespace: str, data: list[Any], callback: Callable[..., Any] | None) -> None:
        """One event to each of several clients: encoded once, unless each gets an ack id of its own."""
        if callback is not None:
            for member in members:
                id = member.add_callback(callback)
                self._send_when_in(member, partial(self.send, member.eio_sid, EVENT, namespace, id, data))
            return
        encoded = self._server.packet_class(EVENT, data=data, namespace=namespace).encode()
        parts = [self._engine_packet(MESSAGE, part) for part in (encoded if isinstance(encoded, list) else [encoded])]
        for member in members:
            self._send_when_in(member, partial(self._send_parts, member.eio_sid, parts))

    def _send_parts(self, eio_sid: str, parts: list[Any]) -> None:
        for part in parts:
            self._call(self._server._send_eio_packet, eio_sid, part)

    def _call(self, method: Callable[..., Any], eio_sid: str, packet: Any) -> None:
        result = method(eio_sid, packet)
        if inspect.isawaitable(result):
            last = self._last.get(eio_sid)
            task = self._last[eio_sid] = self._server.eio._registry.spawn(_finish(result, last))
            task.add_done_callback(partial(self._forget, eio_sid))

    async def settled(self, eio_sid: str) -> None:
        """Wait until what was given to the application's own sending, for one connection, has been sent."""
        last = self._last.get(eio_sid)
        if last is not None:
            await asyncio.wait({last})

    def _forget(self, eio_sid: str, task: asyncio.Task[None]) -> None:
        if self._last.get(eio_sid) is task:
            del self._last[eio_sid]


async def _finish(result: Any, last: asyncio.Task[None] | None) -> None:
    if last is not None and not last.done():
        await asyncio.wait({last})
    await result


class _Void(Link):
    """The transport of a client that is none: what it is sent is forgotten."""

    def flush(self) -> int:
        while self.session.has_backlog:
            self.session.take_body()
        return 0


class Injector:
    """Peers whose traffic comes as calls of `_handle_eio_connect`, `_handle_eio_message`, `_handle_eio_disconnect`.

    The peer of a connection that a transport knows hangs on its sink (`Application.peer`) and goes with it; a connection
    that none knows is made up, and has its peer as its sink.
    """

    def __init__(self, server: Any) -> None:
        self._server = server

    def peer_of(self, session: Any) -> Any:
        """Give the peer of a session, however its traffic comes; None when it has none."""
        return getattr(session.sink, "peer", session.sink)

    def connect(self, eio_sid: str) -> None:
        """Give a connection a peer. One that no transport knows is made up."""
        registry = self._server.eio._registry
        session = registry.sessions.get(eio_sid)
        if session is None:
            registry.attach_loop()
            session = registry.sessions[eio_sid] = Session(eio_sid, 4, None, registry)
            session.sink = Peer(self._server._hub, session)
            session.start(_Void(), False, False)
        elif not isinstance(session.sink, Peer):
            session.sink.peer = Peer(self._server._hub, session)
            if session.is_live:  # else the sink tells it
                session.sink.peer.on_open()

    async def message(self, eio_sid: str, data: str | bytes) -> None:
        """Take one message, and wait for the handlers that keep later ones waiting.

        Raises:
            ProtocolError: it cannot be read, and no transport can be told.
        """
        session = self._server.eio._registry.find(eio_sid)
        peer = None if session is None else self.peer_of(session)
        if peer is None:
            return
        try:
            peer.feed(data)
        except ProtocolError as error:
            if session.sink is peer:
                raise
            session.violate(error)
        await peer.inline_done()
        if self._server._hub.tap is not None:
            await self._server._hub.tap.settled(eio_sid)

    async def disconnect(self, eio_sid: str, reason: str) -> None:
        """The connection has ended. Until its handlers have run, its peer is there for them."""
        session = self._server.eio._registry.find(eio_sid)
        peer = None if session is None else self.peer_of(session)
        if peer is None or (session.sink is peer and session.request is not None):  # the transport itself will tell it
            return
        is_made_up = session.sink is peer  # nobody else will end it
        await _joining.close(self._server, peer, list(peer.members.values()), reason)
        if is_made_up:
            session.close(reason)
