"""Turns a string of bytes into decisions, so that whoever changes the bytes changes what happens.

May import: the standard library. The same bytes always give the same decisions; when they run out, decisions are zero.
"""

import ctypes
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Source:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_empty(self) -> bool:
        return self._at >= len(self._data)

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def below(self, limit: int) -> int:
        """Give a number from 0 up to `limit`, exclusive; 256 different ones at most."""
        return self.byte() % limit

    def flag(self) -> bool:
        return self.byte() & 1 == 1

    def choose(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def piece(self) -> bytes:
        """Give the next bytes, as many as one byte says."""
        size = self.byte()
        self._at += size
        return self._data[self._at - size : self._at]

    def rest(self) -> bytes:
        found = self._data[self._at :]
        self._at = len(self._data)
        return found


def exact(data: bytes) -> memoryview:
    """Copy bytes into memory of just that size: a sanitizer sees the first byte that is read past their end."""
    return memoryview((ctypes.c_ubyte * len(data)).from_buffer_copy(data)).cast("B")


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Split bytes at some places, in whatever order; places beyond the end count from the start again."""
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in zip(edges, edges[1:])] or [b""]
