"""Section 4 of the catalogue, where it takes a connection: the frame codec alone is in tests/unit/test_frames.py."""

import struct
import time
import tracemalloc
import zlib

import pytest

from native.conftest import MakeSite, Site
from oracle.frames_oracle import BINARY, CLOSE, PING, PONG, TEXT, write_close, write_frame, write_header

ENDS = {
    "unmasked": ("T103", write_frame(TEXT, b"42", key=None), 1002),
    "reserved bit": ("T104", write_frame(TEXT, b"42", rsv=4), 1002),
    "another reserved bit": ("T104", write_frame(TEXT, b"42", rsv=1), 1002),
    "opcode 3": ("T105", write_frame(3, b"42"), 1002),
    "opcode 15": ("T105", write_frame(15, b"42"), 1002),
    "a long ping": ("T106", write_header(PING, 126), 1002),
    "a ping in pieces": ("T106", write_frame(PING, b"x", is_final=False), 1002),
    "a length that is not minimal": ("T107", write_frame(TEXT, b"42", form=64), 1002),
    "a length of 2^63": ("T107", b"\x81\xff\x80\0\0\0\0\0\0\0", 1002),
    "a length of 2^62": ("T108", b"\x81\xff\x40\0\0\0\0\0\0\0", 1009),
    "over the limit": ("T108", write_header(TEXT, 1_000_001), 1009),
    "over the limit in fragments": (
        "T109",
        write_frame(TEXT, b"4" * 600_000, is_final=False) + write_header(0, 400_001),
        1009,
    ),
    "a continuation of nothing": ("T110", write_frame(0, b"42"), 1002),
    "a message in a message": ("T110", write_frame(TEXT, b"4", is_final=False) + write_frame(TEXT, b"4"), 1002),
    "bad UTF-8": ("T112", write_frame(TEXT, b"42\xff"), 1007),
    "bad UTF-8 of an unfinished message": ("T112", write_header(TEXT, 100) + b"\xc8\x05", 1007),
    "empty messages": ("T115", write_frame(TEXT) * 1000, 1005),
    "a close of one byte": ("T119", write_frame(CLOSE, b"\x03"), 1002),
    "a close with 1005": ("T119", write_close(1005), 1002),
    "a reason that is no UTF-8": ("T120", write_close(1000, b"\xff"), 1007),
    "an Engine.IO packet that is none": ("T130", write_frame(TEXT, b"x"), 1005),
}


@pytest.mark.threat("T103", "T104", "T105", "T106", "T107", "T108", "T109", "T110", "T112", "T115", "T119", "T120")
@pytest.mark.parametrize("name", ENDS)
def test_what_ends_a_connection(site: MakeSite, name: str) -> None:
    _, data, code = ENDS[name]
    here = site()
    for pieces in ([data], [data[i : i + 1] for i in range(min(len(data), 40))] + [data[40:]]):
        link = here.websocket().joined()
        here.events.clear()
        for piece in pieces:
            link.push(piece)
        link.push(write_frame(TEXT, b'42["late"]'))
        assert link.ended() == code, name
        here.loop.settle()
        assert here.names() == ["disconnect"]
        here.skip(6)
        assert not link.transport.is_open


@pytest.mark.threat("T108")
def test_no_memory_is_taken_for_what_is_only_announced(site: MakeSite) -> None:
    here = site(max_http_buffer_size=500_000_000)
    link = here.websocket().joined()
    tracemalloc.start()
    try:
        link.push(write_header(BINARY, 2**62))
        assert link.ended() == 1009
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.threat("T111", "T113", "T118", "T134")
def test_what_is_unusual_and_right(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    text = '421["\u20ac"]'.encode()
    for cut in range(1, len(text)):
        link.push(
            write_frame(TEXT, text[:cut], is_final=False, key=bytes(4))
            + write_frame(PING, b"p" * 125)
            + write_frame(0, text[cut:])
        )
        assert link.heard() == [("pong", 125), '431["\u20ac"]'] or link.heard() == []
    link.push(write_frame(PONG, b"unasked") + write_frame(PING, b""))
    assert link.heard() == [("pong", 0)]


@pytest.mark.threat("T111")
def test_a_close_between_fragments(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    link.push(write_frame(TEXT, b'42["', is_final=False) + write_close(3001, b"enough"))
    assert link.ended() == 3001
    assert "disconnect" in here.names()


@pytest.mark.threat("T114")
@pytest.mark.parametrize("piece", [b"", b"x"])
def test_fragments_without_end(site: MakeSite, piece: bytes) -> None:
    here = site()
    link = here.websocket().joined()
    link.push(write_frame(TEXT, b"4", is_final=False))
    link.push(write_frame(0, piece, is_final=False) * 4095)
    assert link.ended() is None
    link.push(write_frame(0, piece, is_final=False))
    assert link.ended() == 1008


@pytest.mark.threat("T116")
def test_a_frame_that_comes_too_slowly(site: MakeSite) -> None:
    here = site(has_canary=False)
    link = here.websocket().joined()
    frame = write_frame(TEXT, b'42["slow"]')
    for byte in frame:
        if not link.is_closed:
            link.push(bytes([byte]))
            here.skip(5)
    here.skip(10)
    assert not link.transport.is_open
    assert here.events[-1][0] == "disconnect" and here.events[-1][2] == "ping timeout"


@pytest.mark.threat("T117", "T118")
def test_a_flood_of_pings_by_a_peer_that_does_not_read(site: MakeSite) -> None:
    here = site(has_canary=False)
    link = here.websocket().joined()
    link.transport.block()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            link.push(write_frame(PING, b"p" * 125) * 1000)
        assert tracemalloc.get_traced_memory()[0] - before < 1_000_000
        assert len(link.transport.buffer) < 1000
    finally:
        tracemalloc.stop()
    here.skip(35)
    assert not link.transport.is_open


@pytest.mark.threat("T121")
def test_nothing_counts_after_a_close(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    link.push(write_close(1000) + write_frame(TEXT, b'42["late"]') + write_close(1001) + b"\xff\xff")
    assert link.ended() == 1000
    assert here.names() == ["connect", "disconnect"]


@pytest.mark.threat("T122")
def test_a_close_that_is_not_answered(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    link.send("42[")
    assert link.ended() == 1005
    here.skip(4)
    assert link.transport.is_open
    here.skip(2)
    assert not link.transport.is_open


@pytest.mark.threat("T123", "T133", "T050")
@pytest.mark.parametrize("leave", ["end", "reset"])
def test_a_client_that_leaves_anywhere(site: MakeSite, leave: str) -> None:
    here = site()
    stream = write_frame(TEXT, b'42["one"]') + write_frame(BINARY, b"\x01" * 200) + write_frame(TEXT, b'42["two"]')
    for cut in range(0, len(stream), 4):
        link = here.websocket().joined()
        here.events.clear()
        link.push(stream[:cut])
        here.call(getattr(link.transport, leave))
        here.loop.settle()
        assert here.names()[-1] == "disconnect"
        assert here.names().count("disconnect") == 1


@pytest.mark.threat("T124", "T125", "T126")
def test_bombs(site: MakeSite) -> None:
    here = site(per_message_deflate=True)

    def packed(data: bytes) -> bytes:
        stream = zlib.compressobj(9, wbits=-12)
        return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]

    bombs = {
        "one frame": (write_frame(TEXT, packed(b"4" * 50_000_000), rsv=4), 1009),
        "fragments": (
            write_frame(TEXT, packed(b"4" * 2_000_000)[:900], rsv=4, is_final=False)
            + write_frame(0, packed(b"4" * 2_000_000)[900:]),
            1009,
        ),
        "empty blocks": (write_frame(TEXT, b"\x02\x00" * 400_000, rsv=4), None),
        "noise": (write_frame(TEXT, b"\xff" * 1000, rsv=4), 1007),
        "no end": (write_frame(TEXT, packed(b"42" * 100)[:-3], rsv=4), 1007),
    }
    for name, (data, code) in bombs.items():
        link = here.websocket(headers="Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
        link.push(write_frame(TEXT, packed(b"40"), rsv=4))
        tracemalloc.start()
        start = time.process_time()
        link.push(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert time.process_time() - start < 2, name
        assert peak < 4_000_000 + 2 * len(data), (name, peak)
        found = link.ended()
        assert found == code if code is not None else found in (1005, 1007, 1009), (name, found)


@pytest.mark.threat("T104", "T127", "T128")
def test_nothing_is_inflated_that_was_not_agreed_on(site: MakeSite) -> None:
    here = site()
    link = here.websocket(headers="Sec-WebSocket-Extensions: permessage-deflate")
    assert b"extensions" not in bytes(link.transport.written).lower(), "off by default"
    link.joined().push(write_frame(TEXT, zlib.compress(b"42"), rsv=4))
    assert link.ended() == 1002


@pytest.mark.threat("T129", "T173")
def test_many_frames_in_one_read(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    link.push(write_frame(TEXT, b'42["x"]') * 10_000)
    assert here.names().count("x") == 10_000


@pytest.mark.threat("T129")
def test_one_read_does_not_hold_the_loop(site: MakeSite) -> None:
    here = site()
    turns = [0]  # events that were handled in each turn of the loop
    numbers: list[int] = []

    async def slow(sid: str, number: int) -> None:
        end = time.perf_counter() + 0.0002
        while time.perf_counter() < end:
            pass
        turns[-1] += 1
        numbers.append(number)

    def turn() -> None:
        if len(numbers) < 500:
            turns.append(0)
            here.loop.call_soon(turn)

    here.sio.on("slow", slow)
    link = here.websocket().joined()
    here.loop.call_soon(turn)
    link.push(b"".join(write_frame(TEXT, b'42["slow",%d]' % number) for number in range(500)))
    assert numbers == list(range(500))
    assert max(turns) <= 20, turns  # 2 ms, seen after 8 of them at the latest
    assert not link.transport.is_paused


@pytest.mark.threat("T131", "T132")
def test_what_is_sent_after_the_end(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    sid = here.events[-1][1]
    done: list[str] = []

    async def say() -> None:
        await here.sio.emit("x", to=sid)
        await here.sio.disconnect(sid)
        for data in ("x", b"x", [b"x", {"y": b""}]):
            await here.sio.emit("late", data, to=sid)
            await here.sio.eio.send(list(here.registry.sessions)[-1], "late") if len(
                here.registry.sessions
            ) > 1 else None
        done.append("said")

    here.call(lambda: here.sio.start_background_task(say))
    here.loop.settle()
    link.push(write_close(1000))
    here.call(lambda: here.sio.start_background_task(say))
    here.loop.settle()
    assert done == ["said", "said"]
    heard = link.heard()
    assert heard[:2] == ['42["x"]', "41"]
    assert not any("late" in str(one) for one in heard if isinstance(one, str) and one.startswith("42"))


@pytest.mark.threat("T131")
def test_frames_say_what_was_asked_and_nothing_else(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    for size in (0, 1, 100, 125, 126, 127, 4000, 65_520, 65_536, 70_000):
        here.call(lambda size=size: here.sio.start_background_task(here.sio.emit, "x", "y" * size))
        here.loop.settle()
        before = bytes(link.transport.written)[-20:]
        assert link.heard() == ['42["x","' + "y" * size + '"]'], (size, before)


@pytest.mark.threat("T119")
def test_every_close_code(site: MakeSite) -> None:
    here = site()
    for code in [*range(995, 1020), *range(1100, 5100, 97), 65_535]:
        link = here.websocket()
        link.heard()
        link.push(write_frame(CLOSE, struct.pack("!H", code)))
        legal = 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
        assert link.ended() == (code if legal else 1002), code


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
