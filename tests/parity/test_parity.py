"""Every scenario on the native and on the plain ASGI wire: the transcript of python-socketio, but for the deviations."""

import pytest

from deviations import ruled
from deviations.parity import PARITY, RULES
from parity.run import expected, reference, transcript_of
from parity.scenario import SCENARIOS

# Awaitables that the reference never awaits are one of its defects.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
# Sections of the compatibility contract that the asynchronous server has; 1.12 and 1.16 have suites of their own.
SECTIONS = {f"1.{number}" for number in (4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 17)}
SECTIONS |= {f"2.{number}" for number in range(1, 24)} | {f"3.{number}" for number in range(1, 9)} | {"5"}


@pytest.mark.parametrize("wire", ["native", "asgi"])
@pytest.mark.parametrize("name", SCENARIOS)
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


def test_every_section_is_proven():
    assert {scenario.section for scenario in SCENARIOS.values()} == SECTIONS
