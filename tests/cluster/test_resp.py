"""Reading what Redis sends: whole, in pieces cut anywhere, and when it is something else."""

import asyncio

import pytest

from fastsio.cluster import resp
from fastsio.cluster.link import subscription
from fastsio.cluster.resp import ErrorReply, UnexpectedReplyError

MESSAGES = [b"", b"x", b"two\r\nlines", b"\x00\xff" * 300, b'{"method": "emit"}']
HEAD = b"*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$"


def wire(kind: bytes) -> bytes:
    parts = [
        kind + b"3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n",
        b"+PONG\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"_\r\n",
        b"#t\r\n",
    ]
    for message in MESSAGES:
        parts.append(kind + b"3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$%d\r\n%b\r\n" % (len(message), message))
        parts.append(kind + b"3\r\n$7\r\nmessage\r\n$5\r\nother\r\n$1\r\nx\r\n")
        parts.append(b"%2\r\n+key\r\n,1.5\r\n+list\r\n~2\r\n:1\r\n=7\r\ntxt:abc\r\n")
    return b"".join(parts)


async def hear(data: bytes, size: int = 100_000) -> tuple[list[bytes], int, BaseException]:
    """Read `data`, in pieces of a size; give the messages, how often a subscription was confirmed, and the end."""
    reader = asyncio.StreamReader()
    heard: list[bytes] = []
    confirmed: list[None] = []

    async def listen() -> None:
        async for batch in subscription(reader, "ch", lambda: confirmed.append(None)):
            heard.extend(batch)

    task = asyncio.create_task(listen())
    for at in range(0, len(data), size):
        reader.feed_data(data[at : at + size])
        await asyncio.sleep(0)
    reader.feed_eof()
    async with asyncio.timeout(5):
        with pytest.raises((ConnectionError, ValueError)) as caught:
            await task
    return heard, len(confirmed), caught.value


@pytest.mark.parametrize("kind", [b"*", b">"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
async def test_in_pieces(kind: bytes, size: int):
    heard, confirmed, end = await hear(wire(kind), size)
    assert heard == MESSAGES
    assert confirmed == 1
    assert "closed" in str(end)


NOT_REDIS = [
    b"hello\r\n",
    b"*x\r\n",
    b"$y\r\n",
    b"*1\r\n" * 9 + b":1\r\n",
    b"*1\r\n" * 100_000,
    b"*99999999\r\n",
    b"$-2\r\n",
    b"$999999999999\r\n",
    b":" + b"1" * 70_000,
    b"*99\r\n" + b"$30000\r\n%b\r\n" % (b"x" * 30_000) * 9,
    HEAD + b"x\r\n",
    HEAD + b"-1\r\n",
    HEAD + b"-20\r\n" + b"x" * 40,  # would be read again and again
    HEAD + b"999999999999999\r\n",
    HEAD + b"9" * 30,
]


@pytest.mark.parametrize("data", NOT_REDIS, ids=lambda data: repr(data[:40]))
@pytest.mark.parametrize("size", [1000, 100_000])
async def test_what_is_not_redis_ends_the_subscription(data: bytes, size: int):
    heard, _, end = await hear(data, size)
    assert heard == [] and "closed" not in str(end)


async def test_what_came_before_it_is_heard():
    heard, _, end = await hear(wire(b"*") + b"hello\r\n")
    assert heard == MESSAGES and isinstance(end, UnexpectedReplyError)


@pytest.mark.parametrize(
    "text", ["NOPERM No permissions to access a channel", "LOADING", "NOAUTH Authentication required."]
)
async def test_an_error_is_the_cause_of_the_end(text: str):
    heard, _, end = await hear(b"-%b\r\n" % text.encode())
    assert str(end) == text


async def test_a_confirmation_is_not_an_error_of_another_kind():
    heard, confirmed, _ = await hear(b"*3\r\n$11\r\nunsubscribe\r\n$2\r\nch\r\n:0\r\n")
    assert (heard, confirmed) == ([], 0)


@pytest.mark.parametrize(
    "data, value",
    [
        (b"$3\r\nabc\r\n", b"abc"),
        (b"$0\r\n\r\n", b""),
        (b"!5\r\nERR x\r\n", "ERR x"),
        (b"*2\r\n*1\r\n:1\r\n_\r\n", [[b"1"], b""]),
        (b"(12345678901234567890\r\n", b"12345678901234567890"),
    ],
)
def test_elements(data: bytes, value: object):
    assert resp.element(data, 0) == (value, len(data))
    for end in range(len(data)):
        assert resp.element(data[:end], 0) is None
    assert isinstance(value, str) == isinstance(resp.element(data, 0)[0], ErrorReply)  # type: ignore[index]
