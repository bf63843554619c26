"""CPU of an event through Redis: fastsio beside python-socketio, each as a cluster of two processes.

Usage: python -m bench.cluster [EVENTS]. Needs redis-server. One client on each node; the first node emits; what both
processes have used, user and system, is divided by the number of events. Never measures Redis itself.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster.processes import Client, Node, Redis

# case -> where the members of the room are
CASES = {"everyone": None, "a room here": 0, "a room elsewhere": 1}


def cpu(node: Node) -> float:
    assert node.process is not None
    fields = Path(f"/proc/{node.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(nodes: list[Node], events: int, case: str, pause: float) -> tuple[float, float, float]:
    clients = [Client(node) for node in nodes]
    for client in clients:
        await client.connect()
        client.sio.on("news", lambda *args: None)
    where = CASES[case]
    room = None if where is None else "room"
    if where is not None:
        await clients[where].do("enter_room", clients[where].sid, "room")
    await asyncio.sleep(0.5)
    before, began = [cpu(node) for node in nodes], time.perf_counter()
    await clients[0].sio.call("burst", (events, room, pause), timeout=300)
    took = time.perf_counter() - began
    await asyncio.sleep(1.5)
    speaks, hears = ((cpu(node) - was) / events * 1e6 for node, was in zip(nodes, before, strict=True))
    for client in clients:
        await client.sio.disconnect()
    return speaks, hears, took / events * 1e6


async def main(events: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(Path(folder) / "redis.log")
        redis.start()
        print("CPU in us per event; the node that emits + the node that hears")
        for case in CASES:
            for pause, label in ((0.0, "as fast as it goes"), (0.001, "1 ms apart")):
                for module in ("fastsio", "socketio"):
                    nodes = [Node(Path(folder) / f"{module}-{n}.log", module, "asgi", redis, module) for n in (1, 2)]
                    for node in nodes:
                        node.start()
                    speaks, hears, took = await measure(nodes, events, case, pause)
                    print(f"{case:17} {label:19} {module:9} {speaks:7.1f} + {hears:6.1f}   {took:7.1f} us elapsed")
                    for node in nodes:
                        node.stop()
        redis.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
