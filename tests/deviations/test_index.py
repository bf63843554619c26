"""Every deviation cites a decision: a numbered defect that docs/defects.md calls fixed, or a sentence.

The table of defects in turn names tests that exist, and that show the defect.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from deviations.index import INDEX
from deviations.parity import PARITY
from parity.run import SCENARIOS

ROOT = Path(__file__).parents[2]


class Defect(NamedTuple):
    """One row of docs/defects.md."""

    number: int
    stance: str
    tests: list[str]


def _row(line: str) -> Defect:
    number, _, stance, _, tests = (cell.strip() for cell in line.strip("|\n").split(" | "))
    return Defect(int(number), stance, re.findall(r"`([^`]+)`", tests))


LINES = (ROOT / "docs/defects.md").read_text(encoding="utf-8").splitlines()
DEFECTS = {defect.number: defect for defect in map(_row, (line for line in LINES if re.match(r"\| \d", line)))}


def cited(decision: str) -> list[int]:
    """Give the numbers of the defects that a decision cites."""
    return [int(number) for number in re.findall(r"\d+", decision)] if decision.startswith("defect ") else []


@pytest.mark.parametrize("what", INDEX)
def test_decision(what: str):
    decision = INDEX[what].decision
    numbers = cited(decision)
    assert numbers or re.fullmatch(r"\S.{20,}\.", decision), decision
    assert all(DEFECTS[number].stance == "fixed" for number in numbers)


def test_all_37_defects():
    assert list(DEFECTS) == list(range(1, 38))
    assert all(defect.stance in ("fixed", "kept") and defect.tests for defect in DEFECTS.values())


@pytest.mark.parametrize("number", DEFECTS)
def test_shown_by_tests_that_exist(number: int):
    assert [name for name in DEFECTS[number].tests if not exists(name)] == []


def exists(name: str) -> bool:
    """Tell whether a scenario, or a test function of a file, is there."""
    kind, _, scenario = name.partition(":")
    if kind == "parity":
        return scenario in SCENARIOS
    path, _, function = name.partition("::")
    file = ROOT / path
    return (
        file.exists()
        and re.search(rf"^(async )?def {function}\b", file.read_text(encoding="utf-8"), re.MULTILINE) is not None
    )


@pytest.mark.parametrize("number", DEFECTS)
def test_scenarios_differ_because_of_it(number: int):
    names = [name.removeprefix("parity:") for name in DEFECTS[number].tests if name.startswith("parity:")]
    assert [name for name in names if name in PARITY and number not in cited(PARITY[name].decision)] == []
