"""A bad day for Redis: killed, restarted, frozen, its clients thrown out. Numbered events flow meanwhile.

Imports processes.py beside it. What must hold: clients here miss nothing; clients elsewhere hear each number at most
once, in order, and what they did not hear is what the counters say; every node hears again within the named time.
"""

import asyncio
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import settle
from tests.cluster.processes import PATIENCE, Client, Node, Redis

SETTINGS = {"HEARTBEAT_INTERVAL": "0.2", "DEAF_AFTER": "1.0"}
HEARS_AGAIN_WITHIN = 3.0  # of Redis being there, DEAF_AFTER more when nothing tells


@pytest.fixture(scope="module")
def broken_redis(logs: Path) -> Iterator[Redis]:
    server = Redis(logs / "broken-redis.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def pair_of_nodes(broken_redis: Redis, logs: Path) -> Iterator[list[Node]]:
    nodes = [Node(logs / f"pair-{n}.log", "fastsio", "native", broken_redis, "pair", **SETTINGS) for n in (1, 2)]
    for node in nodes:
        node.launch()
    for node in nodes:
        node.wait()
    yield nodes
    for node in nodes:
        node.stop()


@pytest.fixture
async def pair(pair_of_nodes: list[Node], connect: Any) -> list[Client]:
    """A client on each of two nodes that hear each other."""
    clients = [await connect(node) for node in pair_of_nodes]
    await settle(clients)
    for client in clients:
        client.heard.clear()
    return clients


@pytest.fixture
def flow_id() -> str:
    return uuid.uuid4().hex


async def hears_again(clients: list[Client], within: float) -> None:
    """Wait until each node hears."""
    async with asyncio.timeout(within):
        while not all(await counts(clients, "hears")):
            await asyncio.sleep(0.02)


async def counts(clients: list[Client], name: str) -> list[int]:
    return [(await client.health())[name] for client in clients]


async def noticed(clients: list[Client], reconnects: list[int], within: float) -> None:
    """Wait until each node has made its subscription again."""
    async with asyncio.timeout(within):
        while not all(new > old for new, old in zip(await counts(clients, "reconnects"), reconnects, strict=True)):
            await asyncio.sleep(0.02)


async def judge(
    speaker: Client,
    listener: Client,
    missed: int,
    flow_id: str,
    count: int,
    patience: float = PATIENCE,
    others: int = 0,
) -> list[int]:
    """Check the numbers on both sides; give those that the listener heard.

    What the listener counts as missed is exactly what it did not hear: of the numbers, of "flowed" that ends them, and of
    `others` "large" events that the speaker said meanwhile.
    """
    numbers = await speaker.hear(["flowed", flow_id], patience)
    assert [event[2] for event in numbers if event[:2] == ["number", flow_id]] == list(range(count))
    await speaker.do("emit", "end", flow_id)
    events = await listener.hear(["end", flow_id], patience)
    heard = [event[2] for event in events if event[:2] == ["number", flow_id]]
    assert heard == sorted(set(heard)), "twice or out of order"
    lost = count + 1 + others - len(heard) - (["flowed", flow_id] in events)
    lost -= len([event for event in events if event[0] == "large"])
    assert (await listener.health())["missed"] - missed == lost
    assert (await speaker.health())["dropped"] == 0
    return heard


def throw_out(redis: Any, kind: str) -> None:
    """Have Redis hang up on those who are subscribed, "pubsub", or on those who are not; never on its own kin."""
    for line in redis.cli("CLIENT", "LIST").splitlines():
        fields = dict(field.partition("=")[::2] for field in line.split())
        is_kin = fields.get("name", "").startswith("sentinel") or "S" in fields.get("flags", "")
        is_subscriber = fields.get("sub", "0") != "0"
        if is_kin or fields.get("cmd", "").startswith("client") or is_subscriber != (kind == "pubsub"):
            continue
        redis.cli("CLIENT", "KILL", "ID", fields["id"])


@pytest.mark.parametrize("kind", ["pubsub", "normal"])
@pytest.mark.threat("T213")
async def test_connections_killed(pair: list[Client], broken_redis: Redis, flow_id: str, kind: str):
    speaker, listener = pair
    missed, reconnects = (await counts(pair, "missed"))[1], await counts(pair, "reconnects")
    await speaker.sio.emit("flow", (flow_id, 150, 0.01))
    await asyncio.sleep(0.5)
    throw_out(broken_redis, kind)
    if kind == "pubsub":
        await noticed(pair, reconnects, HEARS_AGAIN_WITHIN)
    await hears_again(pair, HEARS_AGAIN_WITHIN)
    heard = await judge(speaker, listener, missed, flow_id, 150)
    if kind == "normal":
        assert len(heard) == 150  # what was being published is published again


@pytest.mark.threat("T213")
async def test_redis_restarts(pair: list[Client], broken_redis: Redis, flow_id: str):
    speaker, listener = pair
    missed = (await counts(pair, "missed"))[1]
    await speaker.sio.emit("flow", (flow_id, 200, 0.01))
    await asyncio.sleep(0.5)
    broken_redis.stop(signal.SIGKILL)
    await asyncio.sleep(0.8)
    away = await listener.health()
    assert not away["hears"]
    broken_redis.start()
    await hears_again(pair, HEARS_AGAIN_WITHIN)
    heard = await judge(speaker, listener, missed, flow_id, 200)
    assert len(heard) == 200  # what was said while it was away waited until everybody heard again


@pytest.mark.threat("T215")
async def test_redis_freezes(pair: list[Client], broken_redis: Redis, flow_id: str):
    speaker, listener = pair
    missed = (await counts(pair, "missed"))[1]
    await speaker.sio.emit("flow", (flow_id, 150, 0.01))
    await asyncio.sleep(0.3)
    broken_redis.signal(signal.SIGSTOP)
    await asyncio.sleep(2.5)
    deaf = await listener.health()
    broken_redis.signal(signal.SIGCONT)
    assert not deaf["hears"]
    await hears_again(pair, HEARS_AGAIN_WITHIN + float(SETTINGS["DEAF_AFTER"]))
    await judge(speaker, listener, missed, flow_id, 150)


async def overflow(speaker: Client, redis: Redis) -> None:
    """Have Redis throw out its subscribers, since they owe it more than it lets them."""
    redis.cli("CONFIG", "SET", "client-output-buffer-limit", "pubsub 300000 300000 0")
    await speaker.sio.call("emit_large", 2_000_000, timeout=PATIENCE)


@pytest.mark.threat("T214")
async def test_subscribers_over_their_output_limit(pair: list[Client], broken_redis: Redis, flow_id: str):
    speaker, listener = pair
    missed, reconnects = (await counts(pair, "missed"))[1], await counts(pair, "reconnects")
    await speaker.sio.emit("flow", (flow_id, 150, 0.01))
    await asyncio.sleep(0.3)
    try:
        await overflow(speaker, broken_redis)
        await noticed(pair, reconnects, HEARS_AGAIN_WITHIN)
        await hears_again(pair, HEARS_AGAIN_WITHIN)
        await judge(speaker, listener, missed, flow_id, 150, others=1)
    finally:
        broken_redis.cli("CONFIG", "SET", "client-output-buffer-limit", "pubsub 33554432 8388608 60")


@pytest.mark.threat("T217")
async def test_one_line_for_each_change(pair: list[Client], broken_redis: Redis, pair_of_nodes: list[Node]):
    log = pair_of_nodes[1].log
    begins = log.stat().st_size
    broken_redis.stop()
    await asyncio.sleep(1.5)
    broken_redis.start()
    await hears_again(pair, HEARS_AGAIN_WITHIN)
    lines = log.read_text()[begins:].splitlines()
    assert len([line for line in lines if "does not hear (" in line]) == 1
    assert len([line for line in lines if "cannot publish (" in line]) <= 1
    assert not [line for line in lines if "Traceback" in line]


async def test_too_large_is_refused_to_the_caller(pair: list[Client]):
    speaker, listener = pair
    assert await speaker.do("emit", "fits", "x" * 100_000) == {"result": None}
    assert await speaker.sio.call("emit_large", 17 * 1024 * 1024, timeout=PATIENCE) == "EventTooLargeError"
    await speaker.do("emit", "end", None)
    assert [event[0] for event in await listener.hear(["end"])] == ["fits"]
    assert [event[0] for event in await speaker.hear(["end"])] == ["fits"]


@pytest.mark.threat("T212")
async def test_redis_comes_later_than_the_nodes(logs: Path, connect: Any):
    redis = Redis(logs / "late-redis.log")
    nodes = [Node(logs / f"late-{n}.log", "fastsio", "native", redis, "late", **SETTINGS) for n in (1, 2)]
    try:
        for node in nodes:
            node.launch()
        for node in nodes:
            node.wait()
        clients = [await connect(node) for node in nodes]
        await clients[0].do("emit", "early", 1)
        assert await clients[0].hear(["early", 1]) == []
        redis.start()
        await hears_again(clients, HEARS_AGAIN_WITHIN)
        await clients[0].do("emit", "late", 2)
        assert await clients[1].hear(["late", 2]) == [["early", 1]]  # it waited
    finally:
        await asyncio.gather(*(asyncio.to_thread(process.stop) for process in [*nodes, redis]))


@pytest.mark.skipif("FASTSIO_LONG" not in os.environ, reason="minutes; make cluster-long runs it")
async def test_ten_thousand_numbers_through_a_very_bad_day(pair: list[Client], broken_redis: Redis, flow_id: str):
    speaker, listener = pair
    missed = (await counts(pair, "missed"))[1]
    await speaker.sio.emit("flow", (flow_id, 10_000, 0.009))
    for _ in range(3):
        await asyncio.sleep(2)
        reconnects = await counts(pair, "reconnects")
        throw_out(broken_redis, "pubsub")
        await noticed(pair, reconnects, HEARS_AGAIN_WITHIN)
        await hears_again(pair, HEARS_AGAIN_WITHIN)
        await asyncio.sleep(2)
        throw_out(broken_redis, "normal")
        await asyncio.sleep(2)
        reconnects = await counts(pair, "reconnects")
        await overflow(speaker, broken_redis)
        await noticed(pair, reconnects, HEARS_AGAIN_WITHIN)
        await hears_again(pair, HEARS_AGAIN_WITHIN)
        await asyncio.sleep(2)
        broken_redis.stop(signal.SIGKILL)
        await asyncio.sleep(3)
        assert await counts(pair, "hears") == [False, False]
        broken_redis.start()  # with its own limits again
        await hears_again(pair, HEARS_AGAIN_WITHIN)
    await asyncio.sleep(4)
    broken_redis.signal(signal.SIGSTOP)
    await asyncio.sleep(20)
    assert await counts(pair, "hears") == [False, False]
    broken_redis.signal(signal.SIGCONT)
    await hears_again(pair, HEARS_AGAIN_WITHIN + float(SETTINGS["DEAF_AFTER"]))
    await judge(speaker, listener, missed, flow_id, 10_000, patience=90, others=3)


def test_a_forked_child_is_a_node_of_its_own():
    import fastsio

    manager = fastsio.AsyncRedisManager(write_only=True)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, manager.host_id.encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reader, 100).decode()
    os.close(reader)
    os.close(writer)
    assert len(theirs) == 32 and theirs != manager.host_id
