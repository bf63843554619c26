"""The Socket.IO server of an application: python-socketio's API for asyncio, wired to the floors.

May import: `base_server`, `engineio`, `hub`, `exceptions`. Never touches packets or sockets itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastsio import engineio, exceptions
from fastsio.base_server import SEAMS, BaseServer
from fastsio.engine.draining import Drained
from fastsio.engineio import hosts
from fastsio.engineio.logs import announcer
from fastsio.hub import _joining, dispatch
from fastsio.hub._handlers import find
from fastsio.hub.manager import AsyncManager
from fastsio.status.stats import stats_of

ENTER_ROOM = AsyncManager.enter_room  # as long as nobody patches the class, what it does is done without it

if TYPE_CHECKING:
    from fastsio.async_admin import InstrumentedAsyncServer


class AsyncServer(BaseServer):
    """A Socket.IO server for asyncio; serves Engine.IO 4 and 3 clients in the same rooms.

    Args:
        client_manager: a manager, for applications of several processes.
        logger: True, False, or a logger.
        json: module to write and read JSON with.
        async_handlers: run each event handler as a task of its own; otherwise a client's events wait for each other.
        namespaces: accepted namespaces beside those that have handlers; ``"*"`` accepts all. ``["/"]`` when None.
        serializer: ``"default"``, ``"msgpack"``, or a packet class (see `fastsio.packet.Packet`).
        always_connect: let clients in before their connect handler has run.
        time_handlers: keep a histogram of how long the handlers of each event take, for `stats`.
        engineio_logger: as `logger`, for the Engine.IO server.
        kwargs: options of `fastsio.engineio.AsyncServer`.
    """

    def __init__(
        self,
        client_manager: Any = None,
        logger: Any = False,
        json: Any = None,
        async_handlers: bool = True,
        namespaces: Any = None,
        **kwargs: Any,
    ) -> None:
        if client_manager is None:
            client_manager = AsyncManager()
        super().__init__(
            client_manager=client_manager,
            logger=logger,
            json=json,
            async_handlers=async_handlers,
            namespaces=namespaces,
            **kwargs,
        )

    def _engineio_server_class(self) -> type[engineio.AsyncServer]:
        """Give the class of the Engine.IO server. Applications may override it, with a subclass."""
        return engineio.AsyncServer

    def is_asyncio_based(self) -> bool:
        return True

    # --- emitting

    async def emit(
        self,
        event: str,
        data: Any = None,
        to: Any = None,
        room: Any = None,
        skip_sid: Any = None,
        namespace: str | None = None,
        callback: Callable[..., Any] | None = None,
        ignore_queue: bool = False,
        *,
        volatile: bool = False,
        latest: Any = None,
    ) -> None:
        """Owe an event to one client, a room, several rooms, or everybody in a namespace.

        Returns when the message is in each client's outbox; it is written at the end of the loop turn.

        Args:
            event: name.
            data: one argument; a tuple is several; None is none. Bytes anywhere in it travel as attachments.
            to: sid, room, or list of rooms; an empty list is nobody, None everybody.
            room: the same under its older name.
            skip_sid: sid, or several, to leave out.
            namespace: "/" when None.
            callback: called with the arguments of each client's acknowledgement.
            ignore_queue: only clients of this process.
            volatile: leave out clients that are behind, those whose transport is full or who are owed more than
                `high_water` bytes: for what is worth nothing later. On other nodes of a cluster it is an ordinary event.
            latest: a key, as "cursor-12". Where an event of this name and key still waits for a client, this one takes
                its place: for values of which only the last counts. On other nodes it is an ordinary event.

        Raises:
            TypeError: the data have no JSON form. Nobody has been sent anything then.
            ValueError: `volatile` or `latest` with the other, or with a callback.

        Example:
            await sio.emit("news", {"id": 1}, room="readers", skip_sid=sid)
        """
        hub = self._hub_of_manager or self._hub
        more = hub.emit(event, data, to, room, skip_sid, namespace, callback, ignore_queue, volatile, latest)
        if more is not None:
            await more

    async def send(
        self,
        data: Any,
        to: Any = None,
        room: Any = None,
        skip_sid: Any = None,
        namespace: str | None = None,
        callback: Callable[..., Any] | None = None,
        ignore_queue: bool = False,
    ) -> None:
        """Emit the event "message"."""
        await self.emit(
            "message",
            data=data,
            to=to,
            room=room,
            skip_sid=skip_sid,
            namespace=namespace,
            callback=callback,
            ignore_queue=ignore_queue,
        )

    async def call(
        self,
        event: str,
        data: Any = None,
        to: Any = None,
        sid: str | None = None,
        namespace: str | None = None,
        timeout: float | None = 60,
        ignore_queue: bool = False,
    ) -> Any:
        """Emit an event to one client and wait for its acknowledgement.

        Returns:
            The acknowledgement's argument; a tuple of several, None for none.

        Raises:
            ValueError: neither `to` nor `sid` is given.
            RuntimeError: the server runs without `async_handlers`, so it could not read the acknowledgement.
            fastsio.exceptions.TimeoutError: no acknowledgement within `timeout` seconds.

        Example:
            answer = await sio.call("question", {"n": 1}, to=sid, timeout=5)
        """
        if to is None and sid is None:
            raise ValueError("Cannot use call() to broadcast.")
        if not self.async_handlers:
            raise RuntimeError("Cannot use call() when async_handlers is False.")
        answer: asyncio.Future[tuple[Any, ...]] = asyncio.get_running_loop().create_future()

        def answered(*args: Any) -> None:
            if not answer.done():
                answer.set_result(args)

        await self.emit(
            event, data=data, room=to or sid, namespace=namespace, callback=answered, ignore_queue=ignore_queue
        )
        try:
            args = await asyncio.wait_for(answer, timeout)
        except TimeoutError:
            raise exceptions.TimeoutError() from None
        finally:
            self._forget_callback(to or sid, namespace or "/", answered)
        return args if len(args) > 1 else args[0] if args else None

    def _forget_callback(self, sid: Any, namespace: str, callback: Callable[..., Any]) -> None:
        """Take a callback that nobody waits for out of the tables of the manager and of its member."""
        if hasattr(self.manager, "_forget_callback"):
            self.manager._forget_callback(callback)
        if not isinstance(sid, str):
            return
        member = self.manager._rooms.member(namespace, sid)
        for id in [id for id, found in ((member and member.callbacks) or {}).items() if found is callback]:
            member.take_callback(id)

    def buffered(self, sid: str, namespace: str | None = None) -> tuple[int, int]:
        """Give what waits in this process for a client, or rather its connection: (bytes, packets).

        What the kernel holds is not known, so a client that is a little behind has nothing here.

        Raises:
            KeyError: there is no such client.
        """
        size, packets = self.eio._find(self._eio_sid(sid, namespace or "/")).buffered
        return size, packets

    def stats(self) -> dict[str, Any]:
        """Give what the server does, as numbers that only grow and numbers of now. They cost nothing until asked for.

        Returns:
            A dict that JSON can carry: ``uptime`` in seconds; ``sessions`` (open, by transport, opened, closed, upgraded);
            ``namespaces``, each with its clients and rooms; ``events`` (received, failed, emitted); ``packets`` and
            ``bytes`` (received, sent); ``backlog`` (bytes, packets, largest bytes) of what waits for clients;
            ``handlers`` by event, with `time_handlers`: ``count``, ``seconds`` together, and ``buckets``, how many took at most
            so many seconds; ``dropped`` and ``replaced`` messages; ``disconnects`` by reason; ``refusals`` by cause; ``faults`` of the server
            itself; ``stalls`` that the watchdog saw; ``cluster``, what the manager's ``health`` counts, if it has one.

        Example:
            ``sio.stats()["sessions"]["open"]``
        """
        return stats_of(self)

    # --- rooms

    async def enter_room(self, sid: str, room: Any, namespace: str | None = None) -> None:
        """Put a client into a room.

        Raises:
            ValueError: the namespace has no clients, or the room bears the sid of another client.
            KeyError: there is no such client.
        """
        hub = self._hub_of_manager or self._hub
        if hub.manager_is_plain and AsyncManager.enter_room is ENTER_ROOM:
            hub.rooms.put(namespace or "/", sid, room)
        else:
            await self.manager.enter_room(sid, namespace or "/", room)

    async def leave_room(self, sid: str, room: Any, namespace: str | None = None) -> None:
        """Take a client out of a room; silent when it is not there."""
        await self.manager.leave_room(sid, namespace or "/", room)

    async def close_room(self, room: Any, namespace: str | None = None) -> None:
        """Take everybody out of a room."""
        await self.manager.close_room(room, namespace or "/")

    # --- sessions

    async def get_session(self, sid: str, namespace: str | None = None) -> dict[str, Any]:
        """Give the dict that the application keeps with a client in a namespace.

        Raises:
            KeyError: there is no such client.
        """
        namespace = namespace or "/"
        session = await self.eio.get_session(self._eio_sid(sid, namespace))
        return session.setdefault(namespace, {})

    async def save_session(self, sid: str, session: dict[str, Any], namespace: str | None = None) -> None:
        """Replace the dict that the application keeps with a client in a namespace."""
        namespace = namespace or "/"
        (await self.eio.get_session(self._eio_sid(sid, namespace)))[namespace] = session

    def session(self, sid: str, namespace: str | None = None) -> AbstractAsyncContextManager[dict[str, Any]]:
        """Give the session dict for an `async with` block, and save it at its end.

        Example:
            async with sio.session(sid) as session:
                session["name"] = "Ada"
        """
        return self._session_context(sid, namespace)

    @asynccontextmanager
    async def _session_context(self, sid: str, namespace: str | None) -> AsyncIterator[dict[str, Any]]:
        session = await self.get_session(sid, namespace)
        try:
            yield session
        finally:
            await self.save_session(sid, session, namespace)

    # --- connections

    async def disconnect(self, sid: str, namespace: str | None = None, ignore_queue: bool = False) -> None:
        """Put a client out of a namespace; its connection stays. Silent for an unknown one."""
        namespace = namespace or "/"
        if not ignore_queue and not await self.manager.can_disconnect(sid, namespace):
            return
        member = self.manager._rooms.member(namespace, sid)
        if member is not None:
            self.logger.info("Disconnecting %s [%s]", sid, namespace)
            peer = None if member.session is None else self._peer_of(member.session)
            await _joining.kick(self, peer, member)

    # --- running

    def attach(self, app: Any, socketio_path: str = "socket.io") -> None:
        """Serve at a path of an aiohttp or Sanic application. Clients are told when the application stops.

        Raises:
            KeyError: `async_mode` is one without such applications.
            TypeError: `app` is not one.

        Example:
            app = aiohttp.web.Application()
            sio.attach(app)
        """
        hosts.attach(self, app, socketio_path, announcer(self.logger, "Socket.IO"))

    async def handle_request(self, *args: Any, **kwargs: Any) -> Any:
        """Serve one ASGI scope `(scope, receive, send)`, one request of aiohttp or Sanic, or one handler of Tornado."""
        return await self.eio.handle_request(*args, **kwargs)

    def start_background_task(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> asyncio.Task[Any]:
        """Run a coroutine function as a task. Keep the task, or it may be collected."""
        return self.eio.start_background_task(target, *args, **kwargs)

    async def sleep(self, seconds: float = 0) -> None:
        await self.eio.sleep(seconds)

    async def shutdown(self) -> None:
        self.logger.info("Socket.IO is shutting down")
        await self.eio.shutdown()

    async def drain(self, seconds: float = 10) -> Drained:
        """Take the server out of service before it stops: new clients get 503, the others are told one after the other.

        Goodbyes are spread over `seconds`, so that clients do not come back elsewhere all at once; a client whose handlers
        run is told when they have returned, or at the end. A second call waits for the first.

        Returns:
            ``{"clients": ..., "left": ..., "finished": ..., "cut": ..., "seconds": ...}``: how many there were, how many
            went by themselves, were told after their handlers, or in spite of them, and how long it took.

        Example:
            await sio.drain(20)
        """
        return await self.eio.drain(seconds)

    def instrument(
        self,
        auth: Any = None,
        mode: str = "development",
        read_only: bool = False,
        server_id: str | None = None,
        namespace: str = "/admin",
        server_stats_interval: float = 2,
    ) -> "InstrumentedAsyncServer":
        """Let the Socket.IO Admin UI connect to this server. Nothing is done for it while no admin is connected.

        Args:
            auth: what admins must present: a dict, one of a list of dicts, or what a function or coroutine function
                says about it; False lets everybody in.
            mode: ``"development"`` shows sockets, rooms and events and obeys commands; ``"production"`` shows counters.
            read_only: obey no commands.
            server_id: name of this server in the UI; the host's when None.
            namespace: where admins connect.
            server_stats_interval: seconds between two reports.

        Raises:
            ValueError: `auth` is None, or the server is instrumented already.

        Example:
            sio.instrument(auth={"username": "admin", "password": os.environ["ADMIN_PASSWORD"]})
        """
        from fastsio.async_admin import InstrumentedAsyncServer

        return InstrumentedAsyncServer(
            self,
            auth=auth,
            mode=mode,
            read_only=read_only,
            server_id=server_id,
            namespace=namespace,
            server_stats_interval=server_stats_interval,
        )

    # --- what the floors below ask

    async def _trigger_event(self, event: Any, namespace: str, *args: Any) -> Any:
        """Call the handler of an event; `not_handled` when there is none. Applications may override it."""
        found = find(self.handlers, self.namespace_handlers, namespace, event)
        if found is None:
            return self.not_handled
        handler, lead = found
        args = (*lead, *args)
        if event in self.reserved_events:
            return await dispatch.call_lifecycle(handler, args)
        return await dispatch.call(handler, args)

    async def _send_packet(self, eio_sid: str, pkt: Any) -> None:
        """Send a packet object to a connection. Applications may replace it, and then are given every packet."""
        encoded = pkt.encode()
        for part in encoded if isinstance(encoded, list) else [encoded]:
            await self.eio.send(eio_sid, part)

    async def _send_eio_packet(self, eio_sid: str, eio_pkt: Any) -> None:
        """Send an Engine.IO packet object to a connection. Applications may replace it, to be given what is broadcast."""
        await self.eio.send_packet(eio_sid, eio_pkt)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        """A connection has come, and is served through these three methods. Test clients make one up with it."""
        self._initialize_manager()
        self.environ[eio_sid] = environ
        self._injector.connect(eio_sid)

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        """A connection has sent a message."""
        await self._injector.message(eio_sid, data)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        """A connection has ended."""
        await self._injector.disconnect(eio_sid, reason)
        self.environ.pop(eio_sid, None)

    async def _drain(self) -> None:
        """The host stops: close every client, and let disconnect handlers finish."""
        await self.eio._drain()
        if hasattr(self.manager, "close"):  # a node of a cluster: what it still owes its broker goes out
            await self.manager.close()

    def _native_registry(self) -> Any:
        overridden = type(self).handle_request is not AsyncServer.handle_request or "handle_request" in vars(self)
        return None if overridden else self.eio._native_registry()


AsyncServer.original_seams = {name: getattr(AsyncServer, name) for name in SEAMS}
