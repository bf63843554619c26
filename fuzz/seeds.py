"""What the fuzzers begin with: the wire vectors of `tests/vectors`, in the shape that each target reads.

May import: the frame writer of the oracle.
"""

import json
import random
import zlib
from pathlib import Path
from typing import Any

from tests.oracle.frames_oracle import BINARY, CLOSE, PING, TEXT, write_frame

VECTORS = Path(__file__).parent.parent / "tests" / "vectors"
# Longer vectors teach nothing more, and slow a fuzzer down.
MAX_SIZE = 600


def _vectors(stem: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / f"{stem}.json").read_text())["vectors"]
    return found


def _pieces(value: Any) -> list[bytes]:
    """Give every piece of wire data in a part of a vector (see the README of the vectors)."""
    if isinstance(value, list):
        return [piece for item in value for piece in _pieces(item)]
    if not isinstance(value, dict):
        return []
    if "utf8_hex" in value or "hex" in value:
        return [bytes.fromhex(value.get("utf8_hex", value.get("hex")))]
    if isinstance(value.get("text"), str):
        return [value["text"].encode("utf-8", "replace")]
    return [piece for item in value.values() for piece in _pieces(item)]


def _distinct(items: list[bytes]) -> list[bytes]:
    return sorted({item for item in items if len(item) <= MAX_SIZE})


def packets() -> list[bytes]:
    return _distinct(_pieces(_vectors("engineio_packets")) + _pieces(_vectors("engineio_malformed")))


def payloads() -> list[bytes]:
    return _distinct(_pieces(_vectors("engineio_payloads")) + _pieces(_vectors("engineio_malformed")))


def jsonp() -> list[bytes]:
    forms = [b"d=4hello", b"d=10%3A4a%5C%5Cnb%5Cnc", b"d=2%3A4%E2%82%AC+x", b"d=4a&x=1", b"d=4%zz"]
    return forms + _distinct(_pieces(_vectors("engineio_jsonp")))


def socketio() -> list[bytes]:
    """Frames joined by 0xFF, binary ones behind a 0x00."""
    found = []
    for vector in _vectors("socketio_packets") + _vectors("socketio_malformed"):
        frames = vector.get("frames") or vector.get("wire") or vector.get("input") or []
        texts = [b"" if "hex" not in frame or "text" in frame else b"\0" for frame in frames if isinstance(frame, dict)]
        found.append(b"\xff".join(mark + piece for mark, piece in zip(texts, _pieces(frames))))
    return _distinct(found)


def socketio_objects() -> list[bytes]:
    return _distinct([b"\x01\x02ab" + piece for piece in socketio()])


def jsons() -> list[bytes]:
    texts = [
        b'{"a":[1,-2.5e3,"\\u20ac",null,true]}',
        b"[NaN,1e400,12345678901234567890]",
        b'"\xf0\x9f\x98\x80"',
        b"[[[[]]]]",
    ]
    return texts + _distinct([piece[piece.find(b"[") :] for piece in socketio() if b"[" in piece])


def msgpack() -> list[bytes]:
    return _distinct(_pieces(_vectors("socketio_msgpack")))


def frames() -> list[bytes]:
    """Streams of frames behind the bytes that choose how they are read."""
    messages = packets()[:60]
    plain = [write_frame(TEXT, piece, key=b"\1\2\3\4") for piece in messages]
    streams = [*plain, b"".join(plain[:4]), write_frame(PING, b"hi") + write_frame(CLOSE, b"\x03\xe8bye")]
    streams.append(write_frame(TEXT, b"\xe2\x82", is_final=False) + write_frame(PING) + write_frame(0, b"\xac"))
    streams += [write_frame(BINARY, _deflate(piece, bits), rsv=4) for piece in messages[:20] for bits in (9, 15)]
    return [b"\1\5\7\x0b\0" + stream for stream in streams]


def _deflate(data: bytes, bits: int = 15) -> bytes:
    stream = zlib.compressobj(wbits=-bits)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def deflated() -> list[bytes]:
    found = [b"\2\1\1" + _deflate(data) for data in (b"", b"a", b"abc" * 50, bytes(1900), bytes(2100), *packets()[:30])]
    return [*found, b"\2\1\0\7" + _deflate(b"abcabc")[:7] + b"\1" + _deflate(b"abcabc")]


def extensions() -> list[bytes]:
    return [
        b"permessage-deflate",
        b"permessage-deflate; client_max_window_bits",
        b"permessage-deflate; client_max_window_bits=12; server_max_window_bits=9",
        b"x-webkit-deflate-frame, permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        b'permessage-deflate; client_max_window_bits="15", permessage-deflate',
    ]


def _requests() -> list[bytes]:
    found = []
    for vector in _vectors("http_exchanges"):
        for step in vector.get("steps", []):
            request = step.get("request") if isinstance(step, dict) else None
            if request:
                body = b"".join(_pieces(request.get("body"))) or str(request.get("body") or "").encode()
                headers = "".join(f"{name}: {value}\r\n" for name, value in (request.get("headers") or {}).items())
                path = request["path"].replace("engine.io", "socket.io")
                head = f"{request['method']} {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
                found.append(head.encode() + body)
    return _distinct(found)


def http() -> list[bytes]:
    upgrade = (
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    plain = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n"
    more = [
        plain,
        plain * 2,
        plain.replace(b"EIO=4", b"EIO=3&j=1"),
        plain.replace(b"1.1", b"1.0"),
        b"GET / HTTP/1.1\r\n\r\n",
    ]
    more += [upgrade + write_frame(TEXT, b"40") + write_frame(TEXT, b'42["x"]'), plain.replace(b"GET", b"OPTIONS")]
    return [b"\x09\x20" + request for request in more + _requests()]


def heads() -> list[bytes]:
    return _distinct([request[2:].partition(b"\r\n\r\n")[0] + b"\r\n\r\n" for request in http()])


def chunked() -> list[bytes]:
    bodies = [
        b"2\r\n40\r\n0\r\n\r\n",
        b"1\r\n4\r\n1\r\n1\r\n0\r\n\r\n",
        b"2;x=1\r\n40\r\n0\r\nT: x\r\n\r\n",
        b"0\r\n\r\n",
    ]
    return [b"\3\1" + body for body in bodies]


def queries() -> list[bytes]:
    found = [request.split(b" ")[1].partition(b"?")[2] for request in _requests()]
    return _distinct([*found, b"EIO=4&transport=polling&sid=a%20b+c", b"EIO=4&EIO=3&j=%00"])


def cluster() -> list[bytes]:
    return [
        b'{"method":"emit","event":"e","data":[1],"binary":false,"namespace":"/","room":"r","skip_sid":null,"callback":null,"host_id":"h"}',
        b'{"method":"emit","event":"e","data":[[{"_placeholder":true,"num":0}],"AQI="],"binary":true,"namespace":"/","room":["r","$0"],'
        b'"skip_sid":["$1"],"callback":["r","/",1],"host_id":"h","seq":3}',
        b'{"method":"callback","host_id":"h","sid":"s","namespace":"/","id":1,"args":[1,2]}',
        b'{"method":"disconnect","sid":"$0","namespace":"/","host_id":"h"}',
        b'{"method":"enter_room","sid":"$0","namespace":"/","room":"x","host_id":"h"}',
        b'{"method":"leave_room","sid":"$0","namespace":"/","room":"r","host_id":"h"}',
        b'{"method":"close_room","room":"r","namespace":"/","host_id":"h"}',
        b'{"method":"heartbeat","host_id":"h","seq":7}',
    ]


def node() -> list[bytes]:
    return [*cluster(), b"\xff".join(cluster()), b"\xff".join(reversed(cluster()))]


def redis() -> list[bytes]:
    message = b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5\r\nhello\r\n"
    return [b"\7\x21" + message * 2, b"\5\1>" + message[1:] + b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n" + message]


def conversations() -> list[bytes]:
    """Decisions of a session are bytes that mean nothing by themselves: some at random, always the same."""
    chance = random.Random(1)
    return [chance.randbytes(chance.randrange(20, 400)) for _ in range(60)]
