"""Python seams of a server for those who replace them: packets out as objects, Engine.IO events in by hand.

May import: `_peer`, `dispatch`, the engine floor. None of this runs unless an application has replaced `_send_packet`,
`_send_eio_packet` or one of the server's Engine.IO handlers, or calls the latter itself, as test clients do.
"""

import inspect
from collections.abc import Callable
from typing import Any

from fastsio.engine._session import Link, Session
from fastsio.hub import dispatch
from fastsio.hub._peer import Peer

MESSAGE = 4
EVENT = 2


class Tap:
    """Hands every outgoing packet of a server to its `_send_packet` and `_send_eio_packet`, as python-socketio does.

    Args:
        server: whose methods are called, and whose packet class is used.
        engine_packet: the class of Engine.IO packets.
    """

    def __init__(self, server: Any, engine_packet: Callable[[int, Any], Any]) -> None:
        self._server = server
        self._engine_packet = engine_packet

    def send(self, eio_sid: str, type: int, namespace: str, id: int | None, data: Any) -> None:
        """One packet to one client."""
        fields = {"namespace": namespace} if id is None else {"namespace": namespace, "id": id}
        self._call(self._server._send_packet, eio_sid, self._server.packet_class(type, data=data, **fields))

    def emit(self, members: list[Any], namespace: str, data: list[Any], callback: Callable[..., Any] | None) -> None:
        """One event to each of several clients: encoded once, unless each gets an ack id of its own."""
        if callback is not None:
            for member in members:
                self.send(member.eio_sid, EVENT, namespace, member.add_callback(callback), data)
            return
        encoded = self._server.packet_class(EVENT, data=data, namespace=namespace).encode()
        parts = [self._engine_packet(MESSAGE, part) for part in (encoded if isinstance(encoded, list) else [encoded])]
        for member in members:
            for part in parts:
                self._call(self._server._send_eio_packet, member.eio_sid, part)

    def _call(self, method: Callable[..., Any], *args: Any) -> None:
        result = method(*args)
        if inspect.isawaitable(result):
            self._server.eio._registry.spawn(_finish(result))


async def _finish(result: Any) -> None:
    await result


class _Void(Link):
    """The transport of a client that is none: what it is sent is forgotten."""

    def flush(self) -> int:
        while self.session.has_backlog:
            self.session.take_body()
        return 0


class Injector:
    """Peers whose traffic comes as calls of `_handle_eio_connect`, `_handle_eio_message`, `_handle_eio_disconnect`."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.peers: dict[str, Peer] = {}

    def connect(self, eio_sid: str) -> None:
        """Give a connection a peer. One that no transport knows is made up."""
        registry = self._server.eio._registry
        session = registry.sessions.get(eio_sid)
        is_new = session is None
        if is_new:
            registry.attach_loop()
            session = registry.sessions[eio_sid] = Session(eio_sid, 4, None, registry)
        peer = self.peers[eio_sid] = Peer(self._server._hub, session)
        if is_new:
            session.sink = peer
            session.start(_Void(), False, False)
        elif session.version == 3:
            peer.on_open()

    async def message(self, eio_sid: str, data: str | bytes) -> None:
        """Take one message, and wait for the handlers that keep later ones waiting."""
        peer = self.peers.get(eio_sid) or self._server.eio._registry.sessions[eio_sid].sink
        peer.feed(data)
        await peer.inline_done()

    async def disconnect(self, eio_sid: str, reason: str) -> None:
        """The connection has ended."""
        peer = self.peers.pop(eio_sid, None)
        if peer is not None:
            await dispatch.close(self._server, peer, list(peer.members.values()), reason)
            if peer.session.sink is peer:  # made up: nobody else will end it
                peer.session.close(reason)
