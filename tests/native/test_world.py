"""Section 6 of the catalogue: what handlers, loops and slow clients do to a server, and what they must not do to others."""

import asyncio
import gc
import threading
from typing import Any

import pytest

from fuzz.world import ExpectedError
from native.conftest import MakeSite, Site, WebSocket, body_of
from oracle.frames_oracle import TEXT, write_frame


def run(here: Site, work: Any, *args: Any) -> None:
    """Run a coroutine function of the application, and everything that it sets off."""
    here.call(lambda: here.sio.start_background_task(work, *args))
    here.loop.settle()


def crowd(here: Site, count: int) -> list[WebSocket]:
    links = [here.websocket().joined() for _ in range(count)]
    for link in links:
        link.heard()
    return links


@pytest.mark.threat("T180", "T181")
@pytest.mark.parametrize("error", [ExpectedError, asyncio.CancelledError, "recursion", "memory", "stop"])
def test_handlers_that_raise(site: MakeSite, error: Any) -> None:
    class Recursion(ExpectedError, RecursionError):
        pass

    class Memory(ExpectedError, MemoryError):
        pass

    class Stop(ExpectedError, StopAsyncIteration):
        pass

    here = site()
    kind = {"recursion": Recursion, "memory": Memory, "stop": Stop}.get(error, error)

    async def fail(sid: str) -> None:
        raise kind("on purpose")

    here.sio.on("fail", fail)
    link = here.websocket().joined()
    link.send('421["fail"]', '42["one"]', '422["two"]')
    assert link.heard() == (["432[]"] if kind is not asyncio.CancelledError else link_answers(here))
    assert here.names()[-2:] == ["one", "two"]


def link_answers(here: Site) -> list[str]:
    """A cancelled handler has returned nothing, and its client is told so, as in python-socketio."""
    return ["431[]", "432[]"]


@pytest.mark.threat("T183")
@pytest.mark.parametrize("seconds", [60, 600])
def test_a_handler_that_blocks_the_loop_costs_no_client(site: MakeSite, seconds: int) -> None:
    here = site()
    links = crowd(here, 100)
    sessions = len(here.registry.sessions)
    here.skip(24)
    here.loop.skip(seconds)  # nothing ran in between
    here.loop.settle()
    assert len(here.registry.sessions) == sessions
    here.skip(0.3)
    for link in [*links, here.canary]:
        assert link is not None
        if "2" in link.heard():
            link.send("3")
    here.skip(19)
    assert len(here.registry.sessions) == sessions
    for link in [*links, here.canary]:
        assert link is not None
        if "2" in link.heard():
            link.send("3")


@pytest.mark.threat("T185")
def test_a_task_that_is_cancelled_anywhere(site: MakeSite) -> None:
    here = site()
    links = crowd(here, 3)
    sids = [event[1] for event in here.events if event[0] == "connect"]

    async def work() -> None:
        await here.sio.enter_room(sids[0], "room")
        await here.sio.emit("x", [b"\1", {"y": b"\2"}], room="room")
        await here.sio.leave_room(sids[0], "room")
        await here.sio.call("question", to=sids[0], timeout=5)

    async def cancel_after(turns: int) -> None:
        task = asyncio.ensure_future(work())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass

    for turns in range(8):
        run(here, cancel_after, turns)
        heard = links[0].heard()
        texts = [one for one in heard if isinstance(one, str) and one.startswith("452-")]
        assert sum(isinstance(one, bytes) for one in heard) == 2 * len(texts), "whole, or not at all"
    assert not here.sio.manager._rooms.member("/", sids[0]).callbacks


@pytest.mark.threat("T186", "T187")
def test_slow_consumers_share_one_copy_and_are_cut(site: MakeSite) -> None:
    here = site(has_canary=True, max_send_buffer=500_000)
    links = crowd(here, 40)
    slow = links[:30]
    for link in slow:
        link.transport.block()

    async def spray() -> None:
        await here.sio.emit("x", "y" * 100_000)

    import tracemalloc

    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(4):
        run(here, spray)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # What each transport took of the first message is its own; the rest is shared by all.
    assert grown < 30 * 120_000 + 10 * 450_000 + 2_000_000, grown
    for _ in range(8):
        run(here, spray)
    assert all(link.is_closed for link in slow)
    assert {event[2] for event in here.events if event[0] == "disconnect"} == {"slow client"}
    for link in links[30:]:
        assert len(link.heard()) == 12


@pytest.mark.threat("T189", "T191")
def test_a_broadcast_to_many_that_are_gone(site: MakeSite) -> None:
    here = site()
    links = crowd(here, 60)
    for link in links[::2]:
        link.transport.reset()  # the loop has not told anybody yet
    run(here, here.sio.emit, "x")
    for link in links[1::2]:
        assert link.heard() == ['42["x"]']
    assert here.names().count("disconnect") == 30


@pytest.mark.threat("T190", "T192", "T193", "T228", "T229", "T247")
@pytest.mark.parametrize("inside", ["event", "disconnect", "ack"])
def test_everything_from_inside_a_callback(site: MakeSite, inside: str) -> None:
    here = site()
    sids: list[str] = []

    async def storm(sid: str) -> None:
        """Do to everybody, this client included, whatever there is, while others wait for their turn."""
        for other in list(sids):
            await here.sio.enter_room(other, "room") if here.sio.manager.is_connected(other, "/") else None
        await here.sio.emit("x", {"from": sid}, room="room")
        await here.sio.disconnect(sid)
        await here.sio.disconnect(sid)
        await here.sio.emit("late", to=sid)
        await here.sio.close_room("room")
        if sids:
            await here.sio.disconnect(sids.pop())
        gc.collect()

    async def event(sid: str) -> None:
        await storm(sid)

    async def ask(sid: str) -> None:
        async def answered(*args: Any) -> None:
            await storm(sid)

        await here.sio.emit("question", to=sid, callback=answered)

    async def disconnect(sid: str, reason: str) -> None:
        here.events.append(("disconnect", sid, reason))
        if inside == "disconnect" and sids:
            await storm(sid)

    here.sio.on("storm", ask if inside == "ack" else event)
    here.sio.on("disconnect", disconnect)
    links = crowd(here, 12)
    sids += [event[1] for event in here.events if event[0] == "connect"]
    for link in links:
        if not link.is_closed:
            link.push(write_frame(TEXT, b'42["storm"]') + write_frame(TEXT, b'42["after"]'))
            if inside == "ack":
                for one in link.heard():
                    if isinstance(one, str) and "question" in one:
                        link.send("43" + one[2 : one.index("[")] + "[]")
            if inside == "disconnect":
                here.call(link.transport.reset)
                here.loop.settle()
    seen = [event[1] for event in here.events if event[0] == "disconnect"]
    assert len(seen) == len(set(seen))
    here.serve()


@pytest.mark.threat("T191")
def test_closing_rooms_and_everybody_during_broadcasts(site: MakeSite) -> None:
    here = site()
    links = crowd(here, 10)
    sids = [event[1] for event in here.events if event[0] == "connect"]

    async def work() -> None:
        for sid in sids:
            await here.sio.enter_room(sid, "room")
        jobs = [here.sio.emit("x", room="room"), here.sio.close_room("room"), here.sio.emit("y", room="room")]
        jobs += [here.sio.disconnect(sid) for sid in sids] + [here.sio.emit("z")]
        await asyncio.gather(*jobs)

    run(here, work)
    for link in links:
        heard = [one for one in link.heard() if isinstance(one, str)]
        assert heard[0] == '42["x"]' and "41" in heard
    assert here.names().count("disconnect") == 10


@pytest.mark.threat("T192", "T193")
def test_disconnecting_twice_is_once(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    sid = here.events[-1][1]

    async def leave() -> None:
        await asyncio.gather(*[here.sio.disconnect(sid) for _ in range(5)])
        await here.sio.disconnect(sid)

    run(here, leave)
    assert here.names() == ["connect", "disconnect"]
    assert [one for one in link.heard() if one == "41"] == ["41"]


@pytest.mark.threat("T194")
def test_rooms_that_are_empty_vanish(site: MakeSite) -> None:
    here = site()
    here.websocket().joined()
    sid = here.events[-1][1]

    async def churn() -> None:
        for number in range(20_000):
            await here.sio.enter_room(sid, f"room {number}")
        for number in range(20_000):
            await here.sio.leave_room(sid, f"room {number}")

    rooms = len(here.sio.manager._rooms.halls["/"].rooms)
    run(here, churn)
    assert len(here.sio.manager._rooms.halls["/"].rooms) == rooms


@pytest.mark.threat("T202")
def test_two_servers_in_one_process(site: MakeSite) -> None:
    one, two = site(), site()
    link, other = one.websocket().joined(), two.websocket().joined()
    run(one, one.sio.emit, "x")
    assert link.heard() == ['42["x"]'] and other.heard() == []
    sid = list(one.registry.sessions)[-1]
    assert b"400" in two.get(f"EIO=4&transport=polling&sid={sid}")[:20]


@pytest.mark.threat("T203")
def test_emitting_from_another_thread(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    outcome: list[str] = []

    def work() -> None:
        future = asyncio.run_coroutine_threadsafe(here.sio.emit("x"), here.loop)
        outcome.append("queued" if future is not None else "")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    here.loop.settle()
    assert link.heard() == ['42["x"]'] and outcome == ["queued"]


@pytest.mark.threat("T204")
def test_handlers_that_come_and_go(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()

    async def first(sid: str) -> str:
        here.sio.handlers["/"].pop("change")
        return "first"

    here.sio.on("change", first)
    link.send('421["change"]', '422["change"]')
    assert link.heard() == ['431["first"]', "432[]"]


@pytest.mark.threat("T206")
def test_a_flood_of_refusals_is_one_loud_line_of_each_kind(site: MakeSite) -> None:
    import logging

    here = site()
    loud: list[str] = []

    class Loud(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.WARNING:
                loud.append(record.getMessage())

    here.sio.eio.logger.addHandler(Loud())
    for _ in range(300):
        here.get("EIO=9&transport=polling")
        here.get("EIO=4&transport=polling&sid=unknown")
        here.websocket().send("40", "42[")
    assert len(loud) == 3, loud
    assert here.registry.counters["unknown session"] == 300, "the others are counted"


@pytest.mark.threat("T205")
def test_refusals_say_nothing_of_our_insides(site: MakeSite) -> None:
    here = site()
    answers = [
        here.get("EIO=9"), here.get("EIO=4&transport=polling&sid=%3Cscript%3E"), here.raw(b"\x00\r\n\r\n"),
        here.get("EIO=4&transport=polling", "Origin: http://evil.example"), here.get("EIO=4&transport=websocket"),
    ]  # fmt: skip
    for answer in answers:
        text = answer.decode("latin-1").lower()
        assert not any(
            word in text for word in ("traceback", "fastsio", "python", "uvicorn/", "/site-packages", "cython")
        )
        assert b"<script>" not in body_of(answer) or b"text/plain" in answer or b"json" in answer


@pytest.mark.threat("T048", "T049")
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://x.evil",
        "http://xx",
        "http://evil-x",
        "http://x:81",
        "https://x",
        "http://X.",
        "http://x.",
        "file://",
        "http://x@evil",
        "http://evil/x",
        "HTTP://X",
        "",
    ],
)
def test_foreign_origins(site: MakeSite, origin: str) -> None:
    here = site()
    query = here.open()
    for answer in (
        here.get("EIO=4&transport=polling", f"Origin: {origin}"),
        here.post(query, "40", f"Origin: {origin}"),
        here.get(
            "EIO=4&transport=websocket",
            "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nOrigin: "
            + origin,
        ),
    ):
        lower = answer.lower()
        if origin:
            assert answer.startswith(b"HTTP/1.1 400"), (origin, answer[:100])
            assert b"access-control-allow-origin" not in lower
        assert not (b"allow-origin: *" in lower and b"allow-credentials" in lower)


@pytest.mark.threat("T049")
def test_what_is_allowed_varies_by_origin(site: MakeSite) -> None:
    here = site(cors_allowed_origins=["http://good.example"])
    answer = here.get("EIO=4&transport=polling", "Origin: http://good.example")
    assert b"Access-Control-Allow-Origin: http://good.example" in answer and b"Vary: Origin" in answer
    before = len(here.registry.sessions)
    head = "OPTIONS /socket.io/?EIO=4&transport=polling HTTP/1.1\nHost: x\nOrigin: http://good.example\nAccess-Control-Request-Method: POST"
    assert here.request(here.connect(), head).startswith(b"HTTP/1.1 200")
    assert len(here.registry.sessions) == before, "a preflight makes no session"


@pytest.mark.threat("T020")
@pytest.mark.parametrize("cookie", ["a\r\nX: y", {"name": "io", "path": "/\r\nX: y"}, "a\nb"])
def test_what_an_application_puts_into_headers(site: MakeSite, cookie: Any) -> None:
    here = site(has_canary=True, cookie=cookie)
    answer = here.get("EIO=4&transport=polling")
    assert answer.startswith(b"HTTP/1.1 500")
    assert b"X: y" not in answer
    here.complaints.found.clear()  # it is told of its mistake with a traceback
    here.sio.eio.cookie = None
