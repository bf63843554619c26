"""What is kept of a run: the environment, the samples in a file of results, the table on the terminal.

May import: `cases`. Never starts a server; a page of results can be made again from the files alone.
"""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.cases import BYTES, Case

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
BASELINES = ("floor", "python-socketio-uvicorn")  # every figure is shown as a ratio to these

NOISY = 0.10  # cores' worth of work by others
SATURATED = 0.95


@dataclass(slots=True)
class Measured:
    """One server in one case: the raw lines of the load generator, one for each round, or why there are none."""

    name: str
    title: str
    versions: dict[str, str]
    samples: list[dict[str, Any]] = field(default_factory=list)
    skipped: str | None = None

    def figures(self, case: Case) -> list[float]:
        return [figure_of(case, sample) for sample in self.samples]

    def middle(self, key: str) -> float:
        return float(statistics.median(sample[key] for sample in self.samples))


def figure_of(case: Case, sample: dict[str, Any]) -> float:
    """The number that a case is about, from one line of the load generator."""
    if case.unit == BYTES:
        return float((sample["rss_all"] - sample["rss_few"]) / (sample["clients"] - sample["few"]))
    return float(sample["server_cpu_us"])


def environment() -> dict[str, Any]:
    """Describe the machine and the revision, without names of people, hosts or folders."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "revision": _git("rev-parse", "HEAD") or "no commit yet",
        "tree": "modified" if _git("status", "--porcelain") else "clean",
        "load_average": os.getloadavg(),
        "command": " ".join(["python -m bench", *_arguments()]),
    }


def _arguments() -> list[str]:
    """The command line, without folders of this machine."""
    return [re.sub(r"(^|=)/\S*", r"\1PATH", argument) for argument in sys.argv[1:]]


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def write(case: Case, measured: list[Measured], surroundings: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Keep everything that was measured in one case."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = surroundings["date"][:16].replace(":", "")
    path = folder / f"{stamp}-{case.id}.json"
    servers = [asdict(one) | {"median": _median(case, one), "figures": one.figures(case)} for one in measured]
    content = {"case": asdict(case), "environment": surroundings, "servers": servers}
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def _median(case: Case, one: Measured) -> float | None:
    return statistics.median(one.figures(case)) if one.samples else None


def table(case: Case, measured: list[Measured]) -> str:
    """Lay one case out for people: figure, spread, ratios, and how busy both sides were."""
    medians = {one.name: _median(case, one) for one in measured}
    head = ["server", case.unit, "min", "max", "x floor", "x python", "msg/s", "p50 us", "p99 us"]
    rows = [[*head, "server busy", "gen. busy", "foreign"]]
    rows += [_row(case, one, medians) for one in measured if one.samples]
    notes = [f"  not measured: {one.title}: {one.skipped}" for one in measured if one.skipped]
    notes += [f"  {one.title}: {note}" for one in measured for note in _doubts(one)]
    return "\n".join([f"{case.id}: {case.question}", *_columns(rows), *notes])


def _row(case: Case, one: Measured, medians: dict[str, float | None]) -> list[str]:
    figures, median = one.figures(case), medians[one.name] or 0.0
    ratios = [f"{median / base:.2f}" if (base := medians.get(name)) else "-" for name in BASELINES]
    latency = ["-"] * 3
    if case.unit != BYTES:
        latency = [f"{one.middle('rate'):,.0f}", f"{one.middle('p50_us'):,.0f}", f"{one.middle('p99_us'):,.0f}"]
    busy = [f"{one.middle(key):.0%}" for key in ("server_busy", "generator_busy", "foreign_busy")]
    return [one.title, *(_short(value) for value in (median, min(figures), max(figures))), *ratios, *latency, *busy]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 200 else f"{value:.3g}" if value >= 10 else f"{value:.2f}"


def _doubts(one: Measured) -> list[str]:
    """What a reader has to know before believing a figure."""
    if not one.samples:
        return []
    doubts = []
    if reordered := sum(sample["reordered"] for sample in one.samples):
        doubts.append(f"{reordered:,} answers out of order")
    if one.middle("foreign_busy") > NOISY:
        doubts.append("NOISY: other programs had a part of the cores; compare nothing with this")
    if any(s["scenario"] == "broadcast" and s["messages"] < 10 * s["clients"] for s in one.samples):
        doubts.append("fewer than ten rounds in the window: its edges weigh; measure longer")
    if one.middle("generator_busy") > SATURATED > one.middle("server_busy"):
        doubts.append("the load generator was the bottleneck: CPU per message holds, msg/s is no limit of the server")
    return doubts


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    pad = [str.ljust] + [str.rjust] * (len(widths) - 1)
    return ["  " + "  ".join(f(cell, w) for f, cell, w in zip(pad, row, widths, strict=True)) for row in rows]
