"""`python -m bench.libraries nicegui|chainlit CLIENTS TICK`: CPU of the server for each update that a client gets.

May import: python-socketio's client. The library and fastsio have to be installed in this interpreter. The server runs
by itself and under `fastsio patch`, in turns; clients speak as the page of the library does, over WebSocket.
"""

import argparse
import ast
import asyncio
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

import socketio

HERE = Path(__file__).parent
Join = Callable[[int, "Counter[str]"], Awaitable[socketio.AsyncClient]]


def fetch(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return str(answer.read().decode())


async def join_nicegui(port: int, heard: "Counter[str]") -> socketio.AsyncClient:
    """Load the page, and connect as it would."""
    page = await asyncio.to_thread(fetch, port)
    found = re.search(r"query: (\{.*?\})", page)
    assert found is not None, page
    query = ast.literal_eval(found[1]) | {name: str(uuid.uuid4()) for name in ("document_id", "tab_id", "old_tab_id")}
    client = socketio.AsyncClient()
    client.on("*", lambda event, *_: heard.update([event]))
    text = urlencode({name: str(value).lower() for name, value in query.items()})
    url = f"http://127.0.0.1:{port}?{text}"
    await client.connect(url, socketio_path="/_nicegui_ws/socket.io", transports=["websocket"])
    return client


async def join_chainlit(port: int, heard: "Counter[str]") -> socketio.AsyncClient:
    """Open a chat; the assistant begins by itself."""
    client = socketio.AsyncClient()
    client.on("*", lambda event, *_: heard.update([event]))
    auth = {"sessionId": str(uuid.uuid4()), "clientType": "webapp", "userEnv": "{}", "chatProfile": "", "threadId": ""}
    url = f"http://127.0.0.1:{port}"
    await client.connect(url, socketio_path="/ws/socket.io", transports=["websocket"], auth=auth)
    await client.emit("connection_successful")
    return client


def command(library: str, port: int) -> list[str]:
    if library == "nicegui":
        return [str(HERE / "nicegui_app.py"), str(port)]
    return ["-m", "chainlit", "run", str(HERE / "chainlit_app.py"), "--headless", "--port", str(port)]


# Library -> (how a client joins, what an update is called).
LIBRARIES: dict[str, tuple[Join, str]] = {
    "nicegui": (join_nicegui, "update"),
    "chainlit": (join_chainlit, "stream_token"),
}


def cpu(pid: int) -> float:
    """Give the seconds of CPU that a process has had, all its threads together."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


async def watch(server: "subprocess.Popen[bytes]", port: int, args: argparse.Namespace) -> tuple[float, int]:
    """Give microseconds of CPU for each update, and how many there were."""
    join, update = LIBRARIES[args.library]
    await asyncio.to_thread(wait_for, port)
    heard: Counter[str] = Counter()
    clients = [await join(port, heard) for _ in range(args.clients)]
    await asyncio.sleep(2)
    before, cpu_before = heard[update], cpu(server.pid)
    await asyncio.sleep(args.seconds)
    updates, spent = heard[update] - before, cpu(server.pid) - cpu_before
    for client in clients:
        await client.disconnect()
    return spent / max(updates, 1) * 1e6, updates


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            fetch(port)
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("the server did not start")


def measure(make: str, args: argparse.Namespace) -> tuple[float, int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    patch = ["-m", "fastsio", "patch", "--", sys.executable] if make == "fastsio" else []
    with tempfile.TemporaryDirectory() as folder:
        root = str(HERE.parent.parent)
        environment = {**os.environ, "TICK": str(args.tick), "PYTHONPATH": root, "CHAINLIT_APP_ROOT": folder}
        server = subprocess.Popen(
            [sys.executable, *patch, *command(args.library, port)],
            cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            return asyncio.run(watch(server, port, args))
        finally:
            server.terminate()
            server.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.libraries", description=__doc__)
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("clients", type=int)
    parser.add_argument("tick", type=float, help="seconds between two updates of one client")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    costs: dict[str, list[float]] = {"python-socketio": [], "fastsio": []}
    for turn in range(args.rounds):
        for make in list(costs)[:: 1 if turn % 2 == 0 else -1]:
            cost, updates = measure(make, args)
            costs[make].append(cost)
            print(f"{make:16} {cost:6.0f} us for each of {updates} updates", flush=True)
    for make, all_costs in costs.items():
        print(f"{make:16} median {statistics.median(all_costs):.0f} us ({min(all_costs):.0f} to {max(all_costs):.0f})")


if __name__ == "__main__":
    main()
