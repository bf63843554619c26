"""Events are handled when all sockets of a turn have been read: nothing overtakes them, and not too many wait."""

import asyncio
import contextvars
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from fuzz.world import Transport
from native.conftest import MakeSite, Site, WebSocket
from oracle.frames_oracle import BINARY, TEXT, write_close, write_frame

WAITING = 256  # events at most that wait for the other sockets
BYTES = 262_144


def frames(*messages: str) -> bytes:
    return b"".join(write_frame(TEXT, one.encode()) for one in messages)


def read(link: WebSocket, *messages: str | bytes) -> None:
    """Let a socket be read, within a turn of the loop."""
    link.transport.feed(b"".join(one if isinstance(one, bytes) else frames(one) for one in messages))


def turn(here: Site, *steps: Callable[[], Any]) -> None:
    """Let things happen within one turn of the loop, and then whatever comes of them."""

    def all_of_them() -> None:
        for step in steps:
            step()

    here.call(all_of_them)
    here.loop.settle()


def test_all_sockets_are_read_before_an_event_is_handled(site: MakeSite) -> None:
    here = site()
    one, other = here.websocket().joined(), here.websocket().joined()
    here.events.clear()
    turn(
        here,
        partial(read, one, '42["a",1]', '42["b"]'),
        partial(read, other, '42["c"]'),
        partial(read, one, '42["d"]'),
        lambda: here.events.append(("all are read",)),
    )
    assert here.names()[0] == "all are read"
    del here.events[0]
    assert here.names() == ["a", "b", "c", "d"]
    assert here.events[0][2:] == (1,)


@pytest.mark.parametrize(
    ("last", "heard"),
    [
        (frames("41"), ["first", "disconnect"]),
        (frames("1"), ["first", "disconnect"]),
        (frames("40/other,"), ["first", "connect"]),
        (frames("4x"), ["first", "disconnect"]),
        (frames('42/never,["x"]'), ["first", "disconnect"]),
        (frames("x"), ["first", "disconnect"]),
        (write_close(1000), ["first", "disconnect"]),
        (write_frame(3, b""), ["first", "disconnect"]),
        (write_frame(TEXT, b"42\xff"), ["first", "disconnect"]),
        (write_frame(BINARY, b"stray"), ["first", "disconnect"]),
    ],
)
def test_nothing_overtakes_an_event(site: MakeSite, last: bytes, heard: list[str]) -> None:
    here = site()
    here.sio.on("connect", here.sio.handlers["/"]["connect"], namespace="/other")
    link, bystander = here.websocket().joined(), here.websocket().joined()
    here.events.clear()
    turn(
        here,
        partial(read, bystander, '42["earlier"]'),
        partial(read, link, '42["first"]', last),
        partial(read, bystander, '42["later"]'),
    )
    assert [name for name in here.names() if name not in ("earlier", "later")] == heard
    assert here.names().index("earlier") < here.names().index("first")
    assert here.names().count("later") == 1


@pytest.mark.parametrize("ending", ["end", "reset"])
def test_a_connection_that_goes_leaves_its_events_behind(site: MakeSite, ending: str) -> None:
    here = site()
    link = here.websocket().joined()
    here.events.clear()
    turn(here, partial(read, link, '42["last words"]'), getattr(link.transport, ending))
    assert here.names() == ["last words", "disconnect"]


def test_an_acknowledgement_comes_after_the_events_before_it(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    sid = here.events[-1][1]
    here.events.clear()

    async def ask() -> None:
        await here.sio.emit("question", to=sid, callback=lambda *args: here.events.append(("answered", *args)))

    here.loop.run_until_complete(ask())
    here.loop.settle()
    number = str(link.heard()[-1]).removeprefix("42").partition("[")[0]
    link.send('42["before"]', f'43{number}["yes"]', '42["after"]')
    assert here.names().index("before") < here.names().index("answered")


def test_who_is_disconnected_by_another_is_not_heard_any_more(site: MakeSite) -> None:
    here = site()
    one, other = here.websocket().joined(), here.websocket().joined()
    sid = here.events[-1][1]
    here.events.clear()

    async def kick(_: str) -> None:
        await here.sio.disconnect(sid)

    here.sio.on("kick", kick)
    turn(here, partial(read, one, '42["kick"]'), partial(read, other, '42["unheard"]'))
    assert here.names() == ["disconnect"]


def test_who_leaves_by_a_handler_of_its_own_is_not_heard_any_more(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    here.events.clear()

    async def leave(sid: str) -> None:
        await here.sio.disconnect(sid)

    here.sio.on("leave", leave)
    link.send('42["one"]', '42["leave"]', '42["two"]')
    assert here.names() == ["one", "disconnect"]


@pytest.mark.parametrize("last", ["41", '430["yes"]', "40/other,", '42/never,["x"]', "4x", "1", "x"])
def test_nothing_is_heard_of_who_was_closed_by_a_handler_of_its_own(site: MakeSite, last: str) -> None:
    here = site()
    link = here.websocket().joined()
    eio_sid = here.sio.manager.eio_sid_from_sid(here.events[-1][1], "/")
    here.events.clear()

    async def close(_: str) -> None:
        await here.sio.eio.disconnect(eio_sid)

    here.sio.on("close", close)
    link.send('42["close"]', last)
    assert [(event[0], event[2]) for event in here.events] == [("disconnect", "server disconnect")]


def test_a_violation_ends_what_comes_after_it(site: MakeSite) -> None:
    """Also one that is seen late, since a handler was waited for, when what came after it has been read."""
    here = site(async_handlers=False)
    link = here.websocket().joined()
    here.events.clear()
    gate = here.loop.create_future()

    async def slow(_: str) -> None:
        await gate

    here.sio.on("slow", slow)
    link.send('42["slow"]', '42/never,["x"]', '42["unheard"]')
    turn(here, partial(gate.set_result, None), partial(read, link, '42["unheard"]'))
    assert here.names() == ["disconnect"]


def test_a_client_that_times_out_is_heard_first(site: MakeSite) -> None:
    here = site(has_canary=False)
    link = here.websocket().joined()
    here.events.clear()
    said = []

    def speak() -> None:
        if "disconnect" not in here.names():
            read(link, '42["n"]')
            said.append("n")

    for _ in range(1000):  # it answers no ping
        here.loop.skip(0.1)
        here.loop.call_soon(speak)
        here.loop.settle()
        if "disconnect" in here.names():
            break
    assert here.names() == [*said, "disconnect"]


def test_no_more_than_so_many_events_wait(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    here.events.clear()
    waiting: list[int] = []

    def read_many() -> None:
        for number in range(10 * WAITING):
            read(link, f'42["n",{number}]')
            waiting.append(number + 1 - len(here.events))

    turn(here, read_many)
    assert max(waiting) == WAITING - 1, waiting
    assert [event[2] for event in here.events] == list(range(10 * WAITING))


def test_no_more_than_so_many_bytes_wait(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    here.events.clear()
    text = "x" * (BYTES // 3)
    waiting: list[int] = []

    def read_large() -> None:
        for number in range(20):
            read(link, f'42["n",{number},"{text}"]')
            waiting.append(number + 1 - len(here.events))

    turn(here, read_large)
    assert max(waiting) == 2, waiting
    assert [event[2] for event in here.events] == list(range(20))


def test_large_events_do_not_pile_up_behind_small_ones(site: MakeSite) -> None:
    """What is small and slow to handle is first in line: no more bytes wait behind it for that."""
    here = site()
    link = here.websocket().joined()
    others = [here.websocket().joined() for _ in range(20)]
    large: list[int] = []
    waiting: list[int] = []

    def small(sid: str) -> None:
        end = time.perf_counter() + 0.0003  # more than one has before others are looked at
        while time.perf_counter() < end:
            pass

    here.sio.on("small", small)
    here.sio.on("large", lambda sid, number, text: large.append(number))
    text = "x" * (BYTES // 2)

    def read_both() -> None:
        read(link, *['42["small"]'] * (WAITING - 1))
        for number, other in enumerate(others):
            read(other, f'42["large",{number},"{text}"]')
            waiting.append(number + 1 - len(large))

    turn(here, read_both)
    assert max(waiting) == 1, waiting
    assert large == list(range(20))


def test_what_goes_wrong_with_one_client_is_its_own_affair(site: MakeSite) -> None:
    here = site()
    links = [here.websocket().joined() for _ in range(3)]
    here.events.clear()
    turn(
        here,
        partial(read, links[0], '42["a"]'),
        partial(read, links[1], '42["raise"]', '42/never,["x"]', '42["unheard"]'),
        partial(read, links[2], '42["c"]'),
    )
    assert sorted(here.names()) == ["a", "c", "disconnect", "raise"]
    assert [link.ended() for link in links] == [None, 1005, None]


def test_handlers_run_in_the_context_of_the_server(site: MakeSite) -> None:
    """Whoever was first to owe something in this turn has scheduled the flush; his context is not theirs."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="the server's")
    here = site()
    link = here.websocket().joined()
    seen = []

    async def look(_: str) -> None:
        seen.append(variable.get())
        variable.set("a handler's")

    here.sio.on("look", look)

    async def others() -> None:
        variable.set("somebody's")
        await here.sio.emit("news")
        contextvars.Context().run(read, link, '42["look"]', '42["look"]')
        await asyncio.sleep(0)

    here.loop.run_until_complete(others())
    here.loop.settle()
    assert seen == ["the server's"] * 2


def test_nobody_runs_in_the_context_of_another(site: MakeSite) -> None:
    """What waits may be taken early, by whoever ends a client."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="the server's")
    here = site(has_canary=False)
    link = here.websocket().joined()
    seen = []

    async def look(_: str) -> None:
        seen.append(variable.get())

    here.sio.on("look", look)

    async def others() -> None:
        variable.set("somebody's")
        for _ in range(WAITING):
            read(link, '42["look"]')
        link.transport.protocol.shutdown()

    here.loop.run_until_complete(others())
    here.loop.settle()
    assert seen == ["the server's"] * WAITING


def test_a_handler_may_have_sockets_read(site: MakeSite) -> None:
    here = site()
    link, other = here.websocket().joined(), here.websocket().joined()
    here.events.clear()
    runs = []

    async def nest(_: str) -> None:
        runs.append("nest")
        for number in range(2 * WAITING):
            read(other, f'42["n",{number}]')

    here.sio.on("nest", nest)
    link.send('42["nest"]', '42["after"]')
    assert (runs, here.names().count("after"), here.names().count("n")) == (["nest"], 1, 2 * WAITING)


def test_acknowledgements_do_not_make_slices_longer(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    numbers: list[int] = []
    handled = []  # so far, at each turn of the loop

    async def slow(_: str, number: int) -> None:
        end = time.perf_counter() + 0.001
        while time.perf_counter() < end:
            pass
        numbers.append(number)

    def tick() -> None:
        handled.append(len(numbers))
        if len(numbers) < 300:
            here.loop.call_soon(tick)

    here.sio.on("slow", slow)
    here.loop.call_soon(tick)
    messages = [[f'42["slow",{number}]', *(["439999[]"] if number % 62 == 61 else [])] for number in range(300)]
    link.send(*(one for some in messages for one in some))
    assert numbers == list(range(300))
    assert max(after - before for before, after in zip(handled, handled[1:], strict=False)) <= 24, handled


def test_a_server_that_stops_has_handled_what_was_read(site: MakeSite) -> None:
    here = site(has_canary=False)
    link = here.websocket().joined()
    here.events.clear()
    turn(here, partial(read, link, '42["first"]'), link.transport.protocol.shutdown)
    assert here.names() == ["first", "disconnect"]


def test_what_a_handler_feeds_to_a_client_is_handled_at_once(site: MakeSite) -> None:
    """As python-engineio does for applications that trigger "message" themselves."""
    here: Site = site()
    link = here.websocket().joined()
    sid = here.events[-1][1]
    here.events.clear()
    order: list[Any] = []

    async def outer(_: str) -> None:
        order.append("outer begins")
        await here.sio._handle_eio_message(here.sio.manager.eio_sid_from_sid(sid, "/"), '2["inner"]')
        order.append("outer ends")

    async def inner(_: str) -> None:
        order.append("inner")

    here.sio.on("outer", outer)
    here.sio.on("inner", inner)
    link.send('42["outer"]', '42["later"]')
    assert order == ["outer begins", "inner", "outer ends"]
    assert here.names() == ["later"]


def test_what_is_fed_to_a_client_that_has_to_wait_is_kept(site: MakeSite) -> None:
    here = site(async_handlers=False)
    link = here.websocket().joined()
    eio_sid = here.sio.manager.eio_sid_from_sid(here.events[-1][1], "/")
    here.events.clear()
    gate, fed = here.loop.create_future(), here.loop.create_future()

    async def slow(_: str) -> None:
        await gate

    async def feed(_: str) -> None:
        await here.sio._handle_eio_message(eio_sid, '2["fed"]')
        await fed

    here.sio.on("slow", slow)
    here.sio.on("feed", feed)
    link.send('42["slow"]', '42["feed"]', '42["three"]')
    turn(here, partial(gate.set_result, None), partial(read, link, '42["four"]'))
    turn(here, partial(fed.set_result, None))
    assert here.names() == ["three", "fed", "four"]


def test_a_handler_that_runs_the_loop_has_the_others_taken(site: MakeSite) -> None:
    """As below nest_asyncio."""
    here = site()
    link = here.websocket().joined()
    here.events.clear()
    order: list[str] = []
    due: list[Any] = []  # what the loop would call

    async def outer(_: str) -> None:
        order.append("outer begins")
        for _ in range(20):  # each takes one at least, however slow this machine is
            contextvars.Context().run(due[0])
        order.append("outer ends")

    async def inner(_: str, number: int) -> None:
        order.append(f"inner {number}")

    def look() -> None:
        due.extend(one._callback for one in here.loop._ready if "Arrivals" in repr(one))  # type: ignore[attr-defined]

    here.sio.on("outer", outer)
    here.sio.on("inner", inner)
    messages = [f'42["inner",{number}]' for number in range(20)]
    turn(here, partial(read, link, '42["outer"]', *messages), look)
    assert order == ["outer begins", *(f"inner {number}" for number in range(20)), "outer ends"]


def test_what_one_turn_leaves_for_a_client_goes_out_together(site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much it is for all of them together: a write for each message is what a broadcast costs most."""
    here = site(has_canary=False)
    links = [here.websocket().joined() for _ in range(50)]
    writes: list[int] = []
    write = Transport.write

    def count(transport: Transport, data: Any) -> None:
        writes.append(len(data))
        write(transport, data)

    async def gust(_: str) -> None:
        await here.sio.emit("wind", "x" * (BYTES // len(links)))
        here.loop.skip(-0.25)  # no slice is over, however slow this machine is, and whoever else has its cores

    here.sio.on("gust", gust)
    with monkeypatch.context() as patch:
        patch.setattr(Transport, "write", count)
        links[0].send(*['42["gust"]'] * 8)
    here.loop.skip(8 * 0.25)
    assert len(writes) == len(links)
    assert [len(link.heard()) for link in links] == [8] * len(links)


def test_clients_with_much_to_say_are_read_by_turns(site: MakeSite) -> None:
    here = site()
    links = [here.websocket().joined() for _ in range(3)]
    last = here.events[-1][1]
    heard: list[str] = []

    async def said(sid: str, number: int) -> None:
        end = time.perf_counter() + 0.0001
        while time.perf_counter() < end:
            pass
        heard.append(sid)
        if sid == last and number == 50:
            await here.sio.disconnect(sid)

    here.sio.on("said", said)
    turn(here, *(partial(read, link, *(f'42["said",{n}]' for n in range(400))) for link in links))
    counts = {sid: heard.count(sid) for sid in dict.fromkeys(heard)}
    assert sorted(counts.values()) == [51, 400, 400], "whoever is closed is not read on, the others are"
    first, second = ([at for at, sid in enumerate(heard) if sid == one] for one in counts if one != last)
    assert first[50] < second[-50] and second[50] < first[-50], "neither waits for the other's end"
    assert not any(link.transport.is_paused for link in links[:2])
