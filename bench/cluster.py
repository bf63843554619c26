"""CPU of an event through Redis: fastsio beside python-socketio, each as a cluster of two processes.

Usage: python -m bench.cluster [EVENTS [ROUNDS]]. Needs redis-server. One client on each node; the first node emits; the
CPU that both processes used, user and system, is divided by the number of events. The makes take turns, round by round,
so that a busy machine is busy for all of them. Never measures Redis itself, nor the clients.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.cluster.conftest import settle
from tests.cluster.processes import Client, Node, Redis

# case -> which client's node has the members of the room, None for no room
CASES = {"everyone": None, "a room here": 0, "a room elsewhere": 1}
PACES = {"as fast as it goes": 0.0, "1 ms apart": 0.001}
# name -> module, wire; the last is what the others are compared with
MAKES = {
    "fastsio run": ("fastsio", "native"),
    "fastsio, uvicorn": ("fastsio", "asgi"),
    "python-socketio": ("socketio", "asgi"),
}
PATIENCE = 120.0

Cost = tuple[float, float]  # us of the node that emits, of the node that hears


class Pair:
    """Two nodes of one make, and a client on each that counts what it hears."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.clients = [Client(node) for node in nodes]
        self.heard = [0, 0]

    async def connect(self) -> None:
        for client in self.clients:
            await client.connect()
        await settle(self.clients)
        for at, client in enumerate(self.clients):
            client.sio.on("news", self._counter(at))

    def _counter(self, at: int) -> Callable[..., None]:
        def count(*args: object) -> None:
            self.heard[at] += 1

        return count

    async def enter(self, case: str) -> None:
        """Have the members of the case's room in it, and nobody else."""
        for client in self.clients:
            await client.do("leave_room", client.sid, "room")
        where = CASES[case]
        if where is not None:
            client = self.clients[where]
            await client.do("enter_room", client.sid, "room")

    async def measure(self, events: int, case: str, pause: float) -> Cost:
        where = CASES[case]
        wanted = [events if where in (None, at) else 0 for at in (0, 1)]
        self.heard = [0, 0]
        before = [cpu(node) for node in self.nodes]
        await self.clients[0].sio.call("burst", (events, None if where is None else "room", pause), timeout=PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while self.heard != wanted:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # a node without members tells nobody when it is done
        speaks, hears = ((cpu(node) - was) / events * 1e6 for node, was in zip(self.nodes, before, strict=True))
        return speaks, hears


def cpu(node: Node) -> float:
    """Give the seconds that a node has used, all its threads together."""
    assert node.process is not None
    threads = Path(f"/proc/{node.process.pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


async def take_turns(
    pairs: dict[str, Pair], case: str, pause: float, events: int, rounds: int
) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {make: [] for make in pairs}
    for pair in pairs.values():
        await pair.enter(case)
        await pair.measure(min(events, 500), case, pause)  # not counted: the first of everything is slow
    for _ in range(rounds):
        for make, pair in pairs.items():
            costs[make].append(await pair.measure(events, case, pause))
    return costs


def report(label: str, costs: dict[str, list[Cost]]) -> None:
    reference = [sum(cost) for cost in list(costs.values())[-1]]
    for make, rounds in costs.items():
        sums = [sum(cost) for cost in rounds]
        speaks, hears = (median(cost[at] for cost in rounds) for at in (0, 1))
        times = [theirs / ours for theirs, ours in zip(reference, sums, strict=True)]
        spread = f"{median(sums):6.1f} ({min(sums):.1f} to {max(sums):.1f})"
        less = f"   {median(times):5.2f} times less ({min(times):.2f} to {max(times):.2f})" if sums != reference else ""
        print(f"{label:37} {make:16} {speaks:6.1f} + {hears:6.1f}   {spread}{less}", flush=True)


async def main(events: int, rounds: int) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = Redis(folder / "redis.log")
        stack.callback(redis.stop)
        redis.start()
        pairs = {}
        for make, (module, wire) in MAKES.items():
            nodes = [Node(folder / f"{module}-{wire}-{n}.log", module, wire, redis, make) for n in (1, 2)]
            for node in nodes:
                stack.callback(node.stop)
                node.start()
            pairs[make] = Pair(nodes)
            await pairs[make].connect()
        print(f"CPU in us per event: node that emits + node that hears; medians of {rounds} rounds (least to most)")
        for case in CASES:
            for pace, pause in PACES.items():
                report(f"{case}, {pace}", await take_turns(pairs, case, pause, events, rounds))
        for pair in pairs.values():
            for client in pair.clients:
                await client.sio.disconnect()


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    asyncio.run(main(*(numbers + [5000, 5][len(numbers) :])))
