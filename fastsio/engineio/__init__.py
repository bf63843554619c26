"""The Engine.IO server alone, under the names that python-engineio's applications know."""

from fastsio.engineio.asgi import ASGIApp
from fastsio.engineio.async_server import AsyncServer

__all__ = ["ASGIApp", "AsyncServer"]
