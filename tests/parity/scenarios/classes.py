"""Properties of the classes (contract 1.17), and loggers (2.23)."""

import inspect
import logging
import weakref
from typing import Any
from unittest import mock

from parity.scenario import scenario
from parity.stage import Stage


@scenario("1.17")
async def coroutine_functions(stage: Stage) -> None:
    names = (
        "emit",
        "send",
        "call",
        "enter_room",
        "leave_room",
        "close_room",
        "get_session",
        "save_session",
        "disconnect",
        "handle_request",
        "sleep",
        "shutdown",
        "rooms",
        "session",
        "transport",
        "get_environ",
        "on",
        "event",
        "_trigger_event",
    )
    sio = stage.server()
    stage.note("server", [name for name in names if inspect.iscoroutinefunction(getattr(sio, name))])
    namespace = stage.socketio.AsyncNamespace()
    stage.note("namespace", [name for name in names if inspect.iscoroutinefunction(getattr(namespace, name, None))])
    manager = (
        "emit",
        "connect",
        "disconnect",
        "enter_room",
        "leave_room",
        "close_room",
        "can_disconnect",
        "trigger_callback",
    )
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
