"""Tables, plots and budgets out of invented figures, whose right answers are known."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench import budgets, plots, tables
from bench.budgets import Budget
from bench.cases import BYTES, CASES
from bench.record import Measured, Record, newest_record, read_record
from bench.svg import spread_labels

SURROUNDINGS = {
    "date": "2026-01-02T03:04:05+00:00",
    "cpu": "some CPU",
    "cores": 2,
    "kernel": "6.1.0",
    "python": "3.11.7",
    "revision": "0123456789abcdef",
    "tree": "clean",
}
TITLES = {"floor": "floor (C)", "fastsio": "fastsio", "bun": "Bun <fast>", "python-socketio-uvicorn": "python-socketio"}


def sample(case: str, figure: float) -> dict[str, Any]:
    """What the load generator might have said, with one figure for everything."""
    memory = [[0, 10_000_000], [500, 10_000_000 + int(500 * figure)], [5000, 10_000_000 + int(5000 * figure)]]
    return {
        "server_cpu_us_per_message": figure,
        "latency_us": {name: figure * place for place, name in enumerate(plots.NINES, 1)},
        "delay_us": {"p99": 0.0},
        "saturation": 100_000.0,
        "messages": 100_000,
        "rate": 50_000.0,
        "reordered": 0,
        "server_busy": 0.99,
        "own_busy": 0.5,
        "foreign_busy": 0.01,
        "memory": memory if CASES[case].unit == BYTES else [],
    }


def run_with(path: Path, figures: dict[str, dict[str, list[float]]]) -> Record:
    """A run: case -> server -> the figures of its rounds; none for a server that was left out."""
    record = Record(path / "run.json")
    for case, servers in figures.items():
        measured = [
            Measured(name, TITLES[name], {"lib/engine": "1.2"}, [sample(case, value) for value in rounds])
            for name, rounds in servers.items()
        ]
        for one in measured:
            one.skipped = None if one.samples else "it cannot"
        record.add(CASES[case], measured, SURROUNDINGS)
    return record


@pytest.fixture
def record(tmp_path: Path) -> Record:
    echo = {"floor": [6.0], "fastsio": [9.0, 8.0, 10.0], "bun": [10.0], "python-socketio-uvicorn": [150.0]}
    idle = {"floor": [400.0], "fastsio": [4000.0], "bun": [13_000.0], "python-socketio-uvicorn": []}
    return run_with(tmp_path, {"echo": echo, "idle": idle, "latency": {"floor": [100.0], "fastsio": [200.0]}})


def test_a_file_of_results_is_read_as_it_was_written(record: Record) -> None:
    again = read_record(record.path)
    assert again.cases == record.cases and again.environments == record.environments
    kept = json.loads(record.path.read_text())["echo"]["servers"][1]
    assert (kept["median"], kept["least"], kept["most"]) == (9.0, 8.0, 10.0)


def test_the_memory_of_a_client_is_a_slope(record: Record) -> None:
    assert record.figure("idle", "fastsio") == 4000.0


def test_the_table_marks_us_and_the_best_rival(record: Record) -> None:
    rows = tables.figures_table(record).splitlines()
    assert rows[0] == "| case | floor (C) | fastsio | Bun <fast> | python-socketio |"
    assert rows[2] == "| echo, 100 clients, us | 6.00 | **9.00** | *10.0* | 150 |"
    assert rows[3] == "| memory, bytes a client | 400 | **4,000** | *13,000* |  |"
    assert rows[4] == "| latency at half load, p99, us | 300 | **600** |  |  |"


def test_details_say_who_was_left_out(record: Record) -> None:
    details = tables.details_table(record)
    assert "- python-socketio was not measured: it cannot" in details
    assert "| fastsio | 9.00 | 8.00 | 10.0 | 50,000 | 9 | 27 | 99% | 50% |" in details


def test_doubts_stand_beside_the_figures(record: Record) -> None:
    late, full = record.cases["latency"][1], record.cases["echo"][1]
    late.samples[0]["delay_us"]["p99"] = late.latency("p99") * 0.6
    assert [doubt.partition(":")[0] for doubt in tables.doubts(late)] == ["LATE"]
    for one in full.samples:
        del one["saturation"]
        one |= {"own_busy": 0.99, "server_busy": 0.6, "foreign_busy": 0.2, "reordered": 1}
    words = "".join(tables.doubts(full))
    assert "3 answers out of order" in words and "NOISY" in words and "the generator was the bottleneck" in words


def test_the_page_says_where_figures_come_from(record: Record) -> None:
    said = tables.provenance(record)
    assert "2026-01-02 on some CPU, 2 cores, Linux 6.1.0, Python 3.11.7, revision 0123456789 (clean), 3 rounds" in said
    assert "- fastsio: engine 1.2" in said


def test_the_page_says_what_was_measured_later(record: Record) -> None:
    record.environments["latency"] = SURROUNDINGS | {"revision": "fedcba9876543210"}
    assert (
        f"revision 0123456789 (clean), in the case of {CASES['latency'].title} fedcba9876 (clean), 3"
        in tables.provenance(record)
    )


def test_a_run_of_some_cases_is_not_taken_for_one_of_all(tmp_path: Path) -> None:
    assert newest_record(tmp_path) is None
    (tmp_path / "2026-01-01T0000.json").write_text(json.dumps({name: {} for name in CASES}))
    (tmp_path / "2026-01-02T0000.json").write_text(json.dumps({"echo": {}}))
    assert newest_record(tmp_path) == tmp_path / "2026-01-01T0000.json"


def test_text_goes_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench:figures -->\nold\n<!-- /bench:figures -->\nafter\n")
    assert tables.put_between(page, "figures", r"new \1")
    assert page.read_text() == "before\n<!-- bench:figures -->\nnew \\1\n<!-- /bench:figures -->\nafter\n"
    assert not tables.put_between(page, "details", "new")


def test_pages_of_the_repository_have_markers() -> None:
    root = Path(__file__).parent.parent.parent
    for name, markers in {"README.md": ["figures"], "docs/performance.md": ["figures", "pictures", "details"]}.items():
        for marker in markers:
            assert (root / name).read_text().count(f"<!-- bench:{marker} -->") == 1


@pytest.mark.parametrize(
    ("budget", "state", "text"),
    [
        (Budget("echo", "floor", 1.6, 1.5), "aim", "must 1.6, aim 1.5 x floor: 1.50 (9.00 / 6.00)"),
        (Budget("echo", "floor", 1.6, 1.35), "must", "must 1.6, aim 1.35 x floor: 1.50 (9.00 / 6.00)"),
        (Budget("echo", "floor", 1.4, 1.3), "missed", "must 1.4, aim 1.3 x floor: 1.50 (9.00 / 6.00)"),
        (Budget("echo", "best rival", 1.0, 1.0), "aim", "must 1 x the best rival, Bun <fast>: 0.90 (9.00 / 10.0)"),
        (Budget("idle", "", 5000, 3000), "must", "must 5000, aim 3000: 4,000"),
        (Budget("ack", "floor", 1.6, 1.35), "unknown", "must 1.6, aim 1.35 x floor: not measured"),
        (Budget("echo", "floor", 1.6, 1.35, "fastsio-asgi"), "unknown", "must 1.6, aim 1.35 x floor: not measured"),
    ],
)
def test_budgets(record: Record, monkeypatch: pytest.MonkeyPatch, budget: Budget, state: str, text: str) -> None:
    monkeypatch.setattr(budgets, "BUDGETS", [budget])
    (verdict,) = budgets.judge(record)
    assert (verdict.state, verdict.text) == (state, text)


def test_every_budget_is_of_a_case() -> None:
    assert {budget.case for budget in budgets.BUDGETS} <= CASES.keys()


def test_pictures_are_drawn_from_what_was_measured(record: Record, tmp_path: Path) -> None:
    written = {
        path.name: ElementTree.fromstring(path.read_text()) for path in plots.draw(record, tmp_path / "pictures")
    }
    assert set(written) == set(plots.PICTURES)
    words = {
        name: [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
        for name, picture in written.items()
    }
    assert {"echo, 100 clients", "fastsio", "9.00", "Bun engine", "150"} <= set(words["bench-cpu.svg"])
    assert "fastsio  20.0" in words["bench-memory.svg"] and "floor (C)  2.00" in words["bench-memory.svg"]
    assert {"fastsio  800", "99.9 %"} <= set(words["bench-latency.svg"])  # too few messages for 99.99 %
    assert plots.links(record).count("](pictures/bench-") == 3


def test_pictures_without_figures_are_not_drawn(tmp_path: Path) -> None:
    record = run_with(tmp_path, {"echo": {"floor": [1.0]}})
    assert [path.name for path in plots.draw(record, tmp_path)] == ["bench-cpu.svg"]
    assert "latency" not in plots.links(record)


def test_labels_make_room_for_each_other() -> None:
    placed = spread_labels([(0, 100.0, "a", ""), (0, 101.0, "b", ""), (0, 102.0, "c", ""), (0, 300.0, "d", "")], 0, 15)
    heights = [at for *_, at in placed]
    assert [name for _, _, name, _, _ in placed] == ["a", "b", "c", "d"]
    assert all(low + 14.5 <= high for low, high in zip(heights, heights[1:], strict=False))
    assert heights[3] == 300.0


def test_a_peer_is_one_that_the_budgets_were_made_of_and_a_rival_anybody(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(TITLES, "socketioxide", "socketioxide")
    record = run_with(tmp_path, {"connect": {"fastsio": [80], "bun": [100], "socketioxide": [60]}})
    monkeypatch.setattr(
        budgets, "BUDGETS", [Budget("connect", base, 1.0, 0.6) for base in (budgets.PEER, budgets.RIVAL)]
    )
    beside_peers, beside_all = budgets.judge(record)
    assert (beside_peers.state, beside_all.state) == ("must", "missed")
    assert "the best peer, Bun" in beside_peers.text and "the best rival, socketioxide" in beside_all.text
