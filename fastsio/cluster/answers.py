"""Callbacks that wait for acknowledgements from anywhere in the cluster.

May import: nothing of ours. Never calls them.
"""

import itertools
from collections.abc import Callable
from typing import Any

# Entries kept: an answer that never comes (its node died) must not be waited for until the process ends.
MOST = 100_000
# Ids begin beyond any that a client's own acknowledgements reach, so that one lookup serves both.
FIRST_ID = 2**32


class Answers:
    """(room that was asked, id) -> callable, each taken once; the oldest go when there are too many."""

    def __init__(self) -> None:
        self._ids = itertools.count(FIRST_ID)
        self._waiting: dict[int, tuple[Any, Callable[..., Any]]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, room: Any, callback: Callable[..., Any]) -> int:
        """Remember whom to tell; give the id to ask for."""
        while len(self._waiting) >= MOST:
            del self._waiting[next(iter(self._waiting))]
        id = next(self._ids)
        self._waiting[id] = room, callback
        return id

    def take(self, room: Any, id: Any) -> Callable[..., Any] | None:
        """Give the callable that waits for an answer of `room`, None when nobody does."""
        found = self._waiting.get(id) if isinstance(id, int) else None
        if found is None or found[0] != room:
            return None
        return self._waiting.pop(id)[1]

    def forget(self, callback: Callable[..., Any]) -> None:
        """Nobody waits with this callable any more."""
        for id in [id for id, (_, waiting) in self._waiting.items() if waiting is callback]:
            del self._waiting[id]
