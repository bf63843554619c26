"""What is kept of a run: one file with the environment, the versions and every sample of every case.

May import: `cases`. Never starts a server; tables and plots can be made again from the file alone.
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

from bench.cases import BYTES, CASES, LATENCY, Case

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"


@dataclass(slots=True)
class Measured:
    """One server in one case: what the load generator wrote, once for each round, or why it did not."""

    name: str
    title: str
    versions: dict[str, str]
    samples: list[dict[str, Any]] = field(default_factory=list)
    skipped: str | None = None

    def figures(self, case: Case) -> list[float]:
        return [figure_of(case, sample) for sample in self.samples]

    def median(self, case: Case) -> float | None:
        """The figure that stands in tables; None when there is none."""
        return statistics.median(self.figures(case)) if self.samples else None

    def middle(self, key: str) -> float:
        """The median of another number of the samples."""
        return float(statistics.median(sample[key] or 0.0 for sample in self.samples))

    def latency(self, name: str) -> float:
        """The median of a percentile, in us."""
        return float(statistics.median(sample["latency_us"][name] for sample in self.samples))


@dataclass(slots=True)
class Record:
    """One run: case by case what was measured, and on what."""

    path: Path
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)  # by case: a run may be made in pieces
    cases: dict[str, list[Measured]] = field(default_factory=dict)

    def add(self, case: Case, measured: list[Measured], surroundings: dict[str, Any]) -> None:
        """Take up a case and write the file, so that what was measured stays when the run is broken off."""
        self.environments[case.id], self.cases[case.id] = surroundings, measured
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            name: {
                "case": asdict(CASES[name]),
                "environment": self.environments[name],
                "servers": [_summary(CASES[name], one) for one in servers],
            }
            for name, servers in self.cases.items()
        }
        self.path.write_text(json.dumps(content, indent=1) + "\n")

    def figure(self, case: str, server: str) -> float | None:
        """The median of a server in a case, None when it was not measured."""
        found = [one.median(CASES[case]) for one in self.cases.get(case, []) if one.name == server]
        return found[0] if found else None


def _summary(case: Case, one: Measured) -> dict[str, Any]:
    figures = one.figures(case)
    spread = {"median": one.median(case), "least": min(figures), "most": max(figures)} if figures else {}
    return asdict(one) | {"figures": figures} | spread


def new_record(folder: Path = RESULTS) -> Record:
    return Record(folder / f"{datetime.now(UTC).isoformat(timespec='minutes')[:16].replace(':', '')}.json")


def read_record(path: Path) -> Record:
    """Read a file of results; cases that this version does not know are left out."""
    record = Record(path)
    for name, content in json.loads(path.read_text()).items():
        if name in CASES:
            record.environments[name] = content["environment"]
            keys = ("name", "title", "versions", "samples", "skipped")
            record.cases[name] = [Measured(**{key: server[key] for key in keys}) for server in content["servers"]]
    return record


def newest_record(folder: Path = RESULTS) -> Path | None:
    """Find the last run of all cases that was kept; one of some cases is not what tables and budgets are made of."""
    runs = sorted(folder.glob("*.json"), reverse=True)
    return next((run for run in runs if CASES.keys() <= json.loads(run.read_text()).keys()), None)


def figure_of(case: Case, sample: dict[str, Any]) -> float:
    """The number that a case is about, out of one sample."""
    if case.unit == BYTES:
        (_, _), (few, small), *_, (many, large) = sample["memory"]
        return float((large - small) / (many - few))
    if case.unit == LATENCY:
        return float(sample["latency_us"]["p99"])
    return float(sample["server_cpu_us_per_message"])


def environment() -> dict[str, Any]:
    """Describe the machine and the revision, without names of people, hosts or folders."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "kernel": platform.release().partition("-")[0],
        "machine": platform.machine(),
        "python": platform.python_version(),
        "revision": _git("rev-parse", "HEAD") or "no commit yet",
        "tree": "modified" if _git("status", "--porcelain", "--untracked-files=no") else "clean",
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
