"""The Engine.IO server alone, under the names that python-engineio's applications know."""

from typing import Any

from fastsio import borrowed
from fastsio.engineio.asgi import ASGIApp
from fastsio.engineio.async_server import AsyncServer
from fastsio.engineio.tornado import get_tornado_handler

__all__ = ["ASGIApp", "AsyncServer", "get_tornado_handler"]

# Client classes are python-engineio's, when it is installed.
_CLIENT_NAMES = {"AsyncClient", "Client"}


def __getattr__(name: str) -> Any:
    if name not in _CLIENT_NAMES:
        raise AttributeError(f"module 'fastsio.engineio' has no attribute {name!r}")
    return borrowed.attribute("engineio", name)


def __dir__() -> list[str]:
    return sorted({*globals(), *(_CLIENT_NAMES if borrowed.is_installed() else ())})
