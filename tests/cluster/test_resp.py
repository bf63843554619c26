"""Reading what Redis sends: whole, in pieces cut anywhere, and when it is something else."""

import asyncio

import pytest

from fastsio.cluster.link import subscription
from fastsio.cluster.resp import UnexpectedReplyError

MESSAGES = [b"", b"x", b"two\r\nlines", b"\x00\xff" * 300, b'{"method": "emit"}']


def wire(kind: bytes) -> bytes:
    parts = [kind + b"3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n", b"+PONG\r\n", b"$-1\r\n"]
    for message in MESSAGES:
        parts.append(kind + b"3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$%d\r\n%b\r\n" % (len(message), message))
        parts.append(kind + b"3\r\n$7\r\nmessage\r\n$5\r\nother\r\n$1\r\nx\r\n")
    return b"".join(parts)


@pytest.mark.parametrize("kind", [b"*", b">"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
async def test_in_pieces(kind: bytes, size: int):
    reader = asyncio.StreamReader()
    heard = []

    async def listen() -> None:
        async for batch in subscription(reader, "ch", lambda: None):
            heard.extend(batch)

    task = asyncio.create_task(listen())
    data = wire(kind)
    for at in range(0, len(data), size):
        reader.feed_data(data[at : at + size])
        await asyncio.sleep(0)
    reader.feed_eof()
    with pytest.raises(ConnectionError):
        await task
    assert heard == MESSAGES


@pytest.mark.parametrize("data", [b"!5\r\nerror\r\n", b"hello\r\n", b"*x\r\n", b"$y\r\n"])
async def test_what_is_not_redis_ends_the_subscription(data: bytes):
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    with pytest.raises((UnexpectedReplyError, ValueError)):
        async for _ in subscription(reader, "ch", lambda: None):
            pass


async def test_what_came_before_it_is_heard():
    reader = asyncio.StreamReader()
    reader.feed_data(wire(b"*") + b"hello\r\n")
    heard = []
    with pytest.raises(UnexpectedReplyError):
        async for batch in subscription(reader, "ch", lambda: None):
            heard.extend(batch)
    assert heard == MESSAGES
