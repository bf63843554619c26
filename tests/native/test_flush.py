"""What is owed to many is written in slices, and in one row of slices only."""

import time
from typing import Any

import pytest

from fuzz.world import Transport
from native.conftest import MakeSite

CLIENTS = 300
SLOW = 0.0001  # s that the network takes for one client
SLICE, CHECK = 0.005, 16  # s of a slice, and after how many clients it looks at the clock


def test_a_crowd_is_never_served_by_two_rows_of_slices(site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Much is owed at once, so that some of it is written before the turn of the loop is over; the rest has a callback already."""
    here = site(has_canary=False)
    links = [here.websocket().joined() for _ in range(CLIENTS)]
    written: list[int] = [0]  # by each turn of the loop

    async def gust(sid: str) -> None:
        await here.sio.emit("wind", "x" * 2_000)

    here.sio.on("gust", gust)
    write = Transport.write

    def turn() -> None:
        if sum(written) < CLIENTS:
            written.append(0)
            here.loop.call_soon(turn)

    def write_slowly(transport: Transport, data: Any) -> None:
        end = time.perf_counter() + SLOW
        while time.perf_counter() < end:
            pass
        written[-1] += 1
        write(transport, data)

    with monkeypatch.context() as patch:
        patch.setattr(Transport, "write", write_slowly)
        here.loop.call_soon(turn)
        links[0].send('42["gust"]')
    assert all(any(str(one).startswith('42["wind"') for one in link.heard()) for link in links)
    slices = [count for count in written[2:-1] if count]
    assert len(slices) >= 2, written
    assert max(slices) <= SLICE / SLOW + CHECK, written
