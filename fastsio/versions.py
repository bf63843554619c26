"""What `fastsio version` says: what is installed, how it was built, and what it runs on; for reports of bugs.

May import: `_build`, `net.loops`. Never imports what it only counts.
"""

import os
import platform
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastsio import _build
from fastsio.net.loops import best_loop

PACKAGE = Path(__file__).parent
# What fastsio stands on, and what applications often have beside it.
NEEDED = ("uvicorn", "uvloop", "httptools", "orjson", "msgspec")
BESIDE = (
    "python-socketio",
    "python-engineio",
    "msgpack",
    "redis",
    "valkey",
    "aio-pika",
    "aiohttp",
    "starlette",
    "fastapi",
)
# Not built on Windows: the load generator uses the sockets of POSIX.
POSIX_ONLY = "load."


def verbose(own: str) -> str:
    """Give everything, a line each; `own` is the version of fastsio."""
    built, missing = compiled_modules(PACKAGE)
    rows = [
        ("fastsio", f"{own}, in {PACKAGE}"),
        ("build", f"{_build.PROFILE}, Cython {_build.CYTHON}, {_build.COMPILER}, for Python {_build.PYTHON}"),
        ("compiled", f"{len(built)} modules: {', '.join(built)}"),
        ("python", f"{platform.python_version()} ({platform.python_implementation()}), GIL {_gil()}"),
        ("loop", f"{best_loop().partition(':')[0]} (what fastsio run uses)"),
        ("needed", ", ".join(map(_installed, NEEDED if sys.platform != "win32" else (*NEEDED, "winloop")))),
        ("beside", ", ".join(_installed(name) for name in BESIDE if _version(name)) or "nothing"),
        ("libc", f"{_libc()}" + (f"; built with {_build.LIBC}" if _build.LIBC else "")),
        ("platform", f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} CPUs"),
    ]
    if missing:
        rows.insert(
            3,
            ("MISSING", f"{', '.join(missing)}: source without a compiled module; run `make build`, or install again"),
        )
    if _build.PROFILE != "release":
        rows.insert(2, ("WARNING", f"the profile {_build.PROFILE} is for development: slower, and not for figures"))
    return "\n".join(f"{name:<9} {text}" for name, text in rows)


def compiled_modules(package: Path) -> tuple[list[str], list[str]]:
    """Give the compiled modules of a package that this Python can load, and the stubs whose module is not there."""
    files = package.rglob("*.*")
    there = {_name(path, package) for path in files if "." + path.name.partition(".")[2] in EXTENSION_SUFFIXES}
    wanted = {_name(path, package) for path in package.rglob("*.pyi")}
    if sys.platform == "win32":
        wanted = {name for name in wanted if not name.startswith(POSIX_ONLY)}
    return sorted(there), sorted(wanted - there)


def _name(path: Path, package: Path) -> str:
    return ".".join([*path.relative_to(package).parent.parts, path.name.split(".")[0]])


def _installed(name: str) -> str:
    return f"{name} {_version(name) or 'is not installed'}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _gil() -> str:
    is_on = getattr(sys, "_is_gil_enabled", None)
    return "on" if is_on is None or is_on() else "off"


def _libc() -> str:
    return " ".join(platform.libc_ver()).strip() or "not known"
