"""The Socket.IO server of an application: python-socketio's API, wired to the floors.

May import: `engineio`, `hub`, `serial`, `exceptions`. Never touches packets or sockets itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, overload

from fastsio import engineio, exceptions
from fastsio.engineio import hosts
from fastsio.engineio import packet as engine_packet
from fastsio.engineio.async_server import Reason
from fastsio.engineio.logs import announcer, server_logger, wants_info
from fastsio.hub import dispatch
from fastsio.hub._peer import Hub, Peer
from fastsio.hub.manager import AsyncManager
from fastsio.hub.seams import Injector, Tap
from fastsio.hub.views import Environs
from fastsio.packet import packer_for, packet_class_for, with_json
from fastsio.serial import DEFAULT_JSON, CustomJson

# A handler, whose type decorators keep.
Handler = TypeVar("Handler", bound=Callable[..., Any])

# Methods that an application may replace, on an instance or in a subclass, to see everything that passes.
OUTWARD_SEAMS = ("_send_packet", "_send_eio_packet")
INWARD_SEAMS = ("_handle_eio_connect", "_handle_eio_message", "_handle_eio_disconnect")
SEAMS = (*OUTWARD_SEAMS, *INWARD_SEAMS, "_trigger_event")

if TYPE_CHECKING:
    from fastsio.async_admin import InstrumentedAsyncServer


class AsyncServer:
    """A Socket.IO server for asyncio; serves Engine.IO 4 and 3 clients in the same rooms.

    Args:
        client_manager: a manager, for applications of several processes.
        logger: True, False, or a logger.
        json: module to write and read JSON with.
        async_handlers: run each event handler as a task of its own; otherwise a client's events wait for each other.
        namespaces: accepted namespaces beside those that have handlers; ``"*"`` accepts all. ``["/"]`` when None.
        serializer: ``"default"``, ``"msgpack"``, or a packet class (see `fastsio.packet.Packet`).
        always_connect: let clients in before their connect handler has run.
        engineio_logger: as `logger`, for the Engine.IO server.
        kwargs: options of `fastsio.engineio.AsyncServer`.
    """

    reason = Reason
    reserved_events = ["connect", "disconnect"]

    def __init__(
        self,
        client_manager: Any = None,
        logger: Any = False,
        json: Any = None,
        async_handlers: bool = True,
        namespaces: Any = None,
        **kwargs: Any,
    ) -> None:
        packet_class = packet_class_for(kwargs.pop("serializer", "default"))
        self.packet_class = packet_class if json is None else with_json(packet_class, json)
        self._packer = packer_for(packet_class, self.packet_class)
        self.always_connect = kwargs.pop("always_connect", False)
        engineio_options = dict(kwargs, async_handlers=False)
        engineio_options["logger"] = engineio_options.pop("engineio_logger", None) or False
        if json is not None:
            engineio_options["json"] = json
        self.eio = self._engineio_server_class()(**engineio_options)
        self.logger = server_logger("socketio.server", logger)
        self.async_mode = self.eio.async_mode
        self.async_handlers = async_handlers
        self.namespaces = ["/"] if namespaces is None else namespaces
        self.handlers: dict[str, dict[Any, Callable[..., Any]]] = {}
        self.namespace_handlers: dict[str, Any] = {}
        self.not_handled = object()
        self.environ: dict[str, dict[str, Any]] = Environs(self.eio._registry)  # type: ignore[assignment]
        self.manager_initialized = False
        self._json = DEFAULT_JSON if json is None else CustomJson(json)
        self._binary_packet: dict[str, Any] = {}  # python-socketio's table of half-received packets; ours are elsewhere
        self._injector = Injector(self)
        self._instrumentation: Any = None
        self._guarded: frozenset[str] = frozenset()  # namespaces that `always_connect` does not open
        self.manager = client_manager if client_manager is not None else AsyncManager()
        self._take_engine()
        self._note_seams()

    def _engineio_server_class(self) -> type[engineio.AsyncServer]:
        """Give the class of the Engine.IO server. Applications may override it, with a subclass."""
        return engineio.AsyncServer

    def _take_engine(self) -> None:
        """Stand above the Engine.IO server: directly, as long as nobody puts handlers of his own there."""
        self.eio.on("connect", self._handle_eio_connect)
        self.eio.on("message", self._handle_eio_message)
        self.eio.on("disconnect", self._handle_eio_disconnect)
        self._engine_handlers = dict(self.eio.handlers)
        self.eio._registry.accept = self._accept_session
        self.eio._registry.must_join = True

    # --- replaced methods

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in SEAMS:
            self._note_seams()
        elif name == "logger" and self.__dict__.get("_hub_of_manager") is not None:
            self._hub.watch(value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        if name in SEAMS:
            self._note_seams()

    def _note_seams(self) -> None:
        """See once which seams are replaced, so that no message has to ask."""
        self._is_trigger_hooked = self._is_replaced("_trigger_event")
        self._are_events_hooked = any(self._is_replaced(name) for name in INWARD_SEAMS)
        self._is_output_hooked = any(self._is_replaced(name) for name in OUTWARD_SEAMS)
        if self._hub_of_manager is not None:
            self._hub_of_manager.tap = self._tap()

    def _is_replaced(self, name: str) -> bool:
        return name in vars(self) or getattr(type(self), name) is not ORIGINAL_SEAMS[name]

    def _tap(self) -> Tap | None:
        return Tap(self, engine_packet.Packet) if self._is_output_hooked else None

    @property
    def manager(self) -> Any:
        """Who is connected, and in which rooms. May be replaced before clients come; `set_server` goes with it."""
        return self._manager

    @manager.setter
    def manager(self, manager: Any) -> None:
        if not hasattr(manager, "_rooms"):
            name = f"{type(manager).__module__}.{type(manager).__name__}"
            raise TypeError(f"client_manager={name}: not a manager of fastsio; import the class from fastsio")
        self._manager = manager
        manager.set_server(self)
        self._hub_of_manager: Hub | None = None

    @property
    def _hub(self) -> Hub:
        if self._hub_of_manager is None:
            self._note_seams()
            hub = Hub(self, self.manager._rooms, self._json, self._packer)
            hub.tap = self._tap()
            taker = getattr(self.manager.trigger_callback, "__func__", None)
            hub.manager_takes_acks = taker is not AsyncManager.trigger_callback
            self._hub_of_manager = hub
        return self._hub_of_manager

    # --- handlers

    @overload
    def on(self, event: str, handler: None = None, namespace: str | None = None) -> Callable[[Handler], Handler]: ...

    @overload
    def on(self, event: str, handler: Callable[..., Any], namespace: str | None = None) -> None: ...

    def on(self, event: str, handler: Callable[..., Any] | None = None, namespace: str | None = None) -> Any:
        """Register a handler; a decorator without `handler`. ``"*"`` stands for any event, or any namespace.

        Example:
            @sio.on("chat message")
            async def chat_message(sid, text):
                await sio.emit("chat message", text, room="mychat")
        """
        namespace = namespace or "/"

        def register(function: Handler) -> Handler:
            self.handlers.setdefault(namespace, {})[event] = function
            return function

        if handler is None:
            return register
        register(handler)
        return None

    @overload
    def event(self, handler: Handler, /) -> Handler: ...

    @overload
    def event(self, *, namespace: str | None = None) -> Callable[[Handler], Handler]: ...

    def event(self, *args: Any, **kwargs: Any) -> Any:
        """Register a function as the handler of the event that it is named after.

        Example:
            @sio.event
            async def connect(sid, environ, auth): ...
        """
        if len(args) == 1 and len(kwargs) == 0 and callable(args[0]):
            return self.on(args[0].__name__)(args[0])

        def register(function: Handler) -> Handler:
            return self.on(function.__name__, *args, **kwargs)(function)

        return register

    def register_namespace(self, namespace_handler: Any) -> None:
        """Register an `AsyncNamespace`; a later one for the same namespace replaces it.

        Raises:
            ValueError: it is not an instance of a namespace class for asyncio.
        """
        if isinstance(namespace_handler, type) or not hasattr(namespace_handler, "trigger_event"):
            raise ValueError("Not a namespace instance")
        if not namespace_handler.is_asyncio_based():
            raise ValueError("Not a valid namespace class for this server")
        namespace_handler._set_server(self)
        self.namespace_handlers[namespace_handler.namespace] = namespace_handler

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

        Raises:
            TypeError: the data have no JSON form. Nobody has been sent anything then.

        Example:
            await sio.emit("news", {"id": 1}, room="readers", skip_sid=sid)
        """
        namespace = namespace or "/"
        if not to and to is not room and not isinstance(to, (list, tuple, set, frozenset)):
            to = room
        if wants_info(self.logger):
            self.logger.info('emitting event "%s" to %s [%s]', event, to or "all", namespace)
        manager = self._manager
        if type(manager) is AsyncManager and "emit" not in manager.__dict__:
            manager._emit(event, data, namespace, to, skip_sid, callback)
        else:
            await manager.emit(
                event, data, namespace, room=to, skip_sid=skip_sid, callback=callback, ignore_queue=ignore_queue
            )

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
        except asyncio.TimeoutError:
            raise exceptions.TimeoutError() from None
        finally:
            self._forget_callback(to or sid, namespace or "/", answered)
        return args if len(args) > 1 else args[0] if args else None

    def _forget_callback(self, sid: Any, namespace: str, callback: Callable[..., Any]) -> None:
        """Take a callback that nobody waits for out of its member's table."""
        if not isinstance(sid, str):
            return
        member = self.manager._rooms.member(namespace, sid)
        for id in [id for id, found in ((member and member.callbacks) or {}).items() if found is callback]:
            member.take_callback(id)

    # --- rooms

    async def enter_room(self, sid: str, room: Any, namespace: str | None = None) -> None:
        """Put a client into a room.

        Raises:
            ValueError: the namespace has no clients, or the room bears the sid of another client.
            KeyError: there is no such client.
        """
        await self.manager.enter_room(sid, namespace or "/", room)

    async def leave_room(self, sid: str, room: Any, namespace: str | None = None) -> None:
        """Take a client out of a room; silent when it is not there."""
        await self.manager.leave_room(sid, namespace or "/", room)

    async def close_room(self, room: Any, namespace: str | None = None) -> None:
        """Take everybody out of a room."""
        await self.manager.close_room(room, namespace or "/")

    def rooms(self, sid: str, namespace: str | None = None) -> list[Any]:
        """Give the rooms of a client, its own included; [] for an unknown one."""
        return self.manager.get_rooms(sid, namespace or "/")

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

    def _eio_sid(self, sid: str, namespace: str) -> str:
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace)
        if eio_sid is None:
            raise KeyError("Session not found")
        return eio_sid

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
            await dispatch.kick(self, peer, member)

    def transport(self, sid: str, namespace: str | None = None) -> str:
        """Give the name of a client's transport: "polling" or "websocket".

        Raises:
            KeyError: there is no such client.
        """
        return self.eio.transport(self._eio_sid(sid, namespace or "/"))

    def get_environ(self, sid: str, namespace: str | None = None) -> dict[str, Any] | None:
        """Give the handshake request of a client as a WSGI-like dict, the same object each time; None if unknown."""
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace or "/")
        if eio_sid is None:
            return None
        return self.environ.get(eio_sid)

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
        hosts.attach(self.eio, app, socketio_path, announcer(self.logger, "Socket.IO"))

    async def handle_request(self, *args: Any) -> Any:
        """Serve one ASGI scope `(scope, receive, send)`, one request of aiohttp or Sanic, or one handler of Tornado."""
        return await self.eio.handle_request(*args)

    def start_background_task(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> asyncio.Task[Any]:
        """Run a coroutine function as a task. Keep the task, or it may be collected."""
        return self.eio.start_background_task(target, *args, **kwargs)

    async def sleep(self, seconds: float = 0) -> None:
        await self.eio.sleep(seconds)

    async def shutdown(self) -> None:
        self.logger.info("Socket.IO is shutting down")
        await self.eio.shutdown()

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

    def is_asyncio_based(self) -> bool:
        return True

    # --- what the floors below ask

    async def _trigger_event(self, event: Any, namespace: str, *args: Any) -> Any:
        """Call the handler of an event; `not_handled` when there is none. Applications may override it."""
        found = dispatch.find(self, namespace, event)
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

    def _has_connect_handler(self, namespace: str) -> bool:
        return self._is_trigger_hooked or dispatch.find(self, namespace, "connect") is not None

    def _accepts_namespace(self, namespace: str) -> bool:
        """Tell whether clients may ask for a namespace."""
        if namespace in self.handlers or namespace in self.namespace_handlers or self.namespaces == "*":
            return True
        return namespace == self.namespaces if isinstance(self.namespaces, str) else namespace in self.namespaces

    def _initialize_manager(self) -> None:
        if not self.manager_initialized:
            self.manager_initialized = True
            self.manager.initialize()
            if self._instrumentation is not None:
                self._instrumentation.first_client()

    def _accept_session(self, session: Any) -> Any:
        if self._are_events_hooked or self.eio.handlers != self._engine_handlers:
            return self.eio._accept(session)
        self._initialize_manager()
        session.sink = Peer(self._hub, session)
        return None

    def _peer_of(self, session: Any) -> Any:
        return self._injector.peer_of(session)

    def _members_of(self, eio_sid: str) -> Any:
        """Give namespace -> member of a connection; None when nobody knows it."""
        session = self.eio._registry.find(eio_sid)
        return None if session is None else getattr(self._peer_of(session), "members", None)

    def _forget_session(self, session: Any) -> None:
        self.eio._registry.settled(session)

    async def _drain(self) -> None:
        """The host stops: close every client, and let disconnect handlers finish."""
        await self.eio._drain()

    def _native_registry(self) -> Any:
        overridden = type(self).handle_request is not AsyncServer.handle_request or "handle_request" in vars(self)
        return None if overridden else self.eio._native_registry()


ORIGINAL_SEAMS = {name: getattr(AsyncServer, name) for name in SEAMS}
