"""Events (contract 2.1 to 2.3): which handler gets them, and how it is called."""

import asyncio
import functools
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage

LEVELS = {
    "exact": ("E", "/"),
    "any_event": ("*", "/"),
    "any_namespace": ("E", "*"),
    "any_of_any": ("*", "*"),
}


def class_namespace(stage: Stage, namespace: str, label: str) -> Any:
    """Give a class namespace that notes its events."""

    class Noting(stage.socketio.AsyncNamespace):
        async def on_E(self, *args: Any) -> str:
            stage.note(label, *args)
            return label

    return Noting(namespace)


@scenario("2.2", {name: list(LEVELS)[number:] for number, name in enumerate(LEVELS)})
async def precedence_of_functions(stage: Stage, levels: list[str]) -> None:
    sio = stage.server()
    for level in levels:
        event, namespace = LEVELS[level]
        sio.on(event, stage.noting(level, returns=level), namespace=namespace)
    sio.register_namespace(class_namespace(stage, "/", "class"))
    sio.register_namespace(class_namespace(stage, "*", "class of any"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E", 1, "two")
    await ann.ask("F", 3)


@scenario("2.2", {"own": ["/", "*"], "any": ["*"]})
async def precedence_of_classes(stage: Stage, namespaces: list[str]) -> None:
    sio = stage.server()
    for namespace in namespaces:
        sio.register_namespace(class_namespace(stage, namespace, f"class of {namespace}"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E", 1, "two")
    await ann.ask("not there", 1)


@scenario("2.2")
async def nobody_handles(stage: Stage) -> None:
    """An event without a handler is dropped, and its acknowledgement is not sent."""
    sio = stage.server()
    sio.on("other", stage.noting("other", returns=1))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")
    await ann.ask("other")


@scenario("2.2")
async def an_entry_of_none(stage: Stage) -> None:
    """None as a handler skips to the handlers of any namespace."""
    sio = stage.server()
    sio.on("E", stage.noting("any namespace"), namespace="*")
    sio.handlers["/"] = {"E": None}
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E", 1)


@scenario("2.2")
async def catch_alls_and_lifecycle(stage: Stage) -> None:
    """Catch-all events are not for connect and disconnect; handlers of any namespace are."""
    sio = stage.server(namespaces="*")
    sio.on("*", stage.noting("any event"), namespace="/")
    sio.on("*", stage.noting("any event of any"), namespace="*")
    sio.on("connect", stage.noting("connect of any"), namespace="*")
    sio.on("disconnect", stage.noting("disconnect of any"), namespace="*")
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x", {"token": 1})
    await ann.send("41/x,")
    await ann.leave()


@scenario("2.1")
async def last_registration_wins(stage: Stage) -> None:
    sio = stage.server()
    sio.on("E", stage.noting("first"))
    sio.on("E", stage.noting("second"))

    @sio.on("F")
    async def named(sid: str) -> None:
        stage.note("F")

    @sio.event
    async def G(sid: str) -> None:
        stage.note("G")

    @sio.event(namespace="/x")
    async def H(sid: str) -> None:
        stage.note("H")

    stage.note("handlers", {ns: list(events) for ns, events in sio.handlers.items()}, named.__name__, G.__name__)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    for event in "EFGH":
        await ann.emit(event)
        await ann.emit(event, namespace="/x")


@scenario("2.1")
async def handlers_change_at_run_time(stage: Stage) -> None:
    sio = stage.server()
    sio.on("E", stage.noting("first", returns=1))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")
    sio.handlers["/"]["E"] = stage.noting("replaced", returns=2)
    await ann.ask("E")
    del sio.handlers["/"]["E"]
    await ann.ask("E")
    sio.on("E", stage.noting("again", returns=3))
    await ann.ask("E")


NAMES = {"number": "5", "other_number": "6", "true": "true", "null": "null", "object": '{"a":1}', "list": "[1]"}


@scenario("2.1", NAMES | {"nothing": None})
async def names_that_are_not_text(stage: Stage, name: str | None) -> None:
    sio = stage.server()
    sio.on(5, stage.noting("number", returns="five"))
    sio.on("E", stage.noting("E", returns="fine"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.send(f"421[{name},1]" if name else "421[]")
    await ann.ask("E")


@scenario("2.1", {"connect": "connect", "disconnect": "disconnect", "star": "*"})
async def reserved_names_from_clients(stage: Stage, name: str) -> None:
    sio = stage.server()
    sio.on("connect", stage.noting("connect"))
    sio.on("disconnect", stage.noting("disconnect"))
    sio.on("*", stage.noting("any"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask(name, "made up")
    await ann.ask("E")


# --- kinds of handler (2.3)


class Callable_:
    """An object whose call is a coroutine."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def __call__(self, *args: Any) -> str:
        self.stage.note("object", *args)
        return "object"

    async def method(self, *args: Any) -> str:
        self.stage.note("method", *args)
        return "method"


def kinds(stage: Stage) -> dict[str, Any]:
    """Give one handler of each kind."""

    def plain(*args: Any) -> str:
        stage.note("plain", *args)
        return "plain"

    async def coroutine(*args: Any, **named: Any) -> str:
        stage.note("coroutine", *args, named)
        return "coroutine"

    return {
        "plain": plain,
        "coroutine": coroutine,
        "partial": functools.partial(coroutine, named=1),
        "partial_of_plain": functools.partial(plain, "first"),
        "method": Callable_(stage).method,
        "object": Callable_(stage),
        "lambda": lambda *args: coroutine(*args),
    }


@scenario("2.3", {k: k for k in ("plain", "coroutine", "partial", "partial_of_plain", "method", "object", "lambda")})
async def kinds_of_handlers(stage: Stage, kind: str) -> None:
    sio = stage.server()
    sio.on("E", kinds(stage)[kind])
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E", 1)


@scenario("2.3")
async def a_cancelled_handler(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def E(sid: str) -> None:
        raise asyncio.CancelledError

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")
    await ann.ask("E")


@scenario("2.3")
async def a_plain_handler_runs_in_the_loop(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    def E(sid: str) -> bool:
        return asyncio.get_running_loop() is loop and asyncio.current_task() is not None

    loop = asyncio.get_running_loop()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")
