"""Every scenario on the native and on the plain ASGI wire: the transcript of python-socketio, but for the deviations."""

import pytest

from deviations.parity import PARITY, RULES
from parity.run import expected, reference, transcript_of
from parity.scenario import SCENARIOS


@pytest.mark.parametrize("wire", ["native", "asgi"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_same_transcript(name: str, wire: str):
    assert transcript_of(name, wire) == expected(name, wire)


@pytest.mark.parametrize("name", sorted({name for name, _ in PARITY}))
def test_deviation_occurs(name: str):
    lines = reference(name)
    assert [line for known, line in PARITY if known == name and line not in lines] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_is_used(rule):
    assert any(rule(line) != line for name in SCENARIOS for line in reference(name))


def test_there_are_many():
    assert len(SCENARIOS) >= 120
    assert all(reference(name) for name in SCENARIOS)
