"""Garbage whose finalizer does something, and a collector that comes at a chosen allocation (Python 3.11 lets it)."""

import gc
from collections.abc import Callable, Iterator

import pytest

CollectAt = Callable[[int, Callable[[], object]], None]


class Bystander:
    """Garbage in a circle whose finalizer acts: the collector runs it wherever something is allocated."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act, self.circle = act, self

    def __del__(self) -> None:
        self.act()


@pytest.fixture
def collected() -> Iterator[CollectAt]:
    """Give a function that has garbage collected at the `count`-th allocation from then on, and something done meanwhile."""
    gc.collect()
    gc.disable()
    threshold = gc.get_threshold()
    kept: list[list[object]] = []

    def collect_at(count: int, act: Callable[[], object]) -> None:
        Bystander(act)
        kept.extend([] for _ in range(300))  # a list in an old one's memory would not count
        gc.set_threshold(gc.get_count()[0] + count)
        gc.enable()

    yield collect_at
    gc.set_threshold(*threshold)
    gc.enable()
