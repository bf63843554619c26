"""Every scenario on the native and on the plain ASGI wire: the transcript of python-socketio, but for the deviations."""

import pytest

from deviations import ruled
from deviations.not_yet import PARITY_NOT_YET
from deviations.parity import PARITY, RULES
from parity.run import expected, reference, transcript_of
from parity.scenario import SCENARIOS


NAMES = [
    pytest.param(name, marks=pytest.mark.xfail(strict=True, reason="not there yet") if name in PARITY_NOT_YET else ())
    for name in SCENARIOS
]


@pytest.mark.parametrize("wire", ["native", "asgi"])
@pytest.mark.parametrize("name", NAMES)
def test_same_transcript(name: str, wire: str):
    assert transcript_of(name, wire) == expected(name, wire)


@pytest.mark.parametrize("name", PARITY)
def test_deviation_is_one(name: str):
    assert ruled(RULES, reference(name)) != PARITY[name].becomes


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_is_used(rule):
    assert any(rule(line) != line for name in SCENARIOS for line in reference(name))


def test_there_are_many():
    """Scenarios that say nothing would be equal everywhere."""
    assert len(SCENARIOS) >= 500
    assert all(reference(name) for name in SCENARIOS)


def test_what_is_missing_exists():
    assert PARITY_NOT_YET <= set(SCENARIOS)
