"""`fastsio patch`: other people's commands, run with fastsio in the place of `socketio`."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from interpreters import call, environment

from tests.ports import free_port

PATCH = [sys.executable, "-m", "fastsio", "patch", "--"]
REPORTING = """
import sys

import engineio, socketio

print(socketio.AsyncServer.__module__, engineio.AsyncServer.__module__, *sys.argv[1:])
"""
EXPECTED = "fastsio.async_server fastsio.engineio.async_server"
SERVING = """
import socketio

sio = socketio.AsyncServer(async_mode="asgi")
app = socketio.ASGIApp(sio)
print("serving with", type(sio).__module__, flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "reporting.py").write_text(REPORTING)
    (tmp_path / "serving.py").write_text(SERVING)
    return tmp_path


@pytest.mark.parametrize("command", [["python", "reporting.py"], ["python", "-m", "reporting"]])
def test_a_script_and_a_module(folder: Path, command: list[str]):
    assert call([*PATCH, *command, "--port", "80"], cwd=folder).stdout.strip() == f"{EXPECTED} --port 80"


def test_child_processes_inherit_it(folder: Path):
    parent = "import subprocess, sys; subprocess.run([sys.executable, 'reporting.py'], check=True)"
    assert call([*PATCH, "python", "-c", parent], cwd=folder).stdout.strip() == EXPECTED


def test_worker_processes_inherit_it(folder: Path):
    (folder / "spawning.py").write_text(
        "import multiprocessing, runpy\n"
        "if __name__ == '__main__':\n"
        "    worker = multiprocessing.get_context('spawn').Process(target=runpy.run_path, args=('reporting.py',))\n"
        "    worker.start()\n    worker.join()\n"
    )
    assert call([*PATCH, "python", "spawning.py"], cwd=folder).stdout.startswith(EXPECTED)


def test_nothing_is_loaded_before_it_is_needed(folder: Path):
    code = "import sys; print([name for name in sys.modules if name.startswith(('fastsio', 'socketio'))], sys.path[1:])"
    patched = call([*PATCH, "python", "-c", code], cwd=folder).stdout
    assert patched == call([sys.executable, "-c", code], cwd=folder).stdout
    assert patched.startswith("[]")


def test_an_existing_sitecustomize_still_runs(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    site = tmp_path_factory.mktemp("site")
    (site / "sitecustomize.py").write_text("import sys; sys.customized = True")
    code = "import sitecustomize, sys; print(sys.customized, sitecustomize.__file__); import reporting"
    path = f"{environment()['PYTHONPATH']}:{site}"
    lines = call([*PATCH, "python", "-c", code], cwd=folder, PYTHONPATH=path).stdout.splitlines()
    assert lines == [f"True {site / 'sitecustomize.py'}", EXPECTED]


def test_the_exit_code_is_the_commands_own():
    program = [*PATCH, "python", "-c", "raise SystemExit(7)"]
    assert subprocess.run(program, env=environment(), capture_output=True).returncode == 7
    missing = subprocess.run([*PATCH, "no-such-program"], env=environment(), capture_output=True, text=True)
    assert missing.returncode == 127 and "no-such-program: no such program" in missing.stderr


def test_it_asks_for_a_command():
    outcome = subprocess.run(PATCH[:-1], env=environment(), capture_output=True, text=True)
    assert outcome.returncode == 2 and "patch -- python app.py" in outcome.stderr


@pytest.fixture(params=[[], ["--reload"], ["--workers", "2"]], ids=["plain", "reload", "workers"])
def uvicorn(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[int, Path]]:
    """uvicorn's own console script, serving an application that imports `socketio`: its port and its output."""
    port, output = free_port(), folder / "output.txt"
    command = [*PATCH, "uvicorn", "serving:app", "--port", str(port), *request.param]
    with output.open("w") as file:
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=file, stderr=file)
    yield port, output
    process.terminate()
    process.wait(20)


def test_uvicorns_console_script(uvicorn: tuple[int, Path]):
    port, output = uvicorn
    answer = _get(f"http://127.0.0.1:{port}/socket.io/?EIO=3&transport=polling", output)
    assert answer.startswith(b"97:0{") or b'"sid"' in answer  # revision 3, which python-socketio does not serve
    assert "serving with fastsio.async_server" in output.read_text()


def _get(url: str, output: Path) -> bytes:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return bytes(response.read())
        except ConnectionError as error:
            failure: Exception = error
        except urllib.error.URLError as error:
            failure = error
        assert time.monotonic() < deadline, f"{failure}\n{output.read_text()}"
        time.sleep(0.1)
