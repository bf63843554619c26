"""Class namespaces and exceptions (contract 1.6, 1.7, 1.9)."""

from typing import Any

from parity.scenario import scenario
from parity.stage import Stage


@scenario("1.6")
async def registering_namespaces(stage: Stage) -> None:
    sio = stage.server()
    namespace = stage.socketio.AsyncNamespace
    await stage.outcome("a class", lambda: sio.register_namespace(namespace))
    await stage.outcome("an object", lambda: sio.register_namespace(object()))
    first, second = namespace("/x"), namespace("/x")
    stage.note("before", first.server, first.namespace, namespace().namespace)
    sio.register_namespace(first)
    sio.register_namespace(second)
    stage.note("after", second.server is sio, sio.namespace_handlers["/x"] is second)


@scenario("1.7")
async def methods_of_a_namespace(stage: Stage) -> None:
    class Chat(stage.socketio.AsyncNamespace):
        async def on_connect(self, sid: str, environ: Any) -> None:
            await self.save_session(sid, {"name": "ann"})
            await self.enter_room(sid, "room")

        async def on_E(self, sid: str, text: str) -> Any:
            await self.emit("emitted", text, room="room")
            await self.send("sent", to=sid)
            await self.leave_room(sid, "room")
            async with self.session(sid) as session:
                session["text"] = text
            await self.enter_room(sid, "other")
            rooms = self.rooms(sid)
            await self.close_room("other")
            return await self.get_session(sid), len(rooms), len(self.rooms(sid))

        def on_plain(self, sid: str) -> str:
            return "plain"

        async def on_ask(self, sid: str) -> Any:
            return await self.call("question", to=sid, timeout=1)

        async def on_leave(self, sid: str) -> None:
            await self.disconnect(sid)

        async def on_disconnect(self, sid: str, reason: str) -> None:
            stage.note("disconnect", sid, reason)

    sio = stage.server()
    sio.register_namespace(Chat("/chat"))
    await stage.serve(sio)
    ann = await stage.guest("ann", "/chat")
    await ann.ask("E", "hello", namespace="/chat")
    await ann.ask("plain", namespace="/chat")
    await ann.ask("no such method", namespace="/chat")
    await ann.ask("ask", namespace="/chat")
    await ann.send('43/chat,1["answer"]')
    await ann.ask("leave", namespace="/chat")


@scenario("1.7")
async def a_namespace_with_its_own_dispatch(stage: Stage) -> None:
    class Own(stage.socketio.AsyncNamespace):
        async def trigger_event(self, event: str, *args: Any) -> Any:
            stage.note("trigger", event, *args)
            return None if event in ("connect", "disconnect") else [event]

    sio = stage.server()
    sio.register_namespace(Own("/own"))
    await stage.serve(sio)
    ann = await stage.guest("ann", "/own", auth={"token": 1})
    await ann.ask("with spaces", 1, namespace="/own")
    await ann.send("41/own,")


# --- exceptions (1.9)


@scenario("1.9")
async def exceptions(stage: Stage) -> None:
    module, engine = stage.module("exceptions"), stage.engine_module("exceptions")
    names = ("ConnectionError", "ConnectionRefusedError", "TimeoutError", "BadNamespaceError", "DisconnectedError")
    for name in names:
        stage.note(name, [base.__name__ for base in getattr(module, name).__mro__])
    for name in ("ContentTooLongError", "UnknownPacketError", "QueueEmpty", "SocketIsClosedError", "ConnectionError"):
        stage.note(name, [base.__name__ for base in getattr(engine, name).__mro__])
    for args in ((), ("m",), ("m", 1), ("m", 1, 2), ({"a": 1},)):
        error = module.ConnectionRefusedError(*args)
        stage.note("refused", error.error_args, error.args)
