"""Order and tasks (contract 2.9, 1.17)."""

import asyncio
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage


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
    gate = asyncio.Event()

    @sio.event
    async def E(sid: str) -> None:
        tasks.append(asyncio.current_task())
        await gate.wait()

    @sio.event
    async def cancel_me(sid: str) -> None:
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.send('42["E"]', '42["E"]')
    stage.note("tasks", len(set(tasks)), all(isinstance(task, asyncio.Task) for task in tasks))
    gate.set()
    await ann.ask("cancel_me")
    await ann.ask("E")


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
