"""What the garbage collector looks at, and when. The collector of the process that tests is put back as it was."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from fastsio.net.collecting import Collector

MODULES = 10_000  # container objects that an application has at the very least


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Ring:
    """Garbage, once nobody has it, that only the collector finds."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def clock() -> Iterator[Clock]:
    before, callbacks = gc.get_threshold(), gc.callbacks[:]
    time = Clock()
    Collector(100, time).start()
    yield time
    gc.callbacks[:] = callbacks
    gc.set_threshold(*before)
    gc.unfreeze()


def test_garbage_that_is_new_goes_at_once(clock: Clock) -> None:
    ring = weakref.ref(Ring())
    gc.collect()
    assert ring() is None


def test_garbage_that_was_in_use_waits_until_everything_is_looked_at(clock: Clock) -> None:
    kept = Ring()
    ring = weakref.ref(kept)
    gc.collect()
    del kept
    clock.now = 99.0
    gc.collect()
    assert ring() is not None
    clock.now = 100.0
    gc.collect()
    assert ring() is None


def test_what_is_in_use_is_looked_at_once(clock: Clock) -> None:
    kept = [Ring() for _ in range(1_000)]
    gc.collect()
    assert len(gc.get_objects()) < len(kept)
    clock.now = 100.0
    gc.collect()
    assert gc.get_freeze_count() > MODULES


def test_everything_is_looked_at_again_and_again(clock: Clock) -> None:
    for now in (100.0, 200.0, 300.0):
        kept = Ring()
        ring = weakref.ref(kept)
        gc.collect()
        del kept
        clock.now = now
        gc.collect()
        assert ring() is None
