"""Publishing to a Redis that is not well: what it answers is a script of the test, over a real connection.

What must hold: nobody waits for ever, nothing grows without bound, and it is known which messages were taken.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fastsio.cluster.link import Publisher
from fastsio.cluster.outgoing import PartlySentError
from fastsio.cluster.resp import UnexpectedReplyError


@asynccontextmanager
async def publisher(*answers: bytes, then_closes: bool = False) -> AsyncIterator[Publisher]:
    """Give a publisher whose Redis gives these answers, with a pause between them, to the first thing it is told."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        for piece in answers:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        if not then_closes:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        async with asyncio.timeout(5):
            yield Publisher(reader, writer, "ch")
    finally:
        writer.close()
        server.close()


THREE = [b"1", b"2", b"3"]
PUSH = b">4\r\n+MOVING\r\n:1\r\n:15\r\n$9\r\nhost:6379\r\n"
TAKEN: list[list[bytes]] = [
    [b":1\r\n:0\r\n:999\r\n"],
    [b":1\r\n", b":0\r\n", b":2\r\n"],
    [b":", b"1", b"2\r", b"\n:", b"3\r\n:4\r", b"\n"],
    [PUSH + b":1\r\n" + PUSH + b":1\r\n:1\r\n"],
    [PUSH[:7], PUSH[7:] + b":1\r\n:1\r\n", b":1\r\n"],
]


@pytest.mark.parametrize("answers", TAKEN, ids=repr)
async def test_answers_in_pieces_and_pushes_between_them(answers: list[bytes]):
    async with publisher(*answers) as link:
        await link.publish(THREE)
        assert not link.is_closed


# answers -> how many were taken, whether the next message may be the reason, and a word of the reason
REFUSED: list[tuple[list[bytes], int, bool, str]] = [
    ([b":1\r\n-NOPERM this user has no permissions\r\n"], 1, False, "NOPERM"),
    ([b"-NOAUTH Authentication required.\r\n" * 3], 0, False, "NOAUTH"),
    ([b"-LOADING Redis is loading the dataset in memory\r\n"], 0, False, "LOADING"),
    ([b"-READONLY You can't write against a read only replica.\r\n"], 0, False, "READONLY"),
    ([b":1\r\n:1\r\n-MOVED 3999 127.0.0.1:6381\r\n"], 2, False, "MOVED"),
    ([b":1\r\n", b"-ERR Protocol error: invalid bulk length\r\n"], 1, True, "invalid bulk length"),
    ([b"!21\r\nSYNTAX invalid syntax\r\n"], 0, False, "SYNTAX"),
    ([b":1\r\n+OK\r\n"], 1, False, "OK"),
    ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], 0, True, "HTTP/1.1 400"),
    ([b":x\r\n"], 0, False, "x"),
    ([b":-1\r\n"], 0, False, "-1"),
    ([b"$x\r\n"], 0, True, "PUBLISH"),
    ([b">99999999\r\n"], 0, True, "a list of"),
    ([b":1\r\n:1\r\n:1\r\n:1\r\n"], 3, False, "more answers"),
]


@pytest.mark.parametrize("answers, taken, is_suspect, reason", REFUSED, ids=repr)
async def test_refusals_say_which_message_and_why(answers: list[bytes], taken: int, is_suspect: bool, reason: str):
    async with publisher(*answers) as link:
        with pytest.raises(PartlySentError, match=reason) as caught:
            await link.publish(THREE)
        assert (caught.value.taken, caught.value.is_suspect) == (taken, is_suspect)
        assert link.is_closed


@pytest.mark.parametrize("answers, taken", [([], 0), ([b":1\r\n"], 1), ([b":1\r\n:1"], 1), ([b">2\r\n+x"], 0)])
async def test_hung_up_in_the_middle(answers: list[bytes], taken: int):
    async with publisher(*answers, then_closes=True) as link:
        with pytest.raises(PartlySentError) as caught:
            await link.publish(THREE)
        assert (caught.value.taken, caught.value.is_suspect) == (taken, True)


@pytest.mark.parametrize(
    "junk", [b"x" * 70_000, b":" + b"1" * 70_000, b">9\r\n" + b"$30000\r\n%b\r\n" % (b"x" * 30_000) * 10]
)
async def test_answers_without_an_end_are_not_collected(junk: bytes):
    async with publisher(junk) as link:
        with pytest.raises(PartlySentError):
            await link.publish(THREE)


async def test_a_message_that_waits_for_its_turn_may_be_called_off():
    """Whoever gives up waiting must not break the connection under the batch before it."""
    async with publisher(b"", b"", b"", b":1\r\n") as link:
        first = asyncio.create_task(link.publish([b"1"]))
        await asyncio.sleep(0)
        second = asyncio.create_task(link.publish([b"2"]))
        await asyncio.sleep(0)
        second.cancel()
        await first
        assert not link.is_closed


async def test_called_off_in_the_middle_it_is_not_used_again():
    async with publisher() as link:
        task = asyncio.create_task(link.publish(THREE))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert link.is_closed


NO_PING = b"-NOPERM this user has no permissions to run the 'ping' command\r\n"


@pytest.mark.parametrize(
    "answers", [[b"+PONG\r\n"], [b"+PO", b"NG\r", b"\n"], [PUSH + b"+PONG\r\n"], [b"$4\r\nPONG\r\n"], [NO_PING]]
)
async def test_greeted(answers: list[bytes]):
    async with publisher(*answers) as link:
        await link.greet()


@pytest.mark.parametrize(
    "answer, reason",
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "LOADING"),
        (b"-NOAUTH Authentication required.\r\n", "NOAUTH"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", "MASTERDOWN"),
        (b":1\r\n", "1"),
        (b"+PONG\r\n+PONG\r\n", "PONG"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
    ],
)
async def test_not_greeted(answer: bytes, reason: str):
    async with publisher(answer) as link:
        with pytest.raises(UnexpectedReplyError, match=reason):
            await link.greet()


async def test_a_proxy_without_redis_behind_it():
    async with publisher(then_closes=True) as link:
        with pytest.raises(ConnectionError, match="closed"):
            await link.greet()
