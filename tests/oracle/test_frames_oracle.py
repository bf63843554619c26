"""The compiled frame codec and the oracle agree on every stream, well formed, mutated and random, however it is cut.

May import: the codec, the oracle, hypothesis. Never opens a socket.
"""

import zlib
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastsio import _frames
from tests.oracle.frames_oracle import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Event,
    OracleDeflate,
    OracleReader,
    Refused,
    check_utf8,
    write_close,
    write_frame,
    write_length,
    xor,
)

Outcome = tuple[list[Event], str | None]
LIMIT = 400

keys = st.binary(min_size=4, max_size=4)
# Sizes around every edge of the length forms, and of the limit.
sizes = st.sampled_from([0, 1, 2, 7, 8, 9, 31, 33, 63, 64, 65, 124, 125, 126, 127, 128, 255, 399, 400, 401])
texts = st.text(st.characters(codec="utf-8"), max_size=60).map(str.encode)
odd_texts = st.lists(
    st.sampled_from(
        [
            b"a" * 40,
            "é".encode(),
            "€".encode(),
            "😀".encode(),
            b"\xed\xa0\x80",
            b"\xc0\x80",
            b"\xf4\x90\x80\x80",
            b"\xe2\x82",
            b"\x80",
            b"\xff",
        ]
    ),
    max_size=5,
).map(b"".join)
payloads = st.one_of(texts, odd_texts, st.binary(max_size=80), sizes.map(lambda size: b"x" * size))


def deflate_raw(data: bytes, bits: int = 15) -> bytes:
    stream = zlib.compressobj(wbits=-bits)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


frames = st.builds(
    write_frame,
    st.sampled_from([0, 0, TEXT, TEXT, BINARY, CLOSE, PING, PONG, 3, 11]),
    payloads,
    is_final=st.sampled_from([True, True, False]),
    rsv=st.sampled_from([0, 0, 0, 0, 0, 4, 1]),
    key=st.one_of(keys, keys, keys, keys, st.none()),
    form=st.sampled_from([None, None, None, None, 64]),
)
packed_frames = st.builds(
    lambda opcode, data, bits, key: write_frame(opcode, deflate_raw(data, bits), rsv=4, key=key),
    st.sampled_from([TEXT, BINARY]),
    payloads,
    st.integers(9, 15),
    keys,
)
closes = st.builds(write_close, st.integers(0, 65_535), texts.map(lambda text: text[:100]))


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """One well formed message in fragments, with a control frame here and there."""
    opcode = draw(st.sampled_from([TEXT, BINARY]))
    is_packed = draw(st.booleans())
    data = draw(payloads)
    data = deflate_raw(data) if is_packed else data
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=4)))
    stream = b""
    for i, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(data)])):
        first = i == 0
        stream += write_frame(
            opcode if first else 0,
            data[start:end],
            is_final=i == len(cuts),
            rsv=4 if first and is_packed else 0,
            key=draw(keys),
        )
        if draw(st.integers(0, 4)) == 0:
            stream += write_frame(draw(st.sampled_from([PING, PONG])), draw(st.binary(max_size=5)))
    return stream


streams = st.lists(st.one_of(messages(), messages(), frames, packed_frames, closes), max_size=5).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    stream = bytearray(draw(streams))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(stream) - 1, 0)))
        piece = draw(st.binary(max_size=3))
        stream[at : at + draw(st.integers(0, 3))] = piece
    return bytes(stream)


def read(reader: _frames.FrameReader | OracleReader, stream: bytes, cuts: list[int]) -> Outcome:
    edges = [0, *sorted({cut for cut in cuts if cut < len(stream)}), len(stream)]
    events: list[Event] = []
    for start, end in pairwise(edges):
        events += reader.feed(stream[start:end], LIMIT)
    return events, reader.error


def agree(stream: bytes, cuts: list[int], packing: tuple[int, bool] | None) -> None:
    ours = _frames.FrameReader(_frames.Deflate(packing[0], 12, packing[1]) if packing else None)
    oracle = OracleReader(OracleDeflate(*packing) if packing else None)
    assert read(ours, stream, cuts) == read(oracle, stream, [])


packings = st.one_of(st.none(), st.tuples(st.sampled_from([9, 12, 15]), st.booleans()))
cut_lists = st.lists(st.integers(0, 600), max_size=6)


@settings(max_examples=600, deadline=None)
@given(streams, cut_lists, packings)
@example(write_frame(TEXT, deflate_raw(b"ab" * 50) + b"\x00", rsv=4), [3], (15, True))
@example(write_frame(TEXT, b"", rsv=4), [], (15, False))
@example(write_frame(TEXT, b"\xed\xa0", is_final=False) + write_frame(PING), [], None)
def test_agree_on_generated_streams(stream: bytes, cuts: list[int], packing: tuple[int, bool] | None) -> None:
    agree(stream, cuts, packing)


@settings(max_examples=600, deadline=None)
@given(mutated(), cut_lists, packings)
def test_agree_on_mutated_streams(stream: bytes, cuts: list[int], packing: tuple[int, bool] | None) -> None:
    agree(stream, cuts, packing)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), cut_lists, packings)
def test_agree_on_noise(stream: bytes, cuts: list[int], packing: tuple[int, bool] | None) -> None:
    agree(stream, cuts, packing)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.binary(max_size=400).map(deflate_raw)), st.integers(0, 3), st.booleans())
@example(b"c80a", 0, False)
def test_agree_on_deflate_noise(data: bytes, cut: int, takeover: bool) -> None:
    agree(write_frame(BINARY, data[: len(data) - cut], rsv=4) * 2, [], (15, takeover))


@settings(max_examples=300, deadline=None)
@given(st.one_of(texts, odd_texts, st.binary(max_size=100)), st.integers(0, 100))
def test_agree_on_utf8_T112(data: bytes, size: int) -> None:
    padded = b"a" * size + data
    try:
        check_utf8(padded, True)
    except Refused:
        expected = False
    else:
        expected = True
    assert _frames.is_utf8(padded) is expected


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([0, TEXT, BINARY]), payloads)
def test_agree_on_written_frames_T131(opcode: int, data: bytes) -> None:
    assert _frames.encode_frame(opcode, data) == write_frame(opcode, data, key=None)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), keys)
def test_agree_on_masking_T241(data: bytes, key: bytes) -> None:
    assert _frames.mask(data, key) == xor(data, key)


@given(st.integers(0, 70_000))
def test_a_length_is_written_minimal_T107(size: int) -> None:
    assert _frames.encode_frame(BINARY, bytes(size))[1:][: len(write_length(size))] == write_length(size)
