"""Hands on the manager of one process under python-socketio's module name."""

from fastsio.hub.manager import AsyncManager

__all__ = ["AsyncManager"]
