"""How long handlers took: kept when it is asked for, by event, in buckets."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

import fastsio
from fastsio.hub._durations import BOUNDS, MAX_EVENTS, OTHERS, Durations
from fastsio.status.prometheus import text_of
from fastsio.testing import client


def server(**options: object) -> fastsio.AsyncServer:
    sio = fastsio.AsyncServer(async_mode="asgi", **options)  # type: ignore[arg-type]

    @sio.event
    def quick(sid: str) -> None:
        pass

    @sio.event
    async def slow(sid: str) -> None:
        await asyncio.sleep(0.3)

    @sio.event
    async def wrong(sid: str) -> None:
        raise ValueError("as it should")

    return sio


@pytest.mark.parametrize("async_handlers", [True, False])
async def test_handlers_are_timed(async_handlers: bool) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # of `wrong`
    sio = server(time_handlers=True, async_handlers=async_handlers)
    async with client(sio) as anna:
        for _ in range(3):
            await anna.call("quick")
        call = asyncio.ensure_future(anna.call("slow"))
        await asyncio.sleep(0)
        await anna.clock.advance(0.35)
        await call
        await anna.emit("wrong")
        await anna.call("quick")
    found = sio.stats()["handlers"]
    assert {event: row["count"] for event, row in found.items()} == {"quick": 4, "slow": 1, "wrong": 1}
    assert 0.3 <= found["slow"]["seconds"] < 1
    assert found["slow"]["buckets"][0.25] == 0 and found["slow"]["buckets"][1.0] == 1
    assert found["quick"]["buckets"][0.1] == 4


async def test_nothing_is_timed_as_a_rule_and_it_can_be_switched() -> None:
    sio = server()
    async with client(sio) as anna:
        await anna.call("quick")
        assert sio.stats()["handlers"] == {}
        sio.time_handlers = True
        await anna.call("quick")
        assert sio.stats()["handlers"]["quick"]["count"] == 1
        sio.time_handlers = False
        await anna.call("quick")
        assert sio.stats()["handlers"] == {}


def test_buckets_are_cumulative_and_have_an_end() -> None:
    durations = Durations()
    for seconds in (0.0, 0.0001, 0.00011, 4.9, 5.1, 1000.0):
        durations.record("x", seconds)
    row = durations.report()["x"]
    assert list(row["buckets"]) == list(BOUNDS)
    assert (row["buckets"][0.0001], row["buckets"][0.00025], row["buckets"][5.0], row["count"]) == (2, 3, 4, 6)


def test_clients_cannot_invent_events_without_end() -> None:
    durations = Durations()
    for number in range(10 * MAX_EVENTS):
        durations.record(f"event {number}", 0.001)
    durations.record(7, 0.001)
    report = durations.report()
    assert len(report) == MAX_EVENTS + 1
    assert report[OTHERS]["count"] == 9 * MAX_EVENTS + 1


async def test_prometheus_understands_it() -> None:
    sio = server(time_handlers=True)
    async with client(sio) as anna:
        await anna.call("quick")
    families = {family.name: family for family in text_string_to_metric_families(text_of(sio.stats()))}
    family = families["fastsio_handler_seconds"]
    assert family.type == "histogram"
    counts = {sample.labels["le"]: sample.value for sample in family.samples if sample.name.endswith("_bucket")}
    assert counts["+Inf"] == 1 and len(counts) == len(BOUNDS) + 1
