"""Messages on their way to the broker: a bounded buffer and, while it holds any, one task that empties it.

May import: `health`. Never knows which broker it is.
While the broker is away messages wait, in order; when too many wait the oldest go and are counted. What was not answered
is sent again, since most often it never arrived: its readers know doubles by their numbers. Only a message over which the
broker hangs up time and again is given up. Batches do not follow each other at once: a write for each message would cost
more than all else about it, here and for those who hear.
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
# How often a caller who waits for its message sees it fail; once when the broker is known to be away.
ATTEMPTS = 2
# Messages over which, sent alone, the broker hung up or complained this often are given up: all others would wait for ever.
MOST_STRIKES = 4


class PartlySentError(ConnectionError):
    """The broker took some messages of a batch and then no more.

    Attributes:
        taken: how many it did take.
        is_suspect: the next one may be the reason: the broker hung up over it, or did not understand it.
    """

    def __init__(self, reason: str, taken: int, is_suspect: bool) -> None:
        super().__init__(reason)
        self.taken, self.is_suspect = taken, is_suspect


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
        self._loop: asyncio.AbstractEventLoop | None = None
        self.task: asyncio.Task[None] | None = None  # sends, while there is something to be sent
        self._progress: asyncio.Event | None = None
        self._waiters = 0
        self._last_batch = 0.0
        self._is_pausing = False
        self._strikes = 0  # of the message at the head
        self._accepted = self._finished = self._failed = 0

    def __len__(self) -> int:
        return len(self._items) + len(self._sending)

    @property
    def is_high(self) -> bool:
        """Tell whether publishers should wait: too much is under way, and the broker does take it."""
        if not self._direction.is_up:
            return False
        return self._bytes > HIGH_WATER_BYTES or len(self) > HIGH_WATER_MESSAGES

    def enter_loop(self) -> None:
        """Belong to the running loop. A script runs one after another, and what waits moves on with it.

        Raises:
            RuntimeError: another loop, where messages are published too, is running.
        """
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self._loop is not None and self._loop.is_running():
            raise RuntimeError("this manager publishes on another event loop, which is running; make one for each loop")
        if self.task is not None and self._loop is not None and not self._loop.is_closed():
            self.task.cancel()  # that loop may be run again
        self._loop = loop
        self._take_back()
        self.task = self._progress = None
        self._is_pausing = False

    def put(self, payload: bytes) -> None:
        """Take a message; it is sent when this turn of the loop is over.

        Raises:
            RuntimeError: as `enter_loop`. The message has not been taken.
        """
        self.enter_loop()
        self._items.append(payload)
        self._bytes += len(payload)
        self._accepted += 1
        self._bound()
        self._start()

    async def settled(self) -> None:
        """Wait until all that was put is sent or dropped, or has failed often enough; not while nothing is attempted.

        Raises:
            RuntimeError: as `enter_loop`.
        """
        self.enter_loop()
        ticket, failed = self._accepted, self._failed
        attempts = 1 if self._direction.is_up is False else ATTEMPTS
        if self._is_pausing:
            return
        self._waiters += 1
        try:
            while self._finished < ticket and self._failed - failed < attempts:
                if self._progress is None:
                    self._progress = asyncio.Event()
                self._start()
                await self._progress.wait()
        finally:
            self._waiters -= 1

    def _bound(self) -> None:
        """Drop the oldest when too much waits; what is being sent cannot be called back."""
        while self._items and (len(self) > MOST_MESSAGES or self._bytes > MOST_BYTES):
            self._give_up(self._items.popleft())
        self._health.buffered = len(self)

    def _start(self) -> None:
        if (self.task is None or self.task.done()) and self._items:
            self.task = asyncio.get_running_loop().create_task(self._empty())

    async def _empty(self) -> None:
        task = asyncio.current_task()
        try:
            while self._items:
                if not self._waiters and time.monotonic() - self._last_batch < GATHER:
                    await asyncio.sleep(GATHER)
                await self._send_batch()
                self._last_batch = time.monotonic()
        finally:
            if self.task is task:  # else another loop has taken over
                self._is_pausing = False
                self._take_back()

    async def _send_batch(self) -> None:
        self._take_batch()
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                await self._send(self._sending)
        except Exception as exc:
            if isinstance(exc, PartlySentError):
                self._sent(exc.taken)
                self._blame(exc)
            self._take_back()
            self._failed += 1
            self._direction.down(self._logger(), exc)
            self._is_pausing = True
            self._report()
            await asyncio.sleep(self._direction.delay())
            await self._recovered()
            self._is_pausing = False
        else:
            self._sent(len(self._sending))
            self._strikes = 0
            self._direction.failures = 0
            self._direction.up(self._logger())
            self._report()

    def _blame(self, error: PartlySentError) -> None:
        """Count against a message that was not taken, if it may be the reason, and give it up after `MOST_STRIKES`."""
        if not error.is_suspect:
            return
        was_alone = len(self._sending) == 1 and not error.taken
        self._strikes = self._strikes + 1 if was_alone else 1
        if self._strikes > MOST_STRIKES:
            lost = self._sending.pop()
            self._give_up(lost)
            self._logger().error(
                "a message of %d bytes was given up: the broker does not take it (%s)", len(lost), error
            )

    def _give_up(self, payload: bytes) -> None:
        self._bytes -= len(payload)
        self._health.dropped += 1
        self._finished += 1
        self._strikes = 0

    def _take_batch(self) -> None:
        most = 1 if self._strikes else BATCH_MESSAGES
        size = 0
        while self._items and len(self._sending) < most and (size == 0 or size < BATCH_BYTES):
            size += len(self._items[0])
            self._sending.append(self._items.popleft())

    def _sent(self, count: int) -> None:
        """The broker has taken the first `count` of the batch."""
        self._bytes -= sum(map(len, self._sending[:count]))
        self._finished += count
        self._health.published += count
        del self._sending[:count]
        self._health.buffered = len(self)

    def _take_back(self) -> None:
        """What was not answered goes back to the head of the line."""
        self._items.extendleft(reversed(self._sending))
        self._sending = []
        self._bound()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress.set()
            self._progress = None
