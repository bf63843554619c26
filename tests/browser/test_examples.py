"""The examples beside the chat, each served by its one command and used in headless Chromium by `examples.mjs`.

EXAMPLE_SCREENSHOTS names a folder to keep the pictures in.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from browser.conftest import unavailable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CLIENT = ROOT / "examples/chat/static/clients/4.8.4/socket.io.js"
START_SECONDS = 20


@pytest.fixture(scope="module", autouse=True)
def browser_client() -> None:
    subprocess.run([sys.executable, ROOT / "examples/chat/fetch_clients.py"], check=True, timeout=180)
    if not CLIENT.is_file():
        unavailable("the browser's client could not be fetched")


@contextmanager
def served(example: str, log: Path) -> Iterator[str]:
    """Serve an example as its page says, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "fastsio", "run", f"examples.{example}.app:app", "--port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=15)
    assert "Traceback" not in log.read_text(), log.read_text()


def _wait_for(page: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(page, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"it did not start:\n{log.read_text()}")


def visit(example: str, chromium: str, folder: Path) -> dict[str, Any]:
    """Use an example; give what was seen."""
    shots = Path(os.environ.get("EXAMPLE_SCREENSHOTS") or folder).resolve()
    shots.mkdir(parents=True, exist_ok=True)
    with served(example, folder / "log") as url:
        job = {"url": url, "chromium": chromium, "example": example, "shots": str(shots)}
        done = subprocess.run(["node", HERE / "examples.mjs", json.dumps(job)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert "failure" not in seen and seen["errors"] == [], f"{seen}\npictures in {shots}"
    return seen


def test_dashboard(chromium: str, tmp_path: Path) -> None:
    seen = visit("dashboard", chromium, tmp_path)
    assert seen["viewers"] == ["1", "2"] and seen["inked"]


def test_drawing(chromium: str, tmp_path: Path) -> None:
    seen = visit("drawing", chromium, tmp_path)
    assert seen["pixels"] == [[229, 72, 77, 255]] * 3, "the same red for the one who drew, who watched, and who came late"
    assert seen["cleared"] == 0


def test_game(chromium: str, tmp_path: Path) -> None:
    seen = visit("game", chromium, tmp_path)
    assert 0.1 < seen["moved"] < 0.5 and "you" in seen["players"] and "player" in seen["players"] and seen["left"]


def test_notifications(chromium: str, tmp_path: Path) -> None:
    seen = visit("notifications", chromium, tmp_path)
    assert seen["refused"] == "name or password is wrong"
    assert seen["first"] == "waits until they come"
    assert seen["waiting"] == ["anna: <b>early</b>read", "1"] and seen["badge"] == "2"
    assert seen["left"] in ("anna: <b>early</b>read", "anna: secondread")
