"""docs/threats.md and the tests agree: every row once, every claim known, every row tested or with its reason."""

from tests.threats import claims, column, is_reason, rows

COUNT = 256
# Rows about what needs several processes and Redis.
CLUSTER = {f"T{number}" for number in range(210, 228)}
# Of the other rows, at least so many have a test.
SHARE = 0.9


def test_every_row_is_there_once() -> None:
    assert list(rows()) == [f"T{number:03}" for number in range(1, COUNT + 1)]


def test_no_test_names_a_row_that_is_not_there() -> None:
    unknown = {name: files for name, files in claims().items() if name not in rows()}
    assert unknown == {}


def test_the_page_names_the_tests() -> None:
    found = claims()
    wrong = {name: row[2] for name, row in rows().items() if name in found and row[2] != column(found[name])}
    assert wrong == {}, "python -m tests.threats writes the page anew"


def test_a_row_without_a_test_says_why() -> None:
    found = claims()
    silent = [name for name, row in rows().items() if name not in found and not is_reason(row[2])]
    assert silent == []


def test_most_rows_have_a_test() -> None:
    alone = [name for name in rows() if name not in CLUSTER]
    tested = [name for name in alone if name in claims()]
    assert len(tested) >= SHARE * len(alone), f"{len(tested)} of {len(alone)}"
