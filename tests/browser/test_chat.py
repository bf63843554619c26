"""The chat example as two people with different client generations see it, in headless Chromium.

Drives the browser through `chat.mjs`, which only reports; what is right is stated here. CHAT_SCREENSHOTS names a
folder to keep the pictures in, CHAT_URL a server that runs already.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.conftest import unavailable
from tests.ports import free_port

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CHAT = ROOT / "examples" / "chat"
# What chat.mjs says, in this order.
SAID = [
    ("Ann", "Hello from over here"),
    ("Bob", "Loud and clear"),
    ("Bob", '<img src=x onerror="window.broken = true"> & <b>bold</b>'),
    ("Ann", "žluťoučký kůň 🐎"),
]
ENGINES = {"2.1.1": 3, "2.5.0": 3, "3.1.3": 4, "4.8.4": 4}
FINAL_TRANSPORT = {"auto": "websocket", "polling": "polling", "websocket": "websocket"}
JOURNEY = {"auto": "polling → websocket", "polling": "polling", "websocket": "websocket"}


@pytest.fixture(scope="module", autouse=True)
def clients() -> None:
    """Put the clients in place that the page offers."""
    subprocess.run([sys.executable, CHAT / "fetch_clients.py"], check=True, timeout=180)
    for version in ENGINES:
        if not (CHAT / "static" / "clients" / version / "socket.io.js").is_file():
            unavailable(f"client {version} could not be fetched")


@pytest.fixture
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the example as its README says, on a free port; a room of its own for each test."""
    if running := os.environ.get("CHAT_URL"):
        yield running.rstrip("/")
        return
    port = free_port()
    command = [sys.executable, "-m", "fastsio", "run", "examples.chat.app:app", "--port", str(port)]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


def _wait_for(page: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(page, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"the chat did not start:\n{log.read_text()}")


def _visit(url: str, chromium: str, people: list[dict[str, str]], shots: Path) -> dict[str, Any]:
    shots.mkdir(parents=True, exist_ok=True)
    for old in shots.glob("*.png"):
        old.unlink()
    job = {"url": url, "chromium": chromium, "shots": str(shots), "people": people}
    done = subprocess.run(["node", HERE / "chat.mjs", json.dumps(job)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert "failure" not in seen, f"{seen['failure']}\npictures in {shots}\nseen so far: {seen}"
    return seen


@pytest.mark.parametrize(
    ("ann", "bob", "transport"),
    [
        ("2.1.1", "4.8.4", "auto"),
        ("2.1.1", "4.8.4", "polling"),
        ("3.1.3", "2.5.0", "auto"),
        ("3.1.3", "2.5.0", "websocket"),
    ],
)
def test_two_generations_chat(url: str, chromium: str, tmp_path: Path, ann: str, bob: str, transport: str) -> None:
    """Two generations see each other, talk both ways, and notice when the other one leaves."""
    keep = os.environ.get("CHAT_SCREENSHOTS")
    shots = Path(keep).resolve() / f"{ann}-{bob}-{transport}" if keep else tmp_path
    versions = {"Ann": ann, "Bob": bob}
    people = [{"name": name, "client": version, "transport": transport} for name, version in versions.items()]
    seen = _visit(url, chromium, people, shots)

    assert seen["errors"] == []
    assert seen["states"] == ["Connected", "Connected"]
    assert seen["journeys"] == [JOURNEY[transport]] * 2
    assert seen["presence"] == [_expected_presence(viewer, versions, transport) for viewer in versions]
    assert seen["messages"] == [_expected_messages(viewer, versions) for viewer in versions]
    assert seen["broken"] == [False, False]
    assert [notice.split(" (")[0] for notice in seen["left"]] == ["Bob left", "Bob left"]
    assert [row["name"] for row in seen["remaining"]] == ["Ann"]
    assert len(list(shots.glob("*.png"))) == 4


def _badge(version: str) -> str:
    return f"{version} · Engine.IO {ENGINES[version]}"


def _expected_presence(viewer: str, versions: dict[str, str], transport: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "you": name == viewer, "badge": _badge(version), "transport": FINAL_TRANSPORT[transport]}
        for name, version in versions.items()
    ]


def _expected_messages(viewer: str, versions: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "from": "You" if name == viewer else name,
            "badge": _badge(versions[name]),
            "text": text,
            "mine": name == viewer,
        }
        for name, text in SAID
    ]
