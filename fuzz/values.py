"""Targets: what values are read from, beside the packets: JSON, MessagePack, the messages of a cluster, Redis.

May import: `serial`, `cluster`, `source`.
"""

import json as standard_json
import math
import re
from typing import Any

from fastsio.cluster import reading, resp
from fastsio.cluster.reading import MalformedError
from fastsio.errors import ProtocolError
from fastsio.hub.packers import ClassPacker, MsgPackPacker
from fastsio.packet import Packet
from fastsio.serial import MAX_INTEGER_DIGITS, Json, MsgPack
from fuzz.source import Source, cut


def json(data: bytes) -> None:
    """JSON: what the fast library and the standard one make of it is the same."""
    try:
        found = Json().decode(data)
    except ValueError:
        found = ValueError
    if b"\\u" in data or re.search(rb"\d{%d}" % MAX_INTEGER_DIGITS, data):
        return
    try:
        expected = standard_json.loads(data.decode())
    except (ValueError, RecursionError):
        expected = ValueError
    assert repr(found) == repr(expected), (found, expected)
    if found is not ValueError and not _has_odd_floats(found):
        text, attachments = Json().encode(found)
        assert not attachments and repr(Json().decode(text)) == repr(found)


def _has_odd_floats(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, list):
        return any(map(_has_odd_floats, value))
    return isinstance(value, dict) and any(map(_has_odd_floats, value.values()))


def msgpack(data: bytes) -> None:
    """MessagePack: a map, or a ValueError; a packet, or a ProtocolError."""
    packer = MsgPack()
    try:
        assert isinstance(packer.decode(data), dict)
    except ValueError:
        pass
    try:
        message = MsgPackPacker(packer).feed(data)
    except ProtocolError:
        return
    assert 0 <= message.type <= 4 and isinstance(message.namespace, str)


class Class(Packet):
    """A packet class of an application."""


def socketio_object(data: bytes) -> None:
    """Packets read by a class of the application: whatever it makes of them, the session hears of a ProtocolError."""
    source = Source(data)
    reader = ClassPacker(Class).reader(3, 100)
    attachments = [source.piece() for _ in range(source.below(4))]
    try:
        message = reader.feed(source.rest().decode("utf-8", "replace"))
        for attachment in attachments:
            if message is None:
                message = reader.feed(attachment)
    except ProtocolError:
        return
    if message is not None:
        ClassPacker(Class).encode(message.type, message.namespace, message.id, message.data)


def cluster(data: bytes) -> None:
    """A message of a cluster: every field is right, or refused with MalformedError."""
    message = reading.read(data)
    if message is None:
        return
    assert isinstance(message.method, str)
    for read in (
        reading.target, reading.room, reading.event, reading.packet_arguments, reading.data, reading.callback_owner,
        reading.answer, reading.client,
    ):  # fmt: skip
        try:
            read(message)
        except MalformedError:
            pass


def redis(data: bytes) -> None:
    """What Redis says on a subscription: the same messages, however it is cut."""
    source = Source(data)
    places = [source.byte(), source.byte()]
    stream = source.rest()
    heads = resp.message_heads("c")
    results = []
    for pieces in ([stream], cut(stream, places)):
        buffer, messages, others, error = b"", [], [], False
        for piece in pieces:
            buffer += piece
            try:
                buffer = buffer[resp.take_messages(buffer, heads, messages, others) :]
            except (resp.UnexpectedReplyError, ValueError):
                error = True
                break
        results.append((messages, others, error))
    assert results[0] == results[1], results
