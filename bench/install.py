"""Gets what each server is made of, at its pinned versions: pip, npm, cargo, go, gcc or this checkout.

May import: `servers` for what a rival is. Never starts a server. What could not be had is noted in the rival's folder, so
that `python -m bench list` can say why.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.servers import LOAD, BenchError, Rival, last_line

# Language -> the programs without which there is no trying.
TOOLS = {"JavaScript": ["npm"], "Rust": ["cargo"], "Go": ["go"], "C": ["gcc"], "Python": []}


def prepare(rival: Rival) -> dict[str, str]:
    """Install what a server is made of, if need be, and give the versions that will be measured.

    Raises:
        BenchError: it cannot be had here.
    """
    note = rival.folder / ".not-had"
    try:
        if lacking := missing_tool(rival):
            raise BenchError(lacking)
        versions = _way(rival)(rival)
    except BenchError as exc:
        note.write_text(str(exc))
        raise
    note.unlink(missing_ok=True)
    return versions


def why_not(rival: Rival) -> str | None:
    """Say why a server cannot be measured here, as far as that is known without trying."""
    if lacking := missing_tool(rival):
        return lacking
    note = rival.folder / ".not-had"
    return f"last time: {note.read_text()}" if note.exists() else None


def missing_tool(rival: Rival) -> str | None:
    tools = TOOLS[rival.language] + ([rival.command[0]] if rival.command[0].isalpha() else [])
    lacking = [tool for tool in tools if shutil.which(tool) is None]
    return f"{', '.join(lacking)} is not installed" if lacking else None


def build(name: str) -> Path:
    """Compile a C program of bench/load when it is older than its source."""
    source, program = LOAD / f"{name}.c", LOAD / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        _call(["gcc", "-O2", "-Wall", "-Wextra", "-o", str(program), str(source)])
    return program


def certificate() -> Path:
    """Give a file with a key and a certificate for localhost that nobody trusts; made when it is missing."""
    path = LOAD / "certificate.pem"
    if not path.exists():
        options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=localhost"
        made = LOAD / "certificate.crt"
        _call(["openssl", *options.split(), "-keyout", str(path), "-out", str(made)])
        path.write_text(path.read_text() + made.read_text())
        made.unlink()
    return path


def _way(rival: Rival) -> Callable[[Rival], dict[str, str]]:
    if rival.language == "Python":
        return _make_environment if rival.requirements.exists() else _use_this_checkout
    return {"JavaScript": _install_node_modules, "Rust": _build_crate, "Go": _build_go, "C": _build_c}[rival.language]


def _call(command: list[str], directory: Path | None = None, **environment: str) -> str:
    """Run a program that others may have to wait for: nicely, and without its chatter unless it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: os.nice(10) and None,
        )
    except FileNotFoundError as exc:
        raise BenchError(f"{command[0]} is not installed") from exc
    if done.returncode != 0:
        print((done.stderr or done.stdout).strip(), file=sys.stderr)
        raise BenchError(f"{Path(command[0]).name} {command[1]} failed: {last_line(done.stderr or done.stdout)}")
    return done.stdout


def _made_of(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


# --- Python


def _make_environment(rival: Rival) -> dict[str, str]:
    """Keep the virtual environment in step with requirements.txt and with the running Python."""
    folder, wanted = rival.folder / ".venv", f"{sys.version}\n{rival.requirements.read_text()}"
    if not _made_of(folder / ".made-of", wanted):
        _call([sys.executable, "-m", "venv", "--clear", str(folder)])
        _call([str(rival.python), "-m", "pip", "install", "-q", "--no-deps", "-r", str(rival.requirements)])
        _call([str(rival.python), "-m", "pip", "check"])
        (folder / ".made-of").write_text(wanted)
    pairs = (line.partition("==") for line in rival.requirements.read_text().split() if "==" in line)
    return _python_version() | {name: version for name, _, version in pairs}


def _use_this_checkout(rival: Rival) -> dict[str, str]:
    return _python_version() | {name: _installed(name) for name in rival.versions}


def _python_version() -> dict[str, str]:
    return {"python": sys.version.split()[0]}


def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError as exc:
        raise BenchError(f"{distribution} is not installed") from exc


# --- JavaScript


def _install_node_modules(rival: Rival) -> dict[str, str]:
    lock, stamp = rival.folder / "package-lock.json", rival.folder / "node_modules/.made-of"
    if not _made_of(stamp, lock.read_text()):
        _call(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], rival.folder)
        stamp.write_text(lock.read_text())
    packages: dict[str, Any] = json.loads(lock.read_text())["packages"]
    versions = {name: packages[f"node_modules/{name}"]["version"] for name in rival.versions}
    if rival.command[0] == "node":
        versions["node"] = _call(["node", "--version"]).strip().lstrip("v")
    return versions


# --- what is compiled: the tools know themselves whether there is something to do


def _build_crate(rival: Rival) -> dict[str, str]:
    _call(["cargo", "build", "--release", "--locked", "--quiet"], rival.folder, CARGO_BUILD_JOBS="1")
    packages = tomllib.loads((rival.folder / "Cargo.lock").read_text())["package"]
    versions = {package["name"]: package["version"] for package in packages if package["name"] in rival.versions}
    return {"rustc": _number(_call(["rustc", "--version"])), **versions}


def _build_go(rival: Rival) -> dict[str, str]:
    _call(["go", "build", "-mod=readonly", "-o", "bench", "."], rival.folder, GOMAXPROCS="1")
    wanted = (line.split() for line in (rival.folder / "go.mod").read_text().replace("require ", "").splitlines())
    versions = {words[0]: words[1].lstrip("v") for words in wanted if words and words[0] in rival.versions}
    return {"go": _number(_call(["go", "version"])), **versions}


def _build_c(rival: Rival) -> dict[str, str]:
    build(rival.name)
    return {"gcc": _call(["gcc", "-dumpfullversion"]).strip()}


def _number(text: str) -> str:
    found = re.search(r"\d+\.\d+(\.\d+)?", text)
    return found.group() if found else text.strip()
