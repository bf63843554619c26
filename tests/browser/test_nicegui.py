"""NiceGUI, which nobody here wrote, on python-socketio and, by `fastsio patch`, on fastsio: the same in Chromium.

Drives the browser through `nicegui.mjs`, which only reports. Skipped where NiceGUI is not installed.
"""

import importlib.util
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from wire.live import Server

HERE = Path(__file__).resolve().parent
# Looked for, never imported here: it gives python-socketio its JSON module, for every server of the process.
pytestmark = pytest.mark.skipif(importlib.util.find_spec("nicegui") is None, reason="NiceGUI is not installed")


@pytest.fixture(params=["socketio", "fastsio"])
def made(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def port(made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve the page, whose source is the same for both; afterwards, the server must have nothing to complain of."""
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # NiceGUI would take this for a test of its own kind
    patch = "fastsio patch -- python -m " if made == "fastsio" else ""
    server = Server("module", f"{patch}browser.nicegui_app", {"NICEGUI_STORAGE_PATH": str(tmp_path)})
    try:
        yield server.port
    finally:
        server.stop()
    assert "Traceback" not in server.log(), server.log()


def test_page(made: str, port: int, chromium: str) -> None:
    job = {"port": port, "chromium": chromium}
    done = subprocess.run(["node", HERE / "nicegui.mjs", json.dumps(job)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert "failure" not in seen, seen
    assert seen["made"] == made
    assert seen["errors"] == []
    assert seen["pingInterval"] == 8000  # which NiceGUI sets while the server is starting
    assert seen["transport"] == seen["transportAfter"] == "websocket"
    assert seen["received"] == f"bytes.bin 300000 {sum(at % 251 for at in range(300000))}"
    # After the cut: the page was not loaded anew, and missed nothing.
    assert seen["sameDocument"]
    assert seen["echo"] == "draft é 🐎"
    assert seen["ticks"] == list(range(1, len(seen["ticks"]) + 1))
