"""HTTP and WebSocket clients that send exactly the bytes they are told to, and judge nothing.

May import: the standard library. Never the server: what they read must come over a socket.
"""

import asyncio
import os
import struct
from dataclasses import dataclass

TIMEOUT = 4.0  # s that any single answer may take

Headers = dict[str, str]
# What a WebSocket gave: ("text", str), ("hex", str), ("close", code) or ("broken", why).
Event = tuple[str, str | int]


@dataclass
class Response:
    """One HTTP answer. Header names are lower case; a repeated header is joined with a comma."""

    status: int
    headers: Headers
    body: bytes = b""


class Reset(Exception):
    """The server closed the connection without an answer."""


# --- HTTP


@dataclass
class Exchange:
    """One request on a connection of its own, perhaps not finished, perhaps not answered yet."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def response(self, timeout: float = TIMEOUT) -> Response:
        """Read the answer, then close the connection.

        Raises:
            Reset: there is none.
        """
        try:
            async with asyncio.timeout(timeout):
                return await read_response(self.reader)
        except (asyncio.IncompleteReadError, ConnectionError) as exc:
            raise Reset from exc
        finally:
            self.close()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def close(self) -> None:
        self.writer.close()

    def abort(self) -> None:
        """Leave as a client does that lost its network: RST, no goodbye."""
        self.writer.transport.abort()


async def open_exchange(port: int, data: bytes) -> Exchange:
    """Connect, and send some bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    exchange = Exchange(reader, writer)
    await exchange.send(data)
    return exchange


async def begin(
    port: int, method: str, path: str, headers: Headers | None = None, body: bytes | None = None, missing: int = 0
) -> Exchange:
    """Send a request and do not wait. `missing` bytes more than the body has are announced."""
    return await open_exchange(port, request_bytes(method, path, headers, body, missing))


async def fetch(
    port: int, method: str, path: str, headers: Headers | None = None, body: bytes | None = None
) -> Response:
    """Send a request and give its answer."""
    return await (await begin(port, method, path, headers, body)).response()


def request_bytes(
    method: str, path: str, headers: Headers | None = None, body: bytes | None = None, missing: int = 0
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body) + missing}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


async def read_head(reader: asyncio.StreamReader) -> Response:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers: Headers = {}
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        key = name.strip().lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return Response(int(lines[0].split(" ")[1]), headers)


async def read_response(reader: asyncio.StreamReader) -> Response:
    response = await read_head(reader)
    if response.headers.get("transfer-encoding") == "chunked":
        response.body = await _read_chunks(reader)
    elif "content-length" in response.headers:
        response.body = await reader.readexactly(int(response.headers["content-length"]))
    elif response.status not in (204, 304):
        response.body = await reader.read()
    return response


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return body


# --- WebSocket (RFC 6455)

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    """Give one masked frame (RFC 6455 5.2)."""
    head = bytes([(0x80 if fin else 0) | opcode])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    elif len(payload) < 65536:
        head += struct.pack("!BH", 0x80 | 126, len(payload))
    else:
        head += struct.pack("!BQ", 0x80 | 127, len(payload))
    mask = os.urandom(4)
    stretched = (mask * (len(payload) // 4 + 1))[: len(payload)]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")
    return head + mask + masked.to_bytes(len(payload), "big")


@dataclass
class WebSocket:
    """The client's end of one WebSocket."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    handshake: Response
    is_broken: bool = False

    async def send(self, message: str | bytes) -> None:
        opcode, payload = (TEXT, message.encode()) if isinstance(message, str) else (BINARY, message)
        await self.send_bytes(frame(opcode, payload))

    async def send_bytes(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self, timeout: float = TIMEOUT) -> Event:
        """Give the next message, or the end. Pings are answered on the way."""
        if self.is_broken:
            return "close", 1006
        try:
            async with asyncio.timeout(timeout):
                while True:
                    event = await self._receive_frame()
                    if event is not None:
                        return event
        except (asyncio.IncompleteReadError, ConnectionError):
            return "close", 1006

    async def _receive_frame(self) -> Event | None:
        first, second = await self.reader.readexactly(2)
        if first & 0x70 or second & 0x80:
            self.is_broken = True
            return "broken", f"frame head {first:02x} {second:02x}"
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        payload = await self.reader.readexactly(size)
        opcode = first & 0x0F
        if opcode == PING:
            await self.send_bytes(frame(PONG, payload))
        if opcode in (PING, PONG):
            return None
        if opcode == CLOSE:
            return "close", int.from_bytes(payload[:2], "big") if payload else 1005
        return ("text", payload.decode()) if opcode == TEXT else ("hex", payload.hex())

    async def close(self) -> list[Event]:
        """Close as a client does; give what came before the server's answer."""
        late: list[Event] = []
        try:
            await self.send_bytes(frame(CLOSE, b"\x03\xe8"))
            while (event := await self.receive())[0] not in ("close", "broken"):
                late.append(event)
        except ConnectionError:
            pass
        self.abort()
        return late

    def abort(self) -> None:
        self.writer.transport.abort()


async def open_websocket(port: int, path: str, headers: Headers | None = None) -> WebSocket | Response:
    """Ask for a WebSocket; give it, or the answer that refused it."""
    exchange = await begin(port, "GET", path, UPGRADE | (headers or {}))
    async with asyncio.timeout(TIMEOUT):
        head = await read_head(exchange.reader)
        if head.status == 101:
            return WebSocket(exchange.reader, exchange.writer, head)
        head.body = await exchange.reader.readexactly(int(head.headers.get("content-length", 0)))
    exchange.close()
    return head


async def websocket(port: int, path: str) -> WebSocket:
    """Open a WebSocket that the server must grant."""
    opened = await open_websocket(port, path)
    assert isinstance(opened, WebSocket), opened
    return opened
