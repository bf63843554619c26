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
        self._next = itertools.count(FIRST_ID)
        self._waiting: dict[int, tuple[Any, Callable[..., Any]]] = {}
        self._ids: dict[int, set[int]] = {}  # of each callable, which is named by its address while it waits

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, room: Any, callback: Callable[..., Any]) -> int:
        """Remember whom to tell; give the id to ask for."""
        while len(self._waiting) >= MOST:
            self._remove(next(iter(self._waiting)))
        number = next(self._next)
        self._waiting[number] = room, callback
        self._ids.setdefault(id(callback), set()).add(number)
        return number

    def take(self, room: Any, number: Any) -> Callable[..., Any] | None:
        """Give the callable that waits for an answer of `room`, None when nobody does."""
        found = self._waiting.get(number) if isinstance(number, int) else None
        if found is None or found[0] != room:
            return None
        return self._remove(number)

    def forget(self, callback: Callable[..., Any]) -> None:
        """Nobody waits with this callable any more."""
        for number in list(self._ids.get(id(callback), ())):
            self._remove(number)

    def _remove(self, number: int) -> Callable[..., Any]:
        callback = self._waiting.pop(number)[1]
        numbers = self._ids[id(callback)]
        numbers.discard(number)
        if not numbers:
            del self._ids[id(callback)]
        return callback
