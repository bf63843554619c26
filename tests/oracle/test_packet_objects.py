"""Packets and payloads as objects: the same here as in python-socketio and python-engineio, input by input.

May import: both. What differs on purpose stands in its own tests at the end.
"""

from typing import Any

import engineio.packet
import engineio.payload
import pytest
import socketio.msgpack_packet
import socketio.packet

import fastsio.engineio.packet
import fastsio.engineio.payload
import fastsio.msgpack_packet
import fastsio.packet


def outcome(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Give the result, or the kind of error."""
    try:
        return function(*args, **kwargs)
    except Exception as exc:
        kind = ValueError if isinstance(exc, ValueError) else type(exc)
        return kind.__name__


def fields(packet: Any) -> Any:
    if isinstance(packet, str):
        return packet
    return packet.packet_type, packet.data, packet.namespace, packet.id, packet.attachment_count, packet.attachments


SIO_TEXTS = [
    "0", "0/", "0/foo", "0/foo,", '0/foo,{"a":1}', '0/foo?x=1,{"a":1}', "1", "1/foo,", '2["a"]', '212["a"]',
    '2/foo,12["a",1]', '2/foo["a"]', '2/a-b,["x"]', '25-["x"]', "2", "21", "31[]", '3/foo,5["x"]',
    '51-/foo,7["a",{"_placeholder":true,"num":0}]', '50-["a"]', '5["a"]', '7["a"]', "9", "x", "2[", '5-["a"]',
    '599999999999-["a"]', '5999999999-["a"]', f'2{"1" * 101}["a"]', f'2{"1" * 100}["a"]', '2["\u00e9",NaN]', "4/foo,\"m\"",
    f'2[{"9" * 101}]', "", "2-1[]", "2/a,b,[1]",
]  # fmt: skip


@pytest.mark.parametrize("text", SIO_TEXTS)
def test_socketio_decode(text: str):
    ours = outcome(fastsio.packet.Packet, encoded_packet=text)
    theirs = outcome(socketio.packet.Packet, encoded_packet=text)
    assert repr(fields(ours)) == repr(fields(theirs))


SIO_FIELDS: list[dict[str, Any]] = [
    {"packet_type": 0, "data": {"sid": "x"}},
    {"packet_type": 0, "data": {"sid": "x"}, "namespace": "/foo"},
    {"packet_type": 1},
    {"packet_type": 1, "namespace": "/foo"},
    {"data": ["a"]},
    {"data": ["a", None], "id": 0, "namespace": "/"},
    {"data": ["a", b"x"], "id": 3, "namespace": "/foo"},
    {"data": ["a", {"b": [b"x", bytearray(b"y"), {"c": b""}]}]},
    {"packet_type": 3, "data": [], "id": 1},
    {"packet_type": 3, "data": [b"x"], "id": 1},
    {"packet_type": 4, "data": "m", "namespace": "/foo"},
    {"packet_type": 0, "data": b"x"},
    {"packet_type": 1, "data": [b"x"]},
    {"data": ["a"], "binary": True},
    {"data": [b"a"], "binary": False},
    {"data": ["\u20ac", 2**70, float("inf"), (1, 2)]},
    {"data": [object()]},
]


@pytest.mark.parametrize("given", SIO_FIELDS, ids=repr)
def test_socketio_encode(given: dict[str, Any]):
    ours = outcome(lambda: fastsio.packet.Packet(**given).encode())
    assert ours == outcome(lambda: socketio.packet.Packet(**given).encode())


@pytest.mark.parametrize("packet_class", [fastsio.packet.Packet, socketio.packet.Packet])
def test_attachments_come_one_by_one(packet_class: Any):
    text = '52-["a",{"_placeholder":true,"num":1},[{"_placeholder":true,"num":0}]]'
    packet = packet_class(encoded_packet=text)
    assert not packet.add_attachment(b"first")
    assert packet.add_attachment(b"second")
    assert packet.data == ["a", b"second", [b"first"]]
    with pytest.raises(ValueError):
        packet.add_attachment(b"third")


@pytest.mark.parametrize("given", [field for field in SIO_FIELDS if field.get("packet_type") != 1], ids=repr)
def test_msgpack_both_ways(given: dict[str, Any]):
    ours = outcome(lambda: fastsio.msgpack_packet.MsgPackPacket(**given).encode())
    theirs = outcome(lambda: socketio.msgpack_packet.MsgPackPacket(**given).encode())
    if isinstance(theirs, str):
        assert ours == theirs
        return
    for packet_class in (fastsio.msgpack_packet.MsgPackPacket, socketio.msgpack_packet.MsgPackPacket):
        assert packet_class(encoded_packet=ours).data == packet_class(encoded_packet=theirs).data


@pytest.mark.parametrize("module", [fastsio.msgpack_packet, socketio.msgpack_packet])
def test_msgpack_with_hooks_of_the_application(module: Any):
    def write(value: Any) -> Any:
        return module.msgpack.ExtType(7, str(value.real).encode())

    configured = module.MsgPackPacket.configure(write, lambda code, data: (code, data))
    assert issubclass(configured, module.MsgPackPacket)
    encoded = configured(data=["a", 1j]).encode()
    assert configured(encoded_packet=encoded).data == ["a", (7, b"0.0")]
    assert module.MsgPackPacket.configure()(encoded_packet=encoded).data[1] == module.msgpack.ExtType(7, b"0.0")


EIO_TEXTS = [
    "0{}", "1", "2", "2probe", "3", "4", "4hello", '4{"a":1}', "4true", "4null", "4-1", "412", "41.5", "4 1", '4"q"',
    "b", "bAAE=", "bAAE", "5", "6", "", "x", "4[1", f'4{{"a":{"9" * 101}}}', b"", b"\x00\x01", bytearray(b"x"),
]  # fmt: skip


@pytest.mark.parametrize("text", EIO_TEXTS, ids=repr)
def test_engineio_decode(text: Any):
    def read(packet_class: Any) -> Any:
        packet = packet_class(encoded_packet=text)
        return packet.packet_type, packet.data, packet.binary

    assert outcome(read, fastsio.engineio.packet.Packet) == outcome(read, engineio.packet.Packet)


@pytest.mark.parametrize("type", range(7))
@pytest.mark.parametrize("data", [None, "", "x", b"x", bytearray(b"y"), {"a": 1}, [1], 5, True, 1.5], ids=repr)
@pytest.mark.parametrize("b64", [False, True])
def test_engineio_encode(type: int, data: Any, b64: bool):
    def write(packet_class: Any) -> Any:
        return packet_class(type, data).encode(b64=b64)

    assert outcome(write, fastsio.engineio.packet.Packet) == outcome(write, engineio.packet.Packet)


BODIES = ["", "4a", "4a\x1e2\x1ebAAE=", "4a\x1e", "\x1e", 'd=4"a%1e4b', "9", "4a\x1ebA"]


@pytest.mark.parametrize("body", BODIES, ids=repr)
def test_payloads_both_ways(body: str):
    def read(module: Any) -> Any:
        payload = module.Payload(encoded_payload=body)
        return [(packet.packet_type, packet.data) for packet in payload.packets], payload.encode()

    expected = outcome(read, engineio.payload)
    assert outcome(read, fastsio.engineio.payload) == (expected if body != "9" else "ValueError")


def test_the_limit_of_a_payload_is_live(monkeypatch: pytest.MonkeyPatch):
    for module in (engineio.payload, fastsio.engineio.payload):
        monkeypatch.setattr(module.Payload, "max_decode_packets", 2)
        assert len(module.Payload(encoded_payload="4a\x1e4b").packets) == 2
        with pytest.raises(ValueError, match="Too many packets"):
            module.Payload(encoded_payload="4a\x1e4b\x1e4c")


def test_jsonp_escapes_what_the_reference_does_not():
    packets = [fastsio.engineio.packet.Packet(4, 'a"\\')]
    assert fastsio.engineio.payload.Payload(packets).encode(jsonp_index=3) == '___eio[3]("4a\\"\\\\");'


def test_extension_types_of_javascript_are_read():
    date = bytes.fromhex("83a47479706502a46461746192a164d7000000018bcfe5687ba36e7370a12f")
    assert fastsio.msgpack_packet.MsgPackPacket(encoded_packet=date).data[1].year == 2023
