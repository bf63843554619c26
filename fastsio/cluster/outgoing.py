"""Messages on their way to the broker: a bounded buffer and, while it holds any, one task that empties it.

May import: `health`. Never knows which broker it is.
While the broker is away messages wait, in order; when too many wait the oldest go and are counted. A batch that was not
answered is sent again, since most often it never arrived: its readers know doubles by their numbers. Batches do not
follow each other at once: a write for each message would cost more than all else about it, here and for those who hear.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from fastsio.cluster.health import Direction, Health

Send = Callable[[list[bytes]], Awaitable[None]]

MOST_MESSAGES = 10_000
MOST_BYTES = 64 * 1024 * 1024
BATCH_MESSAGES = 256
BATCH_BYTES = 1024 * 1024
# Seconds between batches. What comes later than this after the last batch leaves at once.
GATHER = 0.001
# With more than this waiting at a broker that works, who publishes more waits too.
HIGH_WATER_BYTES = 4 * 1024 * 1024
HIGH_WATER_MESSAGES = 2_000
# A broker that does not answer for this long has lost the batch.
SEND_TIMEOUT = 10.0
# How often a caller who waits for its message sees it fail.
ATTEMPTS = 2


class Outgoing:
    """What one node owes its broker."""

    def __init__(
        self,
        send: Send,
        recovered: Callable[[], Awaitable[None]],
        direction: Direction,
        health: Health,
        logger: Callable[[], Any],
    ) -> None:
        self._send, self._recovered = send, recovered
        self._direction, self._health, self._logger = direction, health, logger
        self.clear()

    def clear(self) -> None:
        """Forget everything: after a fork it is the parent's to send."""
        self._items: deque[bytes] = deque()
        self._bytes = 0  # of what waits and what is being sent
        self._sending: list[bytes] = []
        self._task: asyncio.Task[None] | None = None
        self._progress: asyncio.Event | None = None
        self._waiters = 0
        self._last_batch = 0.0
        self._accepted = self._finished = self._failed = 0

    def __len__(self) -> int:
        return len(self._items) + len(self._sending)

    @property
    def is_high(self) -> bool:
        """Tell whether publishers should wait: too much is under way, and the broker does take it."""
        if not self._direction.is_up:
            return False
        return self._bytes > HIGH_WATER_BYTES or len(self) > HIGH_WATER_MESSAGES

    def put(self, payload: bytes) -> None:
        """Take a message; it is sent when this turn of the loop is over."""
        self._items.append(payload)
        self._bytes += len(payload)
        self._accepted += 1
        self._bound()
        self._start()

    async def settled(self) -> None:
        """Wait until all that was put is sent or dropped; not longer than the broker is out of order."""
        if self._direction.is_up is False:
            return
        ticket, failed = self._accepted, self._failed
        self._waiters += 1
        try:
            while self._finished < ticket and self._failed - failed < ATTEMPTS:
                if self._progress is None:
                    self._progress = asyncio.Event()
                self._start()
                await self._progress.wait()
        finally:
            self._waiters -= 1

    def _bound(self) -> None:
        """Drop the oldest when too much waits; what is being sent cannot be called back."""
        while self._items and (len(self) > MOST_MESSAGES or self._bytes > MOST_BYTES):
            self._bytes -= len(self._items.popleft())
            self._health.dropped += 1
            self._finished += 1
        self._health.buffered = len(self)

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._task is not None and self._task.get_loop() is not loop:  # a script runs one loop after another
            self._take_back()
            self._task = self._progress = None
        if (self._task is None or self._task.done()) and self._items:
            self._task = loop.create_task(self._empty())

    async def _empty(self) -> None:
        try:
            while self._items:
                if not self._waiters and time.monotonic() - self._last_batch < GATHER:
                    await asyncio.sleep(GATHER)
                await self._send_batch()
                self._last_batch = time.monotonic()
        finally:
            self._take_back()

    async def _send_batch(self) -> None:
        self._take_batch()
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                await self._send(self._sending)
        except Exception as exc:
            self._take_back()
            self._failed += 1
            self._direction.down(self._logger(), exc)
            self._report()
            await asyncio.sleep(self._direction.delay())
            await self._recovered()
        else:
            self._sent()
            self._direction.up(self._logger())
            self._report()

    def _take_batch(self) -> None:
        size = 0
        while self._items and len(self._sending) < BATCH_MESSAGES and (size == 0 or size < BATCH_BYTES):
            size += len(self._items[0])
            self._sending.append(self._items.popleft())

    def _sent(self) -> None:
        self._bytes -= sum(map(len, self._sending))
        self._finished += len(self._sending)
        self._health.published += len(self._sending)
        self._sending = []
        self._health.buffered = len(self)
        self._direction.failures = 0

    def _take_back(self) -> None:
        """What was not answered goes back to the head of the line."""
        self._items.extendleft(reversed(self._sending))
        self._sending = []
        self._bound()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress.set()
            self._progress = None

    def stop(self) -> None:
        """Try no more; what waits stays."""
        if self._task is not None:
            self._task.cancel()
