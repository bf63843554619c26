"""What `fastsio version` says.

May import: the command, `fastsio.versions`.
"""

import platform
import re
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from pathlib import Path

import pytest

import fastsio
from fastsio import _build
from fastsio.cli import main
from fastsio.versions import PACKAGE, compiled_modules


def test_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(["version"])
    assert capsys.readouterr().out == f"fastsio {fastsio.__version__}\n"


def test_everything(capsys: pytest.CaptureFixture[str]) -> None:
    main(["version", "--verbose"])
    lines = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert lines["fastsio"] == f"{fastsio.__version__}, in {Path(fastsio.__file__).parent}"
    assert re.match(rf"{_build.PROFILE}, Cython 3\.\d+\.\d+, (gcc|clang|MSVC) .+, for Python 3\.", lines["build"])
    assert platform.python_version() in lines["python"] and "GIL on" in lines["python"]
    assert f"uvicorn {version('uvicorn')}, uvloop" in lines["needed"]
    assert ("WARNING" in lines) is (_build.PROFILE != "release") and "MISSING" not in lines
    assert "_codec" in lines["compiled"] and "engine.registry" in lines["compiled"]


def test_the_build_is_of_this_python() -> None:
    assert _build.PYTHON.split(".")[:2] == list(map(str, sys.version_info[:2]))
    assert _build.PROFILE in ("release", "dev", "perf", "trace", "asan", "fuzz", "fallback")


def test_what_is_loaded_is_counted() -> None:
    built, missing = compiled_modules(PACKAGE)
    loaded = {
        name.removeprefix("fastsio.")
        for name, module in sys.modules.items()
        if name.startswith("fastsio.") and (getattr(module, "__file__", None) or "").endswith(tuple(EXTENSION_SUFFIXES))
    }
    assert loaded and loaded <= set(built) and missing == []


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    for name in (
        "_one.pyi",
        "net/_two.pyi",
        f"_one{EXTENSION_SUFFIXES[0]}",
        "net/_two.cpython-27-nowhere.so",
        "net/_three.py",
    ):
        (tmp_path / name).touch()
    assert compiled_modules(tmp_path) == (["_one"], ["net._two"])
