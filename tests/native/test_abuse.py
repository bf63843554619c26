"""Ways to make a server keep, copy or search more than its limits say, each found by trying."""

import time
import tracemalloc

import pytest

from native.conftest import MakeSite, Site
from native.test_limits import said
from oracle.frames_oracle import BINARY, TEXT, write_frame, write_header

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


# --- frames that come in pieces


def test_a_large_frame_that_comes_byte_by_byte_is_not_copied_for_each(site: MakeSite) -> None:
    """Each read of an unfinished frame costs the same, however long the frame is to be."""
    here = site(max_http_buffer_size=64_000_000)
    seconds = [_dripping(here, size) for size in (100_000, 60_000_000)]
    assert seconds[1] < 20 * seconds[0] + 0.02, seconds


def _dripping(here: Site, size: int) -> float:
    """Give the seconds that 1,000 reads of a byte take, of a frame that is never ended."""
    link = here.websocket().joined()
    frame = write_header(BINARY, size, key=bytes(4)) + b"x" * 1_000
    here.feed(link.transport, frame[:20])
    begun = time.perf_counter()
    here.call(lambda: [link.transport.feed(frame[at : at + 1]) for at in range(20, 1_000)])
    return time.perf_counter() - begun


@pytest.mark.parametrize("size", [1, 1_000, 65_500, 65_522, 65_536, 131_072, 300_000])
@pytest.mark.parametrize("step", [37, 1_000, 65_536, 70_000])
def test_frames_in_pieces_come_as_they_were_sent(site: MakeSite, size: int, step: int) -> None:
    here = site()
    link = here.websocket().joined()
    text = ("ab\u20ac" * size)[:size]
    whole = f'42["long","{text}"]'.encode()
    sent = write_frame(TEXT, b'42["first"]') + write_frame(TEXT, whole) + write_frame(TEXT, b'42["last"]')
    here.call(lambda: [link.transport.feed(sent[at : at + step]) for at in range(0, len(sent), step)])
    here.loop.settle()
    assert here.names() == ["connect", "first", "long", "last"]
    assert here.events[2][2] == text


@pytest.mark.threat("T108")
def test_the_header_of_a_frame_takes_no_memory_for_all_of_it(site: MakeSite) -> None:
    here = site(max_http_buffer_size=64_000_000)
    links = [here.websocket().joined() for _ in range(10)]
    tracemalloc.start()
    for link in links:
        here.feed(link.transport, write_header(BINARY, 60_000_000, key=bytes(4)) + b"x" * 6)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 10 * 100_000
