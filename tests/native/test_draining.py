"""Taking a server out of service: `sio.drain`."""

import asyncio
from typing import Any

import pytest

from native.conftest import MakeSite, Site, status_of


def drain(here: Site, seconds: float) -> list[Any]:
    """Start a drain; its figures come into the list that is given."""
    results: list[Any] = []

    async def work() -> None:
        results.append(await here.sio.drain(seconds))

    here.call(lambda: here.sio.start_background_task(work))
    here.loop.settle()
    return results


def figures(results: list[Any]) -> dict[str, int]:
    (result,) = results
    return {name: result[name] for name in ("clients", "left", "finished", "cut")}


def reopen(here: Site) -> None:
    """Let the test's end connect again."""
    here.registry.guard.is_draining = False


@pytest.mark.threat("T198")
def test_goodbyes_are_spread_and_nobody_new_comes(site: MakeSite) -> None:
    here = site(has_canary=False)
    links = [here.websocket().joined() for _ in range(8)]
    results = drain(here, 10)
    closed = [sum(link.is_closed or ("close", 1001) in link.heard() for link in links)]
    assert status_of(here.get("EIO=4&transport=polling")) == 503
    for _ in range(20):
        here.skip(0.5)
        closed.append(closed[-1] + sum(("close", 1001) in link.heard() for link in links))
    assert closed[-1] == 8 and 3 <= closed[8] <= 6, "half of them in half of the time"
    assert figures(results) == {"clients": 8, "left": 0, "finished": 8, "cut": 0}
    assert {event[2] for event in here.events if event[0] == "disconnect"} == {"server shutdown"}
    reopen(here)


@pytest.mark.threat("T198")
def test_handlers_finish_and_their_answers_arrive(site: MakeSite) -> None:
    here = site(has_canary=False)
    link = here.websocket().joined()

    async def work(sid: str) -> str:
        await asyncio.sleep(2)
        return "done"

    here.sio.on("work", work)
    link.send('427["work"]')
    results = drain(here, 5)
    here.skip(1)
    assert not link.is_closed and link.heard() == []
    here.skip(1.5)
    assert link.heard() == ['437["done"]', ("close", 1001)]
    assert figures(results) == {"clients": 1, "left": 0, "finished": 1, "cut": 0}
    reopen(here)


def test_handlers_that_do_not_return_are_cut_at_the_end(site: MakeSite) -> None:
    here = site(has_canary=False)
    link, leaver = here.websocket().joined(), here.websocket().joined()
    gate = asyncio.Event()

    async def hang(sid: str) -> None:
        await gate.wait()

    here.sio.on("hang", hang)
    for one in (link, leaver):
        one.send('42["hang"]')
    results, again = drain(here, 2), drain(here, 100)
    leaver.transport.reset()
    here.skip(1.5)
    assert not link.is_closed and not results
    here.skip(1)
    assert ("close", 1001) in link.heard()
    assert figures(results) == {"clients": 2, "left": 1, "finished": 0, "cut": 1}
    assert again == results, "a second call waits for the first"
    here.call(gate.set)
    here.loop.settle()
    reopen(here)


def test_a_server_without_clients_is_drained_at_once(site: MakeSite) -> None:
    here = site(has_canary=False)
    assert figures(drain(here, 60)) == {"clients": 0, "left": 0, "finished": 0, "cut": 0}
    reopen(here)
