"""Type checkers agree with the package, with its stubs, and with an application that uses all of it."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
APP = HERE / "typed_app.py"
STUBS = sorted(str(path.relative_to(ROOT).with_suffix("")).replace("/", ".") for path in ROOT.glob("fastsio/**/*.pyi"))
BIN = Path(sys.executable).parent


def check(*command: str) -> None:
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"--cache-dir={tmp_path_factory.mktemp('mypy')}"


def test_mypy_passes_on_the_package(cache: str):
    check(sys.executable, "-m", "mypy", cache, "fastsio")


def test_mypy_passes_on_a_typed_application(cache: str):
    # As its author runs it: with no settings of ours, and no errors shown of packages that are installed.
    check(sys.executable, "-m", "mypy", cache, "--config-file=", "--strict", "--follow-imports=silent", str(APP))


def test_pyright_passes_on_a_typed_application():
    check(str(BIN / "basedpyright"), "--pythonpath", sys.executable, "--project", str(HERE))


def test_checkers_see_through_decorators(cache: str, tmp_path: Path):
    """The application's assertions can fail: they do when a handler is given what it does not take."""
    wrong = tmp_path / "wrong_app.py"
    wrong.write_text(APP.read_text().replace('await chat_message("sid", "hello")', 'await chat_message("sid", None)'))
    command = [sys.executable, "-m", "mypy", cache, "--config-file=", "--strict", "--follow-imports=silent", str(wrong)]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert 'Argument 2 to "chat_message" has incompatible type "None"' in outcome.stdout


def test_stubs_describe_the_compiled_modules():
    allowed = str(HERE / "stubtest_allowlist.txt")
    options = ("--concise", "--ignore-disjoint-bases", "--allowlist", allowed, "--mypy-config-file", "pyproject.toml")
    check(sys.executable, "-m", "mypy.stubtest", *STUBS, *options)


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "fastsio" / "py.typed").exists()
