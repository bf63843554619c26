"""Pings, pongs and silence (contract 2.18), and the intervals that clients are told (1.5)."""

import asyncio
from typing import Any

from parity.scenario import scenario
from parity.scenarios.leaving import left_behind, watched_server
from parity.stage import Stage


@scenario("2.18")
async def pings_and_pongs(stage: Stage) -> None:
    sio = watched_server(stage, ping_interval=0.04, ping_timeout=0.5)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await asyncio.sleep(0.06)
    stage.note("pinged", "ann < 2" in stage.transcript.lines)
    await asyncio.sleep(0.06)
    stage.note("pinged again", stage.transcript.lines.count("ann < 2") >= 2)
    await ann.ask("E")
    stage.transcript.lines[:] = [line for line in stage.transcript.lines if line != "ann < 2"]
    ann.stop_reading()


@scenario("2.18")
async def no_second_ping_without_a_pong(stage: Stage) -> None:
    sio = watched_server(stage, ping_interval=0.02, ping_timeout=5)
    await stage.serve(sio)
    await stage.guest("ann", pongs=False)
    await asyncio.sleep(0.1)


@scenario("2.18")
async def a_stray_pong(stage: Stage) -> None:
    sio = watched_server(stage)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.send("3")
    await ann.send("3probe")
    await ann.ask("E")


@scenario("2.18")
async def ping_timeout_over_websocket(stage: Stage) -> None:
    """Without the monitor, which races with the reader's own timeout in the reference."""
    sio = watched_server(stage, ping_interval=0.05, ping_timeout=0.05, monitor_clients=False)
    await stage.serve(sio)
    await stage.guest("ann", pongs=False)
    await asyncio.sleep(0.3)
    left_behind(stage, sio)


@scenario("2.18")
async def ping_timeout_over_polling(stage: Stage) -> None:
    sio = watched_server(stage, ping_interval=0.05, ping_timeout=0.05)
    await stage.serve(sio)
    await stage.poller("ann", pongs=False)
    await asyncio.sleep(0.3)
    left_behind(stage, sio)


@scenario("2.18")
async def silent_until_spoken_to(stage: Stage) -> None:
    """Without the monitor, the next message to a client finds out that it has not answered."""
    sio = watched_server(stage, ping_interval=0.15, ping_timeout=0.05, monitor_clients=False)
    await stage.serve(sio)
    ann = await stage.client("ann", pongs=False).polling(polls=False)
    await ann.post("40")
    await ann.poll()
    await ann.poll()
    await asyncio.sleep(0.4)
    await sio.emit("E")
    await stage.settle()
    left_behind(stage, sio)


INTERVALS: dict[str, dict[str, Any]] = {
    "whole": {"ping_interval": 25, "ping_timeout": 20},
    "pair": {"ping_interval": (5, 1), "ping_timeout": 2.5},
    "fraction": {"ping_interval": 2.5},
    "under_a_second": {"ping_interval": 0.5},
    "pair_with_fractions": {"ping_interval": (2.5, 0.6)},
    "default": {},
}


@scenario("1.5", INTERVALS)
async def advertised_intervals(stage: Stage, options: dict[str, Any]) -> None:
    sio = stage.server(**options)
    await stage.serve(sio)
    await stage.http("GET", "/socket.io/?EIO=4&transport=polling")
    stage.note("attributes", float(sio.eio.ping_interval), float(sio.eio.ping_timeout))
