"""Runs a scenario on a wire and gives its transcript; compares transcripts by the table of deviations.

May import: everything of the harness. `python -m parity [name …]` in `tests` prints what differs.
"""

import asyncio
import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import parity.scenarios  # noqa: F401 (registers them)
from deviations import ruled
from deviations.parity import PARITY, RULES
from fastsio.net.loops import best_loop
from parity.scenario import SCENARIOS, Scenario
from parity.stage import LOGGERS, WIRES, Stage, Wire

LOOP = importlib.import_module(best_loop())
TIMEOUT = 8.0  # s that one run may take
# Attributes of classes that options and applications change for the whole process.
GLOBALS = (
    ("socketio.packet", "Packet", "json"),
    ("engineio.packet", "Packet", "json"),
    ("engineio.payload", "Payload", "max_decode_packets"),
)


def transcript_of(name: str, wire: str) -> list[str]:
    """Play a scenario."""
    with _class_attributes_kept(WIRES[wire]), asyncio.Runner(loop_factory=LOOP.new_event_loop) as runner:
        return runner.run(_play(SCENARIOS[name], WIRES[wire]))


async def _play(scenario: Scenario, wire: Wire) -> list[str]:
    stage = Stage(wire)
    with _captured(stage.records):
        try:
            async with asyncio.timeout(TIMEOUT):
                await scenario.play(stage)
                await stage.settle()
        finally:
            lines = list(stage.transcript.lines)
            await stage.close()
    return lines


@contextmanager
def _captured(records: list[logging.LogRecord]) -> Iterator[None]:
    """Give the log records of the servers to a list, and to nobody else."""
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    kept = [(logger, logger.level, logger.propagate, logger.handlers) for logger in map(logging.getLogger, LOGGERS)]
    for logger, *_ in kept:
        logger.handlers = [handler]
        logger.setLevel(logging.WARNING)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, level, propagate, handlers in kept:
            logger.handlers = handlers
            logger.setLevel(level)
            logger.propagate = propagate


@contextmanager
def _class_attributes_kept(wire: Wire) -> Iterator[None]:
    kept: list[tuple[Any, str, Any]] = []
    for path, class_name, attribute in GLOBALS:
        package, _, rest = path.partition(".")
        try:
            module = importlib.import_module(f"{getattr(wire, package)}.{rest}")
        except ImportError:
            continue
        cls = getattr(module, class_name)
        kept.append((cls, attribute, getattr(cls, attribute)))
    try:
        yield
    finally:
        for cls, attribute, value in kept:
            setattr(cls, attribute, value)


_references: dict[str, list[str]] = {}


def reference(name: str) -> list[str]:
    """Give the transcript of python-socketio; it is played once."""
    if name not in _references:
        _references[name] = transcript_of(name, "reference")
    return _references[name]


def expected(name: str, wire: str) -> list[str]:
    """Give the transcript that this server must give. An ASGI server cannot close without a code; it says 1000."""
    entry = PARITY.get(name)
    lines = ruled(RULES, reference(name)) if entry is None else entry.becomes
    return [line.replace(" close 1005", " close 1000") for line in lines] if wire == "asgi" else lines
