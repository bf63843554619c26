"""The servers that are compared: reads rivals/<name>/rival.toml, installs the pinned versions, starts and stops one.

May import: nothing of fastsio. Knows processes and files; never measures.
A rival.toml has `title`, `language`, `command`, and perhaps `directory`, `distributions` (whose versions are recorded),
`[environment]` and `[without]` (feature = reason). In strings, {port}, {python}, {folder}, {load}, {rivals} and {root}
are replaced. With a requirements.txt it gets a virtual environment of its own, with a package.json its node_modules.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
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
    distributions: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
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

    def fill(self, text: str, port: int) -> str:
        return text.format(
            port=port, python=self.python, folder=self.folder, load=LOAD, rivals=RIVALS, root=BENCH.parent
        )


def load_rivals() -> dict[str, Rival]:
    """Read every rival.toml, in the order in which tables show them: the floor first."""
    files = sorted(RIVALS.glob("*/rival.toml"), key=lambda path: (path.parent.name != "floor", path.parent.name))
    return {path.parent.name: Rival(path.parent.name, **tomllib.loads(path.read_text())) for path in files}


def build(name: str) -> Path:
    """Compile a C program of bench/load when it is older than its source."""
    source, program = LOAD / f"{name}.c", LOAD / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        _call(["gcc", "-O2", "-Wall", "-Wextra", "-o", str(program), str(source)])
    return program


def prepare(rival: Rival) -> dict[str, str]:
    """Install what a server is made of, if need be, and give the versions that will be measured.

    Raises:
        BenchError: it cannot be had here.
    """
    if rival.requirements.exists():
        _make_environment(rival)
        return _python_version() | _pins(rival.requirements)
    if (rival.folder / "package.json").exists():
        return _install_node_modules(rival)
    if rival.language == "Python":
        return _python_version() | {name: _installed(name) for name in rival.distributions}
    build(rival.name)
    return {"gcc": _call(["gcc", "-dumpfullversion"]).strip()}


def _call(command: list[str], directory: Path | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    except FileNotFoundError as exc:
        raise BenchError(f"{command[0]} is not installed") from exc
    if done.returncode != 0:
        print((done.stderr or done.stdout).strip(), file=sys.stderr)
        raise BenchError(f"{Path(command[0]).name} {command[1]} failed: {_last_line(done.stderr or done.stdout)}")
    return done.stdout


def _make_environment(rival: Rival) -> None:
    """Keep the virtual environment in step with requirements.txt and with the running Python."""
    folder, wanted = rival.folder / ".venv", f"{sys.version}\n{rival.requirements.read_text()}"
    stamp = folder / ".made-of"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    _call([sys.executable, "-m", "venv", "--clear", str(folder)])
    _call([str(rival.python), "-m", "pip", "install", "-q", "--no-deps", "-r", str(rival.requirements)])
    _call([str(rival.python), "-m", "pip", "check"])
    stamp.write_text(wanted)


def _pins(requirements: Path) -> dict[str, str]:
    pairs = (line.partition("==") for line in requirements.read_text().split() if "==" in line)
    return {name: version for name, _, version in pairs}


def _python_version() -> dict[str, str]:
    return {"python": sys.version.split()[0]}


def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError as exc:
        raise BenchError(f"{distribution} is not installed") from exc


def _install_node_modules(rival: Rival) -> dict[str, str]:
    lock, stamp = rival.folder / "package-lock.json", rival.folder / "node_modules/.made-of"
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        _call(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], rival.folder)
        stamp.write_text(lock.read_text())
    packages: dict[str, Any] = json.loads(lock.read_text())["packages"]
    wanted = ("node_modules/socket.io", "node_modules/engine.io", "node_modules/ws")
    versions = {path.rpartition("/")[2]: packages[path]["version"] for path in wanted if path in packages}
    return {"node": _call(["node", "--version"]).strip().lstrip("v"), **versions}


# --- one running server


@dataclass(slots=True)
class Server:
    """A started server: its port and its processes."""

    port: int
    process: subprocess.Popen[bytes]

    def pids(self) -> list[int]:
        return _family(self.process.pid)


@contextlib.contextmanager
def serving(rival: Rival, core: int) -> Iterator[Server]:
    """Start a server on one core, wait until it listens, and stop it in the end.

    Raises:
        BenchError: it does not come up; says what it printed.
    """
    port = _free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [rival.fill(part, port) for part in rival.command],
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
    return _last_line(text)


def _last_line(text: str) -> str:
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
