"""One process for each host, shared by the whole run."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from wire.live import Server

# Host -> (how it is run, what, the path clients use). See `wire.live.COMMANDS`.
HOSTS = {
    "uvicorn": ("asgi", "hosts.app:asgi", "/socket.io/"),
    "hypercorn": ("hypercorn", "hosts.app:asgi", "/socket.io/"),
    "granian": ("granian", "hosts.app:asgi", "/socket.io/"),
    "starlette": ("asgi", "hosts.mounts:starlette_app", "/ws/socket.io/"),
    "fastapi": ("asgi", "hosts.mounts:fastapi_app", "/ws/socket.io/"),
    "aiohttp": ("module", "hosts.app aiohttp", "/socket.io/"),
    "sanic": ("module", "hosts.app sanic", "/socket.io/"),
    "tornado": ("module", "hosts.app tornado", "/socket.io/"),
}


@dataclass
class Host:
    """A host that serves the application of `hosts.app`."""

    name: str
    server: Server
    path: str

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def speaks_asgi(self) -> bool:
        return self.name not in ("aiohttp", "sanic", "tornado")


def start(name: str, module: str = "fastsio") -> Host:
    wire, app, path = HOSTS[name]
    return Host(name, Server(wire, app, {"SIO_MODULE": module}), path)


@pytest.fixture(scope="session", params=HOSTS)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """Give each host in turn, running."""
    running = start(request.param)
    yield running
    running.server.stop(grace=3)
