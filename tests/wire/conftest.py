"""Live servers, one process per wire and application, shared by the whole run."""

from collections.abc import Callable, Iterator

import pytest

from finalizers import collected  # noqa: F401 -- a fixture
from wire.live import WIRES, Server

ServerFor = Callable[[str], Server]


@pytest.fixture(scope="session", params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    """How the server is run: "native" (`python -m fastsio run`) or "asgi" (uvicorn)."""
    return str(request.param)


@pytest.fixture(scope="session")
def server_for(wire: str) -> Iterator[ServerFor]:
    """Give the server of an application "module:name", started when it is first asked for."""
    servers: dict[str, Server] = {}

    def get(app: str) -> Server:
        if app not in servers:
            servers[app] = Server(wire, app)
        return servers[app]

    yield get
    for server in servers.values():
        server.stop()
