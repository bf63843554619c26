"""How a node stands with its broker: two directions, each up or down, and counters of what became of messages.

May import: nothing of ours. Logs each change once, however often the broker is tried in between.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

FIRST_DELAY = 0.1
LONGEST_DELAY = 2.0
# A direction that was up for less than this has not recovered: its delays go on growing.
STEADY_AFTER = 1.0


@dataclass(slots=True)
class Health:
    """What `manager.health` tells. To be read only; counters begin with the manager."""

    publishes: bool = False  # the last message to the broker was taken; False before the first
    hears: bool = False  # something came over the subscription since it was last made
    cause: str = ""  # of the last loss
    since: float = field(default_factory=time.monotonic)  # of the last change
    published: int = 0  # messages that the broker took
    buffered: int = 0  # messages that wait for the broker now
    dropped: int = 0  # messages given up because too many waited
    refused: int = 0  # events refused to the caller for their size
    received: int = 0  # messages of others that were acted upon
    malformed: int = 0  # messages, or what should have been one, that were ignored
    duplicates: int = 0  # messages of fastsio nodes that came twice and were acted upon once
    missed: int = 0  # messages of fastsio nodes that never came
    reconnects: int = 0  # subscriptions made again

    @property
    def is_healthy(self) -> bool:
        return self.publishes and self.hears

    def clear(self) -> None:
        """Begin again: after a fork these are the parent's."""
        self.__init__()  # type: ignore[misc]


class Direction:
    """Publishing or hearing: whether it works, and how long to wait before it is tried again."""

    def __init__(self, works: str, fails: str, changed: Callable[[bool, str], None]) -> None:
        self._works, self._fails, self._changed = works, fails, changed
        self.clear()

    def clear(self) -> None:
        """Know nothing yet."""
        self.is_up: bool | None = None  # None before the first attempt
        self.failures = 0  # in a row
        self.up_since = 0.0

    def up(self, logger: Any) -> None:
        """It works now."""
        if self.is_up:
            return
        if self.is_up is None:
            logger.info(self._works)
        else:
            logger.error("%s again", self._works)  # as loud as the loss: who saw that has to see this
        self.is_up = True
        self.up_since = time.monotonic()
        self._changed(True, "")

    def down(self, logger: Any, cause: BaseException) -> None:
        """An attempt failed."""
        if self.is_up and time.monotonic() - self.up_since >= STEADY_AFTER:
            self.failures = 0
        self.failures += 1
        if self.is_up is False:
            return
        self.is_up = False
        reason = f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
        logger.error("%s (%s); trying again until it does", self._fails, reason)
        self._changed(False, reason)

    def delay(self) -> float:
        """Give the seconds to wait after a failure: longer each time, and different on each node."""
        longest = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(self.failures - 1, 16))
        return longest * random.uniform(0.5, 1.0)
