from typing import Any, Final, final

BOUNDS: Final[tuple[float, ...]]
MAX_EVENTS: Final[int]
OTHERS: Final[str]

@final
class Histogram:
    @property
    def count(self) -> int: ...
    @property
    def total(self) -> float: ...
    def report(self) -> dict[str, Any]: ...

@final
class Durations:
    def record(self, event: object, seconds: float) -> int: ...
    def report(self) -> dict[str, dict[str, Any]]: ...
