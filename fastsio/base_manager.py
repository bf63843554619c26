"""Hands on the base of managers under python-socketio's module name."""

from fastsio.hub.manager import BaseManager

__all__ = ["BaseManager"]
