"""Tracebacks about messages, seldom enough that whoever sends bad ones cannot fill the log.

May import: nothing of ours.
"""

import time
from typing import Any

# Seconds between two tracebacks.
PAUSE = 1.0


class Complaints:
    """Logs what is being handled as an exception, at most once per `PAUSE`; what was held back is counted."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self.held_back = 0  # since the last that was logged

    def log(self, logger: Any, text: str) -> None:
        """To be called from an `except` block."""
        now = time.monotonic()
        if now - self._last < PAUSE:
            self.held_back += 1
            return
        if self.held_back:
            text += f" (and {self.held_back} more since the last such line)"
        self._last, self.held_back = now, 0
        logger.exception(text)  # noqa: LOG004 (called while one is handled)
