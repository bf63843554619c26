"""Every wire vector against the codec, in both directions.

A vector that fastsio answers differently must be in `tests/deviations/vectors.py`, and what is in there must really differ.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deviations.vectors import CODEC
from fastsio._codec import (
    PacketDecoder,
    decode_jsonp,
    decode_packet,
    decode_payload,
    encode_jsonp,
    encode_packet,
    encode_payload,
    encode_sio,
)
from fastsio.errors import ProtocolError
from fastsio.serial import Json

VECTORS = Path(__file__).parent.parent / "vectors"
TYPES = ["open", "close", "ping", "pong", "message", "upgrade", "noop"]
SIO_TYPES = {"CONNECT": 0, "DISCONNECT": 1, "EVENT": 2, "ACK": 3, "CONNECT_ERROR": 4, "ERROR": 4}

# The parser whose answers count where the official versions disagree.
REFERENCE_PARSER = "socket.io-parser@4.2.7"

Vector = dict[str, Any]
Pair = tuple[int, str | bytes | None]


def load(stem: str) -> list[Vector]:
    return json.loads((VECTORS / f"{stem}.json").read_text())["vectors"]


PACKETS = {vector["id"]: vector for vector in load("socketio_packets")}


# --- the notation


def value_of(piece: Vector | None) -> str | bytes | None:
    """A text as Node would send it, or bytes."""
    if piece is None:
        return None
    if "hex" in piece:
        return bytes.fromhex(piece["hex"])
    return piece["text"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def body_of(piece: Vector) -> bytes:
    value = value_of(piece)
    return value.encode() if isinstance(value, str) else value


def pair_of(packet: Vector) -> Pair:
    """An Engine.IO packet as the codec gives it: a text packet without data has None."""
    data = value_of(packet.get("data"))
    return TYPES.index(packet["type"]), None if data == "" else data


def plain(value: Any) -> Any:
    """Socket.IO data with the notation resolved."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return bytes.fromhex(value["$bytes"])
    if "$undefined" in value:
        return None
    return {key: plain(item) for key, item in value.items()}


def message_of(packet: Vector) -> tuple[int, str, int | None, Any]:
    return SIO_TYPES[packet["type"]], packet["nsp"], packet.get("id"), plain(packet.get("data"))


def is_binary_body(piece: Vector) -> bool:
    return piece.get("content_type") == "application/octet-stream"


# --- both directions, on each channel


def write(channel: str, pairs: list[Pair]) -> list[str | bytes]:
    """The WebSocket messages, or the one body, that carry these packets."""
    version = 3 if channel.startswith("eio3") else 4
    if ".ws" in channel:
        return [encode_packet(type, data, version, channel.endswith("b64")) for type, data in pairs]
    if channel == "eio3.jsonp":
        return [encode_jsonp(encode_payload(pairs, 3, True), 0)]
    return [encode_payload(pairs, version, channel.endswith("b64"))]


def read(channel: str, pieces: list[Vector]) -> list[Pair]:
    version = 3 if channel.startswith("eio3") else 4
    if ".ws" in channel:
        return [decode_packet(value_of(piece), version) for piece in pieces]
    body = body_of(pieces[0])
    if channel == "eio3.jsonp":
        body = evaluate_jsonp(body).encode()
    return decode_payload(body, version, is_binary_body(pieces[0]))


def on_wire(channel: str, pieces: list[Vector]) -> list[str | bytes]:
    return [value_of(piece) if ".ws" in channel else body_of(piece) for piece in pieces]


def evaluate_jsonp(body: bytes) -> str:
    """What a browser hands to the client: the literal is JSON, too."""
    match = re.fullmatch(rb'___eio\[\d*\]\((".*")\);', body)
    return json.loads(match[1])


def feed(frames: list[str | bytes]) -> Iterator[tuple[int, str, int | None, Any]]:
    decoder = PacketDecoder(Json())
    for frame in frames:
        message = decoder.feed_text(frame) if isinstance(frame, str) else decoder.feed_binary(frame)
        if message is not None:
            yield message.type, message.namespace, message.id, message.data


# --- what differs: each function yields a line for each difference it finds


def differs(what: str, expected: Any, call: Callable[[], Any]) -> Iterator[str]:
    """Compare with what a call gives; `Exception` is expected when it must refuse."""
    try:
        got = call()
    except ProtocolError as error:
        got = Exception
        note = f" ({error.code})"
    else:
        note = ""
    if got != expected:
        yield f"{what}: expected {expected!r}, got {got!r}{note}"


def diff_packet(vector: Vector) -> Iterator[str]:
    channel, pair = vector["channel"], pair_of(vector["packet"])
    yield from differs("encode", on_wire(channel, [vector["wire"]]), lambda: write(channel, [pair]))
    if vector["decode_verified_by"] or channel == "eio3.jsonp":
        yield from differs("decode", [pair], lambda: read(channel, [vector["wire"]]))


def diff_payload(vector: Vector) -> Iterator[str]:
    pairs, version, wire = [pair_of(packet) for packet in vector["packets"]], vector["protocol"], vector["wire"]
    b64 = vector["supports_binary"] is False
    yield from differs("encode", body_of(wire), lambda: encode_payload(pairs, version, b64))
    if vector["decode_verified_by"]:
        yield from differs("decode", pairs, lambda: decode_payload(body_of(wire), version, is_binary_body(wire)))


def diff_jsonp(vector: Vector) -> Iterator[str]:
    if vector["kind"] == "response":
        digits = re.sub(r"\D", "", vector["j"])
        if not digits:
            yield "encode: no index"
            return
        body = encode_jsonp(vector["payload"].encode(), int(digits))
        yield from differs("encode", vector["body"].encode(), lambda: body)
        assert evaluate_jsonp(body) == vector["payload"]
        return
    seen = vector["server_sees"]
    expected = Exception if seen is None else seen.encode()
    yield from differs("decode", expected, lambda: decode_jsonp(vector["body"].encode()))
    if "packets" in vector:
        pairs = [pair_of(packet) for packet in vector["packets"]]
        yield from differs("packets", pairs, lambda: decode_payload(decode_jsonp(vector["body"].encode()), 3))


def diff_malformed_engineio(vector: Vector) -> Iterator[str]:
    version, piece, result = vector["protocol"], vector["input"], vector["result"]
    packets = result if isinstance(result, list) else [result]
    if any(packet == "error" or packet["type"] == "error" for packet in packets):
        expected = Exception
    elif any(packet["type"] is None for packet in packets):
        # Refused here; that such binary frames are to be ignored is for the session to know.
        expected = Exception if "hex" in piece else "ignored"
    else:
        expected = [pair_of(packet) for packet in packets]
    if vector["unit"] == "packet":
        yield from differs("decode", expected, lambda: [decode_packet(value_of(piece), version)])
    else:
        is_binary = vector["unit"] == "binary-payload"
        yield from differs("decode", expected, lambda: decode_payload(body_of(piece), version, is_binary))


def json_start(text: str) -> int:
    return re.match(r"\d(?:\d+-)?(?:/[^,]*,)?\d*", text).end()


def same_frames(expected: list[str | bytes], got: list[str | bytes]) -> bool:
    """Equal bytes; or equal heads and attachments, and JSON of the same value."""
    if expected == got:
        return True
    start = json_start(expected[0])
    return (
        expected[1:] == got[1:]
        and expected[0][:start] == got[0][:start]
        and json.loads(expected[0][start:]) == json.loads(got[0][start:])
    )


def diff_socketio(vector: Vector) -> Iterator[str]:
    frames = [value_of(frame) for frame in vector["frames"]]
    message = message_of(vector.get("decoded", vector["packet"]))
    type, namespace, id, data = message
    written = encode_sio(Json(), type, data, namespace, id)
    if not same_frames(frames, written):
        yield f"encode: expected {frames!r}, got {written!r}"
    yield from differs("decode", [message], lambda: list(feed(frames)))


def diff_wire(vector: Vector) -> Iterator[str]:
    channel = vector["channel"]
    pairs = [(4, value_of(frame)) for frame in PACKETS[vector["packet"]]["frames"]]
    pieces = vector["ws_frames"] if "ws_frames" in vector else [vector["http_body"]]
    yield from differs("encode", on_wire(channel, pieces), lambda: write(channel, pairs))
    yield from differs("decode", pairs, lambda: read(channel, pieces))


def diff_malformed_socketio(vector: Vector) -> Iterator[str]:
    reference = vector[REFERENCE_PARSER]
    expected = [message_of(packet) for packet in reference["packets"]]
    frames = [value_of(frame) for frame in vector["input"]]
    got: list[Any] = []
    try:
        got.extend(feed(frames))  # keeps what came before an error
    except ProtocolError as error:
        if reference["error"] is None:
            yield f"decode: refused ({error.code})"
    else:
        if reference["error"] is not None:
            yield f"decode: accepted, where the reference says {reference['error']!r}"
    if got != expected:
        yield f"decode: expected {expected!r}, got {got!r}"


KINDS: dict[str, Callable[[Vector], Iterator[str]]] = {
    "engineio_packets": diff_packet,
    "engineio_payloads": diff_payload,
    "engineio_jsonp": diff_jsonp,
    "engineio_malformed": diff_malformed_engineio,
    "socketio_packets": diff_socketio,
    "socketio_wire": diff_wire,
    "socketio_malformed": diff_malformed_socketio,
}
CASES = [pytest.param(stem, vector, id=f"{stem}:{vector['id']}") for stem in KINDS for vector in load(stem)]


@pytest.mark.parametrize(("stem", "vector"), CASES)
def test_vector(stem: str, vector: Vector) -> None:
    key = f"{stem}:{vector['id']}"
    differences = list(KINDS[stem](vector))
    if key in CODEC:
        assert CODEC[key].becomes in "\n".join(differences), f"{key}: {differences}"
    else:
        assert not differences, "\n".join(differences)


def test_every_deviation_of_the_codec_names_a_vector() -> None:
    known = {case.id for case in CASES}
    named = {key for key in CODEC if key.partition(":")[0] in KINDS}
    assert named <= known


# --- cut payloads


def bodies() -> Iterator[tuple[str, int, bool, bytes]]:
    for vector in load("engineio_payloads"):
        wire = vector["wire"]
        yield vector["id"], vector["protocol"], is_binary_body(wire), body_of(wire)


@pytest.mark.parametrize(("version", "is_binary", "body"), [pytest.param(*body[1:], id=body[0]) for body in bodies()])
def test_every_prefix_of_a_payload_is_read_or_refused(version: int, is_binary: bool, body: bytes) -> None:
    step = max(1, len(body) // 2_000)
    for cut in range(0, len(body), step):
        prefix = bytes(memoryview(body)[:cut])  # of exactly that size, so that a sanitizer sees one byte too many
        try:
            packets = decode_payload(prefix, version, is_binary)
        except ProtocolError as error:
            assert error.code.startswith("EIO_")
        else:
            assert packets and len(prefix) > 0
