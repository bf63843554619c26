"""How a client of the soak speaks Engine.IO: over WebSocket, by polling, or first one and then the other.

May import: `wire.raw`. A transport gives text packets without their Engine.IO type, and raises `Gone` when it is over.
"""

import asyncio
import base64
import json
import time

from wire import raw

KEPT_ALIVE = 3.0  # s that a connection may be idle and is used again; uvicorn ends it after 5
PATIENCE = 30.0  # s without a byte after which a client gives up


class Gone(Exception):
    """The connection is over, whoever ended it."""


class WebSocket:
    """A session over one WebSocket."""

    def __init__(self, port: int, revision: int, name: str, sid: str = "") -> None:
        self.port, self.revision = port, revision
        self.query = f"/socket.io/?EIO={revision}&transport=websocket&name={name}" + (f"&sid={sid}" if sid else "")
        self.link: raw.WebSocket | None = None

    async def open(self) -> None:
        link = await raw.open_websocket(self.port, self.query)
        if not isinstance(link, raw.WebSocket):
            raise Gone(f"refused with {link.status}")
        self.link = link

    async def receive(self) -> list[str]:
        """Give the next packets."""
        assert self.link is not None
        kind, text = await self.link.receive(PATIENCE)
        if kind != "text":
            raise Gone(f"{kind} {text}")
        return [str(text)]

    async def send(self, packet: str, data: bytes | None = None) -> None:
        assert self.link is not None
        frames = raw.frame(raw.TEXT, packet.encode())
        if data is not None:
            frames += raw.frame(raw.BINARY, data if self.revision == 4 else b"\x04" + data)
        await self.link.send_bytes(frames)

    async def close(self, is_polite: bool) -> None:
        if self.link is not None and is_polite and not self.link.is_broken:
            await self.link.close()
        elif self.link is not None:
            self.link.abort()


class Request:
    """One connection that carries one request at a time; a new one where the server would let go of the old."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None
        self._used_at = 0.0

    async def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        if self.writer is not None and time.monotonic() - self._used_at > KEPT_ALIVE:
            self.close()
            self.writer = None
        if self.writer is None or self.reader is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(raw.request_bytes(method, path, None, body))
        await self.writer.drain()
        async with asyncio.timeout(PATIENCE):
            answer = await raw.read_response(self.reader)
        self._used_at = time.monotonic()
        if answer.status != 200:
            raise Gone(f"{method} was answered {answer.status}")
        return answer.body

    def close(self) -> None:
        if self.writer is not None:
            self.writer.transport.abort()


class Polling:
    """A session by long-polling: one connection to listen, one to speak."""

    def __init__(self, port: int, revision: int, name: str) -> None:
        self.port, self.revision, self.name = port, revision, name
        self.path = f"/socket.io/?EIO={revision}&transport=polling&name={name}"
        self.sid = ""
        self._early: list[str] = []  # what came with the handshake
        self._ears, self._mouth = Request(port), Request(port)
        self._is_speaking = asyncio.Lock()

    async def open(self) -> None:
        body = (await self._ears.ask("GET", self.path)).decode()
        packet, *self._early = unframed(self.revision, body)
        self.sid = json.loads(packet[1:])["sid"]
        self.path += f"&sid={self.sid}"

    async def receive(self) -> list[str]:
        if self._early:
            early, self._early = self._early, []
            return early
        return unframed(self.revision, (await self._ears.ask("GET", self.path)).decode())

    async def send(self, packet: str, data: bytes | None = None) -> None:
        packets = [packet]
        if data is not None:
            packets.append(("b" if self.revision == 4 else "b4") + base64.b64encode(data).decode())
        async with self._is_speaking:
            await self._mouth.ask("POST", self.path, framed(self.revision, packets).encode())

    async def close(self, is_polite: bool) -> None:
        try:
            if is_polite:
                await self.send("1")
        finally:
            self._ears.close()
            self._mouth.close()

    async def upgrade(self) -> WebSocket:
        """Move to a WebSocket; nothing must be said meanwhile. Give it, with what polling had still to give in front."""
        link = WebSocket(self.port, self.revision, self.name, self.sid)
        await link.open()
        await link.send("2probe")
        if await link.receive() != ["3probe"]:
            raise Gone("the probe was not answered")
        return link


def framed(revision: int, packets: list[str]) -> str:
    return "\x1e".join(packets) if revision == 4 else "".join(f"{len(packet)}:{packet}" for packet in packets)


def unframed(revision: int, body: str) -> list[str]:
    if revision == 4:
        return body.split("\x1e")
    packets = []
    while body:
        length, _, rest = body.partition(":")
        packets.append(rest[: int(length)])
        body = rest[int(length) :]
    return packets
