"""Percentiles out of buckets, beside percentiles out of everything."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsio.load._histogram import PRECISION, Histogram

TIMES = st.integers(min_value=0, max_value=10**13)


def fill(times: list[int]) -> Histogram:
    histogram = Histogram()
    for ns in times:
        histogram.add(ns)
    return histogram


@given(st.lists(TIMES, min_size=1), st.floats(min_value=0.01, max_value=1.0))
def test_percentiles_are_within_the_stated_precision(times: list[int], share: float) -> None:
    exact = sorted(times)[max(0, -int(-share * len(times) // 1) - 1)] / 1e3
    found = fill(times).percentile(share)
    # A share that falls between two values may be either of them.
    near = [value / 1e3 for value in times]
    assert (
        min(abs(found - value) / max(value, 1e-9) for value in near if value >= exact * (1 - 1e-9)) <= PRECISION + 1e-9
    )


def test_a_million_times() -> None:
    chance = random.Random(5)
    times = sorted(int(chance.lognormvariate(12, 1)) for _ in range(100_000))
    histogram = fill(times)
    for share in (0.5, 0.9, 0.99, 0.999, 0.9999):
        assert histogram.percentile(share) == pytest.approx(times[int(share * len(times)) - 1] / 1e3, rel=2 * PRECISION)
    assert histogram.count == len(times)
    assert histogram.max_us == times[-1] / 1e3 and histogram.min_us == times[0] / 1e3
    assert histogram.mean_us == pytest.approx(sum(times) / len(times) / 1e3)
    assert sum(count for _, count in histogram.steps()) == len(times)
    assert [us for us, _ in histogram.steps()] == sorted(us for us, _ in histogram.steps())


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_the_whole_range_has_buckets(ns: int) -> None:
    histogram = fill([ns])
    assert histogram.percentile(1.0) == pytest.approx(ns / 1e3, rel=PRECISION)
    assert len(histogram.steps()) == 1


def test_nothing_was_counted() -> None:
    histogram = fill([7])
    histogram.clear()
    assert histogram.percentile(0.5) == histogram.max_us == histogram.min_us == histogram.mean_us == 0.0
    assert histogram.steps() == []


def test_shares_are_shares() -> None:
    with pytest.raises(ValueError, match="99.0 is not between 0 and 1"):
        fill([1]).percentile(99)
