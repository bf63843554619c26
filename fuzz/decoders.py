"""Targets: every decoder of the bytes floor, beside the slow oracle of `tests/oracle`.

May import: the codec modules, the oracles, `source`. A target takes bytes, and raises when something is wrong.
"""

import json
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

import httptools

from fastsio import _codec, _frames, _head
from fastsio._http import Request
from fastsio.errors import CODES, ProtocolError
from fastsio.serial import Json
from fuzz.source import Source, cut, exact
from tests.oracle import codec_oracle, frames_oracle

REFUSED = "refused"
# Inputs longer than this are read by the compiled codec only: the oracle is quadratic.
ORACLE_LIMIT = 512
MESSAGE_LIMIT = 2000
PACKET_LIMIT = 50


def outcome(call: Callable[[], Any]) -> Any:
    """Give what a call gives, or that it refuses, as a decoder may."""
    try:
        return call()
    except ProtocolError as error:
        assert error.code in CODES, error.code
    except codec_oracle.Refused:
        pass
    return REFUSED


# --- WebSocket


def websocket(data: bytes) -> None:
    """Frames: raw bytes, or well-formed ones made of the input; whole, cut, and read by the oracle."""
    source = Source(data)
    packing = source.choose([None, (15, True), (9, False)])
    places = [source.byte() * 3, source.byte(), source.byte()]
    stream = _frames_of(source) if source.flag() else source.rest()
    results = []
    for pieces in ([stream], cut(stream, places)):
        reader = _frames.FrameReader(_frames.Deflate(packing[0], 12, packing[1]) if packing else None, 60)
        events = [event for piece in pieces for event in reader.feed(piece, MESSAGE_LIMIT)]
        results.append((events, reader.error))
    assert results[0] == results[1], (results, places)
    if len(stream) <= ORACLE_LIMIT:
        oracle = frames_oracle.OracleReader(frames_oracle.OracleDeflate(*packing) if packing else None)
        expected = oracle.feed(stream, MESSAGE_LIMIT), oracle.error
        if "WS_TOO_MANY_FRAGMENTS" not in (oracle.error, results[0][1]):
            assert results[0] == expected, (results[0], expected)
    for kind, _, payload in results[0][0]:
        assert len(payload) <= MESSAGE_LIMIT
        if kind in ("text", "binary"):
            frame = _frames.encode_frame(1 if kind == "text" else 2, payload)
            assert frame.endswith(payload) and len(frame) - len(payload) <= 10


def _frames_of(source: Source) -> bytes:
    stream = b""
    while not source.is_empty and len(stream) < 20_000:
        head = source.byte()
        payload = source.piece() * (1 + (source.byte() if head & 0x20 else 0))
        key = source.choose([bytes(4), b"\x01\x02\x03\x04", b"\xff\x00\xff\x00"])
        opcode = (0, 1, 2, 8, 9, 10, 1, 0)[head & 7]
        stream += frames_oracle.write_frame(
            opcode, payload, is_final=bool(head & 8), rsv=4 if head & 16 else 0, key=key
        )
    return stream


def inflate(data: bytes) -> None:
    """Compressed messages of one connection, with and without context takeover."""
    source = Source(data)
    bits, takeover = source.choose([9, 12, 15]), source.flag()
    messages = []
    while not source.is_empty and len(messages) < 8:
        messages.append(source.rest() if source.flag() else source.piece())
    reader = _frames.FrameReader(_frames.Deflate(bits, 12, takeover))
    oracle = frames_oracle.OracleReader(frames_oracle.OracleDeflate(bits, takeover))
    for message in messages:
        frame = frames_oracle.write_frame(2, message, rsv=4)
        events = reader.feed(frame, MESSAGE_LIMIT)
        assert all(len(payload) <= MESSAGE_LIMIT for _, _, payload in events)
        if len(message) <= ORACLE_LIMIT:
            expected = oracle.feed(frame, MESSAGE_LIMIT)
            assert (events, reader.error) == (expected, oracle.error), (events, expected, oracle.error)
        if reader.error is not None or len(message) > ORACLE_LIMIT:
            return


ANSWER = re.compile(
    rb"permessage-deflate; server_no_context_takeover(; client_no_context_takeover)?"
    rb"(; server_max_window_bits=(9|1[0-5]))?(; client_max_window_bits=(9|1[0-2]))?"
)


def extensions(data: bytes) -> None:
    """Sec-WebSocket-Extensions: what is agreed on is one of the few answers that we give, whatever was offered."""
    agreed = _frames.negotiate(data)
    _frames.accept_key(data)
    if agreed is None:
        return
    answer, deflate = agreed
    assert ANSWER.fullmatch(answer), answer
    assert 9 <= deflate.client_window_bits <= 15 and 9 <= deflate.server_window_bits <= 12
    assert b"permessage-deflate" in data


# --- Engine.IO


def packet(data: bytes) -> None:
    """One packet of each revision, as a text and as a binary message."""
    text = data.decode("utf-8", "replace")
    for version in (3, 4):
        for message, borrowed in ((text, text), (data, exact(data))):
            expected = outcome(lambda: codec_oracle.decode_packet(message, version))
            assert outcome(lambda: _codec.decode_packet(borrowed, version)) == expected
    outcome(lambda: _codec.decode_packet(data, 4))


def base64(data: bytes) -> None:
    """Base64 of a packet: strict, and written again as it was."""
    text = "b" + data.decode("latin-1")
    found = outcome(lambda: _codec.decode_packet(text, 4))
    assert found == outcome(lambda: codec_oracle.decode_packet(text, 4))
    if found != REFUSED:
        assert _codec.encode_packet(4, found[1], 4, True) == text
    assert _codec.decode_packet(_codec.encode_packet(4, data, 3, True), 3) == (4, data)


def payload_v4(data: bytes) -> None:
    _payload(data, 4, False)


def payload_v3(data: bytes) -> None:
    _payload(data, 3, False)


def payload_v3_binary(data: bytes) -> None:
    _payload(data, 3, True)


def _payload(data: bytes, version: int, binary: bool) -> None:
    found = outcome(lambda: _codec.decode_payload(exact(data), version, binary, PACKET_LIMIT))
    if len(data) <= ORACLE_LIMIT:
        assert found == outcome(lambda: codec_oracle.decode_payload(data, version, binary, PACKET_LIMIT))
    if found != REFUSED:
        body = _codec.encode_payload(found, version, False)
        is_binary = version == 3 and any(isinstance(piece, bytes) for _, piece in found)
        assert _codec.decode_payload(body, version, is_binary) == found


def jsonp(data: bytes) -> None:
    """A form body in, a script out."""
    assert outcome(lambda: _codec.decode_jsonp(exact(data))) == outcome(lambda: codec_oracle.decode_jsonp(data))
    text = data.decode("utf-8", "replace")
    script = _codec.encode_jsonp(text.encode(), 3)
    literal = script.removeprefix(b"___eio[3](").removesuffix(b");")
    assert json.loads(literal) == text
    assert not set("<>\u2028\u2029") & set(literal.decode())


class Parsed:
    """What httptools says about a head."""

    def __init__(self, data: bytes) -> None:
        self.url = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.is_whole = False
        parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass
        self.method = parser.get_method()
        self.keep_alive = parser.should_keep_alive()
        self.version = parser.get_http_version()

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        self.is_whole = True


def head(data: bytes) -> None:
    """The head of a request: what the fast parser takes for ordinary, httptools reads in the same way."""
    found = _head.peek(data)
    if found is None:
        return
    method, path, query, length, closes, wants_upgrade, is_websocket, fields = found
    other = Parsed(data)  # must not refuse it
    assert other.is_whole and (other.method, other.version) == (method, "1.1")
    assert other.url in (path, path + b"?" + query), (other.url, path, query)
    assert [(name, value.strip(b" \t")) for name, value in other.fields] == fields, (other.fields, fields)
    lengths = [value for name, value in fields if name.lower() == b"content-length"]
    assert [length] == [int(value) for value in lengths] or (lengths, length) == ([], 0)
    words = [
        word.strip() for name, value in fields if name.lower() == b"connection" for word in value.lower().split(b",")
    ]
    assert closes == (b"close" in words) and wants_upgrade == (b"upgrade" in words)
    assert is_websocket == any(name.lower() == b"upgrade" and value.lower() == b"websocket" for name, value in fields)
    assert not {b"transfer-encoding", b"expect"} & {name.lower() for name, _ in fields}


def query(data: bytes) -> None:
    """A query: the parameters that we read are those that everybody else would."""
    if any(byte < 33 or byte > 126 for byte in data):
        return
    request = Request("GET", "/socket.io/", data, [])
    expected = urllib.parse.parse_qs(data.decode(), errors="replace")
    for name in ("EIO", "transport", "sid", "j", "b64", "t"):
        assert request.params(name) == expected.get(name, []), name
        assert request.param(name) == (expected.get(name) or [None])[0]


# --- Socket.IO


def socketio(data: bytes) -> None:
    """Texts and attachments, split at 0xFF: what follows 0x00 is binary."""
    frames = [piece[1:] if piece[:1] == b"\0" else piece.decode("utf-8", "replace") for piece in data.split(b"\xff")]
    found = outcome(lambda: _take_packets(frames))
    if _has_known_differences("".join(frame for frame in frames if isinstance(frame, str))):
        return
    expected = outcome(lambda: codec_oracle.decode_sio(frames))
    assert repr(found) == repr(expected), (found, expected)
    if found != REFUSED:
        for message in found:
            _written_again(message)


def _take_packets(frames: list[str | bytes]) -> list[tuple[int, str, int | None, Any]]:
    decoder = _codec.PacketDecoder(Json())
    got, message = [], None
    for frame in frames:
        text = frame.encode() if isinstance(frame, str) else frame
        message = (decoder.feed_text if isinstance(frame, str) else decoder.feed_binary)(exact(text))
        if message is not None:
            got.append((message.type, message.namespace, message.id, message.data))
    if message is None:
        raise ProtocolError("SIO_BAD_ATTACHMENTS", "attachments are missing")
    return got


def _has_known_differences(text: str) -> bool:
    """Lone surrogates are replaced, long integers refused, and depth is limited: not so in the oracle."""
    return "\\u" in text or re.search(r"\d{100}", text) is not None or max(text.count("["), text.count("{")) > 60


def _written_again(message: tuple[int, str, int | None, Any]) -> None:
    kind, namespace, number, data = message
    if kind not in (2, 3) or data is None or "nan" in repr(data).lower() or "inf" in repr(data).lower():
        return
    frames = _codec.encode_sio(Json(), kind, data, namespace, number)
    assert repr(_take_packets(frames)) == repr([message]), (frames, message)
