"""A cluster of python-socketio moved to fastsio process by process, and back, as docs/cluster.md says.

Imports processes.py beside it.
"""

import asyncio
from pathlib import Path
from typing import Any

from tests.cluster.conftest import settle
from tests.cluster.processes import Node, Redis


async def test_process_by_process_and_back(redis: Redis, logs: Path, connect: Any):
    nodes = [Node(logs / f"moving-{n}.log", "socketio", "asgi", redis, "moving") for n in range(3)]
    try:
        for node in nodes:
            node.launch()
        for node in nodes:
            node.wait()
        stays = await connect(nodes[2])  # its node is never restarted, so it must hear everything
        said = 0
        for module, wire in (("fastsio", "native"), ("socketio", "asgi")):
            for node in nodes[:2]:
                await asyncio.to_thread(node.stop)
                node.module, node.wire = module, wire
                await asyncio.to_thread(node.start)
                comes = await connect(node)
                await settle([stays, comes])
                await comes.do("enter_room", stays.sid, "room")
                await comes.do("emit", "said", said, room="room")
                await stays.do("emit", "said", said + 1, to=comes.sid)
                assert await comes.do("call", "question", said, to=stays.sid, timeout=5) == {"result": ["answer", said]}
                assert await stays.do("call", "question", said, to=comes.sid, timeout=5) == {"result": ["answer", said]}
                await stays.hear(["said", said])
                await comes.hear(["said", said + 1])
                await comes.do("leave_room", stays.sid, "room")
                said += 2
    finally:
        await asyncio.gather(*(asyncio.to_thread(node.stop) for node in nodes))
