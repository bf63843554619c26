"""What Python's garbage collector looks at in a serving process, since it stops the loop for as long as it looks.

May import: the standard library.
A full collection takes half a microsecond to one for each container object that is not frozen, and a client is a dozen of
them at least. Nothing of a client that left waits for the collector; what waits is the application's, if anything does.
"""

import gc
import time
from collections.abc import Callable

# As Python's, but for a full collection after every second one of the middle generation: what one looks at is new.
THRESHOLDS = (700, 10, 2)
FULL = 2


def freeze() -> None:
    """Spare the collector the modules and the application, which stay until the process ends."""
    gc.collect()
    gc.freeze()


class Collector:
    """Keeps full collections short: what was found in use by one is not looked at again before `seconds` are over.

    Then everything is looked at once, so that garbage goes that was in use before.

    Args:
        seconds: between two collections that look at everything.
        clock: gives seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._due = clock() + seconds

    def start(self) -> None:
        freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.callbacks.append(self._heard)

    def _heard(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] < FULL:
            return
        if phase == "stop":
            gc.freeze()
        elif self._clock() >= self._due:
            self._due = self._clock() + self._seconds
            gc.unfreeze()
