"""The command `python -m bench`, measuring for real but shortly; and the folders of the rivals."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench.cases import CASES
from bench.servers import Rival, load_rivals

ROOT = Path(__file__).parent.parent.parent
RIVALS = load_rivals()


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core for the server, one for the load")
def test_measures_and_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    options = ("--rivals", "floor,fastsio", "--rounds", "1", "--seconds", "0.3", "--into", str(file))
    for cases in (["polling"], ["polling", "echo"]):
        done = bench(*cases, *options)
        assert done.returncode == 0, done.stderr
        assert ("polling: round" in done.stderr) == (cases == ["polling"])  # the second time it is there already
    kept = json.loads(file.read_text())
    assert list(kept) == ["polling", "echo"]
    assert [server["median"] > 0.5 for server in kept["echo"]["servers"]] == [True, True]
    assert kept["polling"]["servers"][0]["skipped"] == "the floor speaks WebSocket only"
    assert all(str(ROOT) not in json.dumps(one) for one in kept.values())
    checked = bench("check", "--from", str(file))
    assert checked.returncode == 1 and "echo          fastsio" in checked.stdout


def test_list_names_everything() -> None:
    said = bench("list").stdout
    assert all(f"\n{rival}" in said for rival in RIVALS) and all(case in said for case in CASES)
    assert "uWebSockets.js is not on npm" in said


def test_what_is_unknown() -> None:
    done = bench("ecco", "--rivals", "flor")
    assert done.returncode == 2
    assert done.stderr.startswith("unknown: ecco, flor; `python -m bench list` shows")


@pytest.mark.parametrize("rival", RIVALS.values(), ids=RIVALS)
def test_versions_are_pinned(rival: Rival) -> None:
    """What is installed stands in a lock file, by its version and nothing looser."""
    if (rival.folder / "package.json").exists():
        wanted = json.loads((rival.folder / "package.json").read_text())["dependencies"]
        locked = json.loads((rival.folder / "package-lock.json").read_text())["packages"]
        assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
        assert all("integrity" in package for path, package in locked.items() if path)
    elif rival.language == "Rust":
        locked = {package["name"] for package in tomllib.loads((rival.folder / "Cargo.lock").read_text())["package"]}
        assert set(rival.versions) <= locked
    elif rival.language == "Go":
        assert all(name in (rival.folder / "go.sum").read_text() for name in rival.versions)
    elif rival.requirements.exists():
        assert all("==" in line for line in rival.requirements.read_text().split())


def test_features_that_rivals_lack_are_features() -> None:
    features = {need for case in CASES.values() for need in case.needs} | {"eio4"}
    assert {feature for rival in RIVALS.values() for feature in rival.without} <= features
