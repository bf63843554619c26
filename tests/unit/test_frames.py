"""The WebSocket frame codec, rule by rule; every stream is also read byte by byte and cut at each position.

May import: `_frames`, `errors`, the frame writer of the oracle. Never opens a socket. T-numbers name the threats
that a case answers.
"""

import base64
import hashlib
import os
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from fastsio import _build, _frames
from fastsio.errors import CODES
from tests.oracle.frames_oracle import (
    BINARY,
    CLOSE,
    KEY,
    PING,
    PONG,
    TEXT,
    Event,
    write_close,
    write_frame,
    write_header,
    xor,
)

Outcome = tuple[list[Event], str | None]
LIMIT = 1_000_000


def read(pieces: list[bytes], limit: int, deflate: Callable[[], _frames.Deflate] | None) -> Outcome:
    reader = _frames.FrameReader(deflate() if deflate else None)
    events = [event for piece in pieces for event in reader.feed(piece, limit)]
    return events, reader.error


def outcome(stream: bytes, limit: int = LIMIT, deflate: Callable[[], _frames.Deflate] | None = None) -> Outcome:
    """Read `stream` whole, byte by byte, and in two at each position; all must agree. Returns what they said."""
    whole = read([stream], limit, deflate)
    assert read([stream[i : i + 1] for i in range(len(stream))], limit, deflate) == whole
    step = max(1, len(stream) // 300)
    for cut in range(1, len(stream), step):
        assert read([stream[:cut], stream[cut:]], limit, deflate) == whole, cut
    return whole


def packed(data: bytes, bits: int = 15) -> bytes:
    """Compress as a client does, without context takeover."""
    stream = zlib.compressobj(wbits=-bits)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


# --- what is well formed

GOOD = {
    "empty text": (write_frame(TEXT), [("text", 0, b"")]),
    "empty binary": (write_frame(BINARY), [("binary", 0, b"")]),
    "text": (write_frame(TEXT, b'42["hi"]'), [("text", 0, b'42["hi"]')]),
    "binary is never text T130": (write_frame(BINARY, b"4hi\xff"), [("binary", 0, b"4hi\xff")]),
    "two in one read": (write_frame(TEXT, b"a") + write_frame(BINARY, b"b"), [("text", 0, b"a"), ("binary", 0, b"b")]),
    "key zero T134": (write_frame(TEXT, b"abc", key=bytes(4)), [("text", 0, b"abc")]),
    "key without payload T134": (write_frame(BINARY, b"", key=b"\xff\xfe\xfd\xfc"), [("binary", 0, b"")]),
    "fragments": (
        write_frame(TEXT, b"ab", is_final=False) + write_frame(0, b"cd", is_final=False) + write_frame(0, b"ef"),
        [("text", 0, b"abcdef")],
    ),
    "empty fragments": (
        write_frame(BINARY, is_final=False) + write_frame(0, is_final=False) + write_frame(0),
        [("binary", 0, b"")],
    ),
    "fragments with keys of their own": (
        write_frame(BINARY, b"abcde", is_final=False, key=b"1234") + write_frame(0, b"fgh", key=b"wxyz"),
        [("binary", 0, b"abcdefgh")],
    ),
    "message after fragments": (
        write_frame(TEXT, b"a", is_final=False) + write_frame(0, b"b") + write_frame(TEXT, b"c"),
        [("text", 0, b"ab"), ("text", 0, b"c")],
    ),
    "control between fragments T111": (
        write_frame(TEXT, b"a", is_final=False)
        + write_frame(PING, b"p")
        + write_frame(PONG, b"q")
        + write_frame(0, b"b"),
        [("ping", 0, b"p"), ("pong", 0, b"q"), ("text", 0, b"ab")],
    ),
    "close between fragments T111": (
        write_frame(TEXT, b"a", is_final=False) + write_close(3001, b"enough"),
        [("close", 3001, b"enough")],
    ),
    "ping of 0 bytes T118": (write_frame(PING), [("ping", 0, b"")]),
    "ping of 125 bytes T118": (write_frame(PING, b"p" * 125), [("ping", 0, b"p" * 125)]),
    "unasked pong T118": (write_frame(PONG, b"hm"), [("pong", 0, b"hm")]),
    "close without code": (write_frame(CLOSE), [("close", 1005, b"")]),
    "close with reason": (write_close(1000, "tschüß".encode()), [("close", 1000, "tschüß".encode())]),
    "close with 123 bytes of reason": (write_close(1000, b"r" * 123), [("close", 1000, b"r" * 123)]),
    "nothing after a close T121": (
        write_close(1000) + write_frame(TEXT, b"late") + write_close(1001) + b"\xff\xff",
        [("close", 1000, b"")],
    ),
    "code point over fragments T113": (
        write_frame(TEXT, b"\xf0\x9f", is_final=False)
        + write_frame(0, b"\x98", is_final=False)
        + write_frame(PING)
        + write_frame(0, is_final=False)
        + write_frame(0, b"\x80!"),
        [("ping", 0, b""), ("text", 0, "😀!".encode())],
    ),
}


@pytest.mark.parametrize(("stream", "events"), GOOD.values(), ids=GOOD.keys())
def test_well_formed(stream: bytes, events: list[Event]) -> None:
    assert outcome(stream) == (events, None)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, 65_537])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_sizes_around_the_length_forms(size: int, opcode: int) -> None:
    data = (b"0123456789" * 6554)[:size]
    reader = _frames.FrameReader()
    frame = write_frame(opcode, data)
    kind = "text" if opcode == TEXT else "binary"
    assert reader.feed(frame[:-1]) + reader.feed(frame[-1:] + frame) == [(kind, 0, data)] * 2


def test_an_unfinished_frame_waits() -> None:
    reader = _frames.FrameReader()
    frame = write_frame(TEXT, b"hello")
    for i in range(len(frame) - 1):
        assert reader.feed(frame[i : i + 1]) == []
    assert reader.feed(frame[-1:]) == [("text", 0, b"hello")]
    assert reader.error is None


# --- what is refused


def fragment(data: bytes = b"", opcode: int = 0, is_final: bool = False) -> bytes:
    return write_frame(opcode, data, is_final=is_final)


START = fragment(b"ab", TEXT)
BAD: dict[str, tuple[bytes, int, str]] = {
    "T103 unmasked": (write_frame(TEXT, b"a", key=None), 1002, "WS_UNMASKED"),
    "T103 unmasked ping": (write_frame(PING, key=None), 1002, "WS_UNMASKED"),
    "T103 on two bytes": (b"\x81\x05", 1002, "WS_UNMASKED"),
    "T106 ping in fragments": (write_frame(PING, is_final=False), 1002, "WS_BAD_CONTROL"),
    "T106 close in fragments": (write_frame(CLOSE, is_final=False), 1002, "WS_BAD_CONTROL"),
    "T106 ping of 126, two bytes": (b"\x89\xfe", 1002, "WS_BAD_CONTROL"),
    "T106 close of 126": (b"\x88\xfe\x00\x7e", 1002, "WS_BAD_CONTROL"),
    "T106 pong with 64 bit length": (b"\x8a\xff", 1002, "WS_BAD_CONTROL"),
    "T107 top bit": (write_header(BINARY, 1 << 63), 1002, "WS_BAD_LENGTH"),
    "T107 all bits": (write_header(BINARY, (1 << 64) - 1), 1002, "WS_BAD_LENGTH"),
    "T107 126 for 5": (write_header(TEXT, 5, form=16), 1002, "WS_BAD_LENGTH"),
    "T107 126 for 0": (write_header(TEXT, 0, form=16), 1002, "WS_BAD_LENGTH"),
    "T107 126 for 125": (write_header(TEXT, 125, form=16), 1002, "WS_BAD_LENGTH"),
    "T107 127 for 200": (write_header(TEXT, 200, form=64), 1002, "WS_BAD_LENGTH"),
    "T107 127 for 65535": (write_header(TEXT, 65_535, form=64), 1002, "WS_BAD_LENGTH"),
    "T108 2^62 declared": (write_header(BINARY, 1 << 62), 1009, "WS_TOO_LARGE"),
    "T108 2^63-1 declared": (write_header(BINARY, (1 << 63) - 1), 1009, "WS_TOO_LARGE"),
    "T108 one over": (write_header(BINARY, LIMIT + 1), 1009, "WS_TOO_LARGE"),
    "T108 before its key": (write_header(BINARY, LIMIT + 1)[:10], 1009, "WS_TOO_LARGE"),
    "T109 sum": (START + write_header(0, LIMIT - 1), 1009, "WS_TOO_LARGE"),
    "T109 sum that wraps in 64 bits": (START + write_header(0, (1 << 63) - 1), 1009, "WS_TOO_LARGE"),
    "T110 continuation of nothing": (fragment(b"a"), 1002, "WS_BAD_CONTINUATION"),
    "T110 final continuation of nothing": (fragment(b"a", is_final=True), 1002, "WS_BAD_CONTINUATION"),
    "T110 text inside a message": (START + write_header(TEXT, 3), 1002, "WS_BAD_CONTINUATION"),
    "T110 binary inside a message": (START + write_header(BINARY, 3, is_final=False), 1002, "WS_BAD_CONTINUATION"),
    "T112 refused in the first bad fragment": (fragment(b"a\xc0\x80", TEXT), 1007, "WS_BAD_UTF8"),
    "T112 refused in the second fragment": (fragment(b"a\xe2", TEXT) + fragment(b"a"), 1007, "WS_BAD_UTF8"),
    "T112 surrogate over fragments": (fragment(b"\xed", TEXT) + fragment(b"\xa0"), 1007, "WS_BAD_UTF8"),
    "T112 cut at the end": (write_frame(TEXT, "€".encode()[:2]), 1007, "WS_BAD_UTF8"),
    "T112 cut at the end of fragments": (
        fragment(b"\xf0\x9f", TEXT) + fragment(b"\x98", is_final=True),
        1007,
        "WS_BAD_UTF8",
    ),
    "T119 one byte": (write_frame(CLOSE, b"\x03"), 1002, "WS_BAD_CLOSE"),
    "T120 bad reason": (write_close(1000, b"\xff"), 1007, "WS_BAD_UTF8"),
    "T120 cut reason": (write_close(1000, "ü".encode()[:1]), 1007, "WS_BAD_UTF8"),
}
BAD |= {
    f"T104 rsv {rsv} opcode {opcode}": (write_frame(opcode, b"a", rsv=rsv)[:1], 1002, "WS_BAD_RSV")
    for rsv in range(1, 8)
    for opcode in (TEXT, BINARY, 0, PING, PONG, CLOSE)
}
BAD |= {
    f"T105 opcode {opcode}": (write_frame(opcode)[:1], 1002, "WS_BAD_OPCODE")
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
}


@pytest.mark.parametrize(("stream", "code", "name"), BAD.values(), ids=BAD.keys())
def test_refused(stream: bytes, code: int, name: str) -> None:
    assert outcome(stream) == ([("error", code, b"")], name)
    assert name in CODES
    # What came before is still delivered, and nothing after it.
    events, error = outcome(write_frame(PING, b"1") + stream + write_frame(TEXT, b"after"))
    assert (events, error) == ([("ping", 0, b"1"), ("error", code, b"")], name)


PRECEDENCE = {
    "rsv before opcode": (b"\xb3", "WS_BAD_RSV"),
    "opcode before mask": (b"\x83\x05", "WS_BAD_OPCODE"),
    "mask before control": (b"\x09\x7e", "WS_UNMASKED"),
    "control before length": (b"\x89\xfe\x00\x05", "WS_BAD_CONTROL"),
    "length before limit": (write_header(BINARY, 1 << 63), "WS_BAD_LENGTH"),
    "limit before continuation": (write_header(0, LIMIT + 1), "WS_TOO_LARGE"),
}


@pytest.mark.parametrize(("stream", "name"), PRECEDENCE.values(), ids=PRECEDENCE.keys())
def test_the_first_rule_broken_is_named(stream: bytes, name: str) -> None:
    reader = _frames.FrameReader()
    reader.feed(stream)
    assert reader.error == name


def test_a_finished_message_is_not_continued_T110() -> None:
    stream = START + fragment(is_final=True) + fragment(is_final=True)
    assert outcome(stream) == ([("text", 0, b"ab"), ("error", 1002, b"")], "WS_BAD_CONTINUATION")


def test_a_refused_reader_stays_refused() -> None:
    reader = _frames.FrameReader()
    assert reader.feed(b"\xff") == [("error", 1002, b"")]
    assert reader.feed(write_frame(TEXT, b"a")) == []
    assert reader.error == "WS_BAD_RSV"


# --- limits


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_the_limit_is_inclusive_T108(opcode: int) -> None:
    assert outcome(write_frame(opcode, b"x" * 200), 200)[1] is None
    assert outcome(write_frame(opcode, b"x" * 201), 200)[1] == "WS_TOO_LARGE"


def test_the_limit_counts_all_fragments_T109() -> None:
    stream = fragment(b"x" * 60, BINARY) + fragment(b"x" * 40)
    assert outcome(stream + fragment(is_final=True), 100) == ([("binary", 0, b"x" * 100)], None)
    assert outcome(stream + write_header(0, 1), 100) == ([("error", 1009, b"")], "WS_TOO_LARGE")


def test_control_frames_do_not_count_T109() -> None:
    assert outcome(fragment(b"x" * 90, BINARY) + write_frame(PING, b"p" * 99), 100) == ([("ping", 0, b"p" * 99)], None)


def test_a_limit_lowered_inside_a_message_holds() -> None:
    reader = _frames.FrameReader()
    reader.feed(fragment(b"x" * 90, BINARY), 100)
    assert reader.feed(fragment(), 50) == [("error", 1009, b"")]


def test_a_limit_of_nothing_lets_empty_messages_pass() -> None:
    assert outcome(write_frame(TEXT), 0) == ([("text", 0, b"")], None)
    assert outcome(write_frame(TEXT, b"a"), 0) == ([("error", 1009, b"")], "WS_TOO_LARGE")
    assert outcome(write_frame(TEXT), -1) == ([("error", 1009, b"")], "WS_TOO_LARGE")


def test_a_declared_length_reserves_nothing_T108() -> None:
    tracemalloc.start()
    try:
        readers = [_frames.FrameReader() for _ in range(100)]
        for reader in readers:
            reader.feed(write_header(BINARY, LIMIT))
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("piece", [b"", b"x"])
def test_fragments_without_end_T114(piece: bytes) -> None:
    reader = _frames.FrameReader()
    first, more = fragment(piece, BINARY), fragment(piece)
    tracemalloc.start()
    try:
        assert reader.feed(first) == []
        for _ in range(_frames.MAX_FRAGMENTS - 1):
            assert reader.feed(more) == []
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert reader.feed(more) == [("error", 1008, b"")]
    assert reader.error == "WS_TOO_MANY_FRAGMENTS"


def test_the_number_of_fragments_is_an_option_T114() -> None:
    stream = fragment(b"x", BINARY) + fragment(b"x") * 2
    assert _frames.FrameReader(None, 3).feed(stream + fragment(b"y", is_final=True)) == [("error", 1008, b"")]
    assert _frames.FrameReader(None, 4).feed(stream + fragment(b"y", is_final=True)) == [("binary", 0, b"xxxy")]


def test_as_many_fragments_as_allowed_T114() -> None:
    stream = fragment(b"x", BINARY) + fragment(b"x") * (_frames.MAX_FRAGMENTS - 2) + fragment(b"y", is_final=True)
    reader = _frames.FrameReader()
    assert reader.feed(stream * 2) == [("binary", 0, b"x" * (_frames.MAX_FRAGMENTS - 1) + b"y")] * 2


def test_many_small_frames_in_one_read_T129() -> None:
    assert _frames.FrameReader().feed(write_frame(TEXT, b"2") * 10_000) == [("text", 0, b"2")] * 10_000


# --- UTF-8

UTF8_EDGES = [
    b"\x00",
    b"\x7f",
    b"\xc2\x80",
    b"\xdf\xbf",
    b"\xe0\xa0\x80",
    b"\xec\xbf\xbf",
    b"\xed\x80\x80",
    b"\xed\x9f\xbf",
    b"\xee\x80\x80",
    b"\xef\xbf\xbf",
    b"\xf0\x90\x80\x80",
    b"\xf3\xbf\xbf\xbf",
    b"\xf4\x80\x80\x80",
    b"\xf4\x8f\xbf\xbf",
]
UTF8_BAD = [
    b"\x80",
    b"\xbf",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xc2",
    b"\xc2\x7f",
    b"\xc2\xc0",
    b"\xe0\x80\x80",
    b"\xe0\x9f\xbf",
    b"\xe1\x80",
    b"\xe1\x80\x7f",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xf1\x80\x80",
    b"\xf1\x80\x80\xc0",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xfe",
    b"\xff",
]


def decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def test_utf8_of_every_pair_of_bytes_T112() -> None:
    for first in range(256):
        for second in range(256):
            data = bytes((first, second))
            assert _frames.is_utf8(data) == decodes(data), data


def test_utf8_of_every_lead_with_edge_bytes_T112() -> None:
    edges = (0x7F, 0x80, 0xBF, 0xC0)
    for lead in range(0xDF, 0xF9):
        for second in range(256):
            for third in edges:
                for data in (bytes((lead, second, third)), *(bytes((lead, second, third, last)) for last in edges)):
                    assert _frames.is_utf8(data) == decodes(data), data


def test_utf8_of_every_code_point_T112() -> None:
    for start in range(0, 0x110000, 0x800):
        if not 0xD800 <= start <= 0xDFFF:
            assert _frames.is_utf8("".join(map(chr, range(start, start + 0x800))).encode())
    for surrogate in range(0xD800, 0xE000):
        assert not _frames.is_utf8(chr(surrogate).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("before", [0, 1, 7, 8, 9, 31, 32, 33, 40, 71])
@pytest.mark.parametrize("after", [0, 1, 8, 33])
def test_utf8_behind_and_before_ascii_T112(before: int, after: int) -> None:
    for data in UTF8_EDGES:
        assert _frames.is_utf8(b"a" * before + data + b"z" * after), data
    for data in UTF8_BAD:
        assert not _frames.is_utf8(b"a" * before + data + b"z" * after), data


@pytest.mark.parametrize("data", UTF8_EDGES, ids=bytes.hex)
def test_a_code_point_may_be_split_anywhere_T113(data: bytes) -> None:
    for cut in range(len(data) + 1):
        stream = fragment(b"ab" + data[:cut], TEXT) + fragment(data[cut:] + b"c", is_final=True)
        assert outcome(stream) == ([("text", 0, b"ab" + data + b"c")], None)


@pytest.mark.parametrize("data", UTF8_BAD, ids=bytes.hex)
@pytest.mark.parametrize("start", [b"", fragment(b"ok", TEXT)], ids=["frame", "fragment"])
def test_bad_utf8_is_refused_before_the_frame_ends_T112(start: bytes, data: bytes) -> None:
    # The frame promises a thousand bytes more: what has come shows already that it is no text.
    header = write_header(0 if start else TEXT, 1000 + len(data))
    stream = start + header + xor(b"ab" + data + b"a", KEY)
    assert outcome(stream) == ([("error", 1007, b"")], "WS_BAD_UTF8")


@pytest.mark.parametrize("data", UTF8_EDGES, ids=bytes.hex)
def test_what_may_become_utf8_is_waited_for_T113(data: bytes) -> None:
    stream = fragment(b"ok", TEXT) + write_header(0, 1000) + xor(b"ab" + data[: max(1, len(data) - 1)], KEY)
    assert outcome(stream) == ([], None)


@pytest.mark.parametrize("data", UTF8_BAD, ids=bytes.hex)
def test_bad_utf8_is_refused_split_anywhere_T112(data: bytes) -> None:
    refused = ([("error", 1007, b"")], "WS_BAD_UTF8")
    assert outcome(write_frame(TEXT, data)) == refused
    for cut in range(len(data) + 1):
        assert outcome(fragment(data[:cut], TEXT) + fragment(data[cut:], is_final=True)) == refused
    assert outcome(write_frame(BINARY, data)) == ([("binary", 0, data)], None)


# --- close frames


def test_all_close_codes_T119() -> None:
    for code in range(65_536):
        events = _frames.FrameReader().feed(write_close(code))
        legal = 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
        assert events == ([("close", code, b"")] if legal else [("error", 1002, b"")]), code
        if legal:
            assert _frames.encode_close(code) == b"\x88\x02" + code.to_bytes(2, "big")
        elif code != 1005:
            with pytest.raises(ValueError, match="must not be sent"):
                _frames.encode_close(code)


def test_a_close_without_code() -> None:
    assert _frames.encode_close(1005) == b"\x88\x00"
    assert _frames.encode_close(1005, b"a reason needs a code") == b"\x88\x00"


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        (b"r" * 123, 123),
        (b"r" * 124, 123),
        (b"r" * 500, 123),
        (b"r" * 122 + "é".encode(), 122),
        (b"r" * 121 + "é".encode(), 123),
        (b"r" * 121 + "€".encode(), 121),
        (b"r" * 120 + "€".encode(), 123),
        (b"r" * 120 + "😀".encode(), 120),
        ("😀".encode() * 40, 120),
        (b"r" + "é".encode() * 100, 123),
    ],
)
def test_a_reason_is_cut_between_code_points_T131(reason: bytes, kept: int) -> None:
    frame = _frames.encode_close(1001, reason)
    assert frame == bytes([0x88, kept + 2]) + b"\x03\xe9" + reason[:kept]
    reason[:kept].decode()


def test_a_reason_of_continuation_bytes_only_is_cut_too() -> None:
    assert len(_frames.encode_close(1000, b"\x80" * 500)) <= 127


# --- frames out


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
@pytest.mark.parametrize("opcode", [0, TEXT, BINARY, CLOSE, PING, PONG])
def test_frames_round_trip_T131(opcode: int, size: int) -> None:
    data = os.urandom(size)
    if opcode >= 8 and size > 125:
        with pytest.raises(ValueError, match="125"):
            _frames.encode_frame(opcode, data)
        return
    assert _frames.encode_frame(opcode, data) == write_frame(opcode, data, key=None)


@pytest.mark.parametrize("opcode", [-1, 3, 7, 11, 16, 129])
def test_an_unknown_opcode_is_not_written(opcode: int) -> None:
    with pytest.raises(ValueError, match="opcode"):
        _frames.encode_frame(opcode, b"")


@pytest.mark.parametrize("opcode", [0, CLOSE, PING])
def test_only_messages_are_compressed(opcode: int) -> None:
    with pytest.raises(ValueError, match="only text and binary"):
        _frames.build_compressed_frame(opcode, b"")


@pytest.mark.parametrize("size", [0, 5, 125, 126, 65_535, 65_536, 1 << 40])
def test_peek_size(size: int) -> None:
    header = write_header(BINARY, size)
    reader = _frames.FrameReader()
    for cut in range(len(header)):
        assert reader.peek_size(header[:cut]) == 0
    assert reader.peek_size(header) == reader.peek_size(header + b"abc") == len(header) + size


def test_peek_size_of_a_length_that_fits_nowhere() -> None:
    assert _frames.FrameReader().peek_size(write_header(BINARY, (1 << 64) - 1)) == (1 << 63) - 1


# --- the handshake's key


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        # RFC 3174, 7.3
        (b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
        (b"a" * 1_000_000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
        (b"01234567" * 80, "dea356a2cddd90c7a7ecedc5ebb563934f460452"),
        (b"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ],
)
def test_sha1_of_the_rfc(text: bytes, digest: str) -> None:
    assert _frames.sha1(text).hex() == digest


def test_sha1_of_every_short_length() -> None:
    for size in range(200):
        data = os.urandom(size)
        assert _frames.sha1(data) == hashlib.sha1(data).digest(), size


def test_the_accept_key_of_the_rfc() -> None:
    assert _frames.accept_key(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_accept_key_of_random_keys() -> None:
    for _ in range(50):
        key = base64.b64encode(os.urandom(16))
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        assert _frames.accept_key(key) == base64.b64encode(digest)


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"AAAA",
        b"A" * 24,
        b"A" * 22,
        b"A" * 23 + b"=",
        base64.b64encode(bytes(15)),
        base64.b64encode(bytes(17)),
        base64.b64encode(bytes(16)) + b" ",
        b" " + base64.b64encode(bytes(16))[:-1],
        b"AAAAAAAAAAAAAAAAAAAAAB==",
        b"AAAAAAAAAAA=AAAAAAAAAA==",
        b"-AAAAAAAAAAAAAAAAAAAAA==",
        b"\xff" * 24,
        b"AAAAAAAAAAAAAAAAAAAAA\n==",
    ],
)
def test_a_malformed_key_has_no_answer(key: bytes) -> None:
    assert _frames.accept_key(key) is None


# --- permessage-deflate: the offer

BASE = b"permessage-deflate; server_no_context_takeover"
ALONE = BASE + b"; client_no_context_takeover"
OFFERS = {
    b"permessage-deflate": (ALONE, 15, 12, False),
    b" permessage-deflate ": (ALONE, 15, 12, False),
    b"permessage-deflate; client_max_window_bits": (BASE + b"; client_max_window_bits=12", 12, 12, True),
    b"permessage-deflate;client_max_window_bits=15": (BASE + b"; client_max_window_bits=12", 12, 12, True),
    b"permessage-deflate; client_max_window_bits = 10": (BASE + b"; client_max_window_bits=10", 10, 12, True),
    b"permessage-deflate; client_no_context_takeover": (ALONE, 15, 12, False),
    b"permessage-deflate; server_no_context_takeover": (ALONE, 15, 12, False),
    b"permessage-deflate; client_no_context_takeover; client_max_window_bits": (
        ALONE + b"; client_max_window_bits=12",
        12,
        12,
        False,
    ),
    b"permessage-deflate; server_max_window_bits=9": (ALONE + b"; server_max_window_bits=9", 15, 9, False),
    b"permessage-deflate; server_max_window_bits=15": (ALONE + b"; server_max_window_bits=12", 15, 12, False),
    b"permessage-deflate; server_max_window_bits=10; client_max_window_bits=9": (
        BASE + b"; server_max_window_bits=10; client_max_window_bits=9",
        9,
        10,
        True,
    ),
    b"x-webkit-deflate-frame, permessage-deflate": (ALONE, 15, 12, False),
    b'foo; bar="a, permessage-deflate; \\", b", permessage-deflate; client_max_window_bits': (
        BASE + b"; client_max_window_bits=12",
        12,
        12,
        True,
    ),
    b"permessage-deflate; server_max_window_bits=8, permessage-deflate": (ALONE, 15, 12, False),
    b"permessage-deflate; server_max_window_bits=10, permessage-deflate": (
        ALONE + b"; server_max_window_bits=10",
        15,
        10,
        False,
    ),
    b",, permessage-deflate ,": (ALONE, 15, 12, False),
}


@pytest.mark.parametrize(("offer", "agreed"), OFFERS.items(), ids=[offer.decode() for offer in OFFERS])
def test_offers_taken(offer: bytes, agreed: tuple[bytes, int, int, bool]) -> None:
    result = _frames.negotiate(offer)
    assert result is not None
    answer, deflate = result
    assert (answer, deflate.client_window_bits, deflate.server_window_bits, deflate.client_takeover) == agreed


DECLINED = [
    b"",
    b",",
    b";",
    b"=",
    b'"',
    b"\\",
    b"\xff\x00",
    b"permessage",
    b"permessage-deflate2",
    b"permessage_deflate",
    b"x-webkit-deflate-frame",
    b'"permessage-deflate"',
    b"permessage-deflate=1",
    b"permessage-deflate;",
    b"permessage-deflate;;",
    b"permessage-deflate; foo",
    b"permessage-deflate; foo=1",
    b"permessage-deflate client_max_window_bits",
    b"permessage-deflate; client_no_context_takeover=1",
    b"permessage-deflate; server_no_context_takeover=",
    b"permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    b"permessage-deflate; server_max_window_bits",
    b"permessage-deflate; client_max_window_bits; client_max_window_bits",
    b"permessage-deflate; client_max_window_bits=10; client_max_window_bits=10",
    b'permessage-deflate; a="',
    b'permessage-deflate; a="permessage-deflate',
    b'permessage-deflate; client_max_window_bits="10',
]
DECLINED += [
    b"permessage-deflate; %s_max_window_bits=%s" % (who, bits)
    for who in (b"server", b"client")
    for bits in (
        b"",
        b"7",
        b"8",
        b"16",
        b"08",
        b"09",
        b"010",
        b'"10"',
        b"+9",
        b"-9",
        b"9.0",
        b"1 0",
        b"10x",
        b"9" * 5000,
    )
]


@pytest.mark.parametrize("offer", DECLINED, ids=[repr(offer[:60]) for offer in DECLINED])
def test_offers_declined_T127(offer: bytes) -> None:
    assert _frames.negotiate(offer) is None


@pytest.mark.skipif(_build.PROFILE == "trace", reason="every line is slower while coverage is told of it")
@pytest.mark.parametrize(
    "piece", [b",", b";", b'"', b"\\", b'"\\', b"permessage-deflate;", b"a=b;", b"permessage-deflate;a,"]
)
def test_offers_are_read_in_linear_time_T127(piece: bytes) -> None:
    offer = piece * (1_000_000 // len(piece))
    start = time.process_time()
    assert _frames.negotiate(offer) is None
    assert time.process_time() - start < (2 if _build.PROFILE != "asan" else 8)  # sanitizers take their time


@pytest.mark.parametrize("bits", [(8, 12), (16, 12), (15, 8), (15, 16)])
def test_window_bits_out_of_range(bits: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="9 to 15"):
        _frames.Deflate(*bits)


# --- permessage-deflate: messages in


def plain_deflate() -> _frames.Deflate:
    return _frames.Deflate()


def kept_deflate() -> _frames.Deflate:
    return _frames.Deflate(15, 12, True)


HELLO = packed(b"Hello")
PACKED = {
    "one frame": (write_frame(TEXT, HELLO, rsv=4), [("text", 0, b"Hello")]),
    "binary": (write_frame(BINARY, packed(b"\xff\x00"), rsv=4), [("binary", 0, b"\xff\x00")]),
    "empty message": (write_frame(TEXT, b"\x00", rsv=4), [("text", 0, b"")]),
    "fragments": (
        write_frame(TEXT, HELLO[:3], rsv=4, is_final=False) + write_frame(PING) + write_frame(0, HELLO[3:]),
        [("ping", 0, b""), ("text", 0, b"Hello")],
    ),
    "empty last fragment": (
        write_frame(TEXT, HELLO, rsv=4, is_final=False) + write_frame(0),
        [("text", 0, b"Hello")],
    ),
    "plain and compressed in turn": (
        write_frame(TEXT, b"Hello") + write_frame(TEXT, HELLO, rsv=4) + write_frame(BINARY, HELLO),
        [("text", 0, b"Hello"), ("text", 0, b"Hello"), ("binary", 0, HELLO)],
    ),
    # The examples of RFC 7692 7.2.3: stored block, final block, two blocks.
    "stored block": (
        write_frame(TEXT, b"\x00\x05\x00\xfa\xffHello\x00", rsv=4),
        [("text", 0, b"Hello")],
    ),
    "final block": (write_frame(TEXT, bytes.fromhex("f348cdc9c9070000"), rsv=4) * 2, [("text", 0, b"Hello")] * 2),
    "two blocks": (
        write_frame(TEXT, bytes.fromhex("f2480500 0000ffff cac9c90700"), rsv=4),
        [("text", 0, b"Hello")],
    ),
}


@pytest.mark.parametrize("deflate", [plain_deflate, kept_deflate])
@pytest.mark.parametrize(("stream", "events"), PACKED.values(), ids=PACKED.keys())
def test_compressed_messages(stream: bytes, events: list[Event], deflate: Callable[[], _frames.Deflate]) -> None:
    assert outcome(stream, deflate=deflate) == (events, None)


BAD_PACKED = {
    "T104 rsv1 on a continuation": (
        write_frame(TEXT, HELLO, rsv=4, is_final=False) + write_frame(0, b"", rsv=4),
        1002,
        "WS_BAD_RSV",
    ),
    "T104 rsv1 inside a message": (START + write_frame(TEXT, HELLO, rsv=4), 1002, "WS_BAD_RSV"),
    "T104 rsv1 on a ping": (write_frame(PING, rsv=4), 1002, "WS_BAD_RSV"),
    "T104 rsv2": (write_frame(TEXT, HELLO, rsv=6), 1002, "WS_BAD_RSV"),
    "T126 noise": (write_frame(BINARY, b"\xff" * 20, rsv=4), 1007, "WS_BAD_DEFLATE"),
    "T126 no data": (write_frame(BINARY, b"", rsv=4), 1007, "WS_BAD_DEFLATE"),
    "T126 missing end": (write_frame(BINARY, HELLO[:-2], rsv=4), 1007, "WS_BAD_DEFLATE"),
    "T126 cut in a stored block": (
        write_frame(BINARY, b"\x00\x30\x00\xcf\xff" + b"a" * 20, rsv=4),
        1007,
        "WS_BAD_DEFLATE",
    ),
    "T126 early final block": (
        write_frame(BINARY, bytes.fromhex("f348cdc9c90700") + HELLO, rsv=4),
        1007,
        "WS_BAD_DEFLATE",
    ),
    "T126 final block and no more": (write_frame(BINARY, b"\x03\x00", rsv=4), 1007, "WS_BAD_DEFLATE"),
    "T126 bad text inside": (write_frame(TEXT, packed(b"\xff"), rsv=4), 1007, "WS_BAD_UTF8"),
    "T126 cut text inside": (write_frame(TEXT, packed(b"a\xc3"), rsv=4), 1007, "WS_BAD_UTF8"),
}


@pytest.mark.parametrize("deflate", [plain_deflate, kept_deflate])
@pytest.mark.parametrize(("stream", "code", "name"), BAD_PACKED.values(), ids=BAD_PACKED.keys())
def test_compressed_refused(stream: bytes, code: int, name: str, deflate: Callable[[], _frames.Deflate]) -> None:
    assert outcome(stream + write_frame(TEXT, b"after"), deflate=deflate) == ([("error", code, b"")], name)


def test_a_window_larger_than_agreed_is_refused_T126() -> None:
    filler = os.urandom(30_000)
    stream = write_frame(BINARY, packed(filler * 4, 15), rsv=4)
    assert read([stream], LIMIT, lambda: _frames.Deflate(15))[0] == [("binary", 0, filler * 4)]
    assert read([stream], LIMIT, lambda: _frames.Deflate(12))[1] == "WS_BAD_DEFLATE"


def test_context_takeover_by_the_client() -> None:
    sender = zlib.compressobj(wbits=-12)
    stream = b""
    for _ in range(3):
        data = sender.compress(b"the same words again and again") + sender.flush(zlib.Z_SYNC_FLUSH)
        stream += write_frame(TEXT, data[:-4], rsv=4)
    assert outcome(stream, deflate=lambda: _frames.Deflate(12, 12, True)) == (
        [("text", 0, b"the same words again and again")] * 3,
        None,
    )
    events, error = outcome(stream, deflate=lambda: _frames.Deflate(12, 12, False))
    assert (events[0][0], error) == ("text", "WS_BAD_DEFLATE")


def test_the_limit_counts_inflated_bytes_T124() -> None:
    stream = write_frame(BINARY, packed(bytes(1000)), rsv=4)
    assert outcome(stream, 1000, plain_deflate) == ([("binary", 0, bytes(1000))], None)
    assert outcome(stream, 999, plain_deflate) == ([("error", 1009, b"")], "WS_TOO_LARGE")
    data = packed(bytes(1000))
    split = write_frame(BINARY, data[:4], rsv=4, is_final=False) + write_frame(0, data[4:])
    assert outcome(split, 999, plain_deflate) == ([("error", 1009, b"")], "WS_TOO_LARGE")


@pytest.mark.parametrize("size", [16_384, 65_535, 65_536, 65_537, 131_072, 300_000])
@pytest.mark.parametrize("source", [bytes, lambda size: os.urandom(size // 2) + bytes(size - size // 2)])
def test_inflating_across_steps(size: int, source: Callable[[int], bytes]) -> None:
    data = source(size)
    assert read([write_frame(BINARY, packed(data), rsv=4)], size, plain_deflate) == ([("binary", 0, data)], None)
    assert read([write_frame(BINARY, packed(data), rsv=4)], size - 1, plain_deflate)[1] == "WS_TOO_LARGE"


@pytest.mark.parametrize("deflate", [plain_deflate, kept_deflate])
def test_a_bomb_costs_no_more_than_the_limit_T124(deflate: Callable[[], _frames.Deflate]) -> None:
    bomb = write_frame(BINARY, packed(bytes(100_000_000)), rsv=4)
    reader = _frames.FrameReader(deflate())
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        assert reader.feed(bomb) == [("error", 1009, b"")]
        # The bomb itself is held twice: in the copy that feed makes, and in the message.
        assert tracemalloc.get_traced_memory()[1] - before <= LIMIT + 256 * 1024 + 2 * len(bomb)
    finally:
        tracemalloc.stop()
    assert reader.error == "WS_TOO_LARGE"


EMPTY_BLOCKS = {"stored": b"\x00\x00\x00\xff\xff" * 200_000, "fixed": b"\x02\x08\x20\x80\x00" * 200_000}


@pytest.mark.parametrize("blocks", EMPTY_BLOCKS.values(), ids=EMPTY_BLOCKS.keys())
def test_empty_blocks_are_cheap_T125(blocks: bytes) -> None:
    stream = write_frame(BINARY, blocks[:999_995] + b"\x00", rsv=4, key=bytes(4))
    times = []
    for _ in range(3):
        reader = _frames.FrameReader(plain_deflate())
        start = time.process_time()
        events = reader.feed(stream)
        times.append(time.process_time() - start)
        assert events == [("binary", 0, b"")]
    assert min(times) < 0.05


def test_concatenated_streams_are_refused_T125() -> None:
    one = zlib.compressobj(wbits=-15)
    stream = one.compress(b"x") + one.flush()
    assert read([write_frame(BINARY, stream * 1000 + b"\x00", rsv=4)], LIMIT, plain_deflate)[1] == "WS_BAD_DEFLATE"


def test_an_idle_connection_is_small_T128() -> None:
    result = _frames.negotiate(b"permessage-deflate; client_max_window_bits")
    assert result is not None and result[1].client_takeover
    sender = zlib.compressobj(wbits=-result[1].client_window_bits)
    data = sender.compress(os.urandom(50_000)) + sender.flush(zlib.Z_SYNC_FLUSH)
    frame = write_frame(BINARY, data[:-4], rsv=4, key=bytes(4))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        reader = _frames.FrameReader(result[1])
        assert len(reader.feed(frame)) == 1
        reader.feed(write_frame(PING))  # lets go of the message
        result[1].deflate(b"y" * 50_000)
        assert tracemalloc.get_traced_memory()[0] - before <= 32 * 1024
    finally:
        tracemalloc.stop()


# --- permessage-deflate: messages out


@pytest.mark.parametrize("bits", range(9, 16))
@pytest.mark.parametrize(
    "data", [b"", b"a", b"hello " * 1000, os.urandom(70_000)], ids=["none", "one", "text", "noise"]
)
def test_compressed_frames_round_trip(bits: int, data: bytes) -> None:
    deflate = _frames.Deflate(15, bits)
    for _ in range(2):  # nothing is carried over
        payload = deflate.deflate(data)
        assert zlib.decompressobj(-bits).decompress(payload + b"\x00\x00\xff\xff") == data
        frame = _frames.build_compressed_frame(BINARY, payload)
        assert frame == write_frame(BINARY, payload, rsv=4, key=None)
    read_back = read([write_frame(BINARY, payload, rsv=4)], LIMIT, plain_deflate)
    assert read_back == ([("binary", 0, data)], None)


def test_deflate_takes_any_buffer_T245() -> None:
    deflate = _frames.Deflate()
    assert deflate.deflate(bytearray(b"abc")) == deflate.deflate(memoryview(b"abc")) == deflate.deflate(b"abc")
    with pytest.raises(TypeError):
        deflate.deflate("abc")  # type: ignore[arg-type]
