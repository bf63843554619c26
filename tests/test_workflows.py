"""The workflows run what stands in the Makefile, with actions that cannot change under them, for the Pythons we promise."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.halves import halves

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()


def pythons(pattern: str, texts: list[str]) -> list[str]:
    return [found[1] for text in texts if (found := re.fullmatch(pattern, text))]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_to_a_commit_and_say_which_release_it_is(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_is_run_is_there(path: Path) -> None:
    text = path.read_text()
    for target in re.findall(r"run: make ([\w-]+)", text):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
    for test in re.findall(r"tests/[\w./]+", text):
        assert (ROOT / test).exists(), test


def test_the_last_job_waits_for_all_others() -> None:
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    jobs = re.findall(r"^  ([\w-]+):(?:  #.*)?$", text.partition("\njobs:\n")[2], re.MULTILINE)
    needed = re.search(r"needs: \[(.*)\]", text)
    assert needed is not None
    assert [*needed[1].split(", "), "all-green"] == jobs
    successes = re.search(r'"\$RESULTS" = "(.*)"', text)
    assert successes is not None
    assert successes[1].split() == ["success"] * (len(jobs) - 1)


def test_classifiers_and_wheels_and_what_is_required_name_the_same_pythons() -> None:
    classified = pythons(r"Programming Language :: Python :: (3\.\d+)", PROJECT["project"]["classifiers"])
    built = [f"3.{minor}" for minor in pythons(r"cp3(\d+)-\*", PROJECT["tool"]["cibuildwheel"]["build"])]
    assert classified == built
    assert PROJECT["project"]["requires-python"] == f">={built[0]}"


def test_wheels_are_tried_with_files_that_the_sdist_has() -> None:
    manifest = (ROOT / "MANIFEST.in").read_text()
    for test in re.findall(r"tests/\w+", PROJECT["tool"]["cibuildwheel"]["test-command"]):
        assert f"graft {test}\n" in manifest


def test_tools_have_one_version_everywhere() -> None:
    """What the workflow of wheels installs is what `make wheels` does."""
    text = (ROOT / ".github/workflows/wheels.yml").read_text()
    pinned = dict(re.findall(r"([\w-]+)==([\d.]+)", MAKEFILE))
    for name, version in re.findall(r"([\w-]+)==([\d.]+)", text):
        assert pinned.get(name, version) == version, name


def test_both_halves_of_the_suite_are_all_of_it() -> None:
    first, second = halves()
    assert not set(first) & set(second)
    found = {path.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py") if "node_modules" not in path.parts}
    run = {path for path in found if any(path.is_relative_to(part) for part in (*first, *second))}
    assert run == found
    assert all((ROOT / part).exists() for part in (*first, *second))
