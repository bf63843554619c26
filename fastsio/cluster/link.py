"""What a node does with Redis for each event, without the cost of a general client: PUBLISH, and reading on.

May import: `resp`, `outgoing`. Works on a connection that the redis package has made (address, TLS, password and
sentinels are its affair), over the streams beneath it. Where there are none, `streams` gives None and the package does
everything. Never connects, and never tries again.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from typing import Any

from fastsio.cluster import resp
from fastsio.cluster.outgoing import PartlySentError
from fastsio.cluster.resp import ErrorReply, UnexpectedReplyError

CHUNK = 256 * 1024
# Answers to PUBLISH: how many subscribers heard it.
_TAKEN = re.compile(rb"(?::[0-9]{1,18}\r\n)*")
HUNG_UP = "Connection closed by server."


def streams(connection: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """Give the streams of a connected connection of redis-py or valkey-py."""
    reader, writer = getattr(connection, "_reader", None), getattr(connection, "_writer", None)
    if isinstance(reader, asyncio.StreamReader) and isinstance(writer, asyncio.StreamWriter):
        return reader, writer
    return None


def abort(connection: Any) -> None:
    """Hang up, and forget what was not written yet: a frozen Redis would take it later, a second time."""
    found = streams(connection)
    if found is not None:
        found[1].transport.abort()


class Publisher:
    """Publishes on one channel over one connection, batch by batch."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, channel: str) -> None:
        self._reader, self._writer = reader, writer
        name = channel.encode()
        self._head = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n" % (len(name), name)
        self._lock = asyncio.Lock()
        self._is_broken = False

    @property
    def is_closed(self) -> bool:
        """Tell whether it cannot be used any more: Redis has hung up, or an answer did not come."""
        return self._is_broken or self._reader.at_eof()

    async def greet(self) -> None:
        """Make sure that Redis itself is there: a proxy before it takes connections while it is not.

        Raises:
            ConnectionError, ValueError: it is not, or not ready.
        """
        self._writer.write(b"*1\r\n$4\r\nPING\r\n")
        buffer = b""
        while True:
            chunk = await self._reader.read(CHUNK)
            if not chunk:
                raise ConnectionError(HUNG_UP)
            buffer = _without_pushes(buffer + chunk)
            found = resp.element(buffer, 0)
            if found is not None:
                break
        reply, end = found
        is_redis = reply == b"PONG" or (
            isinstance(reply, ErrorReply) and reply.startswith("NOPERM")
        )  # who may but publish
        if not is_redis or end != len(buffer):
            raise UnexpectedReplyError(_text(reply))

    async def publish(self, payloads: list[bytes]) -> None:
        """Publish messages in order, and wait until Redis has taken the last.

        Raises:
            PartlySentError: the connection is lost, or Redis refuses.
        """
        head = self._head
        async with self._lock:
            try:
                self._writer.write(
                    b"".join([b"%b$%d\r\n%b\r\n" % (head, len(payload), payload) for payload in payloads])
                )
                await self._writer.drain()
                await self._replies(len(payloads))
            except BaseException as exc:
                self._is_broken = True
                if isinstance(exc, OSError) and not isinstance(exc, PartlySentError):
                    raise PartlySentError(str(exc), 0, True) from exc
                raise

    async def _replies(self, count: int) -> None:
        """Read one line like `:2` for each message."""
        taken, buffer = 0, b""
        while taken < count:
            try:
                chunk = await self._reader.read(CHUNK)
            except OSError as exc:
                raise PartlySentError(str(exc), taken, True) from exc
            if not chunk:
                raise PartlySentError(HUNG_UP, taken, True)
            taken, buffer = _count(buffer + chunk, taken)
        if taken > count or buffer:
            raise PartlySentError("more answers than questions", min(taken, count), False)


def _count(buffer: bytes, taken: int) -> tuple[int, bytes]:
    """Pass over answers; give how many there are now, and what is no whole answer yet.

    Raises:
        PartlySentError: something else was said.
    """
    while True:
        end = _end_of_answers(buffer)
        taken += buffer.count(b"\n", 0, end)
        if end == len(buffer):
            return taken, b""
        try:
            rest = _without_pushes(buffer[end:])
            refusal = resp.element(rest, 0)
        except (UnexpectedReplyError, ValueError) as exc:
            raise PartlySentError(f"no answer to PUBLISH: {exc}", taken, True) from exc
        if refusal is None:
            return taken, rest
        if not _end_of_answers(rest):
            reason = _text(refusal[0])
            raise PartlySentError(reason, taken, reason.startswith("ERR"))
        buffer = rest


def _end_of_answers(buffer: bytes) -> int:
    found = _TAKEN.match(buffer)
    return found.end() if found else 0


def _without_pushes(buffer: bytes) -> bytes:
    """Give what follows the RESP 3 pushes at the head of a buffer, which may come between answers.

    Raises:
        UnexpectedReplyError, ValueError: it is not RESP, or more than a push may be.
    """
    while buffer[:1] == b">":
        found = resp.element(buffer, 0)
        if found is None:
            break
        buffer = buffer[found[1] :]
    if len(buffer) > resp.MOST_OTHER:
        raise UnexpectedReplyError(f"more than {resp.MOST_OTHER} bytes that are no answer")
    return buffer


def _text(value: Any) -> str:
    return value[:200].decode(errors="replace") if isinstance(value, bytes) else str(value)[:200]


async def subscription(
    reader: asyncio.StreamReader, channel: str, confirmed: Callable[[], None]
) -> AsyncGenerator[list[bytes], None]:
    """Yield what is published on a channel, as many messages at a time as are there.

    `confirmed` is called when Redis says that it has subscribed us.

    Raises:
        ConnectionError: the connection is lost, or Redis refuses.
    """
    heads = resp.message_heads(channel)
    buffer: bytes | bytearray = b""
    while True:
        chunk = await reader.read(CHUNK)
        if not chunk:
            raise ConnectionError(HUNG_UP)
        if buffer:
            buffer += chunk
        else:
            buffer = chunk
        messages: list[bytes] = []
        others: list[Any] = []
        try:
            at = resp.take_messages(buffer, heads, messages, others)
            for other in others:
                _heed(other, confirmed)
        finally:
            if messages:
                yield messages
        if at == len(buffer):
            buffer = b""
        elif at or isinstance(buffer, bytes):
            buffer = bytearray(buffer[at:])


def _heed(said: Any, confirmed: Callable[[], None]) -> None:
    """Act upon what is no message: a confirmation, or an error that ends the subscription."""
    if isinstance(said, ErrorReply):
        raise UnexpectedReplyError(said)
    if isinstance(said, list) and said[:1] == [b"subscribe"]:
        confirmed()
