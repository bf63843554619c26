"""A clock that tests move: deadlines of the server, and timers of the event loop with them.

May import: `engine`. Time only goes forward, for every server of the process; nobody waits for it.
"""

import asyncio
from collections.abc import Callable

from fastsio.engine._wheel import skip_time

# Seconds of one step: a longer one would look like a loop that was held, for which no client is blamed.
STEP = 0.4
# Turns of the loop after each step: a timer, what it wakes, and what that sets off.
TURNS = 8


class Clock:
    """The time of the running event loop.

    A loop of asyncio is moved whole: `asyncio.sleep`, `wait_for` and every other timer with it. A loop whose time cannot be
    moved, as uvloop's, keeps its own; then only what the server waits for (heartbeats, upgrades, joins) is moved.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._moved = _moved(self.loop)

    @property
    def moves_the_loop(self) -> bool:
        """Tell whether timers of the loop are moved, too."""
        return self._moved is not None

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due meanwhile, in order."""
        await settle()
        while seconds > 0:
            step = min(STEP, seconds)
            seconds -= step
            skip_time(step)
            if self._moved is not None:
                self._moved.offset += step
            await settle()


class _MovedTime:
    """Stands in the place of a loop's `time`."""

    def __init__(self, time: Callable[[], float]) -> None:
        self.time, self.offset = time, 0.0

    def __call__(self) -> float:
        return self.time() + self.offset


def _moved(loop: asyncio.AbstractEventLoop) -> _MovedTime | None:
    """Give the movable time of a loop, put there when it is not yet."""
    if isinstance(loop.time, _MovedTime):
        return loop.time
    if not isinstance(loop, asyncio.BaseEventLoop):  # a compiled one, which does not ask itself
        return None
    moved = _MovedTime(loop.time)
    loop.time = moved  # type: ignore[method-assign]
    return moved


async def settle() -> None:
    """Let the loop run what is ready, and what that makes ready."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
