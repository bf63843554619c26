"""What a node owes its broker: bounded, in order, sent again, counted. And the small parts beside it.

The broker is a function of the test; everything else is real.
"""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

import fastsio
from fastsio.cluster import outgoing
from fastsio.cluster.answers import Answers
from fastsio.cluster.complaints import Complaints
from fastsio.cluster.health import LONGEST_DELAY, Direction, Health
from fastsio.cluster.outgoing import Outgoing, PartlySentError
from fastsio.cluster.sequences import Sequences


class Broker:
    """Takes messages, or does not."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.attempts = 0
        self.is_there = True
        self.breaks_after_taking = False
        self.poison = b""
        self.hangs_up = True
        self.health = Health()
        self.states: list[bool] = []
        self.direction = Direction("publishes", "cannot publish", lambda is_up, cause: self.states.append(is_up))
        logger = logging.getLogger("test")
        self.outgoing = Outgoing(self.send, self.recovered, self.direction, self.health, lambda: logger)

    async def send(self, payloads: list[bytes]) -> None:
        self.attempts += 1
        await asyncio.sleep(0)
        if not self.is_there:
            raise ConnectionError("away")
        if self.poison in payloads:
            at = payloads.index(self.poison)
            self.taken.extend(payloads[:at])
            raise PartlySentError("hung up" if self.hangs_up else "NOPERM", at, self.hangs_up)
        self.taken.extend(payloads)
        if self.breaks_after_taking:
            self.breaks_after_taking = False
            raise ConnectionError("broke before it answered")

    async def recovered(self) -> None:
        pass


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_everything_leaves_in_order_and_in_batches():
    broker = Broker()
    numbers = [b"%d" % number for number in range(1000)]
    for number in numbers:
        broker.outgoing.put(number)
    assert broker.health.buffered == 1000
    await broker.outgoing.settled()
    assert broker.taken == numbers
    assert broker.attempts < 10
    assert (broker.health.published, broker.health.buffered, broker.health.dropped) == (1000, 0, 0)
    assert broker.states == [True]


async def test_batches_do_not_follow_each_other_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outgoing, "GATHER", 0.05)
    broker = Broker()
    began = time.monotonic()
    for number in range(200):
        broker.outgoing.put(b"%d" % number)
        await asyncio.sleep(0)
    await until(lambda: len(broker.taken) == 200)
    assert 2 <= broker.attempts <= 2 + (time.monotonic() - began) / 0.05


async def test_who_waits_for_each_message_is_not_kept_waiting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outgoing, "GATHER", 30.0)
    broker = Broker()
    async with asyncio.timeout(5):
        for number in range(20):
            broker.outgoing.put(b"%d" % number)
            await broker.outgoing.settled()
    assert broker.attempts == 20


@pytest.mark.threat("T218")
async def test_the_oldest_go_when_too_many_wait(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outgoing, "MOST_MESSAGES", 10)
    broker = Broker()
    broker.is_there = False
    for number in range(25):
        broker.outgoing.put(b"%d" % number)
        await asyncio.sleep(0)
    await until(lambda: broker.states == [False])
    assert broker.health.buffered + broker.health.dropped == 25
    assert broker.health.buffered <= 10
    broker.is_there = True
    await until(lambda: broker.health.buffered == 0)
    assert broker.taken == [b"%d" % number for number in range(broker.health.dropped, 25)]


@pytest.mark.threat("T218")
async def test_bytes_are_bounded_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outgoing, "MOST_BYTES", 1000)
    broker = Broker()
    broker.is_there = False
    for _ in range(20):
        broker.outgoing.put(b"x" * 100)
    assert broker.health.dropped == 10


@pytest.mark.threat("T213")
async def test_what_was_not_answered_is_sent_again():
    broker = Broker()
    broker.breaks_after_taking = True
    broker.outgoing.put(b"1")
    broker.outgoing.put(b"2")
    await broker.outgoing.settled()
    assert broker.taken == [b"1", b"2", b"1", b"2"]
    sequences = Sequences()
    assert [sequences.is_new("host", int(seq)) for seq in broker.taken] == [True, True, False, False]
    assert (sequences.duplicates, sequences.missed) == (2, 0)


async def test_what_was_answered_is_not_sent_again():
    broker = Broker()
    broker.poison, broker.hangs_up = b"3", False
    for number in range(1, 6):
        broker.outgoing.put(b"%d" % number)
    await until(lambda: broker.attempts == 2)
    assert broker.taken == [b"1", b"2"] and broker.health.published == 2
    broker.poison = b""
    await until(lambda: broker.health.buffered == 0)
    assert broker.taken == [b"%d" % number for number in range(1, 6)]


async def test_what_the_broker_never_takes_holds_up_no_other(caplog: pytest.LogCaptureFixture):
    broker = Broker()
    broker.poison = b"3"
    for number in range(1, 6):
        broker.outgoing.put(b"%d" % number)
    await until(lambda: broker.health.buffered == 0)
    assert broker.taken == [b"1", b"2", b"4", b"5"]
    assert (broker.health.dropped, broker.health.published) == (1, 4)
    assert len([record for record in caplog.records if "given up" in record.message]) == 1
    assert broker.outgoing._bytes == 0


async def test_a_broker_that_refuses_everything_loses_nothing():
    broker = Broker()
    broker.poison, broker.hangs_up = b"1", False
    broker.outgoing.put(b"1")
    await until(lambda: broker.attempts == outgoing.MOST_STRIKES + 2)
    assert (broker.health.dropped, broker.health.buffered) == (0, 1)


async def test_who_waits_is_not_kept_longer_than_two_attempts():
    broker = Broker()
    broker.is_there = False
    broker.outgoing.put(b"1")
    await asyncio.wait_for(broker.outgoing.settled(), 2)
    assert broker.attempts == 2
    await asyncio.wait_for(broker.outgoing.settled(), 0.01)  # while nothing is attempted: not at all


async def emit(broker: Broker, payload: bytes) -> None:
    broker.outgoing.put(payload)
    await broker.outgoing.settled()


def test_one_loop_after_another():
    broker = Broker()
    for number in range(3):
        asyncio.run(emit(broker, b"%d" % number))
    assert broker.taken == [b"0", b"1", b"2"]


def test_one_loop_after_another_while_the_broker_is_away():
    """Each has a loop of its own, which ends with it: whoever is first after the outage sends what waited."""
    broker = Broker()
    broker.is_there = False
    for number in range(3):
        asyncio.run(emit(broker, b"%d" % number))
    assert broker.taken == [] and broker.health.buffered == 3
    broker.is_there = True
    asyncio.run(emit(broker, b"3"))
    assert broker.taken == [b"0", b"1", b"2", b"3"]


def test_a_loop_that_was_left_and_is_run_again():
    broker = Broker()
    loops = [asyncio.new_event_loop() for _ in range(2)]
    for number in range(6):
        loop = loops[number % 2]
        loop.run_until_complete(put(broker, b"%d" % number))  # which ends before anything is sent
    loops[0].run_until_complete(broker.outgoing.settled())
    assert broker.taken == [b"%d" % number for number in range(6)]
    assert (broker.health.published, broker.health.buffered, broker.outgoing._bytes) == (6, 0, 0)
    for loop in loops:
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def put(broker: Broker, payload: bytes) -> None:
    broker.outgoing.put(payload)


async def test_two_loops_at_a_time_are_refused():
    broker = Broker()
    await emit(broker, b"1")
    with pytest.raises(RuntimeError, match="another event loop"):
        await asyncio.to_thread(asyncio.run, emit(broker, b"2"))
    await emit(broker, b"3")
    assert broker.taken == [b"1", b"3"]


async def test_who_waits_may_be_cancelled():
    broker = Broker()
    tasks = [asyncio.create_task(emit(broker, b"%d" % number)) for number in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert broker.taken == [b"%d" % number for number in range(20)]
    assert broker.outgoing._waiters == 0


@pytest.mark.threat("T211")
def test_gaps_are_missed():
    sequences = Sequences()
    for seq in (5, 6, 9, 9, 10):
        sequences.is_new("host", seq)
    sequences.has_reached("host", 12)
    sequences.has_reached("other", 7)
    assert sequences.is_new("other", 8) and sequences.is_new(None, 1) and sequences.is_new("host", "x")
    assert (sequences.missed, sequences.duplicates) == (4, 1)


@pytest.mark.parametrize(
    "host, seq", [("h" * 65, 1), ("host", -1), ("host", 2**63), ("host", True), ("host", 1.0), ([], 1)]
)
def test_numbers_that_no_node_gives_are_none(host: Any, seq: Any):
    sequences = Sequences()
    for _ in range(3):
        assert sequences.is_new(host, seq)
        sequences.has_reached(host, seq)
    assert (sequences.missed, len(sequences._last)) == (0, 0)


def test_nodes_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fastsio.cluster.sequences.MOST_HOSTS", 10)
    sequences = Sequences()
    for number in range(100):
        sequences.is_new(f"host {number}", 1)
    assert len(sequences._last) == 10


@pytest.mark.threat("T212")
def test_delays_grow_and_differ():
    direction = Direction("works", "fails", lambda is_up, cause: None)
    logger = logging.getLogger("test")
    delays = []
    for _ in range(12):
        direction.down(logger, ConnectionError())
        delays.append(direction.delay())
    assert delays[0] <= 0.1 and LONGEST_DELAY / 2 <= delays[-1] <= LONGEST_DELAY
    assert len({direction.delay() for _ in range(10)}) == 10


def test_an_answer_is_taken_once_and_by_whom_it_was_asked():
    answers = Answers()
    id = answers.expect("room", print)
    assert answers.take("other", id) is None
    assert answers.take("room", "x") is None
    assert answers.take("room", id) is print
    assert answers.take("room", id) is None
    for _ in range(3):
        answers.expect("room", print)
    kept = answers.expect("room", len)
    answers.forget(print)
    answers.forget(print)
    assert len(answers) == 1 and answers.take("room", kept) is len
    assert answers._ids == {}


def test_the_oldest_answer_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fastsio.cluster.answers.MOST", 3)
    answers = Answers()
    ids = [answers.expect("room", print) for _ in range(5)]
    assert [answers.take("room", id) for id in ids] == [None, None, print, print, print]


def test_to_forget_one_of_many_is_quick():
    answers = Answers()
    callbacks = [lambda n=n: n for n in range(20_000)]
    for callback in callbacks:
        answers.expect("room", callback)
    began = time.monotonic()
    for callback in reversed(callbacks):
        answers.forget(callback)
    assert time.monotonic() - began < 2  # it was 20,000 times 20,000


@pytest.mark.threat("T217")
def test_complaints_are_seldom(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    complaints = Complaints()
    logger = logging.getLogger("test")

    def complain(count: int) -> None:
        for _ in range(count):
            try:
                raise ValueError("bad")
            except ValueError:
                complaints.log(logger, "Handler error")

    complain(50)
    monkeypatch.setattr("fastsio.cluster.complaints.PAUSE", 0.0)
    complain(1)
    assert [record.message for record in caplog.records] == [
        "Handler error",
        "Handler error (and 49 more since the last such line)",
    ]
    assert all(record.exc_info for record in caplog.records)


def test_the_emitter_without_a_loop_tries_twice_and_logs_once(caplog: pytest.LogCaptureFixture):
    manager = fastsio.RedisManager("redis://127.0.0.1:1/0", write_only=True)
    for _ in range(3):
        manager.emit("ev", 1)
    assert manager.health.dropped == 3 and not manager.health.publishes
    assert len([record for record in caplog.records if "cannot publish" in record.message]) == 1


@pytest.mark.parametrize("url", ["http://x", "redis+sentinel://host/0", "rediss+sentinel"])
def test_urls_that_are_none(url: str):
    with pytest.raises(ValueError):
        fastsio.RedisManager(url).emit("ev", 1)


def test_sentinel_urls_are_read_as_python_socketio_reads_them():
    from socketio.redis_manager import parse_redis_sentinel_url as theirs

    from fastsio.async_redis_manager import parse_redis_sentinel_url as ours

    for url in (
        "redis+sentinel://h1:1,h2:2/0/service",
        "valkey+sentinel://user:secret@h1:1/5",
        "redis+sentinel://:secret@h1:1,h2:2,h3:3",
        "redis+sentinel://h1:1//service",
    ):
        assert ours(url) == theirs(url)


def test_signatures_are_those_of_python_socketio():
    import inspect

    import socketio
    import socketio.async_pubsub_manager

    theirs: dict[str, Any] = {"AsyncPubSubManager": socketio.async_pubsub_manager.AsyncPubSubManager}
    for name in ("AsyncRedisManager", "RedisManager", "PubSubManager", "AsyncAioPikaManager", "AsyncPubSubManager"):
        reference = theirs.get(name) or getattr(socketio, name)
        for method in ("__init__", "emit", "can_disconnect", "enter_room", "leave_room", "close_room", "disconnect"):
            found = inspect.signature(getattr(getattr(fastsio, name), method))
            wanted = inspect.signature(getattr(reference, method))
            assert [(p.name, p.kind) for p in found.parameters.values()] == [
                (p.name, p.kind) for p in wanted.parameters.values()
            ], (name, method)
        for parameter in inspect.signature(reference).parameters.values():
            assert inspect.signature(getattr(fastsio, name)).parameters[parameter.name].default == parameter.default
        assert getattr(fastsio, name).name == reference.name


def test_importing_fastsio_imports_no_driver():
    code = "import sys, fastsio; fastsio.AsyncRedisManager(); sys.exit(bool({'redis', 'aio_pika'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_a_manager_for_scripts_cannot_serve():
    with pytest.raises(ValueError, match="AsyncRedisManager"):
        fastsio.AsyncServer(client_manager=fastsio.RedisManager())
