"""The real Admin UI from npm in headless Chromium, looking at a server with clients of two generations.

Drives the browser through `page.mjs`, which only reports. ADMIN_SCREENSHOTS names a folder to keep the pictures in.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wire.live import Server

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def chromium() -> str:
    """Give the browser, with everything that the page and the driver need in place."""
    tools = {name: shutil.which(name) for name in ("node", "npm", "chromium")}
    missing = [name for name, path in tools.items() if path is None]
    if missing:
        reason = f"the Admin UI test needs {', '.join(missing)}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    if not (HERE / "node_modules" / "playwright-core").is_dir():
        subprocess.run([str(tools["npm"]), "ci", "--ignore-scripts", "--silent"], cwd=HERE, check=True, timeout=180)
    return str(tools["chromium"])


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server("native", "admin.page_app:app", request.param)
    yield server
    server.stop()
    assert "Traceback" not in server.log(), server.log()


def look(server: Server, chromium: str, mode: str, shots: Path) -> dict[str, Any]:
    """Give what the page shows."""
    if keep := os.environ.get("ADMIN_SCREENSHOTS"):
        shots = Path(keep).resolve() / mode
    shots.mkdir(parents=True, exist_ok=True)
    job = {"url": f"http://127.0.0.1:{server.port}", "chromium": chromium, "shots": str(shots), "mode": mode}
    command = ["node", HERE / "page.mjs", json.dumps(job)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert "failure" not in seen, f"{seen['failure']}\npictures in {shots}\n{server.log()}"
    assert seen["errors"] == []
    return seen


def check_dashboard(seen: dict[str, Any]) -> None:
    """Four clients and the admin, one of them on long-polling; three namespaces; one healthy server."""
    assert seen["refusal"] == "Error: authentication failed"
    words = " ".join(seen["dashboard"].split())
    assert "WebSocket 4 80.0 % HTTP long-polling 1 20.0 %" in words
    assert "HEALTHY 1 100.0 % UNHEALTHY 0 0.0 %" in words
    assert "/ 3 /admin 1 /chat 1" in words
    (row,) = seen["servers"]
    assert (row[0], row[4], row[6]) == ("fastsio-1", "5", "HEALTHY")


@pytest.mark.parametrize("server", [{"ADMIN_MODE": "development"}], indirect=True)
def test_development(server: Server, chromium: str, tmp_path: Path) -> None:
    seen = look(server, chromium, "development", tmp_path)
    check_dashboard(seen)
    assert all(view in seen["navigation"] for view in ("Sockets", "Rooms", "Clients", "Events", "Servers"))
    ids = seen["ids"]
    transports = {ids["old"]: "WebSocket", ids["young"]: "WebSocket", ids["polling"]: "HTTP long-polling"}
    assert {row[0]: row[2] for row in seen["sockets"]} == transports
    assert [row[:3] for row in seen["rooms"]] == [["lobby", "PUBLIC", "2"]]
    assert sorted(row[2] for row in seen["clients"]) == ["HTTP long-polling"] + ["WebSocket"] * 4
    assert ids["old"] in [row[0] for row in seen["clients"]]  # the id of revision 3 is that of its session
    events = [row[1:4] for row in seen["events"] if row[2].startswith("Event")]
    assert [ids["old"], "Event received", "Event name: say"] in events
    assert [ids["old"], "Event sent", "Event name: said"] in events
    assert [ids["young"], "Event sent", "Event name: said"] in events
    assert "user_agent\tnode-XMLHttpRequest" in seen["socket"] and "lobby" in seen["socket"]
    assert (seen["buttons"], seen["kicked"]) == (5, "io server disconnect")


@pytest.mark.parametrize("server", [{"ADMIN_MODE": "production", "ADMIN_READ_ONLY": "1"}], indirect=True)
def test_production(server: Server, chromium: str, tmp_path: Path) -> None:
    seen = look(server, chromium, "production", tmp_path)
    check_dashboard(seen)
    assert not any(view in seen["navigation"] for view in ("Sockets", "Rooms", "Clients", "Events"))
