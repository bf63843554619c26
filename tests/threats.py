"""Which tests hold fastsio to which row of docs/threats.md: `python -m tests.threats` writes its last column.

May import: the standard library. A test names rows in a mark, in its own name, or in the names of its cases.
"""

import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "threats.md"
ROW = re.compile(r"^\| (T\d{3}) \| (.+?) \| (.*?) ?\| (.*?) ?\|$", re.MULTILINE)
NAME = re.compile(r"T\d{3}(?!\d)")
# Not tests of anything.
NOT_THESE = {"threats.py", "test_threats.py"}


def claims() -> dict[str, list[str]]:
    """Give row -> files of tests that name it, relative to `tests`."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in TESTS.rglob("*.py"):
        if path.name not in NOT_THESE and "node_modules" not in path.parts:
            for name in NAME.findall(path.read_text()):
                found[name].add(str(path.relative_to(TESTS)))
    return {name: sorted(files) for name, files in found.items()}


def rows() -> dict[str, tuple[str, str, str]]:
    """Give row -> (threat, what happens, last column) of the page."""
    return {name: (threat, answer, tests) for name, threat, answer, tests in ROW.findall(PAGE.read_text())}


def is_reason(column: str) -> bool:
    """Tell whether a last column says why there is no test."""
    return bool(column) and not column.startswith("`")


def column(files: list[str]) -> str:
    return ", ".join(f"`{file.removesuffix('.py')}`" for file in files)


def write() -> None:
    """Put the tests into the page; reasons stay where there are none."""
    found = claims()

    def line(match: re.Match[str]) -> str:
        name, threat, answer, tests = match.groups()
        last = column(found[name]) if name in found else tests if is_reason(tests) else ""
        return f"| {name} | {threat} | {answer} | {last} |"

    PAGE.write_text(ROW.sub(line, PAGE.read_text()))


if __name__ == "__main__":
    write()
