"""A message to very many is written in slices: others are served between them, and each client keeps its order."""

import asyncio
import gc
import itertools
import time

import pytest

from bench.instructions import World
from fastsio import _build

CLIENTS = 10_000
SLICE = 0.005
# Slices end at a count of sessions: what one may compute beyond the 5 ms. Other programs may hold this one up; that is not counted.
TOLERANCE = 0.003
# AddressSanitizer gives the memory that it has kept back a quarter of a gigabyte at once: one turn, which has no part of a slice
# in it. Without (quarantine_size_mb=0) the longest turn there is 5.8 ms, too.
LONGEST = SLICE + TOLERANCE if _build.PROFILE != "asan" else 0.05


@pytest.mark.skipif(_build.PROFILE == "trace", reason="every line is slower while coverage is told of it")
async def test_ten_thousand_are_flushed_in_slices_of_milliseconds(monkeypatch):
    world = World(CLIENTS)
    await asyncio.sleep(0)  # what connecting has left to be flushed
    heard: dict[object, list[str]] = {link: [] for link in world.links}
    written = 0

    def flush(link):
        nonlocal written
        end = time.thread_time() + 0.000_02  # a send takes that long
        while time.thread_time() < end:
            pass
        for event in link.take_events():
            heard[link].append(event["text"])
            written += 1
        return 0

    for link in world.links:
        link.take_events()
    monkeypatch.setattr(type(world.links[0]), "flush", flush)
    turns: list[tuple[int, float]] = []

    async def others() -> None:
        while written < 2 * CLIENTS:
            turns.append((written, time.thread_time()))
            await asyncio.sleep(0)

    gc.disable()  # a look at everything takes longer than a slice; it is no part of one
    try:
        await world.sio.emit("first", 1)
        await world.sio.emit("second", 2)
        await asyncio.wait_for(others(), 30)
    finally:
        gc.enable()
    waits = sorted(after - before for (_, before), (_, after) in itertools.pairwise(turns))
    assert len([done for done, _ in turns if 0 < done < 2 * CLIENTS]) >= 10, "nobody else was served meanwhile"
    assert waits[-2] < SLICE + TOLERANCE
    assert waits[-1] < LONGEST
    assert all(texts == ['42["first",1]', '42["second",2]'] for texts in heard.values())


async def test_a_client_that_cannot_be_ended_does_not_cost_the_others_what_they_are_owed(monkeypatch):
    world = World(3)
    await asyncio.sleep(0)
    for link in world.links:
        link.take_events()
    heard = []

    def flush(link):
        if link is world.links[0]:
            raise OSError("cannot be written to")
        heard.extend(event["text"] for event in link.take_events())
        return 0

    def complain(*args, **kwargs):
        raise RuntimeError("nor can that be logged")

    monkeypatch.setattr(type(world.links[0]), "flush", flush)
    monkeypatch.setattr(world.sio.eio._registry.logger, "error", complain)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    await world.sio.emit("first", 1)
    for _ in range(4):
        await asyncio.sleep(0)
    assert heard == ['42["first",1]'] * 2
