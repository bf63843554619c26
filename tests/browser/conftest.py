"""The browser of these tests, and what drives it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the browser, with everything that its drivers need in place."""
    tools = {name: shutil.which(name) for name in ("node", "npm", "chromium")}
    missing = [name for name, path in tools.items() if path is None]
    if missing:
        unavailable(f"the browser test needs {', '.join(missing)}")
    if not (HERE / "node_modules" / "playwright-core").is_dir():
        subprocess.run([str(tools["npm"]), "ci", "--ignore-scripts", "--silent"], cwd=HERE, check=True, timeout=180)
    return str(tools["chromium"])


def unavailable(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
