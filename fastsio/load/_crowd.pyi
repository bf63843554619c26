from collections.abc import Callable
from typing import Self

from fastsio.load.plan import Plan

STATES: tuple[str, ...]

class Crowd:
    ready: int
    opened: int
    pending: int
    slow_lost: int
    others: int
    answers: int
    def __new__(cls, plan: Plan) -> Self: ...
    def assemble(self, count: int, on_turn: Callable[[], object] | None = None) -> None: ...
    def close(self) -> None: ...
    @property
    def bytes_in(self) -> int: ...
    @property
    def bytes_out(self) -> int: ...
