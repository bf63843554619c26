"""The event loop to run on: uvloop, winloop on Windows, else asyncio's own.

May import: nothing of ours.
"""

import importlib.util
import sys


def best_loop() -> str:
    """Give the name of the fastest loop that is installed, as uvicorn's `loop=` option takes it."""
    if sys.platform == "win32":
        return "winloop:new_event_loop" if importlib.util.find_spec("winloop") else "asyncio"
    return "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"
