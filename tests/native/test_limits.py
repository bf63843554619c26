"""What happens at the limits that a server sets its clients: how much they are owed, how fast they talk, how many there are."""

import asyncio
import contextlib
import json
import logging
import re
import time
from decimal import Decimal
from typing import Any

import pytest

import fastsio
from fastsio.engineio.base_server import BaseServer
from fastsio.options import Options
from fuzz.world import ExpectedError
from native.conftest import MakeSite, Site, WebSocket, body_of, status_of
from oracle.frames_oracle import TEXT, write_frame


def run(here: Site, function: Any, *args: Any, **kwargs: Any) -> None:
    """Run a coroutine function in the server's loop, to its end."""

    here.call(lambda: here.sio.start_background_task(function, *args, **kwargs))
    here.loop.settle()


def said(here: Site, text: str) -> bool:
    """Tell whether a line of the log has a text."""
    return any(text in line for line in here.complaints.lines)


def numbers(link: WebSocket, event: str = "n") -> list[int]:
    """Give the first argument of each event of that name that came."""
    texts = [one for one in link.heard() if isinstance(one, str) and one.startswith(f'42["{event}"')]
    return [json.loads(text[2:])[1] for text in texts]


def blocked(here: Site) -> WebSocket:
    """A client that does not read: what it is owed waits in its outbox."""
    link = here.websocket().joined()
    link.transport.block()
    run(here, here.sio.emit, "fills the transport")
    return link


# --- the ways of a slow client


@pytest.mark.parametrize(
    "limits",
    [
        {"max_send_packets": 100},
        {"max_send_buffer": 20_000},
        {"max_send_packets": 100, "slow_client_policy": "drop_oldest"},
    ],
)
@pytest.mark.parametrize("room", [None, "own"])
def test_so_much_at_once_makes_nobody_slow(site: MakeSite, limits: dict[str, Any], room: str | None) -> None:
    """A handler that lets the loop do nothing sends more than may wait; the network takes all of it."""
    here = site(has_canary=False, **limits)
    links = [here.websocket().joined() for _ in range(2)]
    sid = here.events[-1][1]

    async def work() -> None:
        for number in range(1000):
            await here.sio.emit("n", (number, "x" * 100), to=None if room is None else sid)

    run(here, work)
    heard = [numbers(link) for link in links]
    assert heard == [list(range(1000)) if room is None else [], list(range(1000))]
    assert not any(link.is_closed for link in links)
    assert here.registry.traffic.dropped == 0


def greet(here: Site, times: int, size: int) -> None:
    """Let the connect handler send that many events, which wait for nothing in between."""

    async def connect(sid: str, environ: dict[str, Any]) -> None:
        for number in range(times):
            await here.sio.emit("n", (number, "x" * size), to=sid)

    here.sio.on("connect", connect)


@pytest.mark.parametrize(
    ("times", "size", "options"),
    [(40, 500_000, {}), (9, 5000, {"max_send_buffer": 20_000}), (30, 1, {"max_send_packets": 10})],
)
def test_open_comes_before_what_a_connect_handler_sends(
    site: MakeSite, times: int, size: int, options: dict[str, Any]
) -> None:
    """Engine.IO 3 clients are joined while their handshake is answered, and so much at once is written at once."""
    here = site(has_canary=False, always_connect=True, **options)
    greet(here, times, size)
    opened, joined, *events = here.websocket("EIO=3&transport=websocket").heard()
    here.serve()
    assert (opened[:2], joined) == ("0{", "40")
    assert [json.loads(text[2:])[1] for text in events] == list(range(times))


def test_what_a_connect_handler_sends_at_once_is_not_slowness(site: MakeSite) -> None:
    here = site(has_canary=False)
    greet(here, 40, 500_000)
    link = here.websocket()
    link.send("40")
    here.serve()
    assert numbers(link) == list(range(40))


def test_what_is_held_back_for_a_connect_handler_is_limited(site: MakeSite) -> None:
    here = site(has_canary=False, max_send_packets=10)
    greet(here, 30, 100)
    link = here.websocket()
    link.send("40")
    here.serve()
    assert link.heard()[-1] == ("close", 1005)
    assert said(here, "slow client disconnected: 1120 bytes in 10 packets"), here.complaints.lines


def connecting(here: Site) -> asyncio.Event:
    """Let connect handlers wait until that is set."""
    gate = asyncio.Event()

    async def connect(sid: str, environ: dict[str, Any]) -> None:
        await gate.wait()

    here.sio.on("connect", connect)
    return gate


def test_who_left_while_its_connect_handler_ran_is_not_slow(site: MakeSite) -> None:
    here = site(has_canary=False, max_send_packets=10)
    gate = connecting(here)
    link = here.websocket()
    link.send("40")
    link.transport.close()
    here.loop.settle()
    for number in range(30):
        run(here, here.sio.emit, "n", number)
    here.call(gate.set)
    here.serve()
    assert not said(here, "slow client"), here.complaints.lines


def test_last_words_are_kept_while_a_connect_handler_runs(site: MakeSite) -> None:
    """A polling client that was put out comes for them; what others are sent meanwhile does not drive them out."""
    here = site(has_canary=False, max_send_packets=10)

    @here.sio.on("connect", namespace="/b")
    async def agree(sid: str, environ: dict[str, Any]) -> None:
        pass

    query = here.open(4)
    here.post(query, "40/b,")
    here.get(query)
    gate = connecting(here)
    here.post(query, "40")

    async def work() -> None:
        await here.sio.emit("last", "words", namespace="/b")
        await here.sio.eio.disconnect(query.partition("sid=")[2])
        for number in range(30):
            await here.sio.emit("n", number)

    run(here, work)
    assert b'42/b,["last","words"]' in body_of(here.get(query))
    here.call(gate.set)
    here.serve()


def test_volatile_events_reach_those_who_are_not_behind(site: MakeSite) -> None:
    """What a turn brings waits for its end: that much is owed then says nothing about the client."""
    here = site(has_canary=False)
    link = here.websocket().joined()

    async def speak(sid: str, text: str) -> None:
        await here.sio.emit("n", len(text), volatile=True)
        await here.sio.emit("text", text, volatile=True)

    here.sio.on("speak", speak)
    frame = write_frame(TEXT, f'42["speak","{"x" * 4096}"]'.encode())
    here.feed(link.transport, frame * 40)
    here.loop.settle()
    assert numbers(link) == [4096] * 40
    assert here.registry.traffic.dropped == 0


def test_the_line_of_a_slow_client_says_how_much_waited(site: MakeSite) -> None:
    here = site(max_send_packets=16)
    link = blocked(here)
    for number in range(20):
        run(here, here.sio.emit, "n", number)
    assert link.is_closed
    line = (
        "slow client disconnected: 160 bytes in 17 packets were waiting (max_send_buffer=16777216, max_send_packets=16)"
    )
    assert said(here, line), here.complaints.lines


@pytest.mark.parametrize("limits", [{"max_sessions_per_address": 1}, {"handshake_rate": 0.5, "handshake_burst": 1}])
def test_who_is_turned_away_is_named(site: MakeSite, limits: dict[str, Any]) -> None:
    here = site(has_canary=False, **limits)
    query = here.open()
    assert status_of(here.get("EIO=4&transport=polling")) == 503
    assert said(here, f"({next(iter(limits))}); the client is 127.0.0.1"), here.complaints.lines
    here.post(query, "1")
    here.registry.options.handshake_rate = 0  # for the client that comes last


def test_the_oldest_events_are_dropped(site: MakeSite) -> None:
    here = site(slow_client_policy="drop_oldest", max_send_packets=16)
    link = blocked(here)
    for number in range(100):
        run(here, here.sio.emit, "n", number)
    assert not link.is_closed
    link.transport.unblock()
    here.loop.settle()
    heard = numbers(link)
    assert heard == list(range(100))[-len(heard) :], "the newest, in order, without a hole"
    assert 12 <= len(heard) <= 17
    assert here.registry.traffic.dropped == 100 - len(heard)
    assert said(here, "drop_oldest")


def test_the_newest_events_are_dropped(site: MakeSite) -> None:
    here = site(slow_client_policy="drop_newest", max_send_packets=16)
    link = blocked(here)
    for number in range(100):
        run(here, here.sio.emit, "n", [number, b"with an attachment"])
    link.transport.unblock()
    here.loop.settle()
    heard = link.heard()
    texts = [one for one in heard if isinstance(one, str) and one.startswith("451-")]
    assert [json.loads(text[4:])[1][0] for text in texts] == list(range(len(texts))), "the oldest, without a hole"
    assert sum(isinstance(one, bytes) for one in heard) == len(texts), "each with its attachment"
    assert here.registry.traffic.dropped == 100 - len(texts)
    assert said(here, "drop_newest")


def test_dropping_leaves_what_must_arrive_in_its_place(site: MakeSite) -> None:
    here = site(slow_client_policy="drop_oldest", max_send_packets=16)
    link = blocked(here)
    for number in range(40):
        link.send(f'42{number}["echo",{number}]') if number % 8 == 0 else run(here, here.sio.emit, "n", number)
    link.transport.unblock()
    here.loop.settle()
    order = [
        int(one.rpartition(",")[2].rstrip("]")) if one.startswith("42") else int(one[2 : one.index("[")])
        for one in link.heard()[1:]
    ]
    assert order == sorted(order) and {0, 8, 16, 24, 32} <= set(order) and len(order) <= 17


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest"])
def test_answers_are_never_dropped_but_not_kept_for_ever(site: MakeSite, policy: str) -> None:
    here = site(slow_client_policy=policy, max_send_packets=16)
    link = blocked(here)
    for number in range(30):
        run(here, here.sio.emit, "n", number)
    for number in range(10):
        link.send(f'42{number}["echo",{number}]')
    link.transport.unblock()
    here.loop.settle()
    answers = [one for one in link.heard() if isinstance(one, str) and one.startswith("43")]
    assert answers == [f"43{number}[{number}]" for number in range(10)]
    link.transport.block()
    for number in range(60):
        link.send(f'42{number}["echo",{number}]')
    assert link.is_closed, "twice the limit is the end"
    assert ("slow client") in [event[2] for event in here.events if event[0] == "disconnect"]


def test_to_make_room_takes_no_longer_behind_many_answers(site: MakeSite) -> None:
    """What may not be dropped is passed over once, however often something else has to be."""

    def cost(answers: int) -> float:
        here = site(slow_client_policy="drop_oldest", max_send_packets=answers * 3 // 4, max_pending_acks=0)
        link = blocked(here)

        async def ask(sid: str) -> None:
            for number in range(answers):
                await here.sio.emit("asked", number, to=sid, callback=print)

        sid = [event[1] for event in here.events if event[0] == "connect"][-1]
        run(here, ask, sid)
        taken: list[float] = []

        async def tell() -> None:
            begun = time.process_time()
            for number in range(300):
                await here.sio.emit("told", number, to=sid)
                await here.sio.emit("last", number, to=sid, latest="one")
            taken.append(time.process_time() - begun)

        run(here, tell)
        assert here.registry.traffic.dropped >= 299
        assert not link.is_closed
        link.transport.unblock()
        here.loop.settle()
        heard = [str(one) for one in link.heard()]
        assert heard[-1] == '42["last",299]'
        assert sum('["asked",' in one for one in heard) == answers
        return taken[0]

    few, many = cost(100), cost(30_000)
    assert many < 6 * few, (few, many)


@pytest.mark.parametrize("policy", ["disconnect", "drop_oldest", "drop_newest"])
@pytest.mark.parametrize(
    ("limit", "most", "data", "more"),
    [("max_send_buffer", 20_000, "x" * 1000, 1100), ("max_send_packets", 150, [b"x"] * 5, 7)],
)
def test_the_latest_of_each_key_keeps_to_the_limit(
    site: MakeSite, policy: str, limit: str, most: int, data: Any, more: int
) -> None:
    here = site(slow_client_policy=policy, **{limit: most})
    link = blocked(here)
    sid = [event[1] for event in here.events if event[0] == "connect"][-1]
    before = here.sio.buffered(sid)
    owed: list[int] = []
    for value in ("x", data):
        for number in range(100):
            run(here, here.sio.emit, "n", [number, value], latest=number)
            if not link.is_closed:
                size, packets = here.sio.buffered(sid)
                owed.append(size - before[0] if limit == "max_send_buffer" else packets)
    limited = 2 * most if policy == "drop_newest" else most  # there the last value counts for more than the limit
    assert max(owed) < limited + more, "one more than the limit"
    assert link.is_closed is (policy == "disconnect")


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest"])
def test_the_latest_arrives_though_it_grows_beyond_the_limit(site: MakeSite, policy: str) -> None:
    here = site(slow_client_policy=policy, max_send_buffer=1000)
    link = blocked(here)
    for _ in range(4):
        run(here, here.sio.emit, "other", "x" * 230)
    for size in range(1, 60):
        run(here, here.sio.emit, "n", "x" * size, latest="a")
    link.transport.unblock()
    here.loop.settle()
    assert numbers(link) == ["x" * 59], "once, and the last"


def test_what_grows_no_more_replaces_beyond_the_limit(site: MakeSite) -> None:
    here = site(max_send_buffer=1000)
    link = blocked(here)
    run(here, here.sio.emit, "n", "x" * 1000, latest="a")
    for number in range(10):
        run(here, here.sio.emit, "n", f"{number}" * 1000, latest="a")
    assert not link.is_closed and here.registry.traffic.replaced == 10
    link.transport.unblock()
    here.loop.settle()
    assert numbers(link) == ["9" * 1000]


def test_who_is_disconnected_before_it_is_judged_is_not_slow(site: MakeSite) -> None:
    here = site(max_send_packets=16)
    link = blocked(here)
    sid = [event[1] for event in here.events if event[0] == "connect"][-1]

    async def send_much_and_part(sid: str) -> None:
        for number in range(20):
            await here.sio.emit("n", number, to=sid)
        await here.sio.eio.disconnect(here.sio.manager.eio_sid_from_sid(sid, "/"))

    run(here, send_much_and_part, sid)
    link.transport.unblock()
    here.loop.settle()
    assert [event[2] for event in here.events if event[0] == "disconnect"] == ["server disconnect"]
    assert not said(here, "slow client")


def test_a_policy_that_is_none_is_refused(site: MakeSite) -> None:
    with pytest.raises(
        ValueError, match="slow_client_policy='drop'; choose one of disconnect, drop_oldest, drop_newest"
    ):
        site(has_canary=False, slow_client_policy="drop")


def test_limits_of_a_running_server_can_be_changed(site: MakeSite) -> None:
    here = site(has_canary=False)
    here.websocket().joined()
    here.sio.eio.max_sessions = 1
    assert status_of(here.get("EIO=4&transport=polling")) == 503
    here.sio.eio.max_sessions = 2
    assert status_of(here.get("EIO=4&transport=polling")) == 200
    here.sio.eio.max_sessions = 200_000


def test_every_limit_is_an_attribute_of_the_engine() -> None:
    engine = fastsio.AsyncServer(async_mode="asgi").eio
    shared = {"packet_limit", "ping_grace"}  # those have a class, and a pair, to be set with
    names = {name for name in dir(Options()) if not name.startswith("_")} - shared
    assert {name for name in names if not isinstance(getattr(BaseServer, name, None), property)} == set()
    for name in names:
        setattr(engine, name, getattr(engine, name))


@pytest.mark.parametrize(
    ("option", "value", "error", "words"),
    [
        ("max_sessions", "many", TypeError, "max_sessions='many'"),
        ("max_sessions", -1, ValueError, "max_sessions=-1; choose 0 or more"),
        ("handshake_rate", None, TypeError, "handshake_rate=None"),
        ("ping_interval", "x", TypeError, "ping_interval='x'"),
        ("ping_interval", (25, None), TypeError, "ping_grace=None"),
        ("ping_interval", (25, -1), ValueError, "ping_grace=-1; choose 0 or more"),
        ("ping_interval", (25, 5, 1), ValueError, "ping_interval=(25, 5, 1); choose seconds, or two of them"),
        ("ping_interval", float("nan"), ValueError, "ping_interval=nan; choose 0 or more"),
        ("ping_interval", Decimal(-5), ValueError, "ping_interval=Decimal('-5'); choose 0 or more"),
        ("ping_interval", 10**400, ValueError, "ping_interval=1000"),
        ("rate_policy", "shout", ValueError, "choose one of disconnect, drop"),
        ("cors_allowed_origins", 5, TypeError, "cors_allowed_origins=5; choose None for the server's own, an origin"),
        ("cors_allowed_origins", True, TypeError, "cors_allowed_origins=True"),
        ("cookie", 5, TypeError, "cookie=5; choose None, a name, or a dict"),
    ],
)
def test_a_limit_that_is_none_is_refused_by_name(option: str, value: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        fastsio.AsyncServer(**{option: value})
    engine = fastsio.AsyncServer().eio
    before = getattr(engine, option)
    with pytest.raises(error, match=re.escape(words)):
        setattr(engine, option, value)
    assert getattr(engine, option) == before


def test_origins_may_be_anything_that_can_be_looked_through() -> None:
    origins = {"site": "https://a.example"}
    for value in (origins.values(), ("https://a.example",), {"https://a.example"}, [], "*", lambda origin: True, None):
        assert fastsio.AsyncServer(cors_allowed_origins=value).eio.cors_allowed_origins is value


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"json": 5}, "json=5; choose a module with dumps and loads"),
        ({"logger": "yes"}, "logger='yes'; choose True, False, or a logger"),
        ({"engineio_logger": 1}, "logger=1; choose True, False, or a logger"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(options: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=re.escape(words)):
        fastsio.AsyncServer(**options)


def test_an_option_that_does_nothing_is_named(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tests.options")
    fastsio.AsyncServer(max_sesions=3, quite_another=1, message_queue=2, max_rooms=5, engineio_logger=logger)
    assert [record.getMessage() for record in caplog.records if "option" in record.getMessage()] == [
        "option max_sesions is not known and does nothing; did you mean max_sessions?",
        "option message_queue is not known and does nothing",
        "option quite_another is not known and does nothing",
    ]


@pytest.mark.threat("T188")
def test_volatile_events_pass_by_those_who_are_behind(site: MakeSite) -> None:
    here = site()
    slow, quick = blocked(here), here.websocket().joined()
    run(here, here.sio.emit, "n", 1, volatile=True)
    run(here, here.sio.emit, "n", 2)
    slow.transport.unblock()
    here.loop.settle()
    run(here, here.sio.emit, "n", 3, volatile=True)
    assert numbers(quick) == [1, 2, 3]
    assert numbers(slow) == [2, 3]
    assert here.registry.traffic.dropped == 1


@pytest.mark.threat("T188")
def test_volatile_events_wait_for_a_poll_up_to_the_high_water_mark(site: MakeSite) -> None:
    here = site(high_water=1000)
    query = here.open()
    here.post(query, "40")
    here.get(query)
    for number in range(50):
        run(here, here.sio.emit, "n", [number, "x" * 100], volatile=True)
    packets = body_of(here.get(query)).split(b"\x1e")
    assert 8 <= len(packets) <= 11 and packets[0].startswith(b'42["n",[0,')


def test_only_the_latest_of_a_key_waits(site: MakeSite) -> None:
    here = site()
    link = blocked(here)
    for number in range(20):
        run(here, here.sio.emit, "n", number, latest="a")
        run(here, here.sio.emit, "m", number, latest="a")
        run(here, here.sio.emit, "n", 1000 + number, latest="b")
    run(here, here.sio.emit, "n", 5000)
    assert here.registry.traffic.replaced == 57
    link.transport.unblock()
    here.loop.settle()
    heard = [json.loads(one[2:]) for one in link.heard() if isinstance(one, str) and one.startswith("42")][1:]
    assert heard == [["n", 19], ["m", 19], ["n", 1019], ["n", 5000]]
    run(here, here.sio.emit, "n", 6, latest="a")
    assert numbers(link) == [6]


def test_what_cannot_be_both_is_refused(site: MakeSite) -> None:
    here = site()
    wrong: list[str] = []

    async def emit_wrongly() -> None:
        for more in ({"latest": "a", "volatile": True}, {"volatile": True, "callback": print}):
            try:
                await here.sio.emit("n", 1, **more)
            except ValueError as error:
                wrong.append(str(error))

    run(here, emit_wrongly)
    unhashable: list[Exception] = []

    async def emit_unhashable() -> None:
        try:
            await here.sio.emit("n", 1, latest=["a"])
        except TypeError as error:
            unhashable.append(error)

    run(here, emit_unhashable)
    assert unhashable
    assert wrong == [
        "volatile=True and latest='a': an event is one or the other",
        "an event that may be dropped cannot ask for an acknowledgement",
    ]


def test_what_waits_for_a_client_can_be_seen(site: MakeSite) -> None:
    here = site()
    link = blocked(here)
    sid = [event[1] for event in here.events if event[0] == "connect"][-1]
    held = len(link.transport.buffer)
    assert here.sio.buffered(sid) == (held, 0)
    run(here, here.sio.emit, "n", "x" * 1000, to=sid)
    size, packets = here.sio.buffered(sid)
    assert packets == 1 and 1000 < size - held < 1020
    link.transport.unblock()
    here.loop.settle()
    assert here.sio.buffered(sid) == (0, 0)
    with pytest.raises(KeyError):
        here.sio.buffered("nobody")


# --- clients that are ahead of their handlers


def hanging(here: Site) -> tuple[asyncio.Event, list[int]]:
    """Have an event whose handler waits for a gate."""
    gate, begun = asyncio.Event(), []

    async def hang(sid: str, number: int) -> None:
        begun.append(number)
        await gate.wait()

    here.sio.on("hang", hang)
    return gate, begun


@pytest.mark.threat("T173", "T182")
def test_a_client_is_not_read_while_its_handlers_are_behind(site: MakeSite) -> None:
    here = site(has_canary=False, pause_at_packets=10)
    gate, begun = hanging(here)
    link = here.websocket().joined()
    for number in range(400):  # 256 run, 10 wait, the rest stays where it is
        link.send(f'42["hang",{number}]')
    assert link.transport.is_paused and not link.is_closed
    assert len(link.transport.unread) > 0
    here.skip(120)
    assert not link.is_closed, "its pongs are not read either: that is not its fault"
    here.call(gate.set)
    here.loop.settle()
    here.skip(1)
    assert begun == list(range(400)), "nothing is lost, and the order is kept"
    assert not link.transport.is_paused
    here.skip(60)
    assert link.is_closed, "from now on its silence counts again"


@pytest.mark.threat("T151", "T173")
@pytest.mark.parametrize("owes_an_answer", [False, True])
def test_all_attachments_of_what_waits_count(site: MakeSite, owes_an_answer: bool) -> None:
    here = site(has_canary=False, pause_at_bytes=10_000, max_waiting_bytes=50_000)
    gate, _ = hanging(here)
    link = here.websocket().joined()
    link.send(*(f'42["hang",{number}]' for number in range(256)))
    if owes_an_answer:  # then it is read on
        run(here, here.sio.emit, "question", callback=lambda *_: None)
    for number in range(60):
        link.send(f'452-["hang",{number}]', b"x" * 1000, b"")
    if owes_an_answer:
        assert link.ended() == 1005
    else:
        assert link.transport.is_paused and link.ended() is None
    here.call(gate.set)
    here.loop.settle()


def test_a_client_is_not_held_for_ever(site: MakeSite) -> None:
    here = site(has_canary=False, pause_at_packets=10, hold_timeout=60)
    gate, _ = hanging(here)
    link = here.websocket().joined()
    link.send(*(f'42["hang",{number}]' for number in range(300)))
    here.skip(50)
    assert not link.is_closed
    here.skip(60)
    assert link.is_closed and here.events[-1][0] == "disconnect" and here.events[-1][2] == "ping timeout"
    here.call(gate.set)
    here.loop.settle()


def test_a_client_whose_answer_is_waited_for_is_read(site: MakeSite) -> None:
    here = site(pause_at_packets=10)
    answers: list[Any] = []

    async def ask(sid: str, number: int) -> None:
        answers.append(await here.sio.call("question", to=sid, timeout=30))

    here.sio.on("ask", ask)
    link = here.websocket().joined()
    for number in range(300):
        link.send(f'42["ask",{number}]')
    asked = [one for one in link.heard() if isinstance(one, str) and one.endswith('["question"]')]
    assert len(asked) == 256 and not link.transport.is_paused
    for _ in range(2):  # those that waited ask now
        for text in asked:
            link.send(f'43{text[2 : text.index("[")]}["yes"]')
        asked = [one for one in link.heard() if isinstance(one, str) and one.endswith('["question"]')]
    assert answers == ["yes"] * 300


@pytest.mark.threat("T173")
def test_a_polling_client_waits_for_its_answer(site: MakeSite) -> None:
    here = site(pause_at_packets=10)
    gate, begun = hanging(here)
    query = here.open()
    here.post(query, "40")
    body = "\x1e".join(f'42["hang",{number}]' for number in range(300))
    assert here.post(query, body) == b"", "its POST is not answered, so it cannot send another"
    here.get(query)
    here.call(gate.set)
    here.loop.settle()
    assert begun == list(range(300))
    assert status_of(here.post(query, '42["last"]')) == 200
    assert here.names()[-1] == "last"


def test_a_held_client_that_upgrades_has_its_answer(site: MakeSite) -> None:
    here = site(pause_at_packets=10)
    gate, begun = hanging(here)
    query = here.open()
    here.post(query, "40")
    assert here.post(query, "\x1e".join(f'42["hang",{number}]' for number in range(270))) == b""
    poster = here.connections[-1]
    link = here.websocket(query).send("2probe", "5")
    assert poster.written.startswith(b"HTTP/1.1 "), "the POST that waited is answered"
    assert link.transport.is_paused, "the transport that took over is not read either"
    here.call(gate.set)
    here.loop.settle()
    assert begun == list(range(270)) and not link.transport.is_paused


def test_a_held_client_that_is_disconnected_leaves_nothing(site: MakeSite) -> None:
    here = site(pause_at_packets=10)
    gate, _ = hanging(here)
    link, query = here.websocket().joined(), here.open()
    here.post(query, "40")
    gone = list(here.registry.sessions.values())[-2:]
    link.send(*(f'42["hang",{number}]' for number in range(300)))
    here.post(query, "\x1e".join(f'42["hang",{number}]' for number in range(300)))
    poster = here.connections[-1]
    assert not poster.written
    for session in gone:
        here.call(session.disconnect)
    here.loop.settle()
    assert poster.written.startswith(b"HTTP/1.1 "), "the POST that waited is answered"
    here.call(gate.set)
    here.skip(40)
    assert not here.registry.sessions.keys() & {session.sid for session in gone}


# --- clients that talk too fast


def test_a_client_that_sends_too_many_messages_is_put_out(site: MakeSite) -> None:
    here = site(max_events_per_second=10, rate_burst=2)
    link = here.websocket().joined()
    for number in range(19):  # with its CONNECT, 20
        link.send(f'42["n",{number}]')
    assert not link.is_closed and here.names().count("n") == 19
    here.skip(1)
    link.send(*['42["n",1]'] * 10)
    assert not link.is_closed
    link.send('42["n",2]')
    assert link.ended() == 1005
    assert said(here, "EIO_TOO_FAST): more than 10 messages a second (max_events_per_second)")
    here.skip(10)


def test_a_client_that_sends_too_many_bytes_is_put_out(site: MakeSite) -> None:
    here = site(max_bytes_per_second=1000)
    link = here.websocket().joined()
    link.send('42["n","' + "x" * 20_000 + '"]')
    assert not link.is_closed, "one message may be large; the next has to wait"
    here.skip(10)
    link.send('42["n"]')
    assert link.ended() == 1005
    assert said(here, "more than 1000 bytes a second (max_bytes_per_second)")
    here.skip(10)


def test_events_beyond_the_rate_are_dropped_where_that_is_wanted(site: MakeSite) -> None:
    here = site(max_events_per_second=10, rate_burst=1, rate_policy="drop")
    link = here.websocket().joined()
    for number in range(50):
        link.send(f'42["n",{number}]')
    assert here.names().count("n") == 9 and not link.is_closed
    link.send('451-["bin",{"_placeholder":true,"num":0}]', b"abc")
    assert here.events[-1][0] == "bin", "an event in several pieces is never torn apart"
    assert said(here, "an event was dropped (EIO_TOO_FAST)")
    here.skip(10)


# --- who may come


def test_a_full_server_turns_clients_away_with_a_time(site: MakeSite) -> None:
    here = site(has_canary=False, max_sessions=3, retry_after=7)
    queries = [here.open() for _ in range(3)]
    answer = here.get("EIO=4&transport=polling")
    assert status_of(answer) == 503 and b"\r\nRetry-After: 7\r\n" in answer
    assert json.loads(body_of(answer)) == {
        "code": 3,
        "message": "The server has 3 sessions, as many as it may have (max_sessions)",
    }
    assert said(here, "as many as it may have (max_sessions)")
    here.post(queries[0], "1")
    assert status_of(here.get("EIO=4&transport=polling")) == 200
    here.registry.options.max_sessions = 1000


def test_an_address_has_so_many_sessions(site: MakeSite) -> None:
    here = site(has_canary=False, max_sessions_per_address=2)
    queries = [here.open() for _ in range(2)]
    refused = here.get("EIO=4&transport=polling")
    assert status_of(refused) == 503 and b"2 sessions are open from this address" in refused
    here.post(queries[0], "1")
    assert status_of(here.get("EIO=4&transport=polling")) == 200
    here.registry.options.max_sessions_per_address = 0


def test_an_address_makes_so_many_handshakes_in_a_second(site: MakeSite) -> None:
    here = site(has_canary=False, handshake_rate=2, handshake_burst=4)
    statuses = [status_of(here.get("EIO=4&transport=polling")) for _ in range(6)]
    assert statuses == [200] * 4 + [503] * 2
    here.skip(1.1)
    assert [status_of(here.get("EIO=4&transport=polling")) for _ in range(3)] == [200, 200, 503]
    here.registry.options.handshake_rate = 0


# --- what the log says of who went too far: the limit, and the option that sets it

WEBSOCKET_REFUSALS = {
    "namespaces": (["40/a,", "40/b,", "40/c,"], "more than 3 namespaces asked for (max_namespaces)"),
    "size": (['42["x","' + "y" * 3000 + '"]'], "a message of more than 2000 bytes (max_http_buffer_size)"),
    "attachments": (
        ['459-["x",{"_placeholder":true,"num":0}]'],
        "announces 9 attachments; at most 4 are accepted (max_attachments)",
    ),
    "attached bytes": (
        ['451-["x",{"_placeholder":true,"num":0}]', b"x" * 600],
        "attachments of more than 500 bytes (max_binary_packet)",
    ),
}


@pytest.mark.parametrize("what", WEBSOCKET_REFUSALS)
def test_a_refusal_names_its_limit_and_its_option(site: MakeSite, what: str) -> None:
    here = site(max_namespaces=3, max_http_buffer_size=2000, max_attachments=4, max_binary_packet=500)
    messages, line = WEBSOCKET_REFUSALS[what]
    here.websocket().joined().send(*messages)
    here.loop.settle()
    assert said(here, line), here.complaints.lines
    assert here.names()[-1] == "disconnect"


@pytest.mark.threat("T114")
def test_the_refusal_of_fragments_names_its_limit_and_its_option(site: MakeSite) -> None:
    here = site(max_fragments=3)
    link = here.websocket().joined()
    first, *more = (bytearray(write_frame(TEXT, b"4")) for _ in range(5))
    first[0] = TEXT
    for frame in more:
        frame[0] = 0
    link.push(b"".join((first, *more)))
    assert link.ended() == 1008
    assert said(here, "a message of more than 3 fragments (max_fragments)"), here.complaints.lines


@pytest.mark.threat("T173")
@pytest.mark.parametrize(
    "options, line",
    [
        ({"max_waiting_packets": 20}, "more than 20 packets wait for handlers of this client (max_waiting_packets)"),
        ({"max_waiting_bytes": 500}, "more than 500 bytes wait for handlers of this client (max_waiting_bytes)"),
    ],
)
def test_the_refusal_of_what_waits_names_its_limit_and_its_option(
    site: MakeSite, options: dict[str, Any], line: str
) -> None:
    here = site(has_canary=False, **options)
    gate, _ = hanging(here)
    here.websocket().joined().send(*(f'42["hang",{number}]' for number in range(300)))
    assert said(here, line), here.complaints.lines
    here.call(gate.set)
    here.loop.settle()


@pytest.mark.parametrize(
    "body, line",
    [
        ("\x1e".join(["4x"] * 10_001), "a polling body of more than 10000 packets (Payload.max_decode_packets)"),
        ("4" + "x" * 50_000, "a polling body of more than 50000 bytes (max_http_buffer_size)"),
    ],
)
def test_the_refusal_of_a_body_names_its_limit_and_its_option(site: MakeSite, body: str, line: str) -> None:
    here = site(max_http_buffer_size=50_000)
    query = here.open()
    here.post(query, "40")
    assert status_of(here.post(query, body)) == 400
    assert said(here, line), here.complaints.lines


def test_the_refusal_of_an_origin_names_its_option(site: MakeSite) -> None:
    here = site()
    assert status_of(here.get("EIO=4&transport=polling", "Origin: http://evil.example")) == 400
    assert said(here, '"http://evil.example is not an accepted origin." (cors_allowed_origins)'), here.complaints.lines
    here.get("EIO=4&transport=polling")


@pytest.mark.parametrize(
    "start, seconds, status, line",
    [
        (b"GET / HTT", 11, 408, "(408): the head of a request did not come in 10 s"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 30_000, 0, 431, "(431): the head of a request has more than 24576 bytes"),
        (b"\x16\x03\x01", 0, 400, "(400): it speaks TLS, this port does not"),
    ],
)
def test_a_connection_that_is_no_request_is_told_of(
    site: MakeSite, start: bytes, seconds: int, status: int, line: str
) -> None:
    here = site()
    link = here.connect()
    here.say(link, start)
    here.skip(seconds)
    assert status_of(bytes(link.written)) == status
    assert said(here, line), here.complaints.lines
    assert f"http {status}" in here.sio.stats()["refusals"]


@pytest.mark.threat("T026")
def test_a_body_that_is_too_slow_is_told_of(site: MakeSite) -> None:
    """However long it took: some of it did come."""
    here = site(has_canary=False)
    link = here.connect()
    here.say(link, f"POST /socket.io/?{here.open()} HTTP/1.1\r\nContent-Length: 90000\r\n\r\n".encode())
    for _ in range(2):
        here.say(link, b"4" * 16_384)
        here.skip(12)
    here.skip(18)
    assert status_of(bytes(link.written)) == 408
    line = "(408): of the body of a request, less than 16384 bytes came in 20 s"
    assert said(here, line), here.complaints.lines


@pytest.mark.threat("T024")
@pytest.mark.parametrize(
    "start, seconds, status", [(b"GET / HTT", 11, 408), (b"GET / HTTP/1.1\r\nX: " + b"x" * 30_000, 0, 431)]
)
def test_a_logger_that_raises_leaves_no_connection_open(
    site: MakeSite, start: bytes, seconds: int, status: int
) -> None:
    here = site(has_canary=False)

    def refuse(record: logging.LogRecord) -> bool:
        if "refused" in record.getMessage():
            raise ExpectedError("no space left")
        return True

    here.sio.logger.addFilter(refuse)
    link = here.connect()
    with contextlib.suppress(ExpectedError):
        here.say(link, start)
        here.skip(seconds)
    assert status_of(bytes(link.written)) == status
    here.skip(5)
    assert not link.is_open
