"""What every Socket.IO server is, asyncio or not: its options, its handlers, its manager, and who replaced what.

May import: `engineio`, `hub`, `packet`, `serial`. Never sends and never waits: that is `async_server`.
"""

from collections.abc import Callable
from typing import Any, TypeVar, overload

from fastsio.engineio import packet as engine_packet
from fastsio.engineio.base_server import Reason
from fastsio.engineio.logs import server_logger
from fastsio.hub import _joining
from fastsio.hub._hub import Hub
from fastsio.hub._peer import Door
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
# Attributes that `Hub.watch` has seen, and has to see again when they are replaced.
WATCHED = ("logger", "handlers", "namespace_handlers", "not_handled", "async_handlers", "time_handlers")
SEAMS = (*OUTWARD_SEAMS, *INWARD_SEAMS, "_trigger_event")


class BaseServer:
    """The part of a Socket.IO server that does not depend on how it waits. See `AsyncServer` for the arguments."""

    reason = Reason
    reserved_events = ["connect", "disconnect"]
    original_seams: dict[str, Any] = {}  # what the seams are in the class that applications know

    def __init__(
        self,
        client_manager: Any = None,
        logger: Any = False,
        serializer: Any = "default",
        json: Any = None,
        async_handlers: bool = True,
        always_connect: bool = False,
        namespaces: Any = None,
        time_handlers: bool = False,
        **kwargs: Any,
    ) -> None:
        packet_class = packet_class_for(serializer)
        self.packet_class = packet_class if json is None else with_json(packet_class, json)
        self._packer = packer_for(packet_class, self.packet_class)
        self.always_connect = always_connect
        engineio_options = dict(kwargs, async_handlers=False)
        engineio_options["logger"] = engineio_options.pop("engineio_logger", None) or False
        if json is not None:
            engineio_options["json"] = json
        self.eio = self._engineio_server_class()(**engineio_options)
        self.logger = server_logger("socketio.server", logger)
        self.async_mode = self.eio.async_mode
        self.async_handlers = async_handlers
        self.time_handlers = time_handlers
        self.namespaces = namespaces or ["/"]
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
        self.manager = client_manager
        self._take_engine()
        self._note_seams()

    def _engineio_server_class(self) -> Any:
        raise NotImplementedError

    def is_asyncio_based(self) -> bool:
        return False

    def _take_engine(self) -> None:
        """Stand above the Engine.IO server: directly, as long as nobody puts handlers of his own there."""
        for event, seam in zip(("connect", "message", "disconnect"), INWARD_SEAMS, strict=True):
            self.eio.on(event, getattr(self, seam))
        self._engine_handlers = dict(self.eio.handlers)
        self.eio._registry.accept = Door(self, self._engine_handlers)
        self.eio._registry.must_join = True

    # --- replaced methods

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in SEAMS:
            self._note_seams()
        elif name in WATCHED and self.__dict__.get("_hub_of_manager") is not None:
            self._hub.watch()

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
            self._hub_of_manager.watch()

    def _is_replaced(self, name: str) -> bool:
        return name in vars(self) or getattr(type(self), name) is not self.original_seams[name]

    def _tap(self) -> Tap | None:
        return Tap(self, engine_packet.Packet) if self._is_output_hooked else None

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
        """Register handlers that are a class; later ones for the same namespace replace them.

        Raises:
            ValueError: it is not an instance of a namespace class, or of one for another kind of server.
        """
        if isinstance(namespace_handler, type) or not hasattr(namespace_handler, "trigger_event"):
            raise ValueError("Not a namespace instance")
        if namespace_handler.is_asyncio_based() is not self.is_asyncio_based():
            raise ValueError("Not a valid namespace class for this server")
        namespace_handler._set_server(self)
        self.namespace_handlers[namespace_handler.namespace] = namespace_handler

    # --- questions

    def rooms(self, sid: str, namespace: str | None = None) -> list[Any]:
        """Give the rooms of a client, its own included; [] for an unknown one."""
        return self.manager.get_rooms(sid, namespace or "/")

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

    def _eio_sid(self, sid: str, namespace: str) -> str:
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace)
        if eio_sid is None:
            raise KeyError("Session not found")
        return eio_sid

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
            hub.manager_is_plain = _joining.is_plain(self._manager)
            hub.manager_emits = self._manager.emits_itself()
            hub.manager_takes_acks = taker is not AsyncManager.trigger_callback
            self._hub_of_manager = hub
        return self._hub_of_manager

    # --- what the floors below ask

    def _accepts_namespace(self, namespace: str) -> bool:
        """Tell whether clients may ask for a namespace."""
        if namespace in self.handlers or namespace in self.namespace_handlers or self.namespaces == "*":
            return True
        return namespace == self.namespaces if isinstance(self.namespaces, str) else namespace in self.namespaces

    def _initialize_manager(self) -> None:
        if not self.manager_initialized:
            self.manager.initialize()  # may raise; then it does so for each client, and is seen
            self.manager_initialized = True
            if self._instrumentation is not None:
                self._instrumentation.first_client()

    def _peer_of(self, session: Any) -> Any:
        return self._injector.peer_of(session)

    def _members_of(self, eio_sid: str) -> Any:
        """Give namespace -> member of a connection; None when nobody knows it."""
        session = self.eio._registry.find(eio_sid)
        return None if session is None else getattr(self._peer_of(session), "members", None)

    def _forget_session(self, session: Any) -> None:
        self.eio._registry.settled(session)
