"""What differs on purpose: the one table of it, in parts by kind, read by the tests.

Each part maps what differs to a `Deviation`: what it becomes here, and the decision behind it, a numbered defect of
python-socketio ("defect 12", see docs/defects.md) or a sentence. A difference without an entry fails the tests, and so
does an entry that does not differ any more.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple


class Deviation(NamedTuple):
    """What something becomes here, and why."""

    becomes: Any
    decision: str


Rule = Callable[[str], str]


def with_deviations(
    table: Mapping[tuple[str, str], Deviation], rules: Iterable[Rule], name: str, lines: list[str]
) -> list[str]:
    """Give the lines of a transcript as they are here: each line's own entry first, then the rules."""
    changed: list[str] = []
    for line in lines:
        entry = table.get((name, line))
        if entry is not None:
            changed += entry.becomes
            continue
        for rule in rules:
            line = rule(line)
        changed.append(line)
    return changed
