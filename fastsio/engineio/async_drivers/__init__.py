"""The names that python-engineio's applications import for each mode; the wires stand in `fastsio.net`.

May import: `borrowed`, which gives the modes of the synchronous server.
"""

from typing import Any

from fastsio import borrowed

SYNCHRONOUS = ("eventlet", "gevent", "gevent_uwsgi", "threading")


def __getattr__(name: str) -> Any:
    if name in SYNCHRONOUS and borrowed.is_installed():
        return borrowed.module(f"engineio.async_drivers.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
