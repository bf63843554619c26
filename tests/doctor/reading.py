"""The doctor as a process, and its JSON.

May import: the command.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from wire.live import TESTS


@dataclass
class Reading:
    """What the command found: its exit status, its causes, and the line of each check."""

    status: int
    causes: list[str]
    checks: dict[str, dict[str, Any]]

    def state(self, check: str) -> str:
        return str(self.checks[check]["state"])

    def failure(self, cause: str) -> str:
        """Give detail and advice of the first failure with this cause."""
        return next(f"{line['detail']} > {line['advice']}" for line in self.checks.values() if line["cause"] == cause)


def consult(*arguments: str) -> Reading:
    """Run `fastsio doctor --json` with these arguments."""
    command = [sys.executable, "-m", "fastsio", "doctor", *arguments, "--json"]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, timeout=120)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert done.returncode == found["exit_status"]
    return Reading(done.returncode, found["causes"], {line["check"]: line for line in found["checks"]})
