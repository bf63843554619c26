"""One conversation held with the same application on python-socketio and here, at the same time, each its own process.

May import: the transcript, the live servers. Never the server, nor python-socketio's.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from compat.transcript import Transcript
from deviations import ruled
from deviations.applications import APPLICATIONS, RULES
from wire.live import TESTS, Server

Script = Callable[[Transcript], Awaitable[None]]
Said = TypeVar("Said")


@dataclass(frozen=True)
class Stage:
    """How an application runs: `wire` is one of `wire.live.COMMANDS`, `folder` where the application is looked for."""

    wire: str
    app: str
    module: str = "fastsio"
    folder: Path = TESTS

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(map(str, (self.folder, TESTS.parent, TESTS)))
        return {"SIO_MODULE": self.module, "PYTHONPATH": path}


async def hold(script: Script, *stages: Stage, environment: dict[str, str] | None = None) -> list[list[str]]:
    """Hold a conversation on each stage; give what was said, in the order of the stages."""
    return await all_of(*(_one(script, stage, environment or {}) for stage in stages))


async def all_of(*conversations: Awaitable[Said]) -> list[Said]:
    """Hold conversations at once, each to its end even when another fails: who is let go of leaves a server running."""
    outcomes = await asyncio.gather(*conversations, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return cast(list[Said], outcomes)


async def _one(script: Script, stage: Stage, environment: dict[str, str]) -> list[str]:
    server = await asyncio.to_thread(Server, stage.wire, stage.app, stage.environment | environment)
    try:
        transcript = Transcript(server.port)
        await script(transcript)
        return transcript.lines
    finally:
        # The reference waits for clients that will not come back.
        await asyncio.to_thread(server.stop, 0.5 if stage.module == "socketio" else 5)


def with_deviations(name: str, lines: Sequence[str]) -> list[str]:
    """Give what we are to say where the reference says `lines`."""
    return ruled(RULES, [new for line in lines for new in _here(name, line)])


def _here(name: str, line: str) -> list[str]:
    entry = APPLICATIONS.get((name, line))
    return [line] if entry is None else entry.becomes
