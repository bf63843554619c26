import asyncio
from typing import Final

NEVER: Final[float]

class Timed: ...

class Wheel:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None: ...
    def stop(self) -> None: ...
