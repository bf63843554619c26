"""Python 3.11 collects garbage wherever an object is made, and runs finalizers there: they get nothing that is in pieces.

A finalizer is a coroutine's whose task was let go of, so that its `finally` runs; what it does, applications do in theirs.
"""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from fastsio._http import Request
from fastsio.engine._admission import admit
from fastsio.engine._session import Session, Sink
from fastsio.engine.registry import Registry
from fastsio.net.hosted import HostedExchange, HostedLink
from fastsio.options import Options
from finalizers import CollectAt
from native.conftest import MakeSite, Site, WebSocket

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
# Compression is agreed upon, and nothing long enough for it to be worth anything: what is written can be read here.
AGREED = {"per_message_deflate": True, "compression_threshold": 1_000_000}
ALLOCATIONS = range(24)


def abandon(work: Callable[[], Coroutine[Any, Any, Any]]) -> Callable[[], None]:
    """Give what the finalizer of a coroutine does whose `finally` awaits `work`."""

    async def abandoned() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await work()

    coroutine = abandoned()
    coroutine.send(None)
    return coroutine.close


def in_a_turn(here: Site, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine, have what it sends flushed, and the garbage gone that has not been till then."""
    task = here.loop.create_task(work())
    here.loop.settle()
    here.call(gc.collect)
    here.loop.settle()
    return task.result()


def join(here: Site, headers: str = "") -> tuple[WebSocket, str, str]:
    """A new client, its sid, and that of its session. From then on nothing is logged, which would make objects, too."""
    client = here.websocket(headers=headers).joined()
    sid = here.events[-1][1]
    here.sio.logger.setLevel(logging.WARNING)
    here.sio.logger._cache.clear()  # the logger of a world is in no tree that would do it
    return client, sid, here.sio.manager.eio_sid_from_sid(sid, "/")


@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_the_end_of_one_client_does_not_get_into_what_is_written_for_another(
    site: MakeSite, collected: CollectAt, allocation: int
) -> None:
    here = site(has_canary=False, **AGREED)
    first, first_sid, _ = join(here, DEFLATE)
    second, second_sid, second_session = join(here)

    async def work() -> None:
        here.loop.call_soon(collected, allocation, abandon(lambda: here.sio.eio.disconnect(second_session)))
        for number in range(10):
            await here.sio.emit("first", number, to=first_sid)
            await here.sio.emit("second", number, to=second_sid)

    in_a_turn(here, work)
    assert first.heard() == [f'42["first",{number}]' for number in range(10)]
    assert [one for one in second.heard() if str(one).startswith("42")] == [f'42["second",{n}]' for n in range(10)]


@pytest.mark.parametrize("is_blocked", [False, True])
@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_a_client_that_ends_while_its_messages_are_written(
    site: MakeSite, collected: CollectAt, allocation: int, is_blocked: bool
) -> None:
    """All of them come before the end; where its network takes no more meanwhile, nothing comes behind the end."""
    here = site(has_canary=False, **AGREED)
    client, sid, session = join(here, DEFLATE)

    async def end() -> None:
        if is_blocked:
            client.transport.block()
        await here.sio.eio.disconnect(session)

    async def work() -> None:
        here.loop.call_soon(collected, allocation, abandon(end))  # and then the flush
        for number in range(10):
            await here.sio.emit("owed", number, to=sid)
        await here.sio.emit("large", "x" * 20_000, to=sid)

    in_a_turn(here, work)
    if client.transport.is_open:
        here.call(client.transport.unblock)
        here.loop.settle()
    heard = client.heard()
    texts = [str(one).partition(",")[0] for one in heard if not isinstance(one, tuple)]
    if not is_blocked:
        assert texts == ['42["owed"'] * 10 + ['42["large"', "1"]
        assert heard[-1] == ("close", 1000)
    assert ("close", 1000) not in heard[:-1]


@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_somebody_leaves_the_room_in_the_middle_of_a_broadcast(
    site: MakeSite, collected: CollectAt, allocation: int
) -> None:
    here = site(has_canary=False)
    clients = [join(here) for _ in range(20)]

    async def work() -> None:
        for _, sid, _ in clients:
            await here.sio.enter_room(sid, "news")
        await here.sio.emit("a", 1, room="news")  # one message, which needs no list
        collected(allocation, abandon(lambda: here.sio.leave_room(clients[10][1], "news")))
        await here.sio.emit("b", 2, room="news")

    in_a_turn(here, work)
    heard = [client.heard() for client, _, _ in clients]
    assert [texts[0] for texts in heard] == ['42["a",1]'] * 20
    assert [texts[1:] for number, texts in enumerate(heard) if number != 10] == [['42["b",2]']] * 19


@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_a_message_of_which_only_the_latest_counts(site: MakeSite, collected: CollectAt, allocation: int) -> None:
    here = site(has_canary=False)
    clients = [join(here)[0] for _ in range(5)]

    async def work() -> None:
        await here.sio.emit("first", 1)
        collected(allocation, abandon(lambda: here.sio.emit("temperature", 3, latest="t")))
        await here.sio.emit("place", 1, latest="p")
        await here.sio.emit("place", 2, latest="p")

    in_a_turn(here, work)
    for client in clients:
        heard = client.heard()
        assert heard[0] == '42["first",1]'
        assert [one for one in heard if "place" in str(one)] == ['42["place",2]']
        assert [one for one in heard if "temperature" in str(one)] == ['42["temperature",3]']


def hosted_client() -> tuple[HostedLink, Session]:
    """A WebSocket of a host that has just been opened."""
    registry = Registry(Options(), logging.getLogger("tests.native"))
    registry.accept = lambda session: setattr(session, "sink", Sink())
    registry.attach_loop()
    exchange = HostedExchange(Request("GET", "/engine.io/", b"EIO=4&transport=websocket", []))
    exchange.is_upgrade = True
    admit(registry, exchange)
    link = exchange.answer.result()
    (session,) = registry.sessions.values()
    return link, session


@pytest.mark.parametrize("allocation", ALLOCATIONS)
async def test_a_client_of_a_host_that_ends_while_its_messages_are_taken(collected: CollectAt, allocation: int) -> None:
    link, session = hosted_client()
    link.take_events()
    for number in range(20):
        session.send_message(str(number))
    collected(allocation, session.disconnect)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()
    texts = [event["text"] for event in link.events if event["type"] == "websocket.send"]
    assert texts == [f"4{number}" for number in range(20)] + ["1"]
    assert [event["type"] for event in link.events].index("websocket.close") == 21


@pytest.mark.parametrize("allocation", range(8))
async def test_a_client_of_a_host_that_ends_while_nothing_is_owed(collected: CollectAt, allocation: int) -> None:
    """Its writer makes something to wait for; the end comes meanwhile."""
    link, session = hosted_client()
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    link.take_events()
    writer = link.write(send)
    collected(allocation, session.disconnect)
    with contextlib.suppress(StopIteration):
        writer.send(None)  # as far as it goes: it waits, or has sent the end
    gc.collect()
    assert link.wake is None or link.wake.done(), "the writer goes on"
    writer.close()


class Key:
    """A key of the application's own, which acts while its hash is made."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act

    def __hash__(self) -> int:
        self.act()
        return 1


@pytest.mark.parametrize("repeated", [1, 2, 3])
def test_a_key_that_ends_the_session_while_it_is_looked_for(site: MakeSite, repeated: int) -> None:
    here = site(has_canary=False)
    client, sid, session = join(here)
    left = [repeated]

    def act() -> None:
        left[0] -= 1
        if left[0] == 0:
            abandon(lambda: here.sio.eio.disconnect(session))()

    key = Key(act)

    async def work() -> None:
        await here.sio.emit("first", 1, to=sid)
        await here.sio.emit("place", 1, to=sid, latest=key)
        await here.sio.emit("place", 2, to=sid, latest=key)

    in_a_turn(here, work)
    assert left[0] <= 0
    heard = client.heard()
    assert heard[0] == '42["first",1]'
    assert heard[-1] == ("close", 1000)
