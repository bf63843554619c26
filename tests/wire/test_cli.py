"""What the command `fastsio run` says when there is nothing that it could serve.

May import: the command, python-socketio. Nothing here comes to listening.
"""

import sys
from pathlib import Path

import pytest
import socketio
import uvicorn

import fastsio
from fastsio.cli import main

MODULE = """
import fastsio as socketio

sio = socketio.AsyncServer(async_mode="asgi")
engine = socketio.engineio.AsyncServer(async_mode="asgi")
nothing = None
"""
CASES = {
    "desk:sio": "desk:sio is a fastsio.AsyncServer, which is not an ASGI application; wrap it, app = ASGIApp(sio)",
    "desk:engine": "desk:engine is a fastsio.AsyncServer, which is not an ASGI application; wrap it",
    "desk:nothing": "desk:nothing is a builtins.NoneType, which is not an ASGI application",
    "served_otherwise:app": "served_otherwise:app is an aiohttp application, not an ASGI one; aiohttp serves it: web.run_app(app)",
    "desk:app": "there is no 'app' in module desk (",
    "desk:sio.app": "there is no 'sio.app' in module desk (",
    "dsk:app": "there is no module 'dsk' in ",
    "desk.deeper:app": "there is no module 'desk.deeper' in ",
    "desk": "'desk' does not name an application: write module:name, for example desk:app",
    "./desk.py:app": "'./desk.py:app' does not name an application: write module:name, for example desk:app",
    ":app": "':app' does not name an application: write module:name, for example app:app",
}


AIOHTTP = """
from aiohttp import web

app = web.Application()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "desk.py").write_text(MODULE)
    (tmp_path / "served_otherwise.py").write_text(AIOHTTP)
    (tmp_path / "careless.py").write_text("import not_installed")
    (tmp_path / "faulty.py").write_text("1 / 0")
    monkeypatch.setattr(sys, "path", sys.path[:])
    for name in ("desk", "served_otherwise", "careless", "faulty"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


@pytest.mark.parametrize("module", ["my-desk", "01_desk"])
def test_a_module_need_not_be_a_name(folder: Path, module: str) -> None:
    """What `import` cannot write, and `import_module` finds."""
    (folder / f"{module}.py").write_text(MODULE)
    with pytest.raises(SystemExit) as ended:
        main(["run", f"{module}:nothing", "--app-dir", str(folder)])
    assert f"{module}:nothing is a builtins.NoneType" in str(ended.value)


@pytest.mark.parametrize("target", CASES)
def test_says_what_is_wrong(folder: Path, target: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", target, "--app-dir", str(folder)])
    assert str(ended.value).startswith(CASES[target])


@pytest.mark.parametrize(
    "option, words",
    [
        ("--drain=-3", "-3 is no time to wait: choose 0 or more"),
        ("--drain=soon", "invalid number of seconds value: 'soon'"),
        ("--full-gc=inf", "inf is no time to wait"),
        ("--workers=0", "0 serve nobody: choose 1 or more"),
    ],
)
def test_a_number_that_is_none(capsys: pytest.CaptureFixture[str], option: str, words: str) -> None:
    with pytest.raises(SystemExit):
        main(["run", "desk:app", option])
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "port, words", [("70000", "70000 is none: choose one from 0 to 65535"), ("-1", "-1 is none"), ("x", "'x'")]
)
def test_a_port_that_is_none(capsys: pytest.CaptureFixture[str], port: str, words: str) -> None:
    with pytest.raises(SystemExit):
        main(["run", "desk:app", f"--port={port}"])
    assert words in capsys.readouterr().err


def test_warns_of_python_socketio(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    served: list[object] = []

    def serve(server: uvicorn.Server, sockets: object = None) -> None:
        served.append(server.config.app)
        server.started = True

    monkeypatch.setattr(uvicorn.Server, "run", serve)
    for make in (fastsio, socketio):
        fastsio.run(make.ASGIApp(make.AsyncServer(async_mode="asgi")))
        warned = capsys.readouterr().err
        assert ("the application is python-socketio's" in warned) == (make is socketio)
    assert len(served) == 2


def test_faults_of_the_application_are_its_own(folder: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="not_installed"):
        main(["run", "careless:app", "--app-dir", str(folder)])
    with pytest.raises(ZeroDivisionError):
        main(["run", "faulty:app", "--app-dir", str(folder)])


def test_workers_are_refused() -> None:
    with pytest.raises(SystemExit, match="--full-gc is for one process"):
        main(["run", "leaks.app:app", "--full-gc", "60", "--workers", "2", "--no-banner"])
