"""The list of what is fuzzed: name, function, where its seeds come from, words that its inputs are made of.

May import: `seeds`; the modules of the targets only when one is asked for, since they load fastsio.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from fuzz import seeds

PACKET_WORDS = [
    "2probe",
    "3probe",
    "bAQ==",
    "b4",
    "\x1e",
    "40",
    "41",
    "42[",
    "43",
    "44",
    "451-",
    "461-",
    "/a,",
    "/a?x=1,",
]
JSON_WORDS = [
    '["',
    '"]',
    "{}",
    "[]",
    '{"_placeholder":true,"num":0}',
    "null",
    "true",
    "NaN",
    "Infinity",
    "1e400",
    "\\ud800",
]
HTTP_WORDS = [
    "GET ", "POST ", "OPTIONS ", "/socket.io/?EIO=4", "&transport=polling", "&transport=websocket", "&sid=", "EIO=3", "&j=0",
    " HTTP/1.1\r\n", "\r\n\r\n", "Host: x\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "Upgrade: websocket\r\n",
    "Connection: Upgrade\r\n", "Connection: close\r\n", "Sec-WebSocket-Version: 13\r\n", "Expect: 100-continue\r\n",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Sec-WebSocket-Extensions: ", "Origin: http://x\r\n",
    "Accept-Encoding: gzip\r\n", "0\r\n\r\n",
]  # fmt: skip
EXTENSION_WORDS = [
    "permessage-deflate", "; ", ", ", "server_no_context_takeover", "client_no_context_takeover", "=",
    "client_max_window_bits", "server_max_window_bits", "9", "15", '"', "\\",
]  # fmt: skip
REDIS_WORDS = [
    "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$",
    ">3\r\n",
    ":1\r\n",
    "+OK\r\n",
    "-ERR x\r\n",
    "$-1\r\n",
    "*0\r\n",
    "$5\r\nhello\r\n",
]
CLUSTER_WORDS = [
    '{"method":"emit"', '"event":"e"', '"data":[', '"binary":true', '"namespace":"/"', '"room":null', '"skip_sid":', '"callback":[',
    '"host_id":"h"', '{"method":"callback"', '"sid":"s"', '"id":1', '"args":[', '{"method":"disconnect"', "enter_room",
    "leave_room", "close_room", "heartbeat", '"seq":1', '"_placeholder":true', '"num":0',
]  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One thing to fuzz.

    Args:
        path: module and function.
        seeds: gives inputs to begin with.
        words: what inputs are made of; a character is a byte.
        max_length: bytes of an input.
        weight: its share of the time.
    """

    path: str
    seeds: Callable[[], list[bytes]]
    words: list[str]
    max_length: int = 2048
    weight: int = 1

    @property
    def function(self) -> Callable[[bytes], None]:
        module, name = self.path.split(".")
        found: Callable[[bytes], None] = getattr(import_module(f"fuzz.{module}"), name)
        return found


TARGETS = {
    "http": Target("sessions.http", seeds.http, HTTP_WORDS),
    "head": Target("decoders.head", seeds.heads, HTTP_WORDS, 1024),
    "chunked": Target(
        "sessions.chunked",
        seeds.chunked,
        ["\r\n", "0\r\n\r\n", "5\r\n", "4hello", "fffffffff\r\n", ";x=1", "Trailer: x\r\n"],
    ),
    "query": Target(
        "decoders.query", seeds.queries, ["EIO=", "&transport=", "&sid=", "&j=", "&b64=1", "%", "+", "%00", "%ff", ";"]
    ),
    "websocket": Target(
        "decoders.websocket", seeds.frames, ["\x81\x80", "\x82\x80", "\xfe", "\xff", "\x88\x82\x03\xe8"], weight=2
    ),
    "inflate": Target("decoders.inflate", seeds.deflated, ["\x00\x00\xff\xff", "\x03\x00", "\x00"]),
    "extensions": Target("decoders.extensions", seeds.extensions, EXTENSION_WORDS, 512),
    "packet": Target("decoders.packet", seeds.packets, PACKET_WORDS, 512),
    "base64": Target("decoders.base64", seeds.packets, ["AQ==", "AR==", "=", "+/", "-_"], 512),
    "payload_v4": Target("decoders.payload_v4", seeds.payloads, PACKET_WORDS),
    "payload_v3": Target("decoders.payload_v3", seeds.payloads, [*PACKET_WORDS, "2:4a", "1:6", "6:b4AQ=="]),
    "payload_v3_binary": Target(
        "decoders.payload_v3_binary", seeds.payloads, ["\x00\x02\xff4a", "\x01\x02\xff\x04", "\x09", "\xff"]
    ),
    "jsonp": Target("decoders.jsonp", seeds.jsonp, ["d=", "%5C", "\\n", "\\\\n", "%", "+", "&"]),
    "socketio": Target("decoders.socketio", seeds.socketio, [*PACKET_WORDS, *JSON_WORDS, "\xff", "\xff\x00"], weight=2),
    "socketio_object": Target("values.socketio_object", seeds.socketio_objects, [*PACKET_WORDS, *JSON_WORDS]),
    "json": Target("values.json", seeds.jsons, JSON_WORDS),
    "msgpack": Target(
        "values.msgpack",
        seeds.msgpack,
        ["\x84", "\xa4type", "\x02", "\xa3nsp", "\xa1/", "\xa4data", "\x93", "\xc4", "\xdd"],
    ),
    "cluster": Target("values.cluster", seeds.cluster, CLUSTER_WORDS),
    "node": Target("nodes.node", seeds.node, CLUSTER_WORDS),
    "redis": Target("values.redis", seeds.redis, REDIS_WORDS),
    "session": Target("sessions.session", seeds.conversations, [], 600, weight=4),
    "packed_session": Target("sessions.packed_session", seeds.conversations, [], 600),
}


def dictionary(words: list[str]) -> str:
    """Give words as a dictionary of libFuzzer."""
    return "".join('"' + "".join(f"\\x{ord(letter):02x}" for letter in word) + '"\n' for word in words)
