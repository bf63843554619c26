"""Floods: of pings, of probes, of lines in the log, of rooms, of acknowledgements that never come; and a server that is behind."""

import asyncio
import time
from typing import Any

import pytest

from fastsio.engine.lag import LagMeter
from fastsio.errors import TooManyAcksError, TooManyRoomsError
from native.conftest import MakeSite, body_of, status_of
from native.test_limits import run, said
from oracle.frames_oracle import PING, TEXT, write_frame

# --- pings


@pytest.mark.threat("T117")
@pytest.mark.parametrize(("query", "frame"), [("EIO=4", write_frame(PING, b"x")), ("EIO=3", write_frame(TEXT, b"2"))])
def test_pings_are_answered_up_to_the_rate(site: MakeSite, query: str, frame: bytes) -> None:
    here = site(control_rate=10, control_burst=20)
    link = here.websocket(f"{query}&transport=websocket")
    link.heard()
    link.push(frame * 20)
    assert len(link.heard()) == 20
    here.skip(1.05)
    link.push(frame * 10)
    assert len(link.heard()) == 10, "ten a second"
    link.push(frame * 3)
    assert link.ended() == 1008
    assert said(here, "EIO_PING_FLOOD")
    assert said(here, "more than 10 pings a second (control_rate)")


def test_a_client_of_old_that_polls_is_held_to_it_too(site: MakeSite) -> None:
    here = site(control_burst=20)
    query = here.open(3)
    here.post(query, "1:2" * 21)
    assert status_of(here.get(query)) == 400, "the session is gone"
    assert said(here, "EIO_PING_FLOOD")


def test_any_number_of_pings_where_that_is_wanted(site: MakeSite) -> None:
    here = site(control_rate=0)
    link = here.websocket().joined()
    link.push(write_frame(PING, b"") * 5_000)
    assert len(link.heard()) == 5_000


# --- probes of an upgrade


PROBE = write_frame(TEXT, b"2probe")


def test_probes_of_a_client_that_does_not_read_are_not_answered(site: MakeSite) -> None:
    here = site(control_rate=0)
    probe = here.websocket(here.open())
    probe.transport.block()
    probe.push(PROBE * 10_000)
    assert len(probe.transport.buffer) < 100
    probe.transport.unblock()
    probe.heard()
    probe.push(PROBE)
    assert probe.heard() == ["3probe"]


def test_probes_are_pings_and_answered_up_to_the_rate(site: MakeSite) -> None:
    here = site(control_burst=20)
    probe = here.websocket(here.open())
    probe.push(PROBE * 20)
    assert probe.heard() == ["3probe"] * 20
    probe.push(PROBE)
    assert probe.is_closed or probe.ended() == 1005
    assert said(here, "EIO_PING_FLOOD")


# --- the log


@pytest.mark.threat("T206")
def test_a_flood_of_refusals_does_not_flood_the_log(site: MakeSite) -> None:
    here = site(log_rate=5)
    for _ in range(500):
        assert status_of(here.get("EIO=4&transport=pigeon")) == 400
    lines = [line for line in here.complaints.lines if "refused" in line]
    assert len(lines) == 5
    assert max(here.registry.counters.values()) >= 500, "counted all the same"
    time.sleep(1.05)
    here.get("EIO=4&transport=pigeon")
    assert said(here, "(and 495 more of this kind that were not logged: log_rate)")
    here.get("EIO=4&transport=pigeon")
    assert "more of this kind" not in here.complaints.lines[-1]


def test_one_kind_does_not_hold_back_another(site: MakeSite) -> None:
    here = site(log_rate=1)
    for _ in range(3):
        here.get("EIO=4&transport=pigeon")
    here.get("EIO=9&transport=polling")
    assert len([line for line in here.complaints.lines if "refused" in line]) == 2


# --- rooms and acknowledgements


def test_a_client_is_in_so_many_rooms_and_no_more(site: MakeSite) -> None:
    here = site(max_rooms=3)
    here.websocket().joined()
    sid = here.events[-1][1]
    errors: list[Exception] = []

    async def enter(*rooms: str) -> None:
        for room in rooms:
            try:
                await here.sio.enter_room(sid, room)
            except TooManyRoomsError as error:
                errors.append(error)

    run(here, enter, "a", "b", "c", "a", "d")
    assert here.sio.rooms(sid) == [sid, "a", "b", "c"]
    assert [str(error) for error in errors] == [
        "the client is in 3 rooms of this namespace, as many as it may be in (max_rooms)"
    ]
    assert "d" not in here.sio.manager._rooms.halls["/"].rooms, "no empty room is left"

    async def move() -> None:
        await here.sio.leave_room(sid, "a")
        await enter("d")

    run(here, move)
    assert here.sio.rooms(sid) == [sid, "b", "c", "d"]


def test_acknowledgements_that_never_come_are_bounded(site: MakeSite) -> None:
    here = site(max_pending_acks=3)
    first, second = here.websocket().joined(), here.websocket().joined()
    sid = here.events[-1][1]
    outcomes: list[Any] = []

    async def ask(**to: Any) -> None:
        try:
            await here.sio.emit("q", callback=outcomes.append, **to)
        except TooManyAcksError as error:
            outcomes.append(str(error))

    for _ in range(4):
        run(here, ask, to=sid)
    assert len(second.heard()) == 3
    assert outcomes == ["3 acknowledgements of this client are waited for, as many as may be (max_pending_acks)"]
    run(here, ask)
    assert first.heard() == [], "all or nobody"
    second.send('431["thanks"]')
    assert outcomes[-1] == "thanks"
    run(here, ask)
    assert len(first.heard()) == 1


# --- a server that is behind


def test_nobody_new_is_let_in_by_a_server_that_is_behind(site: MakeSite) -> None:
    here = site(max_loop_lag=0.5, retry_after=7)
    link = here.websocket().joined()
    here.registry.guard.lag = 0.8
    answer = here.get("EIO=4&transport=polling")
    assert status_of(answer) == 503
    assert b"Retry-After: 7\r\n" in answer
    assert b"The server is 0.80 s behind, more than 0.5 s (max_loop_lag)" in body_of(answer)
    link.send('421["x"]')
    assert link.heard() == ['431["x"]'] or link.heard() == [], "who is in is served"
    here.registry.guard.lag = 0.3
    assert status_of(here.get("EIO=4&transport=polling")) == 200


def test_the_delay_of_a_loop_is_seen_and_forgotten() -> None:
    heard: list[float] = []

    async def main() -> None:
        meter = LagMeter(asyncio.get_running_loop(), heard.append)
        await asyncio.sleep(0.2)
        assert max(heard) < 0.1
        time.sleep(0.4)  # a handler that holds the loop
        await asyncio.sleep(0.01)
        assert 0.3 < heard[-1] < 1.0
        await asyncio.sleep(1)
        assert heard[-1] < 0.1
        meter.stop()
        looks = len(heard)
        await asyncio.sleep(0.2)
        assert len(heard) == looks

    asyncio.run(main())


async def test_it_is_measured_only_where_it_matters() -> None:
    import fastsio

    for limit, is_measured in ((0.0, False), (0.3, True)):
        sio = fastsio.AsyncServer(async_mode="asgi", max_loop_lag=limit)
        sio.eio._registry.attach_loop()
        assert (sio.eio._registry.lag_meter is not None) is is_measured
        if sio.eio._registry.lag_meter is not None:
            sio.eio._registry.lag_meter.stop()
