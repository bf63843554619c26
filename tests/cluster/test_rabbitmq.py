"""A mixed cluster over RabbitMQ. Skipped where no rabbitmq-server is installed.

Imports processes.py beside it; never imports the server under test, but for its emitter.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fastsio
from tests.cluster.conftest import settle
from tests.cluster.processes import Client, Node, RabbitMQ

pytestmark = pytest.mark.skipif(shutil.which("rabbitmq-server") is None, reason="rabbitmq-server is not installed")


@pytest.fixture(scope="module")
def rabbit(logs: Path) -> Iterator[RabbitMQ]:
    server = RabbitMQ(logs / "rabbit.log")
    server.start()
    yield server
    server.stop()
    server.stop_name_server()


@pytest.fixture(scope="module")
def rabbit_nodes(rabbit: RabbitMQ, logs: Path) -> Iterator[list[Node]]:
    makes = [("fastsio", "native"), ("fastsio", "asgi"), ("socketio", "asgi")]
    settings = {"HEARTBEAT_INTERVAL": "0.5", "DEAF_AFTER": "2.0"}
    nodes = [Node(logs / f"rabbit-{n}.log", *make, rabbit, "rabbits", **settings) for n, make in enumerate(makes)]
    for node in nodes:
        node.launch()
    for node in nodes:
        node.wait()
    yield nodes
    for node in nodes:
        node.stop()


@pytest.fixture
async def rabbits(rabbit_nodes: list[Node], connect: Any) -> list[Client]:
    clients = [await connect(node) for node in rabbit_nodes]
    await settle(clients)
    for client in clients:
        client.heard.clear()
    return clients


@pytest.mark.parametrize("actor", [0, 2])
async def test_events_rooms_and_answers(rabbits: list[Client], actor: int):
    speaker = rabbits[actor]
    for target in rabbits:
        await speaker.do("enter_room", target.sid, "all")
        assert await speaker.do("call", "question", 1, to=target.sid, timeout=5) == {"result": ["answer", 1]}
    await speaker.do("emit", "ev", {"n": 1}, room="all")
    await speaker.do("emit", "bin", [b"\x00", {"x": b"\xff"}])
    await speaker.do("close_room", "all")
    await speaker.do("emit", "nobody", 1, room="all")
    await speaker.do("emit", "end", actor)
    for client in rabbits:
        assert await client.hear(["end", actor]) == [["ev", {"n": 1}], ["bin", [b"\x00", {"x": b"\xff"}]]]


async def test_emitter_without_a_server(rabbits: list[Client], rabbit: RabbitMQ):
    manager = fastsio.AsyncAioPikaManager(rabbit.url, channel="rabbits", write_only=True)
    for number in range(20):
        await manager.emit("ev", number)
    for client in rabbits:
        assert await client.hear(["ev", 19]) == [["ev", number] for number in range(19)]
    await manager.close()


async def test_rabbitmq_drops_its_connections(rabbits: list[Client], rabbit: RabbitMQ):
    before = [(await client.health())["reconnects"] for client in rabbits[:2]]
    rabbit.control("close_all_connections", "test")
    await settle(rabbits[:2])
    after = [(await client.health())["reconnects"] for client in rabbits[:2]]
    assert all(new > old for new, old in zip(after, before, strict=True))
    await rabbits[0].do("emit", "back", 1)
    await rabbits[1].hear(["back", 1])
