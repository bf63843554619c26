"""What a scenario is: one coroutine function, the section of the compatibility contract that it proves, its rows.

May import: nothing. Never runs anything.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Scenario:
    """One application and its clients; `play` gets a stage, and the row when there is a table of them."""

    name: str
    section: str
    play: Callable[[Any], Awaitable[None]]


SCENARIOS: dict[str, Scenario] = {}

Play = Callable[..., Awaitable[None]]


def scenario(section: str, rows: Mapping[str, Any] | None = None) -> Callable[[Play], Play]:
    """Register a function as the proof of a section; with `rows`, once for each, as `name/row`."""

    def register(play: Play) -> Play:
        if rows is None:
            _add(play.__name__, section, play)
        for key, row in (rows or {}).items():
            _add(f"{play.__name__}/{key}", section, _with_row(play, row))
        return play

    return register


def _with_row(play: Play, row: Any) -> Play:
    async def play_row(stage: Any) -> None:
        await play(stage, row)

    return play_row


def _add(name: str, section: str, play: Play) -> None:
    assert name not in SCENARIOS, f"two scenarios are called {name}"
    SCENARIOS[name] = Scenario(name, section, play)
