"""What differs on purpose: the one table of it, in parts by kind, read by the tests.

Each part maps what differs to a `Deviation`: what it becomes here, and the decision behind it, a numbered defect of
python-socketio ("defect 12", see docs/defects.md) or a sentence. A difference without an entry fails the tests, and so
does an entry that does not differ any more.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple


class Deviation(NamedTuple):
    """What something becomes here, and why."""

    becomes: Any
    decision: str


Rule = Callable[[str], str]


def differs(part: dict[str, Deviation], decision: str, transcript: str, *names: str) -> None:
    """Enter scenarios that have the same transcript here, for the same reason."""
    for name in names:
        assert name not in part, f"two entries for {name}"
        part[name] = Deviation(transcript.strip("\n").split("\n"), decision)


def ruled(rules: Iterable[Rule], lines: list[str]) -> list[str]:
    """Give lines as the rules change them."""
    for rule in rules:
        lines = [rule(line) for line in lines]
    return lines
