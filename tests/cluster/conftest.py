"""Fixtures: one Redis, one mixed cluster of four nodes, one client on each.

Imports processes.py beside it; never imports the server under test.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.processes import PATIENCE, Client, Node, Redis

# name -> module, wire
MAKES = {
    "fast-1": ("fastsio", "native"),
    "fast-2": ("fastsio", "asgi"),
    "ref-1": ("socketio", "asgi"),
    "ref-2": ("socketio", "asgi"),
}


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="session")
def redis(logs: Path) -> Iterator[Redis]:
    server = Redis(logs / "redis.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def nodes(redis: Redis, logs: Path) -> Iterator[dict[str, Node]]:
    nodes = {name: Node(logs / f"{name}.log", *make, redis, "mixed") for name, make in MAKES.items()}
    for node in nodes.values():
        node.launch()
    for node in nodes.values():
        node.wait()
    yield nodes
    for node in nodes.values():
        node.stop()


async def settle(clients: list[Client]) -> None:
    """Wait until each node hears each other."""
    for client in clients:
        token = uuid.uuid4().hex
        missing = list(clients)
        async with asyncio.timeout(PATIENCE):
            while missing:
                await client.do("emit", "settle", token)
                await asyncio.sleep(0.02)
                missing = [other for other in missing if ["settle", token] not in other.heard]


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[Node], "asyncio.Future[Client]"]]:
    """connect(node): a client of a node, until the test ends."""
    clients: list[Client] = []

    async def make(node: Node) -> Client:
        client = Client(node)
        await client.connect()
        clients.append(client)
        return client

    yield make  # type: ignore[misc]
    await asyncio.gather(*(client.sio.disconnect() for client in clients))


@pytest.fixture
async def clients(nodes: dict[str, Node], connect: Callable[[Node], "asyncio.Future[Client]"]) -> dict[str, Client]:
    """One client on each node of the mixed cluster, by name; everybody hears everybody."""
    clients = {name: await connect(node) for name, node in nodes.items()}
    await settle(list(clients.values()))
    for client in clients.values():
        client.heard.clear()
    return clients
