"""Events (contract 2.1 to 2.3, 2.7 to 2.9): which handler gets them, how it is called, what the client is answered."""

import asyncio
import functools
from collections import namedtuple
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


# --- results and acknowledgements (2.7)

Point = namedtuple("Point", "x y")
RESULTS: dict[str, Any] = {
    "none": None,
    "tuple": (1, 2),
    "empty_tuple": (),
    "tuple_of_list": ([1],),
    "named_tuple": Point(1, 2),
    "list": [1, 2],
    "false": False,
    "zero": 0,
    "text": "text",
    "dict": {"a": None},
    "bytes": b"\x01\x02",
    "bytes_within": {"a": [b"\x01", {"b": b"\x02"}]},
    "tuple_of_bytes": (1, b"\x01"),
}


@scenario("2.7", RESULTS)
async def acknowledgements(stage: Stage, result: Any) -> None:
    sio = stage.server()
    sio.on("E", stage.noting("E", returns=result))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E", id=0)
    await ann.emit("E")


@scenario("2.7")
async def a_result_without_a_json_form(stage: Stage) -> None:
    sio = stage.server()
    sio.on("E", stage.noting("E", returns={1, 2}))
    sio.on("F", stage.noting("F", returns="fine"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")
    await ann.ask("F")
    stage.faults()


@scenario("2.7")
async def ids_are_echoed(stage: Stage) -> None:
    sio = stage.server()
    sio.on("E", stage.noting("E", returns=1))
    sio.on("E", stage.noting("E", returns=1), namespace="/x")
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    for id in ("0", "00012", "4294967296", "18446744073709551616", "9" * 100):
        await ann.send(f'42{id}["E"]', f'42/x,{id}["E"]')


@scenario("2.7")
async def an_ack_after_disconnecting(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def E(sid: str) -> str:
        await sio.disconnect(sid)
        return "still sent"

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")


# --- handlers that raise (2.8)


@scenario("2.8", {"async_handlers": True, "inline": False})
async def an_event_handler_raises(stage: Stage, async_handlers: bool) -> None:
    sio = stage.server(async_handlers=async_handlers)

    @sio.event
    async def E(sid: str) -> None:
        raise RuntimeError("of the application")

    @sio.event
    def plain(sid: str) -> None:
        raise RuntimeError("of a plain function")

    @sio.event
    async def one(sid: str, argument: Any) -> str:
        return "one"

    await stage.serve(sio)
    ann = await stage.guest("ann")
    for event in ("E", "plain", "one"):
        await ann.ask(event)
    await ann.ask("one", 1)
    stage.faults()


@scenario("2.8")
async def a_connect_handler_raises(stage: Stage) -> None:
    sio = stage.server()
    calls: list[str] = []

    @sio.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        calls.append(sid)
        if len(calls) == 1:
            raise RuntimeError("of the application")

    await stage.serve(sio)
    ann = await stage.guest("ann")
    stage.note("rooms", len(sio.manager.rooms.get("/", {}).get(None, {})))
    await ann.join("/")
    stage.note("rooms", len(sio.manager.rooms.get("/", {}).get(None, {})))
    stage.faults()


@scenario("2.8")
async def a_disconnect_handler_raises(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def disconnect(sid: str, reason: str) -> None:
        raise RuntimeError("of the application")

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.leave()
    stage.note("left behind", len(sio.environ), sio.manager.get_rooms(ann.sid, "/"), dict(sio.manager.rooms))
    stage.faults()


@scenario("2.8")
async def a_callback_raises(stage: Stage) -> None:
    sio = stage.server()

    async def callback(*args: Any) -> None:
        stage.note("callback", *args)
        raise RuntimeError("of the application")

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.emit("question", to=ann.sid, callback=callback)
    await stage.settle()
    await ann.send("431[1]")
    await sio.emit("question", to=ann.sid, callback=callback)
    await stage.settle()
    stage.faults()


# --- order (2.9)


def busy_server(stage: Stage, gates: dict[int, asyncio.Event], **options: Any) -> Any:
    """Give a server whose slow events wait until their gate is opened."""
    sio = stage.server(**options)

    @sio.event
    async def slow(sid: str, number: int) -> int:
        stage.note("begins", number)
        await gates[number].wait()
        stage.note("ends", number)
        return number

    @sio.event
    def plain(sid: str, number: int) -> int:
        stage.note("plain", number)
        return number

    return sio


@scenario("2.9", {"async_handlers": True, "inline": False})
async def order_of_events(stage: Stage, async_handlers: bool) -> None:
    gates = {number: asyncio.Event() for number in (1, 2, 4)}
    sio = busy_server(stage, gates, async_handlers=async_handlers)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.send('421["slow",1]', '422["slow",2]', '423["plain",3]', '424["slow",4]', '425["plain",5]')
    for number in (2, 4, 1):
        gates[number].set()
        await stage.settle()


@scenario("2.9")
async def order_of_one_post(stage: Stage) -> None:
    sio = busy_server(stage, {})
    await stage.serve(sio)
    ann = await stage.poller("ann")
    await ann.send('421["plain",1]', '422["plain",2]', '423["plain",3]')


@scenario("2.9")
async def each_event_is_a_task(stage: Stage) -> None:
    sio = stage.server()
    tasks: list[Any] = []

    @sio.event
    async def E(sid: str) -> None:
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0.005)

    @sio.event
    async def cancel_me(sid: str) -> None:
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.send('42["E"]', '42["E"]')
    await asyncio.sleep(0.01)
    stage.note("tasks", len(set(tasks)), all(isinstance(task, asyncio.Task) for task in tasks))
    await ann.send('421["cancel_me"]', '422["E"]')
    await asyncio.sleep(0.01)
    await stage.settle()


@scenario("2.9")
async def emits_keep_their_order(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def E(sid: str) -> None:
        await asyncio.gather(*(sio.emit("n", (number, bytes([number])), to=sid) for number in range(4)))
        await sio.emit("end", to=sid)

    await stage.serve(sio)
    ann = await stage.guest("ann")
    bob = await stage.poller("bob")
    await ann.emit("E")
    await bob.emit("E")


@scenario("2.9")
async def call_needs_async_handlers(stage: Stage) -> None:
    sio = stage.server(async_handlers=False)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await stage.outcome("call", sio.call("question", to=ann.sid))


@scenario("1.17")
async def context_variables(stage: Stage) -> None:
    """Handlers do not see each other's changes of context variables."""
    import contextvars

    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="untouched")
    sio = stage.server()

    @sio.event
    async def E(sid: str, value: str) -> str:
        before = variable.get()
        variable.set(value)
        return before

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E", "one")
    await ann.ask("E", "two")
