"""Making servers and applications around them (contract 1.4 to 1.13, 1.17, 2.23)."""

import asyncio
import inspect
import logging
import tempfile
import weakref
from pathlib import Path
from typing import Any
from unittest import mock

from parity.scenario import scenario
from parity.stage import Stage

POLL = "/socket.io/?EIO=4&transport=polling"

# --- constructors (1.4, 1.5)

OPTIONS: dict[str, dict[str, Any]] = {
    "async_mode": {"async_mode": "nonsense"},
    "mode_of_threads": {"async_mode": "threading"},
    "no_transports": {"transports": []},
    "no_valid_transport": {"transports": ["carrier pigeon"]},
    "unknown_option": {"no_such_option": 1},
    "transports_tuple": {"transports": ("websocket",)},
}


@scenario("1.5", OPTIONS)
async def constructor_errors(stage: Stage, options: dict[str, Any]) -> None:
    for make in (stage.socketio.AsyncServer, stage.engineio.AsyncServer):
        try:
            make(**({"async_mode": "asgi"} | options))
            stage.note("made")
        except ValueError as error:
            stage.note("ValueError", str(error).partition(":")[0].partition(" '")[0])


@scenario("1.4")
async def attributes_of_a_new_server(stage: Stage) -> None:
    sio = stage.server()
    stage.note("server", sio.async_mode, sio.async_handlers, sio.always_connect, sio.handlers, sio.namespace_handlers)
    stage.note("tables", dict(sio.environ), sio.manager_initialized, sio.namespaces, sio.not_handled is not None)
    stage.note("manager", type(sio.manager).__name__, sio.manager.server is sio, dict(sio.manager.rooms))
    stage.note("packets", sio.packet_class is stage.module("packet").Packet)
    eio = sio.eio
    stage.note("engine", eio.ping_interval == 25, eio.ping_timeout == 20, eio.max_http_buffer_size, eio.allow_upgrades)
    stage.note("engine", eio.http_compression, eio.compression_threshold, eio.cookie, eio.cors_allowed_origins)
    stage.note("engine", eio.cors_credentials, eio.async_handlers, list(eio.transports), dict(eio.sockets), eio.async_mode)
    stage.note("engine", eio.handlers.keys() >= {"connect"}, eio.start_service_task)


@scenario("1.4")
async def keywords_reach_the_engine(stage: Stage) -> None:
    manager = stage.socketio.AsyncManager()
    sio = stage.server(
        client_manager=manager, ping_interval=3, ping_timeout=4, max_http_buffer_size=5, cookie="c", allow_upgrades=False,
        http_compression=False, compression_threshold=6, cors_allowed_origins="*", cors_credentials=False,
    )
    eio = sio.eio
    stage.note("engine", eio.ping_interval == 3, eio.ping_timeout == 4, eio.max_http_buffer_size, eio.cookie)
    stage.note("engine", eio.allow_upgrades, eio.http_compression, eio.compression_threshold, eio.cors_credentials)
    stage.note("manager", sio.manager is manager, manager.server is sio)


@scenario("1.5")
async def options_are_live(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    await stage.http("GET", POLL)
    sio.eio.ping_interval, sio.eio.ping_timeout, sio.eio.max_http_buffer_size = 7, 8, 9000
    sio.eio.cookie = "late"
    await stage.http("GET", POLL)


@scenario("1.5")
async def async_handlers_are_live(stage: Stage) -> None:
    """`sio.async_handlers`, changed after construction."""
    sio = stage.server()

    @sio.event
    async def slow(sid: str, number: int) -> int:
        await asyncio.sleep(0.005 / number)
        return number

    await stage.serve(sio)
    ann = await stage.guest("ann")
    for value in (True, False):
        sio.async_handlers = value
        await ann.send('421["slow",1]', '422["slow",5]')
        await asyncio.sleep(0.01)
        await stage.settle()


# --- methods and namespaces (1.6, 1.7)


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


# --- ASGIApp (1.10, 1.11)


async def other_app(scope: Any, receive: Any, send: Any) -> None:
    """An application that says which path it was asked for."""
    if scope["type"] == "lifespan":
        while (event := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{event['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"other: " + scope["path"].encode()})


PATHS: dict[str, Any] = {
    "default": {},
    "slashes": {"socketio_path": "/a/b/"},
    "deep": {"socketio_path": "a/b"},
    "root": {"socketio_path": ""},
    "slash": {"socketio_path": "/"},
    "none": {"socketio_path": None},
}


@scenario("1.10", PATHS)
async def paths(stage: Stage, options: dict[str, Any]) -> None:
    app = await stage.serve(stage.server(), other_asgi_app=other_app, **options)
    stage.note("path", app.engineio_path)
    for path in ("/socket.io/", "/socket.io", "/socket.iox/", "/a/b/", "/a/b/c", "/", "/other"):
        await stage.http("GET", f"{path}?EIO=4&transport=polling&sid=unknown")


@scenario("1.10")
async def attributes_of_an_app(stage: Stage) -> None:
    sio = stage.server()
    app = stage.socketio.ASGIApp(sio, other_app, {"/x": "y"}, "live")
    stage.note("app", app.engineio_server is sio, app.other_asgi_app is other_app, app.static_files, app.engineio_path)
    stage.note("hooks", app.on_startup, app.on_shutdown)


@scenario("1.10")
async def an_app_that_edits_the_path(stage: Stage) -> None:
    class Moved(stage.socketio.ASGIApp):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["path"].startswith("/prefix"):
                scope = scope | {"path": scope["path"].removeprefix("/prefix")}
            await super().__call__(scope, receive, send)

    sio = stage.server()
    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(Moved(sio))
    ann = stage.client("ann", "/prefix/socket.io/")
    await ann.websocket()
    await ann.join()
    await ann.ask("E")
    await stage.http("GET", f"/prefix{POLL}&sid=unknown")
    await stage.http("GET", f"{POLL}&sid=unknown")
    await stage.http("GET", "/prefix/elsewhere")


async def lifespan_of(stage: Stage, app: Any) -> None:
    """Start and stop an application as an ASGI server does, and note what it says."""
    incoming: asyncio.Queue[Any] = asyncio.Queue()

    async def send(event: Any) -> None:
        stage.note("lifespan", event["type"])

    for event in ("startup", "shutdown"):
        incoming.put_nowait({"type": f"lifespan.{event}"})
    try:
        async with asyncio.timeout(0.2):
            await app({"type": "lifespan"}, incoming.get, send)
    except TimeoutError:
        stage.note("still waiting")


@scenario("1.10", {"plain": "plain", "async": "async", "failing": "failing", "other": "other", "other_with_hook": "both"})
async def lifespan(stage: Stage, kind: str) -> None:
    def plain() -> None:
        stage.note("hook")

    async def coroutine() -> None:
        stage.note("async hook")

    async def failing() -> None:
        raise RuntimeError

    async def seen(scope: Any, receive: Any, send: Any) -> None:
        stage.note("the other application sees", scope["type"])
        await other_app(scope, receive, send)

    hooks: dict[str, dict[str, Any]] = {
        "plain": {"on_startup": plain, "on_shutdown": plain},
        "async": {"on_startup": coroutine, "on_shutdown": coroutine},
        "failing": {"on_startup": failing},
        "other": {"other_asgi_app": seen},
        "both": {"other_asgi_app": seen, "on_startup": plain},
    }
    await lifespan_of(stage, stage.socketio.ASGIApp(stage.server(), **hooks[kind]))


@scenario("1.11")
async def static_files(stage: Stage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "deep").mkdir()
        for name in ("index.html", "a.css", "b.JS", "c.js", "d.svg", "e.json", "f.png", "deep/index.html", "deep/default.htm"):
            (root / name).write_text(name)
        files = {
            "/static": str(root), "/one": str(root / "a.css"), "/typed": {"filename": str(root / "a.css"), "content_type": "x/y"},
            "/dir/": str(root) + "/", "/missing": str(root / "none"),
        }
        await stage.serve(stage.server(), static_files=files)
        for path in (
            "/static/a.css", "/static/b.JS", "/static/c.js", "/static/d.svg", "/static/e.json", "/static/f.png", "/one",
            "/typed", "/static/", "/static/deep/", "/static/none", "/static/../x", "/dir/a.css", "/dir/", "/missing", "/one/more",
        ):
            await stage.http("GET", path)
        await stage.http("POST", "/one")


@scenario("1.11")
async def a_static_directory_without_slash(stage: Stage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "index.html").write_text("index")
        await stage.serve(stage.server(), static_files={"/static": folder})
        await stage.http("GET", "/static")


@scenario("1.11")
async def default_files(stage: Stage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "start.txt").write_text("start")
        files = {"/static": folder, "": {"filename": "start.txt", "content_type": "x/start"}}
        await stage.serve(stage.server(), static_files=files, other_asgi_app=other_app)
        for path in ("/static/", "/static/none", "/else"):
            await stage.http("GET", path)


# --- the Engine.IO server by itself (1.13)


@scenario("1.13")
async def engine_messages(stage: Stage) -> None:
    eio = stage.engineio.AsyncServer(async_mode="asgi")
    eio.on("connect", stage.noting("connect"))
    eio.on("message", stage.noting("message"))

    @eio.on("disconnect")
    async def disconnect(sid: str, reason: str) -> None:
        stage.note("disconnect", sid, reason)

    await stage.serve(eio)
    ann = await stage.client("ann", "/engine.io/").websocket()
    await stage.settle()
    for text in ("hello", '{"a":1}', "true", "null", "-1", "12", "1.5", " 1", '"q"', "", "[1", "NaN"):
        await ann.send(f"4{text}")
    await ann.send(b"\x00\x01")
    await ann.leave()


@scenario("1.13")
async def engine_sends(stage: Stage) -> None:
    eio = stage.engineio.AsyncServer(async_mode="asgi")
    await stage.serve(eio)
    for client in (await stage.client("ann", "/engine.io/").websocket(), await stage.client("bob", "/engine.io/").polling()):
        for data in ("text", b"\x00\x01", {"a": [1]}, [1, 2], None, True, 5, 1.5, ""):
            await stage.outcome("send", eio.send(client.eio_sid, data))
            await stage.settle()
    await stage.outcome("unknown", eio.send("unknown", "x"))
    stage.logs()
    await stage.outcome("event", lambda: eio.on("no such event", print))


@scenario("1.13")
async def engine_sessions(stage: Stage) -> None:
    eio = stage.engineio.AsyncServer(async_mode="asgi")
    await stage.serve(eio)
    ann = await stage.client("ann", "/engine.io/").websocket()
    await eio.save_session(ann.eio_sid, {"a": 1})
    async with eio.session(ann.eio_sid) as session:
        session["b"] = 2
    await stage.outcome("session", eio.get_session(ann.eio_sid))
    await stage.outcome("unknown", eio.get_session("unknown"))
    stage.note("id", len(eio.generate_id()), eio.is_asyncio_based(), "asgi" in eio.async_modes())
    stage.note("primitives", type(eio.create_queue()).__name__, type(eio.create_event()).__name__, eio.get_queue_empty_exception().__name__)
    await stage.outcome("disconnect unknown", eio.disconnect("unknown"))


@scenario("1.13", {"plain_one": 1, "plain_two": 2})
async def engine_disconnect_handlers(stage: Stage, parameters: int) -> None:
    eio = stage.engineio.AsyncServer(async_mode="asgi", async_handlers=False)
    eio.on("message", lambda sid, data: stage.note("message", data))
    if parameters == 1:
        eio.on("disconnect", lambda sid: stage.note("disconnect", sid))
    else:
        eio.on("disconnect", lambda sid, reason: stage.note("disconnect", sid, reason))
    await stage.serve(eio)
    ann = await stage.client("ann", "/engine.io/").websocket()
    await ann.send("4text")
    await ann.leave()


# --- properties of the classes (1.17)


@scenario("1.17")
async def coroutine_functions(stage: Stage) -> None:
    names = (
        "emit", "send", "call", "enter_room", "leave_room", "close_room", "get_session", "save_session", "disconnect",
        "handle_request", "sleep", "shutdown", "rooms", "session", "transport", "get_environ", "on", "event", "_trigger_event",
    )
    sio = stage.server()
    stage.note("server", [name for name in names if inspect.iscoroutinefunction(getattr(sio, name))])
    namespace = stage.socketio.AsyncNamespace()
    stage.note("namespace", [name for name in names if inspect.iscoroutinefunction(getattr(namespace, name, None))])
    manager = ("emit", "connect", "disconnect", "enter_room", "leave_room", "close_room", "can_disconnect", "trigger_callback")
    stage.note("manager", [name for name in manager if inspect.iscoroutinefunction(getattr(sio.manager, name, None))])


@scenario("1.17")
async def mocks(stage: Stage) -> None:
    cls = stage.socketio.AsyncServer
    sio = mock.create_autospec(cls)
    stage.note("autospec", isinstance(sio.emit, mock.AsyncMock), isinstance(sio.rooms, mock.AsyncMock))
    spec = mock.MagicMock(spec=cls)
    stage.note("spec", isinstance(spec.emit, mock.AsyncMock), isinstance(spec, cls))
    await stage.outcome("unknown attribute", lambda: spec.no_such_method)
    bound = mock.create_autospec(cls.emit)
    await stage.outcome("wrong arguments", lambda: bound(1, 2, nonsense=3))
    with mock.patch.object(stage.socketio, "AsyncServer") as patched:
        stage.socketio.AsyncServer(async_mode="asgi")
        stage.note("patched", patched.call_args)


@scenario("1.17")
async def instances_are_open(stage: Stage) -> None:
    """New attributes, replaced methods, weak references, subclasses."""
    sio = stage.server()
    sio.anything = 1
    stage.note("weak", weakref.ref(sio)() is sio, weakref.ref(sio.manager)() is sio.manager, sio.anything)
    sio.emit = mock.AsyncMock()
    await sio.send("text", room="r")
    stage.note("send goes through emit", sio.emit.call_args)

    class Sub(stage.socketio.AsyncServer):
        def __init__(self, extra: int, **options: Any) -> None:
            super().__init__(**options)
            self.extra = extra

        async def emit(self, event: str, *args: Any, **named: Any) -> None:
            stage.note("emit of the subclass", event)
            await super().emit(event, *args, **named)

    sub = Sub(5, async_mode="asgi")
    sub.register_namespace(stage.socketio.AsyncNamespace("/x"))
    await stage.serve(sub)
    await stage.guest("ann", "/x")
    await sub.namespace_handlers["/x"].emit("from the namespace")
    await sub.send("sent")
    await stage.settle()


# --- logging (2.23)


@scenario("2.23", {"true": True, "false": False})
async def loggers(stage: Stage, enabled: bool) -> None:
    """The first server of a process configures the loggers, and only when nobody has."""
    found = [logging.getLogger(name) for name in ("socketio.server", "engineio.server")]
    kept = [(logger.level, logger.handlers) for logger in found]
    try:
        for logger in found:
            logger.setLevel(logging.NOTSET)
            logger.handlers = []
        sio = stage.server(logger=enabled, engineio_logger=enabled)
        for logger in found:
            stage.note(logger.name, logging.getLevelName(logger.level), [type(one).__name__ for one in logger.handlers])
        stage.note("same", sio.logger is found[0], sio.eio.logger is found[1])
        stage.server(logger=not enabled)
        stage.note("second", logging.getLevelName(found[0].level), len(found[0].handlers))
    finally:
        for logger, (level, handlers) in zip(found, kept, strict=True):
            logger.setLevel(level)
            logger.handlers = handlers


@scenario("2.23")
async def a_logger_of_the_application(stage: Stage) -> None:
    logger = logging.getLogger("application")
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(f"{record.levelname} {record.getMessage()}")  # type: ignore[method-assign]
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    sio = stage.server(logger=logger)
    sio.on("E", stage.noting("E"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.emit("news", 1, to=ann.sid)
    await sio.emit("news", 1, namespace="/x")
    await ann.emit("E", 1)
    await sio.disconnect(ann.sid)
    for line in lines:
        stage.note("log", line)
    stage.note("level", logger.level)
