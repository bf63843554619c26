"""The examples beside the chat, each served by the command and used in headless Chromium by `examples.mjs`.

EXAMPLE_SCREENSHOTS names a folder to keep the pictures in.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from browser.conftest import unavailable
from wire.live import Server

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CLIENT = ROOT / "examples/chat/static/clients/4.8.4/socket.io.js"


@pytest.fixture(scope="module", autouse=True)
def browser_client() -> None:
    subprocess.run([sys.executable, ROOT / "examples/chat/fetch_clients.py"], check=True, timeout=180)
    if not CLIENT.is_file():
        unavailable("the browser's client could not be fetched")


def visit(example: str, chromium: str, folder: Path) -> dict[str, Any]:
    """Use an example; give what was seen."""
    shots = Path(os.environ.get("EXAMPLE_SCREENSHOTS") or folder).resolve()
    shots.mkdir(parents=True, exist_ok=True)
    server = Server("native", f"examples.{example}.app:app")
    try:
        job = {"url": f"http://127.0.0.1:{server.port}", "chromium": chromium, "example": example, "shots": str(shots)}
        done = subprocess.run(
            ["node", HERE / "examples.mjs", json.dumps(job)], capture_output=True, text=True, timeout=120
        )
    finally:
        server.stop()
    assert "Traceback" not in server.log(), server.log()
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert "failure" not in seen and seen["errors"] == [], f"{seen}\npictures in {shots}"
    return seen


def test_dashboard(chromium: str, tmp_path: Path) -> None:
    seen = visit("dashboard", chromium, tmp_path)
    assert seen["viewers"] == ["1", "2"] and seen["inked"]


def test_drawing(chromium: str, tmp_path: Path) -> None:
    seen = visit("drawing", chromium, tmp_path)
    assert seen["pixels"] == [[229, 72, 77, 255]] * 3, (
        "the same red for the one who drew, who watched, and who came late"
    )
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
