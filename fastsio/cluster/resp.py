"""What a node does with Redis for each event, without the cost of a general client: PUBLISH, and reading on.

May import: nothing of ours. Works on a connection that the redis package has made (address, TLS, password and sentinels
are its affair), over the streams beneath it. Where there are none, `streams` gives None and the package does everything.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

CHUNK = 256 * 1024


class UnexpectedReplyError(ConnectionError):
    """Redis said something else than was due; the connection cannot be used any more."""


def streams(connection: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """Give the streams of a connected connection of redis-py or valkey-py."""
    reader, writer = getattr(connection, "_reader", None), getattr(connection, "_writer", None)
    if isinstance(reader, asyncio.StreamReader) and isinstance(writer, asyncio.StreamWriter):
        return reader, writer
    return None


class Publisher:
    """Publishes on one channel over one connection, batch by batch."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, channel: str) -> None:
        self._reader, self._writer = reader, writer
        name = channel.encode()
        self._head = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n" % (len(name), name)
        self._lock = asyncio.Lock()

    @property
    def is_closed(self) -> bool:
        """Tell whether Redis has hung up while nothing was said."""
        return self._reader.at_eof()

    async def publish(self, payloads: list[bytes]) -> None:
        """Publish messages in order, and wait until Redis has taken the last.

        Raises:
            ConnectionError: the connection is lost, or Redis refuses.
        """
        head = self._head
        async with self._lock:
            self._writer.write(b"".join([b"%b$%d\r\n%b\r\n" % (head, len(payload), payload) for payload in payloads]))
            await self._writer.drain()
            await self._replies(len(payloads))

    async def _replies(self, count: int) -> None:
        """Read one line like `:2` for each message."""
        received = b""
        while True:
            chunk = await self._reader.read(CHUNK)
            if not chunk:
                raise ConnectionError("Connection closed by server.")
            received += chunk
            if received.count(b"\n") >= count and received.endswith(b"\n"):
                break
        for line in received.split(b"\r\n")[:-1]:
            if line[:1] != b":":
                raise UnexpectedReplyError(line[:200].decode(errors="replace"))


async def subscription(reader: asyncio.StreamReader, channel: str) -> AsyncIterator[list[bytes]]:
    """Yield what is published on a channel, as many messages at a time as are there.

    Raises:
        ConnectionError: the connection is lost.
    """
    heads = message_heads(channel)
    buffer: bytes | bytearray = b""
    while True:
        chunk = await reader.read(CHUNK)
        if not chunk:
            raise ConnectionError("Connection closed by server.")
        if buffer:
            buffer += chunk
        else:
            buffer = chunk
        messages: list[bytes] = []
        try:
            at = take_messages(buffer, heads, messages)
        finally:
            if messages:
                yield messages
        if at == len(buffer):
            buffer = b""
        elif at or isinstance(buffer, bytes):
            buffer = bytearray(buffer[at:])


def message_heads(channel: str) -> tuple[bytes, bytes]:
    """Give what stands before the length of a message of a channel, in RESP 2 and 3."""
    name = channel.encode()
    tail = b"3\r\n$7\r\nmessage\r\n$%d\r\n%b\r\n$" % (len(name), name)
    return b"*" + tail, b">" + tail


def take_messages(buffer: bytes | bytearray, heads: tuple[bytes, bytes], messages: list[bytes]) -> int:
    """Append the messages that are whole; give where what is not whole begins.

    Raises:
        UnexpectedReplyError, ValueError: something is not RESP. What came before it has been appended.
    """
    at, size, head = 0, len(buffer), len(heads[0])
    while at < size:
        if buffer.startswith(heads, at):
            begin = buffer.find(b"\r\n", at + head) + 2
            if begin < 2:
                break
            end = begin + int(buffer[at + head : begin - 2])
            if end + 2 > size:
                break
            messages.append(bytes(buffer[begin:end]))
            at = end + 2
        else:
            found = _element(buffer, at)
            if found is None:
                break
            at = found[1]
    return at


def _element(buffer: bytes | bytearray, at: int) -> tuple[Any, int] | None:
    """Give one RESP value and where it ends; None when it is not there as a whole."""
    end = buffer.find(b"\r\n", at)
    if end < 0:
        return None
    kind, rest = buffer[at], bytes(buffer[at + 1 : end])
    if kind == 0x24:  # $: bytes of a length
        begin, length = end + 2, int(rest)
        if length < 0:
            return None, begin
        if len(buffer) < begin + length + 2:
            return None
        return bytes(buffer[begin : begin + length]), begin + length + 2
    if kind in b"*>":
        return _elements(buffer, end + 2, int(rest))
    if kind in b":+-":
        return rest, end + 2
    raise UnexpectedReplyError(rest[:200].decode(errors="replace"))


def _elements(buffer: bytes | bytearray, at: int, count: int) -> tuple[list[Any], int] | None:
    values = []
    for _ in range(count):
        found = _element(buffer, at)
        if found is None:
            return None
        values.append(found[0])
        at = found[1]
    return values, at
