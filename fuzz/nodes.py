"""Target: one node of a cluster, to which anybody who can write to the channel says anything.

May import: `world`, `source`, fastsio.
"""

from collections.abc import AsyncIterator
from typing import Any

import fastsio
from fuzz.sessions import TIMES, loop
from fuzz.source import Source
from fuzz.world import World


class Manager(fastsio.AsyncPubSubManager):
    """A manager whose channel is a list."""

    def __init__(self, heard: list[bytes]) -> None:
        super().__init__()
        self.heard = heard
        self.published: list[Any] = []

    async def _publish(self, data: Any) -> None:
        self.published.append(data)

    async def _listen(self) -> AsyncIterator[bytes]:
        for message in self.heard:
            yield message


def node(data: bytes) -> None:
    """Messages, split at 0xFF, to a node with clients in rooms; ids of its clients can be named as $0 and $1."""
    source = Source(data)
    manager = Manager([])
    world = World(loop(), None, **TIMES, client_manager=manager)
    for number in range(2):
        link = world.connect()
        world.feed(link, b"GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
        world.loop.settle()
        sid = list(world.registry.sessions)[number]
        world.loop.run_until_complete(manager.enter_room(sid, "/", "r"))
    sids = list(world.registry.sessions)
    for message in source.rest().split(b"\xff"):
        for number, sid in enumerate(sids):
            message = message.replace(b"$%d" % number, sid.encode())
        manager.heard.append(message)
    try:
        world.loop.run_until_complete(_listen(manager))
        world.loop.settle()
    finally:
        manager.heard.clear()
    world.end()


async def _listen(manager: Manager) -> None:
    async for batch in manager._batches():
        await manager._receive(batch)
