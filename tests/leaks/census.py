"""What a server, and the process that it is in, hold at this moment.

May import: fastsio.
"""

import asyncio
import ctypes
import gc
import os
import sys
from typing import Any

from fastsio.engine._outbox import Prepared

PAGE = os.sysconf("SC_PAGE_SIZE")
REFERENCED = {"None": None, "True": True, "empty": (), "Prepared": Prepared}


class Mallinfo2(ctypes.Structure):
    """What glibc's allocator says of itself, in bytes."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def malloc_info() -> tuple[int, int]:
    """Bytes of malloc's that are in use, and that it keeps free; zeros where it does not tell (musl, glibc before 2.33).

    What it keeps is what the most sessions at once have needed: how many those were is chance, and no leak.
    """
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo2 is None:
        return 0, 0
    mallinfo2.restype = Mallinfo2
    info = mallinfo2()
    return int(info.uordblks), int(info.fordblks)


def census(sio: Any) -> dict[str, int]:
    """Count what the server and the process hold, once all that can be collected has been."""
    collected = gc.collect() + gc.collect()
    registry = sio.eio._registry
    halls = sio.manager._rooms.halls.values()
    in_use, kept = malloc_info()
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
        "allocated": in_use,
        "bytes": int(open("/proc/self/statm").read().split()[1]) * PAGE - kept,
        "garbage": len(gc.garbage),
        "collected": collected,
    }
    return counts | {f"references to {name}": sys.getrefcount(value) for name, value in REFERENCED.items()}
