"""What a server, and the process that it is in, hold at this moment.

May import: fastsio.
"""

import asyncio
import gc
import os
import sys
from typing import Any

from fastsio.engine._outbox import Prepared

PAGE = os.sysconf("SC_PAGE_SIZE")
REFERENCED = {"None": None, "True": True, "empty": (), "Prepared": Prepared}


def census(sio: Any) -> dict[str, int]:
    """Count what the server and the process hold, once all that can be collected has been."""
    collected = gc.collect() + gc.collect()
    registry = sio.eio._registry
    halls = sio.manager._rooms.halls.values()
    counts = {
        "sessions": len(registry.sessions),
        "ending": len(registry.ending),
        "members": sum(len(hall.members) for hall in halls),
        "rooms": sum(len(hall.rooms) for hall in halls),
        "tasks": len(asyncio.all_tasks()) + len(registry.tasks),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "objects": len(gc.get_objects()),
        "frozen": gc.get_freeze_count(),
        "middle generations": gc.get_threshold()[2],
        "blocks": sys.getallocatedblocks(),
        "bytes": int(open("/proc/self/statm").read().split()[1]) * PAGE,
        "garbage": len(gc.garbage),
        "collected": collected,
    }
    return counts | {f"references to {name}": sys.getrefcount(value) for name, value in REFERENCED.items()}
