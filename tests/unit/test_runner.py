"""Event handlers run at once, in what looks like a task of their own: every way in which one might tell the difference.

May import: fastsio. No sockets are used: packets are given to the session as its WebSocket would.
"""

import asyncio
import gc
import weakref
from contextvars import ContextVar
from typing import Any

import pytest

import fastsio
from fastsio._http import Request
from fastsio.engine._session import Link

MARK: ContextVar[Any] = ContextVar("mark", default=None)


class Pipe(Link):
    """A WebSocket that writes down what is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def flush(self) -> int:
        self.sent += [event["text"] for event in self.take_events()]
        return 0


class World:
    """A server with one client in its namespace."""

    def __init__(self, **options: Any) -> None:
        self.sio = fastsio.AsyncServer(async_mode="asgi", **options)
        registry = self.sio.eio._registry
        registry.attach_loop()
        session = registry.create(4, Request("GET", "/socket.io/", b"", []))
        registry.accept(session)
        self.session, self.link = session, Pipe()
        session.start(self.link, True, True)
        self.heard: list[Any] = []

    async def join(self) -> None:
        self.link.receive("40")
        await settle()

    def send(self, *texts: str) -> None:
        for text in texts:
            self.link.receive(text)


async def settle(turns: int = 10) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


@pytest.fixture
async def world() -> World:
    made = World()
    await made.join()
    return made


async def test_a_handler_runs_at_once_and_its_answer_goes_out_in_the_same_turn(world: World):
    @world.sio.event
    async def echo(sid: str, data: Any) -> Any:
        world.heard.append(data)
        return data

    world.send('421["echo",1]', '422["echo",2]')
    assert world.heard == [1, 2]
    await asyncio.sleep(0)
    assert world.link.sent[-2:] == ["431[1]", "432[2]"]


async def test_handlers_that_end_at_once_share_a_task_and_are_nobody_to_wait_for(world: World):
    @world.sio.event
    async def look(sid: str) -> None:
        world.heard.append(id(asyncio.current_task()))

    world.send('42["look"]')
    await settle()
    before = asyncio.all_tasks()
    world.send('42["look"]', '42["look"]')
    assert len(set(world.heard)) == 1
    assert world.heard[0] != id(asyncio.current_task())
    assert asyncio.all_tasks() == before == {asyncio.current_task()}


async def test_a_task_that_somebody_kept_is_not_used_again_and_comes_to_its_end(world: World):
    @world.sio.event
    async def keep(sid: str) -> None:
        world.heard.append(asyncio.current_task())

    world.send('42["keep"]')
    await settle()
    world.send('42["keep"]', '42["keep"]')
    assert len({id(task) for task in world.heard}) == 3
    await asyncio.wait_for(asyncio.gather(*world.heard), 1)


async def test_a_task_that_is_a_key_somewhere_is_not_used_again(world: World):
    notes: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    @world.sio.event
    async def note(sid: str, number: int) -> None:
        assert asyncio.current_task() not in notes
        notes[asyncio.current_task()] = number
        world.heard.append(number)

    world.send('42["note",1]')
    await settle()
    world.send('42["note",2]', '42["note",3]')
    assert world.heard == [1, 2, 3]


async def test_who_waits_for_the_end_of_a_handler_hears_of_it_once(world: World):
    @world.sio.event
    async def tidy(sid: str, number: int) -> None:
        asyncio.current_task().add_done_callback(lambda task: world.heard.append((number, task.exception())))

    world.send('42["tidy",1]')
    await settle()
    world.send('42["tidy",2]', '42["tidy",3]')
    await settle()
    assert world.heard == [(1, None), (2, None), (3, None)]


async def test_a_name_that_a_handler_gives_its_task_is_not_that_of_another(world: World):
    @world.sio.event
    async def rename(sid: str, name: str) -> None:
        world.heard.append(asyncio.current_task().get_name())
        asyncio.current_task().set_name(name)

    world.send('42["rename","a"]')
    await settle()
    world.send('42["rename","b"]', '42["rename","c"]')
    assert not {"a", "b", "c"} & set(world.heard)


async def test_what_a_handler_sets_in_its_context_is_its_own(world: World):
    @world.sio.event
    async def mark(sid: str, value: int) -> None:
        world.heard.append(MARK.get())
        MARK.set(value)
        await asyncio.sleep(0)
        world.heard.append(MARK.get())

    @world.sio.event
    async def mark_and_end(sid: str, value: int) -> None:
        world.heard.append(MARK.get())
        MARK.set(value)

    world.send('42["mark_and_end",7]', '42["mark_and_end",8]', '42["mark",1]', '42["mark",2]')
    await settle()
    assert world.heard == [None, None, None, None, 1, 2]
    assert MARK.get() is None


async def test_equal_values_of_two_contexts_are_not_taken_for_the_same(world: World):
    @world.sio.event
    async def look(sid: str) -> None:
        world.heard.append(MARK.get())

    for _ in range(3):
        mine: list[int] = []
        MARK.set(mine)
        world.send('42["look"]')
        assert world.heard[-1] is mine


async def test_waiting_goes_on_in_the_same_task_and_context(world: World):
    @world.sio.event
    async def wait(sid: str, number: int) -> int:
        MARK.set(number)
        task = asyncio.current_task()
        await asyncio.sleep(0.001)
        assert asyncio.current_task() is task
        assert task in asyncio.all_tasks()
        assert MARK.get() == number
        return number

    world.send(*(f'42{number}["wait",{number}]' for number in range(20)))
    await asyncio.sleep(0.05)
    assert sorted(world.link.sent[1:]) == sorted(f"43{number}[{number}]" for number in range(20))


async def test_two_handlers_may_wait_for_one_future(world: World):
    shared = asyncio.get_running_loop().create_future()

    @world.sio.event
    async def wait(sid: str) -> None:
        world.heard.append(await shared)

    world.send('42["wait"]', '42["wait"]')
    waiting = asyncio.ensure_future(asyncio.wait_for(asyncio.shield(shared), 1))
    asyncio.get_running_loop().call_soon(world.send, '42["wait"]')
    await settle()
    shared.set_result("there")
    await waiting
    await settle()
    assert world.heard == ["there"] * 3


async def test_a_future_may_be_done_before_the_task_waits_for_it(world: World):
    shared = asyncio.get_running_loop().create_future()

    @world.sio.event
    async def wait(sid: str) -> None:
        world.heard.append(await shared)

    world.send('42["wait"]')
    shared.set_result(1)
    await settle()
    assert world.heard == [1]


async def test_timeouts_and_task_groups_work_from_the_first_step_on(world: World):
    async def answer(number: int) -> None:
        await asyncio.sleep(0)
        world.heard.append(number)

    @world.sio.event
    async def work(sid: str) -> str:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(answer(1))
            group.create_task(answer(2))
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(5)
        except TimeoutError:
            return "in time"
        return "late"

    world.send('421["work"]')
    await asyncio.sleep(0.05)
    assert world.heard == [1, 2]
    assert world.link.sent[-1] == '431["in time"]'


@pytest.mark.parametrize("rests", [True, False])
async def test_a_handler_that_cancels_itself(world: World, rests: bool):
    """It hears of that where it waits next; when it does not wait, nothing comes of it for anybody else."""
    cleaned: list[str] = []

    @world.sio.event
    async def stop(sid: str) -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        del task
        if rests:
            try:
                await asyncio.sleep(5)
            finally:
                cleaned.append("cleaned")
        return "ended"

    @world.sio.event
    async def after(sid: str) -> str:
        await asyncio.sleep(0)
        return "well"

    world.send('421["stop"]', '422["after"]')
    await settle()
    assert cleaned == (["cleaned"] if rests else [])
    assert world.link.sent[1:] == ["431[]" if rests else '431["ended"]', '432["well"]'] or rests
    assert '432["well"]' in world.link.sent
    assert ("431[]" if rests else '431["ended"]') in world.link.sent


@pytest.mark.parametrize("begun", [True, False])
async def test_a_waiting_handler_can_be_cancelled_from_outside(world: World, begun: bool):
    """Also before its task has taken a step of its own, when nothing of the task itself has run."""
    inner = asyncio.get_running_loop().create_future()

    @world.sio.event
    async def wait(sid: str) -> None:
        world.heard.append(asyncio.current_task())
        try:
            await inner
        except asyncio.CancelledError:
            world.heard.append("cancelled")
            raise

    world.send('421["wait"]')
    if begun:
        await settle()
    world.heard[0].cancel()
    await settle()
    assert world.heard[1:] == ["cancelled"]
    assert world.heard[0].done()
    assert inner.cancelled()
    assert world.link.sent[-1] == "431[]"
    world.send('422["nobody"]')
    assert world.session.is_live


@pytest.mark.parametrize("waits", [False, True])
async def test_an_exception_surfaces_as_that_of_a_task(world: World, waits: bool):
    loop, reports = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda loop, context: reports.append(context))

    @world.sio.event
    async def fail(sid: str) -> None:
        if waits:
            await asyncio.sleep(0)
        raise LookupError("not there")

    @world.sio.event
    async def well(sid: str) -> int:
        return 1

    world.send('421["fail"]', '422["well"]')
    await settle()
    gc.collect()
    (report,) = reports
    assert report["message"] == "Task exception was never retrieved"
    assert isinstance(report["exception"], LookupError)
    assert "event 'fail' of client" in report["exception"].__notes__[0]
    assert world.link.sent[-1] == "432[1]"


async def test_a_plain_function_and_any_awaitable_will_do(world: World):
    class Later:
        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            return "later"

    world.sio.on("plain", lambda sid, data: data)
    world.sio.on("later", lambda sid: Later())
    world.sio.on("future", lambda sid: asyncio.ensure_future(asyncio.sleep(0, "future")))
    world.send('421["plain",1]', '422["later"]', '423["future"]')
    await settle()
    assert sorted(world.link.sent[1:]) == ["431[1]", '432["later"]', '433["future"]']


async def test_a_handler_may_put_its_own_client_out(world: World):
    @world.sio.event
    async def leave(sid: str) -> None:
        await world.sio.disconnect(sid)

    @world.sio.event
    async def disconnect(sid: str, reason: str) -> None:
        world.heard.append(reason)

    world.send('42["leave"]', '42["leave"]')
    await settle()
    assert world.heard == ["server disconnect"]
    assert world.link.sent[-1] == "41"


async def test_a_handler_may_end_the_connection_it_is_served_on(world: World):
    @world.sio.event
    async def end(sid: str) -> None:
        world.session.disconnect()
        await world.sio.emit("late", to=sid)

    world.send('42["end"]', '42["end"]')
    await settle()
    assert not world.session.is_open


@pytest.mark.parametrize("how", ["waits", "raises"])
async def test_a_handler_may_end_its_connection_and_go_on(world: World, how: str):
    """Nothing else holds the client then but the call that is being made."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: world.heard.append(context["exception"]))

    @world.sio.event
    async def end(sid: str) -> None:
        world.session.disconnect()
        world.sio.manager._rooms.halls.clear()
        if how == "raises":
            raise ValueError("all the same")
        await asyncio.sleep(0)
        world.heard.append("went on")

    world.send('421["end"]')
    await settle()
    gc.collect()
    await settle()
    assert len(world.heard) == 1


async def test_packets_that_a_handler_feeds_run_inside_it(world: World):
    """Each has a task of its own, and the one around it is current again afterwards."""

    @world.sio.event
    async def outer(sid: str) -> None:
        mine = asyncio.current_task()
        world.send('42["inner"]')
        assert asyncio.current_task() is mine
        world.heard.append("outer")

    @world.sio.event
    async def inner(sid: str) -> None:
        world.heard.append(asyncio.current_task())

    world.send('42["outer"]')
    await settle()
    world.send('42["outer"]')
    assert world.heard[1] == world.heard[3] == "outer"
    assert world.heard[0] is not world.heard[2]


async def test_events_that_come_inside_a_task_leave_it_current(world: World):
    mine = asyncio.current_task()

    @world.sio.event
    async def look(sid: str) -> None:
        assert asyncio.current_task() is not mine
        await asyncio.sleep(0)

    world.send('42["look"]')
    assert asyncio.current_task() is mine
    await settle()


async def test_many_handlers_leave_nothing_behind(world: World):
    @world.sio.event
    async def nothing(sid: str) -> None:
        pass

    world.send('42["nothing"]')
    await settle()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(20_000):
        world.send('42["nothing"]')
    gc.collect()
    assert len(gc.get_objects()) - before < 100
