"""Taking a server out of service without a stampede: nobody new, goodbyes spread over the time, handlers finished.

May import: `registry`, `_session`. Never stops the loop or the listener: who asked for it does that afterwards.
"""

import asyncio
import random
from typing import TypedDict

from fastsio.engine._session import Session
from fastsio.engine.registry import Registry

# Share of the time over which goodbyes are spread; the rest is for handlers.
SPREAD = 0.8
# Seconds between two looks at clients whose handlers run, and at handlers that have not returned.
LOOK = 0.05


class Drained(TypedDict):
    """What a drain did.

    `clients`: sessions that were open; `left`: those that went by themselves; `finished`: those that were told after their
    handlers had returned; `cut`: those whose handlers had not; `seconds`: how long it took.
    """

    clients: int
    left: int
    finished: int
    cut: int
    seconds: float


async def drain(registry: Registry, seconds: float) -> Drained:
    """Turn new clients away with 503, and close every session within `seconds`.

    Sessions are told in random order and evenly over the time, so that they come back to other servers one after the
    other. One whose handlers run is told when they have returned, so that their acknowledgements arrive; at the end of
    the time it is cut.
    """
    registry.attach_loop()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    registry.guard.is_draining = True
    sessions = list(registry.sessions.values())
    random.shuffle(sessions)
    result = Drained(clients=len(sessions), left=0, finished=0, cut=0, seconds=0.0)
    busy: list[Session] = []
    for number, session in enumerate(sessions):
        due = begun + seconds * SPREAD * number / len(sessions)
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        _tell(session, result, busy)
    while busy and loop.time() < begun + seconds:
        await asyncio.sleep(min(LOOK, seconds / 10))
        waiting, busy = busy, []
        for session in waiting:
            _tell(session, result, busy)
    result["cut"] = len(busy)
    await registry.drain(max(0.0, begun + seconds - loop.time()))
    result["seconds"] = loop.time() - begun
    return result


def _tell(session: Session, result: Drained, busy: list[Session]) -> None:
    """Close a session whose handlers have returned; put another among the busy."""
    if not session.is_open:
        result["left"] += 1
    elif session.is_busy:
        busy.append(session)
    else:
        session.shut_down()
        result["finished"] += 1
