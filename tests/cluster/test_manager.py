"""One manager in this process and a real Redis: what an application may do to it, and what Redis may refuse.

Imports processes.py beside it. A second, independent client of the redis package hears what is published.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

import fastsio
from fastsio.errors import EventTooLargeError
from tests.cluster.processes import PATIENCE, Redis

PACKAGE = redis.asyncio


@pytest.fixture(scope="module")
def own_redis(logs: Path) -> Iterator[Redis]:
    server = Redis(logs / "own-redis.log")
    server.start()
    yield server
    server.stop()


async def until(condition: Callable[[], Any], patience: float = PATIENCE) -> None:
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.01)


class Ear:
    """Events that were published on a channel, as (name, data)."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    async def listen(self, messages: Any) -> None:
        async for message in messages.listen():
            if message["type"] == "message":
                said = json.loads(message["data"])
                if said["method"] == "emit":
                    self.heard.append((said["event"], said["data"]))


@asynccontextmanager
async def ear(server: Redis, channel: str) -> AsyncIterator[Ear]:
    client = PACKAGE.Redis(port=server.port)
    subscription = client.pubsub()
    await subscription.subscribe(channel)
    found = Ear()
    task = asyncio.create_task(found.listen(subscription))
    await asyncio.sleep(0.1)
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.wait({task})
        await subscription.aclose()
        await client.aclose()


@asynccontextmanager
async def node(url: str, **settings: Any) -> AsyncIterator[Any]:
    """Give the manager of a server with one client, whom nobody serves, that listens."""
    attributes = {name: settings.pop(name) for name in ("heartbeat_interval", "deaf_after") if name in settings}
    manager = fastsio.AsyncRedisManager(url, **settings)
    for name, value in attributes.items():
        setattr(manager, name, value)
    sio = fastsio.AsyncServer(async_mode="asgi", client_manager=manager)
    manager.basic_enter_room("sid", "/", None, eio_sid="eio")
    sio._initialize_manager()
    try:
        yield manager
    finally:
        await manager.close()


# --- what no attempt could mend


@pytest.fixture
def no_redis_package(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("redis", "redis.asyncio", "valkey", "valkey.asyncio"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("url, package", [("redis://", "redis"), ("valkey://", "valkey"), ("unix:///x", "redis")])
async def test_a_missing_package_is_said_at_the_first_use(no_redis_package: None, url: str, package: str):
    for _ in range(2):
        with pytest.raises(RuntimeError, match=f"pip install {package}"):
            fastsio.RedisManager(url).emit("ev", 1)
    manager = fastsio.AsyncRedisManager(url, write_only=True)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=f"pip install {package}"):
            await manager.emit("ev", 1)
    with pytest.raises(RuntimeError, match=f"pip install {package}"):
        await manager.enter_room("sid", "/", "room")


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("http://localhost", {}, "Unsupported Redis URL scheme: http"),
    ("localhost:6379", {}, "Unsupported Redis URL scheme: localhost"),
    ("redis://localhost:port/0", {}, "port"),
    ("redis://localhost", {"sokcet_timeout": 1}, "sokcet_timeout"),
    ("redis://localhost?sokcet_timeout=1", {}, "sokcet_timeout"),
    ("unix:///x?sokcet_timeout=1", {}, "sokcet_timeout"),
    ("redis+sentinel://localhost/0/service", {}, "no port"),
    ("redis+sentinel://localhost:1/0/service", {"sokcet_timeout": 1}, "sokcet_timeout"),
    ("rediss+sentinel://localhost:1/0/service", {}, "schemes"),
]


@pytest.mark.parametrize("url, options, reason", WRONG, ids=repr)
async def test_a_wrong_url_or_option_is_said_at_the_first_use(url: str, options: dict[str, Any], reason: str):
    with pytest.raises(ValueError, match=reason):
        fastsio.RedisManager(url, redis_options=options).emit("ev", 1)
    manager = fastsio.AsyncRedisManager(url, redis_options=options)
    sio = fastsio.AsyncServer(async_mode="asgi", client_manager=manager)
    for _ in range(2):  # each client is told, not the first one only
        with pytest.raises(ValueError, match=reason):
            sio._initialize_manager()
        with pytest.raises(ValueError, match=reason):
            await sio.emit("ev", 1)


async def test_the_first_client_is_refused_when_the_package_is_missing(no_redis_package: None):
    """No client is let into a server that is cut off from its cluster for ever; the host answers 500 and logs why."""
    sio = fastsio.AsyncServer(async_mode="asgi", client_manager=fastsio.AsyncRedisManager("redis://"))
    app = fastsio.ASGIApp(sio)

    async def unused(*args: Any) -> Any:
        raise AssertionError("nothing is read or answered")

    query = b"EIO=4&transport=polling"
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/socket.io/",
        "root_path": "",
        "query_string": query,
        "headers": [],
    }
    for _ in range(2):
        with pytest.raises(RuntimeError, match="pip install redis"):
            await app(scope, unused, unused)


async def test_rabbitmq_too(monkeypatch: pytest.MonkeyPatch):
    for url in ("http://localhost", "amqp://localhost:port//", "localhost"):
        manager = fastsio.AsyncAioPikaManager(url, write_only=True)
        with pytest.raises(ValueError, match="amqp://"):
            await manager.emit("ev", 1)
    monkeypatch.setitem(sys.modules, "aio_pika", None)
    with pytest.raises(RuntimeError, match="pip install aio_pika"):
        fastsio.AsyncAioPikaManager()


async def test_who_makes_the_client_himself_is_not_looked_at(own_redis: Redis):
    class Own(fastsio.AsyncRedisManager):  # type: ignore[name-defined,misc]
        def _redis_connect(self) -> None:
            self.redis = PACKAGE.Redis(port=own_redis.port)
            self.pubsub = self.redis.pubsub(ignore_subscribe_messages=True)
            self.connected = True

    manager = Own("somewhere else", channel="own", write_only=True)
    async with ear(own_redis, "own") as found:
        await manager.emit("ev", 1)
        await until(lambda: found.heard == [("ev", [1])])
    await manager.close()


# --- what Redis refuses


async def test_what_redis_never_takes_holds_up_no_other(own_redis: Redis):
    """The limit of a message is Redis's own here, which fastsio is not told of."""
    own_redis.cli("CONFIG", "SET", "proto-max-bulk-len", str(1024 * 1024))
    try:
        manager = fastsio.AsyncRedisManager(own_redis.url, channel="poison", write_only=True)
        async with ear(own_redis, "poison") as found:
            await manager.emit("before", 1)
            await manager.emit("large", "x" * 2_000_000)
            await manager.emit("after", 2)
            await until(lambda: len(found.heard) == 2)
        assert found.heard == [("before", [1]), ("after", [2])]
        assert (manager.health.dropped, manager.health.published, manager.health.buffered) == (1, 2, 0)
        await manager.close()
    finally:
        own_redis.cli("CONFIG", "SET", "proto-max-bulk-len", str(512 * 1024 * 1024))


@pytest.mark.threat("T217")
async def test_permissions_are_named_as_the_cause_and_waited_for(own_redis: Redis):
    own_redis.cli("ACL", "SETUSER", "quiet", "on", ">secret", "+@all", "resetchannels")
    url = own_redis.url.replace("//", "//quiet:secret@")
    causes: list[str] = []
    async with node(url, channel="acl", deaf_after=30.0) as manager:
        manager.health_changed = lambda health: causes.append(health.cause)
        await manager.emit("ev", 1)
        await until(lambda: len([cause for cause in causes if "NOPERM" in cause]) == 2)  # of both directions
        own_redis.cli("ACL", "SETUSER", "quiet", "allchannels")
        await until(lambda: manager.health.is_healthy)
        await until(lambda: manager.health.buffered == 0)
        assert manager.health.dropped == 0


async def test_a_wrong_password_is_named_as_the_cause(own_redis: Redis):
    manager = fastsio.AsyncRedisManager(own_redis.url.replace("//", "//nobody:wrong@"), write_only=True)
    await manager.emit("ev", 1)
    assert "AuthenticationError" in manager.health.cause
    await manager.close()


# --- what applications do


async def test_close_sends_what_waits_and_leaves_nothing_behind(own_redis: Redis):
    gc.collect()
    tasks, files = asyncio.all_tasks(), descriptors()
    async with ear(own_redis, "close") as found:
        async with node(own_redis.url, channel="close") as manager:
            await until(lambda: manager.health.hears)
            emits = [asyncio.create_task(manager.emit("ev", number)) for number in range(500)]
            await asyncio.sleep(0)
        await asyncio.gather(*emits)
        await until(lambda: len(found.heard) == 500)
        assert [data for _, data in found.heard] == [[number] for number in range(500)]
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() <= tasks and descriptors() <= files


async def test_emits_while_it_closes_and_after(own_redis: Redis):
    """A closed manager that is used again connects again, as python-socketio's would."""
    manager = fastsio.AsyncRedisManager(own_redis.url, channel="again", write_only=True)
    async with ear(own_redis, "again") as found:
        for _ in range(3):
            await asyncio.gather(*(manager.emit("ev", number) for number in range(20)), manager.close())
        await manager.close()
        await until(lambda: len(found.heard) == 60)
    await manager.close()


async def test_emits_may_be_cancelled(own_redis: Redis):
    manager = fastsio.AsyncRedisManager(own_redis.url, channel="cancel", write_only=True)
    async with ear(own_redis, "cancel") as found:
        for number in range(50):
            task = asyncio.create_task(manager.emit("ev", number))
            await asyncio.sleep(0.0003 * (number % 7))
            task.cancel()
            await asyncio.wait({task})
        await manager.emit("end", None)
        await until(lambda: ("end", [None]) in found.heard)
    numbers = [data[0] for name, data in found.heard if name == "ev"]
    assert numbers == sorted(set(numbers))
    assert manager.health.dropped == 0
    await manager.close()


@pytest.mark.threat("T213")
async def test_lost_connections_leak_nothing(own_redis: Redis):
    async with node(own_redis.url, channel="leak", heartbeat_interval=0.2, deaf_after=5.0) as manager:
        await until(lambda: manager.health.is_healthy)
        await asyncio.sleep(0.3)
        before = len(asyncio.all_tasks()), len(descriptors())
        killer = PACKAGE.Redis(port=own_redis.port)
        for number in range(300 if "FASTSIO_LONG" in os.environ else 30):
            reconnects = manager.health.reconnects
            await killer.client_kill_filter(_type="pubsub")
            await manager.emit("ev", number)
            await killer.client_kill_filter(_type="normal", skipme=True)
            await until(lambda now=reconnects: manager.health.reconnects > now)
            await until(lambda: manager.health.hears)
            manager._hearing.failures = 0  # else each waits two seconds
        await until(lambda: manager.health.is_healthy and manager.health.buffered == 0)
        await killer.aclose()
        gc.collect()
        await asyncio.sleep(0.3)
        assert len(asyncio.all_tasks()) <= before[0] + 1
        assert len(descriptors()) <= before[1] + 1
        assert manager.health.dropped == 0


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.threat("T216")
async def test_an_idle_channel_is_not_deaf_whatever_the_settings(own_redis: Redis):
    async with node(own_redis.url, channel="idle", heartbeat_interval=0.5, deaf_after=0.2) as manager:
        await until(lambda: manager.health.hears)
        await asyncio.sleep(2)
        assert (manager.health.reconnects, manager.health.hears) == (0, True)


@pytest.fixture
def replica(own_redis: Redis, logs: Path) -> Iterator[Redis]:
    server = Redis(logs / "replica.log", "--replicaof", f"127.0.0.1 {own_redis.port}")
    server.start()
    yield server
    server.stop()


@pytest.mark.threat("T217")
async def test_what_is_said_to_a_replica_is_noticed(own_redis: Redis, replica: Redis):
    """A replica takes messages and keeps them to itself: nodes at the master hear each other, but not us."""
    publisher_port = replica.port

    class Misled(fastsio.AsyncRedisManager):  # type: ignore[name-defined,misc]
        def _redis_connect(self) -> None:
            self.redis = PACKAGE.Redis(port=publisher_port)
            self.pubsub = PACKAGE.Redis(port=own_redis.port).pubsub(ignore_subscribe_messages=True)
            self.connected = True

    def changed(health: Any) -> None:
        nonlocal publisher_port
        if "deaf to itself" in health.cause:
            publisher_port = own_redis.port  # as after a fail-over

    manager = Misled(channel="misled")
    manager.health_changed = changed
    manager.heartbeat_interval, manager.deaf_after = 0.2, 1.0
    sio = fastsio.AsyncServer(async_mode="asgi", client_manager=manager)
    async with node(own_redis.url, channel="misled", heartbeat_interval=0.2):  # whom it does hear
        sio._initialize_manager()
        await until(lambda: "deaf to itself" in manager.health.cause)
        await until(lambda: manager.health.is_healthy)
        reconnects = manager.health.reconnects
        await asyncio.sleep(2)
        assert manager.health.is_healthy and manager.health.reconnects == reconnects
    await manager.close()


async def test_a_loop_that_was_held_up_is_not_deaf(own_redis: Redis):
    async with node(own_redis.url, channel="busy", heartbeat_interval=0.2, deaf_after=0.5) as manager:
        await until(lambda: manager.health.hears)
        for _ in range(3):
            await asyncio.sleep(0.3)
            time.sleep(1.2)  # an application's handler
        await asyncio.sleep(0.3)
        assert (manager.health.reconnects, manager.health.hears) == (0, True)


async def test_health_may_be_told_to_a_coroutine_and_to_what_raises(own_redis: Redis, caplog: pytest.LogCaptureFixture):
    told: list[bool] = []

    async def changed(health: Any) -> None:
        told.append(health.is_healthy)
        await manager.emit("from inside", 1)

    def raises(health: Any) -> None:
        raise KeyError("application")

    async with node(own_redis.url, channel="told") as manager:
        manager.health_changed = changed
        await until(lambda: True in told)
        manager.health_changed = raises
        killer = PACKAGE.Redis(port=own_redis.port)
        await killer.client_kill_filter(_type="pubsub")
        await killer.aclose()
        await until(lambda: manager.health.reconnects == 1 and manager.health.hears)
    assert "health_changed raised" in caplog.text


@pytest.mark.threat("T202")
async def test_a_fork_is_a_node_of_its_own_and_leaves_the_parent_alone(own_redis: Redis):
    """A child that drops the parent's connections must not take them out of the parent's event loop."""
    async with node(own_redis.url, channel="fork", heartbeat_interval=0.2, deaf_after=2.0) as manager:
        await until(lambda: manager.health.is_healthy)
        async with ear(own_redis, "fork") as found:
            child = os.fork()
            if child == 0:
                os._exit(in_the_child(manager))
            status = await asyncio.to_thread(os.waitpid, child, 0)
            assert os.waitstatus_to_exitcode(status[1]) == 0
            await until(lambda: ("from the child", [1]) in found.heard)
            received = manager.health.received
            other = fastsio.RedisManager(own_redis.url, channel="fork")
            await asyncio.to_thread(other.emit, "ev", 1)
            await until(lambda: manager.health.received == received + 1, 1.0)
            await manager.emit("from the parent", 2)
            await until(lambda: ("from the parent", [2]) in found.heard, 1.0)
            assert manager.health.reconnects == 0


def in_the_child(manager: Any) -> int:
    """Emit over a loop of its own; 0 when all is well."""
    health = manager.health
    if health.publishes or health.hears or health.published or manager._seq:
        return 2

    async def emit() -> None:
        manager.write_only = True
        await manager.emit("from the child", 1)
        gc.collect()

    try:
        asyncio.run(emit())
        gc.collect()
    except BaseException:
        return 3
    return 0 if health.published == 1 else 4


async def test_nobody_waits_for_the_answer_to_what_was_refused(own_redis: Redis):
    async with node(own_redis.url, channel="refused") as manager:
        manager.max_message_size = 1000
        for data, error in ((object(), TypeError), ("x" * 2000, EventTooLargeError)):
            with pytest.raises(error):
                await manager.emit("question", data, to="sid", callback=print)
        assert len(manager._answers) == 0


@pytest.mark.threat("T200")
async def test_many_messages_at_once_let_others_have_their_turn(own_redis: Redis):
    async with node(own_redis.url, channel="turns") as manager:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        task = asyncio.create_task(other())
        text = json.dumps(
            {"method": "emit", "event": "ev", "data": ["x" * 50], "namespace": "/", "room": None}
        ).encode()
        began = time.monotonic()
        await manager._receive([text] * 20_000)
        took = time.monotonic() - began
        task.cancel()
        assert manager.health.received == 20_000
        assert turns >= took / 0.05


async def test_bad_messages_do_not_fill_the_log(own_redis: Redis, caplog: pytest.LogCaptureFixture):
    async with node(own_redis.url, channel="storm") as manager:
        await manager.enter_room("sid", "/", "room")
        bad = json.dumps({"method": "close_room", "room": "sid", "namespace": "/"}).encode()  # a client's own
        await manager._receive([bad] * 500)
        assert manager.health.received == 500
    assert len([record for record in caplog.records if record.exc_info]) <= 2


def test_one_manager_for_one_job_after_another(own_redis: Redis):
    """Each `asyncio.run` is a loop of its own; the broker goes away for some of them."""
    manager = fastsio.AsyncRedisManager(own_redis.url, channel="jobs", write_only=True)
    for number in range(2):
        asyncio.run(manager.emit("ev", number))
    own_redis.stop()
    for number in range(2, 5):
        asyncio.run(manager.emit("ev", number))
    assert (manager.health.publishes, manager.health.published, manager.health.buffered) == (False, 2, 3)
    own_redis.start()
    asyncio.run(manager.emit("ev", 5))
    assert (manager.health.publishes, manager.health.published, manager.health.buffered) == (True, 6, 0)


def test_an_emitter_without_a_loop_does_not_wait_for_a_frozen_redis_for_ever(
    own_redis: Redis, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("fastsio.redis_manager.ANSWER_TIMEOUT", 0.3)
    monkeypatch.setattr("fastsio.redis_manager.CONNECT_TIMEOUT", 0.3)
    manager = fastsio.RedisManager(own_redis.url, channel="frozen")
    manager.emit("ev", 1)
    own_redis.signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        manager.emit("ev", 2)
    finally:
        own_redis.signal(signal.SIGCONT)
    assert time.monotonic() - began < 3
    manager.emit("ev", 3)
    assert (manager.health.dropped, manager.health.published) == (1, 2)
