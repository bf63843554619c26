"""Fresh interpreters for tests of what happens to `sys.modules`; used by the test modules beside it."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

# Makes an interpreter in which python-socketio is not installed.
WITHOUT_PYTHON_SOCKETIO = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("socketio", "engineio"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


def environment(**more: str) -> dict[str, str]:
    """Give an environment in which fastsio is importable, wherever the tests run from."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def run(code: str, *, setup: str = "", cwd: Path | None = None) -> str:
    """Run code in an interpreter of its own; give what it printed. A failing one fails the test."""
    program = setup + textwrap.dedent(code)
    return call([sys.executable, "-c", program], cwd=cwd).stdout


def call(command: list[str], cwd: Path | None = None, **more: str) -> "subprocess.CompletedProcess[str]":
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd, env=environment(**more))
    assert outcome.returncode == 0, outcome.stderr
    return outcome
