"""How late the event loop is: a timer that notes when it comes after its time.

May import: nothing of ours. Costs a timer when somebody asks for it, nothing otherwise. Never judges: `_guard` does.
"""

import asyncio
from collections.abc import Callable

# s between two looks, and what is left of a delay with each look that finds none: half a second later it is forgotten.
INTERVAL = 0.05
FADING = 0.75


class LagMeter:
    """Tells `heard` the delay of a loop in seconds, some twenty times a second, until `stop` is called.

    A delay counts at once, and fades: one handler that held the loop is remembered for a moment, so that a crowd that comes in
    that moment is turned away, and nobody is when the loop comes around again.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, heard: Callable[[float], None]) -> None:
        self.loop, self._heard = loop, heard
        self.delay = 0.0
        self._due = loop.time() + INTERVAL
        self._timer = loop.call_at(self._due, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self.loop.time()
        self.delay = max(now - self._due, self.delay * FADING)
        self._heard(self.delay)
        self._due = now + INTERVAL
        self._timer = self.loop.call_at(self._due, self._look)
