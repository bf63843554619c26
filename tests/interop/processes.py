"""Server and client processes of the interoperability tests: started, waited for, read and stopped.

Knows the two wires and the JSON lines that every client program prints. Imports the standard library, pytest and
`tests.ports` only; never imports the server under test.
"""

import http.client
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from tests.ports import free_port

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
APP = "tests.interop.app:app"
MODULE = os.environ.get("SIO_MODULE", "fastsio")
COMMAND = os.environ.get("INTEROP_COMMAND")  # for debugging: any server, "{port}" is filled in
REFERENCE = MODULE != "fastsio" and not COMMAND  # python-socketio itself, to prove these tests on
TRANSPORTS = ["polling", "websocket", "upgrade"]
STARTED_WITHIN = 20.0


def versions() -> list[str]:
    """The released JavaScript clients, as package.json names them; the reference serves only the later ones."""
    names = json.loads((HERE / "package.json").read_text())["dependencies"]
    found = [name.removeprefix("client-") for name in names if name.startswith("client-")]
    return [version for version in found if not REFERENCE or int(version.split(".")[0]) >= 3]


def packers() -> list[str]:
    """The newest client with the MessagePack parser, which takes the reference's DISCONNECT for a parse error."""
    return [version + "-msgpack" for version in versions()[-1:] if not REFERENCE]


def wires() -> list[str]:
    if COMMAND:
        return ["command"]
    return ["asgi"] if REFERENCE else ["native", "asgi"]


def command(wire: str, port: int) -> list[str]:
    if wire == "command":
        assert COMMAND is not None
        return shlex.split(COMMAND.format(port=port))
    runner = ["fastsio", "run"] if wire == "native" else ["uvicorn"]
    arguments = [APP, "--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    return [sys.executable, "-m", *runner, *arguments]


@dataclass
class Server:
    """One server process on one port, which it keeps over restarts, with its log."""

    wire: str
    log: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    read_up_to: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command(self.wire, self.port), cwd=ROOT, env={**os.environ, **self.settings},
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        deadline = time.monotonic() + STARTED_WITHIN
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"the server did not start:\n{self.new_log()}", pytrace=False)
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Any HTTP answer will do: the application has no page there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status > 0
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self, kill: bool = False) -> None:
        if self.process is None:
            return
        self.process.kill() if kill else self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def new_log(self) -> str:
        """What was logged since the last call."""
        with self.log.open("rb") as source:
            source.seek(self.read_up_to)
            text = source.read()
        self.read_up_to += len(text)
        return text.decode(errors="replace")


@dataclass
class Outcome:
    """What one client program reported."""

    checks: list[dict[str, Any]]
    returncode: int | None
    stderr: str

    @property
    def complaints(self) -> list[str]:
        """Why this is not a pass; empty when it is one."""
        failed = [f"{check['check']}: {check['detail']}" for check in self.checks if not check["ok"]]
        if self.returncode != 0 and not failed:
            failed.append(f"exit code {self.returncode} after {len(self.checks)} checks\n{self.stderr}")
        return failed or ([] if self.checks else ["no check ran"])


Start = Callable[..., Server]
Judge = Callable[[Outcome, Server, list[str], list[str]], None]


def read_outcome(process: subprocess.Popen[str], timeout: float) -> Outcome:
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err += f"\nkilled after {timeout} s"
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return Outcome(lines, process.returncode, err)


def start_client(*arguments: str) -> subprocess.Popen[str]:
    """A program below clients/ or a Python one, by its first argument's suffix."""
    runner = "node" if arguments[0].endswith(".js") else sys.executable
    return subprocess.Popen(
        [runner, *arguments], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def run_client(*arguments: str, timeout: float = 90) -> Outcome:
    return read_outcome(start_client(*arguments), timeout)


def read_line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def install_node_clients() -> None:
    """npm ci when the clients are not there yet. Without Node: skipped, on a CI machine a failure."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        give_up = pytest.fail if os.environ.get("CI", "").lower() in ("1", "true") else pytest.skip
        give_up("the JavaScript clients need node and npm, which are not installed")
    if not (HERE / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=HERE, check=True, timeout=300)
