"""The codec's Python API: values, refusals with their codes, limits, and what a decoder does after an error.

The wire itself is pinned by `test_codec_vectors.py`, and searched by `tests/oracle`.
"""

import doctest
import gc
from collections import OrderedDict
from typing import Any

import pytest

from fastsio import _codec
from fastsio._codec import (
    PacketDecoder,
    SioMessage,
    decode_jsonp,
    decode_packet,
    decode_payload,
    encode_jsonp,
    encode_packet,
    encode_payload,
    encode_sio,
)
from fastsio.errors import CODES, ProtocolError
from fastsio.serial import CustomJson, Json

PLACEHOLDER = '{"_placeholder":true,"num":%s}'


def refusal(call: Any, *args: Any) -> str:
    """The code with which a call refuses its input."""
    with pytest.raises(ProtocolError) as caught:
        call(*args)
    assert caught.value.code in CODES
    return caught.value.code


def fields(message: SioMessage | None) -> tuple[int, str, int | None, Any]:
    assert message is not None
    return message.type, message.namespace, message.id, message.data


# --- Engine.IO packets


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((4, "hello"), "4hello"),
        ((4,), "4"),
        ((4, ""), "4"),
        ((2, "probe"), "2probe"),
        ((4, "\u20ac\U0001f600"), "4\u20ac\U0001f600"),
        ((4, b"\x01\x02"), b"\x01\x02"),
        ((4, b""), b""),
        ((4, b"\x01\x02", 4, True), "bAQI="),
        ((4, b"\x01\x02", 3), b"\x04\x01\x02"),
        ((4, b"", 3), b"\x04"),
        ((2, b"\x01", 3), b"\x02\x01"),
        ((4, b"\x01\x02", 3, True), "b4AQI="),
        ((4, bytearray(b"\x01")), b"\x01"),
        ((4, memoryview(b"abcdef")[::2]), b"ace"),
    ],
)
def test_encode_packet(args: tuple[Any, ...], message: str | bytes) -> None:
    got = encode_packet(*args)
    assert got == message
    assert type(got) is type(message)


def test_mutable_data_are_copied() -> None:
    data = bytearray(b"before")
    message = encode_packet(4, data)
    data[:] = b"after!"
    assert message == b"before"


@pytest.mark.parametrize("type", [-1, 7, 2**31])
def test_encode_packet_refuses_unknown_types(type: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        encode_packet(type, "x")
    with pytest.raises((ValueError, OverflowError)):
        encode_payload([(type, "x")])


def test_encode_packet_refuses_what_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="revision 5"):
        encode_packet(4, "x", 5)
    with pytest.raises(ValueError, match="only messages"):
        encode_packet(2, b"x")
    with pytest.raises(TypeError, match="not dict"):
        encode_packet(4, {})
    with pytest.raises(TypeError):
        encode_packet("4", "x")


@pytest.mark.parametrize(
    ("message", "version", "pair"),
    [
        ("4hello", 4, (4, "hello")),
        ("4", 4, (4, None)),
        ("2probe", 4, (2, "probe")),
        ("4\U0001f600", 3, (4, "\U0001f600")),
        ("bAQI=", 4, (4, b"\x01\x02")),
        ("b", 4, (4, b"")),
        ("b4AQI=", 3, (4, b"\x01\x02")),
        ("b2", 3, (2, b"")),
        (b"", 4, (4, b"")),
        (b"\x09", 4, (4, b"\x09")),
        (b"\x04", 3, (4, b"")),
        (b"\x02probe", 3, (2, b"probe")),
        (bytearray(b"\x04\x01"), 3, (4, b"\x01")),
    ],
)
def test_decode_packet(message: str | bytes, version: int, pair: tuple[int, str | bytes | None]) -> None:
    assert decode_packet(message, version) == pair


@pytest.mark.parametrize(
    ("message", "version", "code"),
    [
        ("", 4, "EIO_EMPTY_PACKET"),
        ("", 3, "EIO_EMPTY_PACKET"),
        (b"", 3, "EIO_EMPTY_PACKET"),
        ("7", 4, "EIO_BAD_TYPE"),
        ("\u0664", 4, "EIO_BAD_TYPE"),
        ("b", 3, "EIO_BAD_TYPE"),
        ("b7AQI=", 3, "EIO_BAD_TYPE"),
        (b"\x07", 3, "EIO_BAD_TYPE"),
        ("b=", 4, "EIO_BAD_BASE64"),
        ("bAQI", 4, "EIO_BAD_BASE64"),
        ("bAQJ=", 4, "EIO_BAD_BASE64"),
        ("bAR==", 4, "EIO_BAD_BASE64"),
        ("b====", 4, "EIO_BAD_BASE64"),
        ("bAQ==AQ==", 4, "EIO_BAD_BASE64"),
        ("bAQ-_", 4, "EIO_BAD_BASE64"),
        ("bAQ I", 4, "EIO_BAD_BASE64"),
        ("bAQ\u00e9=", 4, "EIO_BAD_BASE64"),
        ("b\ud800", 4, "EIO_BAD_BASE64"),
    ],
)
def test_decode_packet_refuses(message: str | bytes, version: int, code: str) -> None:
    assert refusal(decode_packet, message, version) == code


def test_every_size_of_base64_comes_back() -> None:
    for size in range(70):
        data = bytes(range(200, 200 + 56))[:size] + bytes(max(0, size - 56))
        assert decode_packet(encode_packet(4, data, 4, True)) == (4, data)


def test_decode_packet_refuses_other_values() -> None:
    with pytest.raises(TypeError):
        decode_packet(None)
    with pytest.raises(TypeError):
        decode_packet(4)
    with pytest.raises(ValueError, match="revision 2"):
        decode_packet("4", 2)


# --- Engine.IO payloads


def test_payloads_of_each_form() -> None:
    packets = [(4, "\u20ac"), (4, b"\x01\x02"), (6, None)]
    assert encode_payload(packets) == "4\u20ac\x1ebAQI=\x1e6".encode()
    assert encode_payload(packets, 3, True) == "2:4\u20ac6:b4AQI=1:6".encode()
    assert encode_payload(packets, 3) == b"\x00\x04\xff4\xe2\x82\xac\x01\x03\xff\x04\x01\x02\x00\x01\xff6"
    assert encode_payload([(4, "a")], 3) == b"2:4a"
    assert encode_payload(pair for pair in packets[:1]) == "4\u20ac".encode()


def test_probes_in_a_payload_are_pings_and_pongs() -> None:
    assert decode_payload(b"2probe\x1e3probe\x1e4probe") == [(2, "probe"), (3, "probe"), (4, "probe")]


def test_a_payload_of_nothing() -> None:
    assert encode_payload([]) == b""
    assert encode_payload([], 3) == b"0:"
    assert refusal(decode_payload, b"") == "EIO_EMPTY_PACKET"
    assert refusal(decode_payload, b"0:", 3) == "EIO_EMPTY_PACKET"


@pytest.mark.parametrize("packets", [[(4,)], [(4, "a", "b")], [4], [("4", "a")], [(4, 4)], None, 4])
def test_encode_payload_refuses_what_are_no_packets(packets: Any) -> None:
    for version in (3, 4):
        with pytest.raises((TypeError, ValueError)):
            encode_payload(packets, version)


def test_encode_payload_refuses_lone_surrogates() -> None:
    for version in (3, 4):
        with pytest.raises(UnicodeEncodeError):
            encode_payload([(4, "a"), (4, "\ud800")], version)


def test_payloads_larger_than_the_first_buffer() -> None:
    packets = [(4, "x" * size) for size in (1, 255, 256, 257, 100_000)] * 3
    for version in (3, 4):
        assert decode_payload(encode_payload(packets, version), version) == packets


@pytest.mark.parametrize(
    ("body", "version", "binary", "code"),
    [
        (b"\x1e", 4, False, "EIO_EMPTY_PACKET"),
        (b"4a\x1e", 4, False, "EIO_EMPTY_PACKET"),
        (b"\x1e4a", 4, False, "EIO_EMPTY_PACKET"),
        (b"4a\x1e\x1e4b", 4, False, "EIO_EMPTY_PACKET"),
        (b"4a\x1e7", 4, False, "EIO_BAD_TYPE"),
        (b"4a", 4, True, "EIO_BAD_TYPE"),
        (b"4\xff", 4, False, "EIO_BAD_UTF8"),
        (b"4a\x1ebAQ", 4, False, "EIO_BAD_BASE64"),
        (b":4", 3, False, "EIO_BAD_LENGTH"),
        (b"1", 3, False, "EIO_BAD_LENGTH"),
        (b"1:", 3, False, "EIO_BAD_LENGTH"),
        (b"01:4", 3, False, "EIO_BAD_LENGTH"),
        (b"123456789:4", 3, False, "EIO_BAD_LENGTH"),
        (b"99999999:4", 3, False, "EIO_BAD_LENGTH"),
        ("2:4\U0001f600".encode(), 3, False, "EIO_BAD_LENGTH"),
        ("\u0661:4".encode(), 3, False, "EIO_BAD_LENGTH"),
        (b"1:4\xc0", 3, False, "EIO_BAD_UTF8"),
        (b"\x00\xff", 3, True, "EIO_BAD_LENGTH"),
        (b"\x00\x00\xff", 3, True, "EIO_EMPTY_PACKET"),
        (b"\x00\x01", 3, True, "EIO_BAD_LENGTH"),
        (b"\x00\x02\xff4", 3, True, "EIO_BAD_LENGTH"),
        (b"\x00" + b"\x09" * 9 + b"\xff4", 3, True, "EIO_BAD_LENGTH"),
        (b"\x02\x01\xff4", 3, True, "EIO_BAD_TYPE"),
        (b"\x01\x01\xff\x07", 3, True, "EIO_BAD_TYPE"),
        (b"\x00\x02\xff4\xff", 3, True, "EIO_BAD_UTF8"),
        (b"\x00\x03\xffb4=", 3, True, "EIO_BAD_BASE64"),
    ],
)
def test_decode_payload_refuses(body: bytes, version: int, binary: bool, code: str) -> None:
    assert refusal(decode_payload, body, version, binary) == code


@pytest.mark.parametrize("version", [3, 4])
def test_the_limit_of_packets_is_inclusive(version: int) -> None:
    body = encode_payload([(4, "a")] * 5, version)
    assert len(decode_payload(body, version, limit=5)) == 5
    assert refusal(decode_payload, body, version, False, 4) == "EIO_TOO_MANY_PACKETS"
    assert refusal(decode_payload, body, version, False, 0) == "EIO_TOO_MANY_PACKETS"


def test_lengths_of_revision_3_count_as_javascript_does() -> None:
    for text in ("", "a", "\u00e9", "\u20ac", "\U0001f600", "12345678", "1234567\u20ac", "12345678\U0001f60090"):
        length = len(text.encode("utf-16-le")) // 2 + 1
        body = f"{length}:4{text}1:6".encode()
        assert encode_payload([(4, text), (6, None)], 3) == body
        assert decode_payload(body, 3) == [(4, text or None), (6, None)]


# Unicode 16, table 3-7: the edges of what is well-formed.
@pytest.mark.parametrize(
    "character",
    [b"\x7f", b"\xc2\x80", b"\xdf\xbf", b"\xe0\xa0\x80", b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbf"]
    + [b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf"]
    + [b"\x80", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80"]
    + [b"\xf5\x80\x80\x80", b"\xff", b"\xc2", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc2a", b"\xe2\x82a", b"\xf0\x9f\x98a"],
)
def test_utf8_is_judged_as_python_does(character: bytes) -> None:
    for before in range(10):
        for after in range(10):
            body = b"4" + b"a" * before + character + b"z" * after
            try:
                expected: Any = [(4, body[1:].decode())]
            except UnicodeDecodeError:
                assert refusal(decode_payload, body) == "EIO_BAD_UTF8"
            else:
                assert decode_payload(body) == expected


# --- JSONP


def test_encode_jsonp_escapes() -> None:
    payload = "\"\\\b\f\n\r\t\x00\x1f\x7f<>&'/\u2027\u2028\u2029\u202a\u20ac\u00e2".encode()
    body = encode_jsonp(payload, 12)
    escaped = r"\"\\\b\f\n\r\t\u0000\u001f" + "\x7f" + r"\u003c\u003e&'/"
    escaped += "\u2027" + r"\u2028\u2029" + "\u202a\u20ac\u00e2"
    assert body.decode() == f'___eio[12]("{escaped}");'


@pytest.mark.parametrize("index", [-1, 10_000_000_000])
def test_encode_jsonp_refuses_an_index_out_of_range(index: int) -> None:
    with pytest.raises(ValueError, match="ten digits"):
        encode_jsonp(b"", index)


def test_a_cut_separator_at_the_end_stays_as_it_is() -> None:
    assert encode_jsonp(b"\xe2\x80", 0) == b'___eio[0]("\xe2\x80");'


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (b"d=", b""),
        (b"d=6%3A4hello", b"6:4hello"),
        (b"d=a+b%2Bc", b"a b+c"),
        (b"d=%5Cn", b"\n"),
        (b"d=%5C%5Cn", b"\\n"),
        (b"d=%5C%5C%5Cn", b"\\\\n"),
        (b"d=%5Cx%5C", b"\\x\\"),
        (b"d=x=y", b"x=y"),
        (b"d=%C3%a9", b"\xc3\xa9"),
    ],
)
def test_decode_jsonp(body: bytes, payload: bytes) -> None:
    assert decode_jsonp(body) == payload


@pytest.mark.parametrize(
    "body", [b"", b"d", b"x=1", b"dd=1", b"d=1&d=2", b"d=1&x=2", b"d=%", b"d=%4", b"d=%zz", b"d=%4g"]
)
def test_decode_jsonp_refuses(body: bytes) -> None:
    assert refusal(decode_jsonp, body) == "EIO_BAD_JSONP"


# --- Socket.IO, outwards


@pytest.mark.parametrize(
    ("args", "frames"),
    [
        ((0,), ["0"]),
        ((0, {"sid": "x"}), ['0{"sid":"x"}']),
        ((1, None, "/foo"), ["1/foo,"]),
        ((2, ["a"]), ['2["a"]']),
        ((2, ["a", None], "/", 0), ['20["a",null]']),
        ((2, ["\u20ac"], "/\u00e9"), ['2/\u00e9,["\u20ac"]']),
        ((3, [], "/", 2**31), ["32147483648[]"]),
        ((3, [], "/foo", 2**70), ["3/foo,1180591620717411303424[]"]),
        ((4, "m", "/foo"), ['4/foo,"m"']),
        ((2, ["a", b"x"], "/foo", 3), ["51-/foo,3" + '["a",' + PLACEHOLDER % 0 + "]", b"x"]),
        ((3, [b"x"], "/", 1), ["61-1[" + PLACEHOLDER % 0 + "]", b"x"]),
        ((2, ["a", b"x"]), ['51-["a",' + PLACEHOLDER % 0 + "]", b"x"]),
    ],
)
def test_encode_sio(args: tuple[Any, ...], frames: list[str | bytes]) -> None:
    assert encode_sio(Json(), *args) == frames


def test_encode_sio_takes_many_attachments() -> None:
    frames = encode_sio(Json(), 2, ["a", *[b"x"] * 100], "/n", 7)
    assert frames[0].startswith('5100-/n,7["a",')
    assert frames[1:] == [b"x"] * 100


def test_encode_sio_refuses_what_cannot_be_sent() -> None:
    for type in (-1, 5, 6, 7):
        with pytest.raises(ValueError, match="packet type"):
            encode_sio(Json(), type, ["a"])
    with pytest.raises(ValueError, match="only events and acks"):
        encode_sio(Json(), 0, {"a": b"x"})
    with pytest.raises(TypeError):
        encode_sio(Json(), 2, ["a", object()])
    with pytest.raises(UnicodeEncodeError):
        encode_sio(Json(), 2, ["a"], "/\ud800")


# --- Socket.IO, inwards


@pytest.fixture
def decoder() -> PacketDecoder:
    return PacketDecoder(Json(), max_attachments=3, max_binary=10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", (0, "/", None, None)),
        ("0/", (0, "/", None, None)),
        ("0/,", (0, "/", None, None)),
        ("0/foo", (0, "/foo", None, None)),
        ("0/foo,", (0, "/foo", None, None)),
        ('0/foo?x=1,{"a":1}', (0, "/foo?x=1", None, {"a": 1})),
        ("0[]", (0, "/", None, [])),
        ("1/foo,", (1, "/foo", None, None)),
        ('2["a"]', (2, "/", None, ["a"])),
        ('20["a"]', (2, "/", 0, ["a"])),
        ('2007["a"]', (2, "/", 7, ["a"])),
        ('2000["a"]', (2, "/", 0, ["a"])),
        ('2/foo,12["a",1]', (2, "/foo", 12, ["a", 1])),
        ('2/a-b,["x"]', (2, "/a-b", None, ["x"])),
        ("2[1]", (2, "/", None, [1])),
        ("2", (2, "/", None, None)),
        ('2/foo["a"]', (2, '/foo["a"]', None, None)),
        ('2["error"]', (2, "/", None, ["error"])),
        ("2" + "9" * 100 + '["a"]', (2, "/", int("9" * 100), ["a"])),
        ("3999999999999999999[]", (3, "/", 999999999999999999, [])),
        ('4"m"', (4, "/", None, "m")),
        ('50-["a"]', (2, "/", None, ["a"])),
        ("60-5[]", (3, "/", 5, [])),
        ('2/\u20ac,["\U0001f600"]', (2, "/\u20ac", None, ["\U0001f600"])),
    ],
)
def test_text_packets(decoder: PacketDecoder, text: str, message: tuple[int, str, int | None, Any]) -> None:
    assert fields(decoder.feed_text(text)) == message
    assert fields(decoder.feed_text(text.encode())) == message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "SIO_EMPTY_PACKET"),
        ("7", "SIO_BAD_TYPE"),
        ("a", "SIO_BAD_TYPE"),
        ("2[]", "SIO_BAD_EVENT"),
        ("2[null]", "SIO_BAD_EVENT"),
        ("2[true]", "SIO_BAD_EVENT"),
        ("2[1.5]", "SIO_BAD_EVENT"),
        ("2[{}]", "SIO_BAD_EVENT"),
        *((f'2["{name}"]', "SIO_BAD_EVENT") for name in ("connect", "connect_error", "disconnect", "disconnecting")),
        *((f'2["{name}"]', "SIO_BAD_EVENT") for name in ("newListener", "removeListener")),
        ("51-[" + PLACEHOLDER % 0 + "]", "SIO_BAD_EVENT"),
        ("2{}", "SIO_BAD_DATA"),
        ('2"a"', "SIO_BAD_DATA"),
        ("2null", "SIO_BAD_DATA"),
        ("31{}", "SIO_BAD_DATA"),
        ("31", "SIO_BAD_DATA"),
        ("3[]", "SIO_BAD_ID"),
        ("1{}", "SIO_BAD_DATA"),
        ("1null", "SIO_BAD_DATA"),
        ('2["a"', "SIO_BAD_JSON"),
        ('25-["a"]', "SIO_BAD_JSON"),
        ('2["a"]x', "SIO_BAD_JSON"),
        ("2" + "[" * 100_000, "SIO_BAD_JSON"),
        ("2[" + "9" * 5_000 + "]", "SIO_BAD_JSON"),
        ("2" + "9" * 101 + '["a"]', "SIO_BAD_ID"),
        ("2/" + "a" * 256 + ',["a"]', "SIO_BAD_NAMESPACE"),
        ('5["a"]', "SIO_BAD_ATTACHMENTS"),
        ('5-["a"]', "SIO_BAD_ATTACHMENTS"),
        ("51", "SIO_BAD_ATTACHMENTS"),
        ('54-["a"]', "SIO_BAD_ATTACHMENTS"),
        ('59999999999-["a"]', "SIO_BAD_ATTACHMENTS"),
        ('599999999999-["a"]', "SIO_BAD_ATTACHMENTS"),
        ('50-["a",' + PLACEHOLDER % 0 + "]", "SIO_BAD_PLACEHOLDER"),
    ],
)
def test_text_packets_refused(decoder: PacketDecoder, text: str, code: str) -> None:
    assert refusal(decoder.feed_text, text) == code
    assert fields(decoder.feed_text('2["after"]')) == (2, "/", None, ["after"])


def test_a_namespace_of_256_bytes_is_the_longest(decoder: PacketDecoder) -> None:
    namespace = "/" + "a" * 255
    assert fields(decoder.feed_text(f'2{namespace},["a"]'))[1] == namespace


def test_known_namespaces_are_the_same_string(decoder: PacketDecoder) -> None:
    first, second = decoder.feed_text('2/foo,["a"]'), decoder.feed_text('2/foo,["b"]')
    assert first.namespace is second.namespace


def test_namespaces_beyond_the_table_are_still_read(decoder: PacketDecoder) -> None:
    for i in range(200):
        assert fields(decoder.feed_text(f'2/{i},["a"]'))[1] == f"/{i}"
        assert fields(decoder.feed_text(f'2/{i},["a"]'))[1] == f"/{i}"


def test_text_must_be_utf8(decoder: PacketDecoder) -> None:
    assert refusal(decoder.feed_text, b'2["\xff"]') == "EIO_BAD_UTF8"
    assert refusal(decoder.feed_text, '2["\ud800"]') == "EIO_BAD_UTF8"
    with pytest.raises(TypeError):
        decoder.feed_text(2)


def test_attachments_go_where_their_placeholders_are(decoder: PacketDecoder) -> None:
    data = f'["a",{PLACEHOLDER % 1},[{{"x":{PLACEHOLDER % 0}}},{PLACEHOLDER % 1}],{{"_placeholder":1,"num":0}}]'
    assert decoder.feed_text("52-/foo,7" + data) is None
    assert decoder.feed_binary(b"zero") is None
    message = decoder.feed_binary(bytearray(b"one"))
    assert fields(message) == (2, "/foo", 7, ["a", b"one", [{"x": b"zero"}, b"one"], {"_placeholder": 1, "num": 0}])


@pytest.mark.parametrize("number", ["1", "-1", '"0"', "0.0", "false", "null", str(2**70), "[]"])
def test_placeholders_that_name_no_attachment(decoder: PacketDecoder, number: str) -> None:
    decoder.feed_text(f'51-["a",{PLACEHOLDER % number}]')
    assert refusal(decoder.feed_binary, b"x") == "SIO_BAD_PLACEHOLDER"
    assert fields(decoder.feed_text('2["after"]')) == (2, "/", None, ["after"])


def test_a_placeholder_without_number(decoder: PacketDecoder) -> None:
    decoder.feed_text('51-["a",{"_placeholder":true}]')
    assert refusal(decoder.feed_binary, b"x") == "SIO_BAD_PLACEHOLDER"


def test_placeholders_deep_down(decoder: PacketDecoder) -> None:
    depth = 400
    decoder.feed_text("51-" + '["a",' + "[" * depth + PLACEHOLDER % 0 + "]" * depth + "]")
    value = decoder.feed_binary(b"x").data[1]
    for _ in range(depth):
        (value,) = value
    assert value == b"x"


class Nested:
    """A serializer whose data are nested far deeper than JSON readers allow."""

    def decode(self, data: bytes) -> Any:
        value: list[Any] = []
        for _ in range(100_000):
            value = [value]
        return ["a", value]


def test_data_nested_too_deeply_for_the_search() -> None:
    decoder = PacketDecoder(Nested())
    decoder.feed_text("51-[]")
    assert refusal(decoder.feed_binary, b"x") == "SIO_BAD_DATA"


def test_dictionary_subclasses_keep_their_type() -> None:
    class Ordered:
        def decode(self, data: bytes) -> Any:
            return ["a", OrderedDict(b={"_placeholder": True, "num": 0}, a=1)]

    decoder = PacketDecoder(Ordered())
    decoder.feed_text("51-[]")
    (_, value) = decoder.feed_binary(b"x").data
    assert value == OrderedDict(b=b"x", a=1)
    assert type(value) is OrderedDict


def test_messages_out_of_order(decoder: PacketDecoder) -> None:
    assert refusal(decoder.feed_binary, b"x") == "SIO_STRAY_ATTACHMENT"
    decoder.feed_text(f'51-["a",{PLACEHOLDER % 0}]')
    assert refusal(decoder.feed_text, '2["b"]') == "SIO_TEXT_FOR_ATTACHMENT"
    assert refusal(decoder.feed_binary, b"x") == "SIO_STRAY_ATTACHMENT"
    assert fields(decoder.feed_text('2["b"]')) == (2, "/", None, ["b"])


def test_the_limit_of_binary_counts_all_attachments_of_a_packet(decoder: PacketDecoder) -> None:
    for _ in range(2):  # exactly the limit, twice: it counts anew for each packet
        decoder.feed_text('52-["a"]')
        decoder.feed_binary(b"123456")
        assert fields(decoder.feed_binary(b"7890")) == (2, "/", None, ["a"])
    decoder.feed_text('52-["a"]')
    decoder.feed_binary(b"123456")
    assert refusal(decoder.feed_binary, b"78901") == "SIO_BAD_ATTACHMENTS"
    assert refusal(decoder.feed_binary, b"x") == "SIO_STRAY_ATTACHMENT"


def test_whatever_a_json_module_raises_is_a_protocol_error() -> None:
    class Strange:
        def loads(self, text: str) -> Any:
            raise LookupError(text)

    decoder = PacketDecoder(CustomJson(Strange()))
    with pytest.raises(ProtocolError) as caught:
        decoder.feed_text('2["a"]')
    assert caught.value.code == "SIO_BAD_JSON"
    assert isinstance(caught.value.__cause__, LookupError)


def test_messages_can_be_made_and_shown() -> None:
    message = SioMessage(2, "/foo", 7, ["a"])
    assert fields(message) == (2, "/foo", 7, ["a"])
    assert repr(message) == "SioMessage(2, '/foo', 7, ['a'])"
    with pytest.raises(AttributeError):
        message.type = 3


def test_messages_in_their_own_data_are_collected(decoder: PacketDecoder) -> None:
    class Witness:
        alive = 0

        def __init__(self) -> None:
            Witness.alive += 1

        def __del__(self) -> None:
            Witness.alive -= 1

    message = decoder.feed_text('2["a"]')
    message.data.extend([message, Witness()])
    del message
    gc.collect()
    assert Witness.alive == 0


# --- what the documentation says


@pytest.mark.parametrize(
    "name",
    ["encode_packet", "decode_packet", "encode_payload", "decode_payload", "encode_jsonp", "decode_jsonp"]
    + ["encode_sio"],
)
def test_the_example_in_the_documentation(name: str) -> None:
    function = getattr(_codec, name)
    test = doctest.DocTestParser().get_doctest(function.__doc__, vars(_codec) | {"Json": Json}, name, None, None)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0
