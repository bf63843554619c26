"""Servers for the load tests, started once, and `bench`, which runs the command in this process.

May import: the command under test, server processes. The load runs in the test's own process: that is what is tested.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fastsio.cli import main
from wire.live import Server

MAKES = {
    "fastsio": ("native", {"SIO_MODULE": "fastsio"}),
    "fastsio-asgi": ("asgi", {"SIO_MODULE": "fastsio"}),
    "python-socketio": ("asgi", {"SIO_MODULE": "socketio"}),
}
APP = "load.served:app"
SHORT = ("--duration", "0.2", "--warmup", "0.05", "--clients", "10", "--patience", "5")


@pytest.fixture(scope="session", params=MAKES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    wire, environment = MAKES[request.param]
    running = Server(wire, APP, environment)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def fastsio_server() -> Iterator[Server]:
    running = Server("native", APP)
    yield running
    running.stop()


Bench = Callable[..., dict[str, Any]]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Run `fastsio bench` with short times and give what it wrote as JSON; later options win over earlier ones."""

    def run(url: str, *options: str) -> dict[str, Any]:
        file = tmp_path / "result.json"
        with pytest.raises(SystemExit) as ended:
            main(["bench", url, *SHORT, "--json", str(file), "--quiet", *options])
        assert ended.value.code == 0
        result: dict[str, Any] = json.loads(file.read_text())
        return result

    return run


Fails = Callable[..., str]


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Fails:
    """Run `fastsio bench`, which has to fail, and give what it says."""

    def run(*options: str, code: int = 1) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["bench", *options[:1], *SHORT, *options[1:], "--quiet"])
        said = capsys.readouterr().err
        assert ended.value.code == code, said
        return str(said)

    return run
