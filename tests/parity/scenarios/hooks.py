"""Parts that applications override, replace or call (contract 5): `_trigger_event`, `emit`, the engine, the seams."""

from typing import Any

from parity.scenario import scenario
from parity.stage import Stage


@scenario("5")
async def trigger_event_overridden(stage: Stage) -> None:
    """Every event, connect and disconnect goes through a subclass's `_trigger_event`."""

    class Server(stage.socketio.AsyncServer):
        async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
            stage.note("trigger", event, namespace, *args)
            return await super()._trigger_event(event, namespace, *args)

    sio = Server(async_mode="asgi")
    sio.on("connect", stage.noting("connect"))
    sio.on("E", stage.noting("E", returns=1))
    sio.on("disconnect", stage.noting("disconnect"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E", 1)
    await ann.ask("nobody handles", 1)
    await ann.leave()


@scenario("5")
async def trigger_event_replaced(stage: Stage) -> None:
    """The same when it is replaced on the instance, as an error catcher."""
    sio = stage.server()
    original = sio._trigger_event

    async def guarded(event: str, namespace: str, *args: Any) -> Any:
        try:
            return await original(event, namespace, *args)
        except ValueError as error:
            return f"caught {error}"

    sio._trigger_event = guarded

    @sio.event
    async def E(sid: str) -> None:
        raise ValueError("of the application")

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")


@scenario("5")
async def trigger_event_called(stage: Stage) -> None:
    """Unit tests call it without any client."""
    sio = stage.server()
    sio.on("E", stage.noting("E", returns="returned"))

    @sio.event
    def disconnect(sid: str) -> str:
        return "legacy"

    class Chat(stage.socketio.AsyncNamespace):
        async def on_E(self, sid: str) -> str:
            return "class"

    sio.register_namespace(Chat("/chat"))
    await stage.outcome("event", sio._trigger_event("E", "/", "sid", 1, 2))
    await stage.outcome("class", sio._trigger_event("E", "/chat", "sid"))
    await stage.outcome("disconnect", sio._trigger_event("disconnect", "/", "sid", "reason"))
    stage.note("nobody", await sio._trigger_event("F", "/", "sid") is sio.not_handled)


@scenario("5")
async def emit_replaced(stage: Stage) -> None:
    """A replaced `emit` is the one that `send`, `call` and namespaces use."""
    sio = stage.server()
    original = sio.emit

    async def emit(event: str, *args: Any, **options: Any) -> None:
        stage.note("emit", event, *args, sorted(name for name, value in options.items() if value is not None))
        await original(event, *args, **options)

    sio.emit = emit
    namespace = stage.socketio.AsyncNamespace("/x")
    sio.register_namespace(namespace)
    await stage.serve(sio)
    await stage.guest("ann", "/x")
    await namespace.emit("one", 1)
    await sio.emit("two", namespace="/x")
    await sio.send("three", namespace="/x")
    await stage.settle()


@scenario("5")
async def an_engine_of_the_application(stage: Stage) -> None:
    """`_engineio_server_class` supplies another Engine.IO server."""

    class Engine(stage.engineio.AsyncServer):
        def generate_id(self) -> str:
            stage.ids = getattr(stage, "ids", 0) + 1  # type: ignore[attr-defined]
            return f"id-number-{stage.ids}"  # type: ignore[attr-defined]

    class Server(stage.socketio.AsyncServer):
        def _engineio_server_class(self) -> Any:
            return Engine

    sio = Server(async_mode="asgi")
    stage.note("engine", type(sio.eio).__name__)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    stage.note("ids", ann.eio_sid, ann.sid)


@scenario("5")
async def generate_id_replaced(stage: Stage) -> None:
    sio = stage.server()
    ids = iter(("first", "second", "third", "fourth"))
    sio.eio.generate_id = lambda: next(ids)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    stage.note("ids", ann.eio_sid, ann.sid)


@scenario("5")
async def output_captured(stage: Stage) -> None:
    """A test client replaces `_send_packet` on the instance, and sees every packet."""
    sio = stage.server()
    original = sio._send_packet

    async def captured(eio_sid: str, packet: Any) -> None:
        stage.note("packet", packet.packet_type, packet.namespace, packet.encode())
        await original(eio_sid, packet)

    sio._send_packet = captured
    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")
    await sio.disconnect(ann.sid)
    await stage.settle()


@scenario("5")
async def input_injected(stage: Stage) -> None:
    """A test client feeds `_handle_eio_connect` and `_handle_eio_message`."""
    sio = stage.server(async_handlers=False)
    sio.on("connect", stage.noting("connect"))
    sio.on("E", stage.noting("E", returns=1))
    sent: list[Any] = []

    async def captured(eio_sid: str, packet: Any) -> None:
        sent.append((eio_sid, packet.packet_type, packet.data if packet.packet_type else sorted(packet.data)))

    sio._send_packet = captured
    await sio._handle_eio_connect("eio-1", {"made": "up"})
    await sio._handle_eio_message("eio-1", "0")
    await sio._handle_eio_message("eio-1", '27["E",1]')
    stage.note("sent", sent)
    stage.note("environ", dict(sio.environ))


@scenario("5")
async def engine_disconnects_one(stage: Stage) -> None:
    """`eio.disconnect(eio_sid)` is how applications really close a connection."""
    sio = stage.server()
    sio.on("disconnect", stage.noting("disconnect"))
    await stage.serve(sio)
    ann, _ = await stage.guest("ann"), await stage.guest("bob")
    await sio.eio.disconnect(sio.manager.eio_sid_from_sid(ann.sid, "/"))
    await stage.settle()
    stage.note("left", len(sio.eio.sockets), len(sio.manager.rooms["/"][None]))


@scenario("5")
async def service_task_disabled(stage: Stage) -> None:
    sio = stage.server()
    sio.eio.start_service_task = False
    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")
