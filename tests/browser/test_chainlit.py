"""Chainlit, which nobody here wrote, on python-socketio and, by `fastsio patch`, on fastsio: the same in Chromium.

Drives the browser through `chainlit.mjs`, which only reports. Chainlit is large: skipped where it is not installed.
"""

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

from wire.live import Server

HERE = Path(__file__).resolve().parent
pytestmark = pytest.mark.skipif(importlib.util.find_spec("chainlit") is None, reason="Chainlit is not installed")


@pytest.mark.parametrize("made", ["socketio", "fastsio"])
def test_conversation(made: str, chromium: str, tmp_path: Path) -> None:
    patch = "fastsio patch -- python -m " if made == "fastsio" else ""
    app = f"{patch}chainlit run {HERE / 'chainlit_app.py'} --headless --port"
    server = Server("module", app, {"CHAINLIT_APP_ROOT": str(tmp_path)})
    try:
        drive = ["node", str(HERE / "chainlit.mjs"), json.dumps({"port": server.port, "chromium": chromium})]
        done = subprocess.run(drive, capture_output=True, text=True, timeout=60)
    finally:
        server.stop()
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert "failure" not in seen, (seen, server.log())
    assert seen["made"] == f"served by {made}"
    assert seen["errors"] == []
    assert set(seen["sockets"]) == {"/ws/socket.io/"}
    assert seen["words"] == list(range(40))
    assert "Traceback" not in server.log(), server.log()
