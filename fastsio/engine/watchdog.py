"""Says which code holds the event loop: a thread that notices when the loop does not come around.

May import: nothing of ours. Costs nothing when there is none; a timer of the loop and a thread when there is. Never stops
anything: it only tells.
"""

import asyncio
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

# How often the loop beats, and the thread looks, within the time that the loop may be held.
BEATS = 4
# Where code lies that is called by somebody, and is not the cause.
LIBRARIES = (
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    str(Path(__file__).parents[1]),
)

Report = Callable[[float, str], None]


class Watchdog:
    """Watches one loop from a daemon thread, until the loop is closed or `stop` is called.

    Args:
        loop: to be watched; it must be running.
        limit: seconds that one turn of the loop may take.
        report: called on the loop, once for each time that it was held: for how many seconds, and by what.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: float, report: Report) -> None:
        self.loop, self.limit, self._report = loop, limit, report
        self._beat_at = time.monotonic()
        self._seen = ""  # what held the loop when the thread looked
        self._is_over = False
        self._loop_thread = threading.get_ident()
        self._timer = loop.call_soon(self._beat)
        threading.Thread(target=self._watch, name="fastsio watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._is_over = True
        self._timer.cancel()

    def _beat(self) -> None:
        now = time.monotonic()
        held, seen, self._seen = now - self._beat_at, self._seen, ""
        self._beat_at = now
        if seen:
            self._report(held, seen)
        if not self._is_over:
            self._timer = self.loop.call_later(self.limit / BEATS, self._beat)

    def _watch(self) -> None:
        while not self._is_over and not self.loop.is_closed():
            time.sleep(self.limit / BEATS)
            if not self._seen and time.monotonic() - self._beat_at > self.limit:
                frame = sys._current_frames().get(self._loop_thread)
                self._seen = describe(frame) if frame is not None else "nobody knows what"


def describe(frame: FrameType) -> str:
    """Name the innermost code of the application on a stack, and the library code that it called, if it did."""
    found: FrameType | None = frame
    while found is not None and _is_library(found):
        found = found.f_back
    if found is None:
        return f"{_name(frame)}, without any code of the application"
    return _name(found) if found is frame else f"{_name(found)}, which called {_name(frame)}"


def _is_library(frame: FrameType) -> bool:
    path = frame.f_code.co_filename
    return path.startswith(("<frozen", *LIBRARIES)) or "site-packages" in path


def _name(frame: FrameType) -> str:
    code = frame.f_code
    return f"{getattr(code, 'co_qualname', code.co_name)} ({Path(code.co_filename).name}:{frame.f_lineno})"
