"""The servers that are compared: reads rivals/<name>/rival.toml, starts and stops one.

May import: nothing of fastsio. Knows processes and files; never measures or installs (`install`).
A rival.toml has `title`, `language`, `command`, and perhaps `directory`, `versions` (names of packages whose versions are
recorded), `eio` (the revision that its clients speak), `note`, `tls` (what its command goes on with to encrypt),
`[environment]` and `[without]` (feature = reason). In strings, {port}, {python}, {folder}, {load}, {rivals}, {root} and
{certificate} (a file with key and certificate) are replaced.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
RIVALS = BENCH / "rivals"
LOAD = BENCH / "load"
START_SECONDS = 20.0
STOP_SECONDS = 10.0


class BenchError(Exception):
    """A measurement that cannot be made, with what a person can do about it."""


@dataclass(frozen=True, slots=True)
class Rival:
    """One server as its rival.toml describes it."""

    name: str
    title: str
    language: str
    command: list[str]
    directory: str = "."
    versions: list[str] = field(default_factory=list)
    eio: int = 4
    note: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    tls: list[str] = field(default_factory=list)
    without: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return RIVALS / self.name

    @property
    def python(self) -> Path:
        """The interpreter of its pinned environment; this one for servers that come without pins."""
        return self.folder / ".venv/bin/python" if self.requirements.exists() else Path(sys.executable)

    @property
    def requirements(self) -> Path:
        return self.folder / "requirements.txt"

    def fill(self, text: str, port: int, certificate: Path | None = None) -> str:
        """Put this machine's values into a string of rival.toml."""
        folders = {"folder": self.folder, "load": LOAD, "rivals": RIVALS, "root": BENCH.parent}
        return text.format(port=port, python=self.python, certificate=certificate, **folders)


def load_rivals() -> dict[str, Rival]:
    """Read every rival.toml, in the order in which tables show them: the floor first."""
    files = sorted(RIVALS.glob("*/rival.toml"), key=lambda path: (path.parent.name != "floor", path.parent.name))
    return {path.parent.name: Rival(path.parent.name, **tomllib.loads(path.read_text())) for path in files}


# --- one running server


@dataclass(slots=True)
class Server:
    """A started server: its port and its processes."""

    port: int
    process: subprocess.Popen[bytes]

    def pids(self) -> list[int]:
        return _family(self.process.pid)


@contextlib.contextmanager
def serving(rival: Rival, core: int, certificate: Path | None = None) -> Iterator[Server]:
    """Start a server on one core, wait until it listens, and stop it in the end. With a certificate it speaks TLS.

    Raises:
        BenchError: it does not come up; says what it printed.
    """
    port = _free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [rival.fill(part, port, certificate) for part in rival.command + (rival.tls if certificate else [])],
            cwd=(rival.folder / rival.directory).resolve(),
            env=os.environ | {name: rival.fill(value, port) for name, value in rival.environment.items()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        server = Server(port, process)
        try:
            _wait_for(server)
            yield server
            if process.poll() is not None:
                raise BenchError(f"{rival.name} died under load (status {process.returncode})")
        except BenchError as exc:
            raise BenchError(f"{exc}; its log ends: {_show_end_of(log)}") from exc
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise BenchError(f"the server ended at once (status {server.process.returncode})")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return
        time.sleep(0.05)
    raise BenchError(f"nobody listens on port {server.port} after {START_SECONDS:.0f} s")


def _show_end_of(log: Any) -> str:
    """Show a person what the server printed; give its last line, which is kept with the results."""
    log.seek(0)
    text = log.read()[-3000:].decode(errors="replace")
    print(text, file=sys.stderr)
    return last_line(text)


def last_line(text: str) -> str:
    """The last line of an output, free of the folders of this machine."""
    lines = text.strip().splitlines() or ["(nothing)"]
    return lines[-1].replace(str(BENCH.parent), ".")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _family(pid: int) -> list[int]:
    """The process and all its descendants."""
    children = [
        int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()
    ]
    return [pid, *(member for child in children for member in _family(child))]
