"""Server processes for tests: started on free ports, watched, stopped.

May import: the standard library, `fastsio.net.loops`, `tests.ports`. Applications are named, never imported here.
Environment: `FASTSIO_REFERENCE` is a command with the fields {app} and {port}; tests then talk to that server instead
(as recorded, without deviations), which proves the clients rather than the server.
"""

import os
import resource
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fastsio.net.loops import is_fallback
from tests.ports import free_port

TESTS = Path(__file__).parent.parent
START_TIMEOUT = 20.0
REFERENCE = os.environ.get("FASTSIO_REFERENCE")
WIRES = ["reference"] if REFERENCE else ["native", "asgi"]

NATIVE = "-m fastsio run {app} --host 127.0.0.1 --port {port} --app-dir {tests} --log-level {level} --no-access-log"
ASGI = "-m uvicorn {app} --host 127.0.0.1 --port {port} --app-dir {tests} --log-level warning --no-access-log"
ASGI += " --loop asyncio" if is_fallback() else ""
# Other hosts; "module" runs a module with what follows its name, and the port.
COMMANDS = {
    "native": NATIVE,
    "asgi": ASGI,
    "hypercorn": "-m hypercorn {app} --bind 127.0.0.1:{port} --log-level warning",
    "granian": "-m granian {app} --interface asgi --host 127.0.0.1 --port {port} --no-access-log --log-level warning",
    "module": "-m {app} {port}",
}


def command(wire: str, app: str, port: int, log_level: str, folder: Path = TESTS) -> list[str]:
    if wire == "reference":
        return shlex.split(str(REFERENCE).format(app=app, port=port))
    template = COMMANDS[wire].replace("{app}", app)
    return [sys.executable, *shlex.split(template.format(port=port, tests=shlex.quote(str(folder)), level=log_level))]


class Server:
    """One process that serves one application."""

    def __init__(
        self,
        wire: str,
        app: str,
        environment: dict[str, str] | None = None,
        log_level: str = "warning",
        descriptors: int | None = None,
        folder: Path | None = None,
        options: Sequence[str] = (),
    ) -> None:
        """Start it.

        Args:
            descriptors: how many files and sockets the process may have open.
            folder: where the application lies, which becomes the current folder; else it is one of the tests.
            options: more of them for the command.
        """
        self.wire, self.app = wire, app
        self.port = free_port()
        self._log = tempfile.TemporaryFile()
        path = f"{TESTS.parent}{os.pathsep}{TESTS}"
        self._process = subprocess.Popen(
            [*command(wire, app, self.port, log_level, folder or TESTS), *options],
            cwd=folder or TESTS.parent,
            env=os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"} | (environment or {}),
            stdout=self._log,
            stderr=self._log,
            preexec_fn=None
            if descriptors is None
            else partial(resource.setrlimit, resource.RLIMIT_NOFILE, (descriptors,) * 2),
        )
        self._wait_until_listening()

    def _wait_until_listening(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise AssertionError(f"the server did not start:\n{self.log()}")

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def send(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def cpu(self) -> float:
        """Give the seconds that the process has computed."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Give the bytes of memory that the process has."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def log(self, start: int = 0) -> str:
        """Give what the process has written, from byte `start` on."""
        return os.pread(self._log.fileno(), 10_000_000, start).decode(errors="replace")

    @property
    def log_size(self) -> int:
        return os.fstat(self._log.fileno()).st_size

    def stop(self, grace: float = 10) -> int:
        """Ask the process to stop, as a service manager does, and end it after `grace` seconds; give its exit code."""
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
