"""The compiled codec and the oracle say the same: on every generated value, and on every mutated byte string.

Where python-engineio and python-socketio speak the same thing, they are asked as well.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import codec_oracle as oracle
import engineio.packet
import engineio.payload
import socketio.packet
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastsio import _codec
from fastsio.errors import CODES, ProtocolError
from fastsio.serial import Json

VECTORS = Path(__file__).parent.parent / "vectors"
# Packets in one body; low, so that it is often passed.
LIMIT = 5

versions = st.sampled_from([3, 4])
types = st.integers(0, 6)
texts = st.text(st.characters(exclude_categories=["Cs"]))
v4_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1e"))
pairs = st.tuples(types, v4_texts | st.none()) | st.tuples(st.just(4), st.binary())
any_bodies = st.lists(pairs, min_size=1, max_size=20)

# What bodies of each form are made of, and what nearly looks like it.
V4_PIECES = [b"4a", b"4", b"6", b"bAQ==", b"bAR==", b"b", b"\x1e", b"\x1e", b"\x1e", b"4\xe2\x82\xac", b"7", b"\xff"]
V3_PIECES = [b"2:4a", b"1:6", b"2:4\xe2\x82\xac", b"3:4\xf0\x9f\x98\x80", b"2:4\xf0\x9f\x98\x80", b"6:b4AQ==", b"2:b4"]
V3_PIECES += [b"02:4a", b"0:", b":", b"1", b"9", b"12345678:", b"123456789:", b"\xd9\xa1:4", b"4a", b"1:7", b"1:4\xff"]
V3_BINARY_PIECES = [b"\x00\x02\xff4a", b"\x01\x02\xff\x04\x01", b"\x01\x01\xff\x04", b"\x00\x04\xff4\xe2\x82\xac"]
V3_BINARY_PIECES += [b"\x00\x06\xffb4AQ==", b"\x00", b"\x01", b"\x02", b"\xff", b"\x00\x02\xff4\xff"]
V3_BINARY_PIECES += [b"\x01\x01\xff\x07", b"\x00\x00\x02\xff4a", b"\x00\x00\xff", b"\x00\x01\x00\xff4123456789"]
V3_BINARY_PIECES += [b"\x09" * 8, b"\x0a"]
pieces = st.sampled_from(V4_PIECES + V3_PIECES + V3_BINARY_PIECES)
made_of_pieces = st.sampled_from([V4_PIECES, V3_PIECES, V3_BINARY_PIECES]).flatmap(
    lambda form: st.lists(st.sampled_from(form), max_size=7).map(b"".join)
)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or that it refuses."""
    try:
        return call()
    except ProtocolError as error:
        assert error.code in CODES
        return "refused"
    except oracle.Refused:
        return "refused"


def unlike_empty(packets: list[oracle.Pair]) -> list[oracle.Pair]:
    """Empty text and no text are the same on the wire."""
    return [(type, None if data == "" else data) for type, data in packets]


def mutations(seeds: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Byte strings near the seeds: with a piece replaced, put in or taken away."""

    def mutate(seed: bytes, at: int, size: int, piece: bytes) -> bytes:
        at %= len(seed) + 1
        return seed[:at] + piece + seed[at + size :]

    piece = pieces | st.binary(max_size=4)
    once = st.builds(mutate, seeds, st.integers(0, 10_000), st.integers(0, 3), piece)
    twice = st.builds(mutate, once, st.integers(0, 10_000), st.integers(0, 3), piece)
    return once | twice | made_of_pieces


def vector_bodies(stem: str) -> list[bytes]:
    vectors = json.loads((VECTORS / f"{stem}.json").read_text())["vectors"]
    wires = [vector["wire"] for vector in vectors]
    return [bytes.fromhex(wire.get("utf8_hex", wire.get("hex", ""))) for wire in wires]


SEEDS = sorted(
    {body for body in vector_bodies("engineio_payloads") + vector_bodies("engineio_packets") if len(body) < 400}
)


# --- Engine.IO packets


@given(types, texts | st.none(), versions, st.booleans())
def test_text_packets(type: int, data: str | None, version: int, b64: bool) -> None:
    message = _codec.encode_packet(type, data, version, b64)
    assert message == oracle.encode_packet(type, data, version, b64)
    assert _codec.decode_packet(message, version) == (type, data or None)


@given(st.binary(), versions, st.booleans())
def test_binary_packets(data: bytes, version: int, b64: bool) -> None:
    message = _codec.encode_packet(4, data, version, b64)
    assert message == oracle.encode_packet(4, data, version, b64)
    assert _codec.decode_packet(message, version) == (4, data)


@settings(max_examples=400)
@given(texts | st.binary() | mutations(st.sampled_from(SEEDS)).map(lambda body: body.decode(errors="ignore")), versions)
@example("bAR==", 4)
@example("b4AQ=A", 3)
@example("b\u20ac", 4)
def test_any_message_is_read_alike(message: str | bytes, version: int) -> None:
    expected = outcome(lambda: oracle.decode_packet(message, version))
    assert outcome(lambda: _codec.decode_packet(message, version)) == expected


# --- Engine.IO payloads


@given(any_bodies, versions, st.booleans())
def test_payloads(packets: list[oracle.Pair], version: int, b64: bool) -> None:
    body = _codec.encode_payload(packets, version, b64)
    assert body == oracle.encode_payload(packets, version, b64)
    is_binary = version == 3 and not b64 and any(isinstance(data, bytes) for _, data in packets)
    assert _codec.decode_payload(body, version, is_binary) == unlike_empty(packets)


@settings(max_examples=400)
@given(mutations(st.sampled_from(SEEDS) | any_bodies.map(_codec.encode_payload)), versions, st.booleans())
def test_any_body_is_read_alike(body: bytes, version: int, binary: bool) -> None:
    expected = outcome(lambda: oracle.decode_payload(body, version, binary, LIMIT))
    assert outcome(lambda: _codec.decode_payload(body, version, binary, LIMIT)) == expected


@settings(max_examples=400)
@given(mutations(any_bodies.map(lambda packets: _codec.encode_payload(packets, 3))), st.booleans())
def test_any_revision_3_body_is_read_alike(body: bytes, binary: bool) -> None:
    expected = outcome(lambda: oracle.decode_payload(body, 3, binary, LIMIT))
    assert outcome(lambda: _codec.decode_payload(body, 3, binary, LIMIT)) == expected


# --- JSONP


@given(texts, st.integers(0, 9_999_999_999))
def test_jsonp_answers_evaluate_to_the_payload(payload: str, index: int) -> None:
    body = _codec.encode_jsonp(payload.encode(), index)
    head, literal = body[: body.index(b"(")], body[body.index(b"(") + 1 : -2]
    assert head == b"___eio[%d]" % index and body.endswith(b");")
    assert json.loads(literal) == payload
    assert not set("<>\u2028\u2029") & set(literal.decode())


jsonp_pieces = st.lists(
    st.sampled_from(["\\", "n", "\\n", "\\\\n", "%5C", "%5Cn", "%", "%e2%82%ac", "+", "&", "d=", "=", "x", "\n"])
)


@settings(max_examples=400)
@given(st.binary() | jsonp_pieces.map(lambda pieces: "d=" + "".join(pieces)).map(str.encode))
def test_any_form_is_read_alike(body: bytes) -> None:
    assert outcome(lambda: _codec.decode_jsonp(body)) == outcome(lambda: oracle.decode_jsonp(body))


# --- Socket.IO

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
values = st.recursive(
    json_values | st.binary(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
names = texts.filter(lambda name: name not in oracle.RESERVED) | st.integers(-(2**63), 2**63)
path_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=","), max_size=40)
namespaces = st.just("/") | path_texts.map("/".__add__)
ids = st.none() | st.integers(0, 2**70)
events = st.tuples(names, st.lists(values, max_size=3)).map(lambda event: [event[0], *event[1]])

# What packets are made of, and what nearly looks like it.
KINDS = ["0", "1", "2", "3", "4", "50-", "51-", "51-", "51-", "52-", "61-", "5", "5-", "65-", "25-", "7", ""]
PATHS = ["", "", "/,", "/a,", "/a?x=1,", "/a", ",", "/" + "a" * 256 + ","]
IDS = ["", "0", "12", "007", "9" * 100, "9" * 101, "-1", " 1"]
JSON = ["", '["a"]', '["connect"]', "[1]", "[true]", "[]", "{}", "null", '"x"', "[", "1.5", "[1e400]", '["\\u20ac"]x']
NUMBERS = ["0", "1", "2", "-1", "0.0", "false", "true", "null", '"0"', str(2**70)]
JSON += [f'["a",{{"_placeholder":true,"num":{number}}}]' for number in NUMBERS]
JSON += ['["a",{"_placeholder":1,"num":0}]', '["a",{"_placeholder":true}]', '[{"_placeholder":true,"num":0}]']
sio_texts = st.tuples(*map(st.sampled_from, (KINDS, PATHS, IDS, JSON))).map("".join)


def feed(frames: list[str | bytes]) -> list[tuple[int, str, int | None, Any]]:
    decoder = _codec.PacketDecoder(Json())
    got, unfinished = [], False
    for frame in frames:
        message = decoder.feed_text(frame) if isinstance(frame, str) else decoder.feed_binary(frame)
        unfinished = message is None
        if message is not None:
            got.append((message.type, message.namespace, message.id, message.data))
    if unfinished:
        raise ProtocolError("SIO_BAD_ATTACHMENTS", "attachments are missing")
    return got


@given(events, namespaces, ids)
def test_events(event: list[Any], namespace: str, id: int | None) -> None:
    frames = _codec.encode_sio(Json(), 2, event, namespace, id)
    assert feed(frames) == [(2, namespace, id, event)] == oracle.decode_sio(frames)


@given(st.lists(values, max_size=3), namespaces, st.integers(0, 2**70))
def test_acks(data: list[Any], namespace: str, id: int) -> None:
    frames = _codec.encode_sio(Json(), 3, data, namespace, id)
    assert feed(frames) == [(3, namespace, id, data)] == oracle.decode_sio(frames)


@settings(max_examples=400)
@given(
    st.lists(sio_texts | texts, max_size=2),
    st.lists(st.binary(max_size=2), max_size=2),
    st.lists(sio_texts, max_size=1),
)
@example(["599999999999-[]"], [], [])
def test_any_messages_are_read_alike(first: list[str], then: list[bytes], last: list[str]) -> None:
    frames = [*first, *then, *last]
    assert outcome(lambda: feed(frames)) == outcome(lambda: oracle.decode_sio(frames))


@given(st.sampled_from(NUMBERS), st.sampled_from(["true", "1", "false"]), st.lists(st.binary(max_size=2), max_size=3))
def test_any_placeholder_is_read_alike(number: str, mark: str, attachments: list[bytes]) -> None:
    frames = [f'5{len(attachments)}-["a",{{"x":[{{"num":{number},"_placeholder":{mark}}}]}}]', *attachments]
    assert outcome(lambda: feed(frames)) == outcome(lambda: oracle.decode_sio(frames))


# --- the packages that fastsio stands in for


@given(types, st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_engineio_text_packets(type: int, data: str) -> None:
    theirs = engineio.packet.Packet(type, data).encode()
    assert _codec.encode_packet(type, data) == theirs
    if not data.isdigit() or len(data) < 100:
        assert engineio.packet.Packet(encoded_packet=theirs).packet_type == _codec.decode_packet(theirs)[0]


@given(st.binary(), st.booleans())
def test_engineio_binary_packets(data: bytes, b64: bool) -> None:
    theirs = engineio.packet.Packet(4, data).encode(b64=b64)
    assert _codec.encode_packet(4, data, 4, b64) == theirs
    assert engineio.packet.Packet(encoded_packet=theirs).data == _codec.decode_packet(theirs)[1]


@given(st.lists(pairs, min_size=1, max_size=10))
def test_engineio_payloads(packets: list[oracle.Pair]) -> None:
    theirs = engineio.payload.Payload([engineio.packet.Packet(type, data) for type, data in packets]).encode()
    assert _codec.encode_payload(packets).decode() == theirs


@given(events.map(lambda event: [str(event[0]), *event[1:]]), st.sampled_from(["/", "/a", "/a-b/c"]), ids)
def test_socketio_packets(event: list[Any], namespace: str, id: int | None) -> None:
    frames = _codec.encode_sio(Json(), 2, event, namespace, id)
    packet = socketio.packet.Packet(encoded_packet=frames[0])
    for attachment in frames[1:]:
        packet.add_attachment(attachment)
    assert (packet.namespace or "/", packet.id, packet.data) == (namespace, id, event)
    theirs = socketio.packet.Packet(2, event, namespace, id).encode()
    assert feed(theirs if isinstance(theirs, list) else [theirs]) == [(2, namespace, id, event)]
