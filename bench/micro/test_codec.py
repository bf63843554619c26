"""The codec against python-engineio and python-socketio, in one process: `python -m pytest bench/micro`.

May import: `fastsio._codec`, `fastsio.serial`, and the two libraries as baseline. Touches no socket and no loop.
Each benchmark checks what it computed, so that nobody wins by doing less. Without the compiled codec its half fails,
loudly: nothing here is skipped. Compare within a group only, and by the minimum.
"""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from engineio.payload import Payload
from socketio.packet import EVENT
from socketio.packet import Packet as SocketPacket

TEXT = "x" * 32
VALUE = {"id": 12345, "user": "ada", "text": "hello, world", "tags": ["a", "b", "c"], "ratio": 0.25, "ok": True}
EVENT_DATA = ["chat message", VALUE]
EVENT_JSON = (
    '["chat message",{"id":12345,"user":"ada","text":"hello, world","tags":["a","b","c"],"ratio":0.25,"ok":true}]'
)
ATTACHMENTS = [bytes(64), bytes(range(64)), b"\xff" * 64]
BINARY_DATA = ["upload", {"name": "three", "parts": ATTACHMENTS}]
BINARY_HEAD = (
    '53-["upload",{"name":"three","parts":[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},'
    '{"_placeholder":true,"num":2}]}]'
)
BODY = b"\x1e".join([b"4" + TEXT.encode()] * 16)


def as_text(encoded: str | bytes | list[str | bytes]) -> str:
    """Text, whatever it was given as: alone or in a list of one, as str or as UTF-8."""
    if isinstance(encoded, list):
        (encoded,) = encoded
    return encoded if isinstance(encoded, str) else encoded.decode()


class Baseline:
    """The operations as python-engineio and python-socketio do them."""

    def encode_packet(self) -> Any:
        return EnginePacket(MESSAGE, TEXT).encode()

    def decode_packet(self) -> tuple[int, Any]:
        packet = EnginePacket(encoded_packet="4" + TEXT)
        return packet.packet_type, packet.data

    def encode_payload(self) -> Any:
        return Payload(packets=[EnginePacket(MESSAGE, TEXT) for _ in range(16)]).encode()

    def decode_payload(self) -> list[tuple[int, Any]]:
        return [(packet.packet_type, packet.data) for packet in Payload(encoded_payload=BODY.decode()).packets]

    def encode_event(self) -> Any:
        return SocketPacket(EVENT, data=EVENT_DATA).encode()

    def decode_event(self) -> Any:
        return SocketPacket(encoded_packet="2" + EVENT_JSON).data

    def encode_binary_event(self) -> Any:
        return SocketPacket(EVENT, data=BINARY_DATA).encode()

    def decode_binary_event(self) -> Any:
        packet = SocketPacket(encoded_packet=BINARY_HEAD)
        for attachment in ATTACHMENTS:
            packet.add_attachment(attachment)
        return packet.data


class Compiled:
    """The operations as fastsio does them, through the Python face of the compiled codec.

    Bound beforehand where possible: a Python function around a call of 100 ns would be half of what is measured.
    """

    def __init__(self) -> None:
        codec: Any = importlib.import_module("fastsio._codec")
        json = importlib.import_module("fastsio.serial").Json()
        self.decoder = codec.PacketDecoder(json)
        self.encode_packet = partial(codec.encode_packet, MESSAGE, TEXT)
        self.decode_packet = partial(codec.decode_packet, "4" + TEXT)
        self.encode_payload = partial(codec.encode_payload, [(MESSAGE, TEXT)] * 16)
        self.decode_payload = partial(codec.decode_payload, BODY)
        self.encode_event = partial(codec.encode_sio, json, EVENT, EVENT_DATA)
        self.encode_binary_event = partial(codec.encode_sio, json, EVENT, BINARY_DATA)

    def decode_event(self) -> Any:
        return self.decoder.feed_text("2" + EVENT_JSON).data

    def decode_binary_event(self) -> Any:
        self.decoder.feed_text(BINARY_HEAD)
        for attachment in ATTACHMENTS[:-1]:
            self.decoder.feed_binary(attachment)
        return self.decoder.feed_binary(ATTACHMENTS[-1]).data


@pytest.fixture(params=[Baseline, Compiled], ids=["baseline", "fastsio"])
def codec(request: pytest.FixtureRequest) -> Any:
    """One of the two implementations."""
    return request.param()


def is_message(result: Any) -> bool:
    return tuple(result)[:2] == (MESSAGE, TEXT)


# Operation -> whether its result is right.
OPERATIONS: dict[str, Callable[[Any], bool]] = {
    "encode_packet": lambda result: as_text(result) == "4" + TEXT,
    "decode_packet": is_message,
    "encode_payload": lambda result: as_text(result) == BODY.decode(),
    "decode_payload": lambda result: len(result) == 16 and all(map(is_message, result)),
    "encode_event": lambda result: as_text(result) == "2" + EVENT_JSON,
    "decode_event": lambda result: result == EVENT_DATA,
    "encode_binary_event": lambda result: [as_text(result[0]), *result[1:]] == [BINARY_HEAD, *ATTACHMENTS],
    "decode_binary_event": lambda result: result == BINARY_DATA,
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_codec(benchmark: Any, codec: Any, operation: str) -> None:
    benchmark.group = operation
    assert OPERATIONS[operation](benchmark(getattr(codec, operation)))
