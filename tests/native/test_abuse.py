"""Ways to make a server keep, copy or search more than its limits say, each found by trying."""

import pytest

from native.conftest import MakeSite
from native.test_limits import said
from oracle.frames_oracle import TEXT, write_frame

PROBE = write_frame(TEXT, b"2probe")


# --- probes


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
