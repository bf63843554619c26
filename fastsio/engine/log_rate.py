"""How many lines of one kind go into the log.

May import: nothing of ours. Never writes any.
"""


class LogRate:
    """Counts the lines of one kind.

    Attributes:
        held_back: how many were not admitted since somebody has set this to 0.
    """

    def __init__(self) -> None:
        self.held_back = 0
        self._second_begun = float("-inf")
        self._lines = 0

    def admits(self, rate: float, now: float) -> bool:
        """Tell whether another line may be written; `rate` is lines a second, 0 for any number."""
        if rate <= 0:
            return True
        if now - self._second_begun >= 1.0:
            self._second_begun, self._lines = now, 0
        if self._lines >= rate:
            self.held_back += 1
            return False
        self._lines += 1
        return True
