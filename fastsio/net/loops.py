"""The event loop to run on: uvloop, winloop on Windows, else asyncio's own.

May import: nothing of ours.
Environment: `FASTSIO_FALLBACK=1` does without what a system may lack, as if it lacked it: asyncio's loop, and everything
written through it. Read once, when the server is imported.
"""

import asyncio
import importlib
import importlib.util
import os
import sys


def is_fallback() -> bool:
    """Tell whether the environment asks for asyncio's loop and no writes past it."""
    return os.environ.get("FASTSIO_FALLBACK", "") not in ("", "0")


def best_loop() -> str:
    """Give the name of the fastest loop that is installed, as uvicorn's `loop=` option takes it."""
    if is_fallback():
        return "asyncio"
    if sys.platform == "win32":
        return "winloop:new_event_loop" if importlib.util.find_spec("winloop") else "asyncio"
    return "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"


def is_uvloop(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether a loop is one of uvloop's."""
    return type(loop).__module__.partition(".")[0] == "uvloop"


def tcp_transport() -> type | None:
    """Give uvloop's class of connections without TLS, which sends small messages at once; None without uvloop."""
    if is_fallback():
        return None
    try:
        return getattr(importlib.import_module("uvloop.loop"), "TCPTransport", None)
    except ImportError:
        return None
