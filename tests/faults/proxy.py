"""A TCP proxy that does to each direction of each connection what a bad network does.

May import: the standard library. Faults are counted by name, so that a test can tell that they happened.
"""

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

READ_SIZE = 65536
LINGER = struct.pack("ii", 1, 0)  # a close becomes a reset


@dataclass(frozen=True)
class Faults:
    """What happens to one direction. Positions are counted in bytes that went through before.

    Args:
        delay: seconds that every piece is late; order stays.
        jitter: seconds more, at random, at most.
        rate: bytes a second, None for no limit.
        chunk: bytes that are written at once, at most.
        stall_at, stall: from this byte on nothing goes through for so many seconds.
        fin_at: both sides see the end of the stream there.
        half_close_at: only the receiving side sees the end; the other direction goes on.
        rst_at: both sides see a reset.
        drop_at: from there on everything is swallowed, and nobody is told: a black hole.
        corrupt_at: this byte is changed.
    """

    delay: float = 0.0
    jitter: float = 0.0
    rate: int | None = None
    chunk: int | None = None
    stall_at: int | None = None
    stall: float = 0.0
    fin_at: int | None = None
    half_close_at: int | None = None
    rst_at: int | None = None
    drop_at: int | None = None
    corrupt_at: int | None = None

    def places(self) -> list[int]:
        """Give where something happens, so that pieces are cut there."""
        found = (self.stall_at, self.fin_at, self.half_close_at, self.rst_at, self.drop_at, self.corrupt_at)
        return sorted(place for place in found if place is not None)


NONE = Faults()
# Number of a connection -> faults from the client to the server, and back.
Choose = Callable[[int], tuple[Faults, Faults]]


class Proxy:
    """Listens on a port of its own in front of another one. Use it as an async context manager."""

    def __init__(self, target: int, choose: Choose = lambda number: (NONE, NONE), seed: int = 1) -> None:
        self.target, self.choose = target, choose
        self.port = 0
        self.happened: Counter[str] = Counter()
        self.connections = 0
        self._chance = random.Random(seed)
        self._pairs: set[Pair] = set()
        self._frozen: asyncio.Event = asyncio.Event()
        self._frozen.set()

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        self.reset_all()
        while self._pairs:
            await asyncio.sleep(0.01)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, self.connections = self.connections, self.connections + 1
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            self.happened["refused"] += 1
            return reset(writer)
        pair = Pair(self, writer, other_writer)
        self._pairs.add(pair)
        up, down = self.choose(number)
        try:
            await asyncio.gather(pair.pump(reader, other_writer, up), pair.pump(other_reader, writer, down))
        finally:
            pair.finish()
            self._pairs.discard(pair)

    # --- to all connections

    def reset_all(self) -> None:
        """Reset every connection: a cable is pulled and the router says so."""
        for pair in list(self._pairs):
            pair.reset()

    def freeze(self) -> None:
        """Let nothing through in either direction, until `thaw`."""
        self._frozen.clear()

    def thaw(self) -> None:
        self._frozen.set()

    async def passable(self) -> None:
        await self._frozen.wait()

    def late(self, faults: Faults) -> float:
        """Give the seconds that a piece has to wait."""
        return faults.delay + (self._chance.random() * faults.jitter if faults.jitter else 0.0)


class Pair:
    """One connection of a client, and the one to the server that it became."""

    def __init__(self, proxy: Proxy, *writers: asyncio.StreamWriter) -> None:
        self.proxy, self.writers = proxy, writers
        self.is_over = False

    def reset(self) -> None:
        self.is_over = True
        for writer in self.writers:
            reset(writer)

    def finish(self) -> None:
        self.is_over = True
        for writer in self.writers:
            writer.close()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Faults) -> None:
        """Carry one direction to its end."""
        passed = 0
        try:
            while not self.is_over and (data := await reader.read(READ_SIZE)):
                for piece in pieces(data, passed, faults):
                    await self._carry(piece, passed, writer, faults)
                    passed += len(piece)
                    if self.is_over:
                        return
            if not self.is_over and not writer.is_closing() and not _is_swallowed(passed, faults):
                writer.write_eof()
        except (OSError, RuntimeError):
            if not self.is_over:
                self.reset()

    async def _carry(self, piece: bytes, at: int, writer: asyncio.StreamWriter, faults: Faults) -> None:
        """Do to a piece what is to be done where it begins, then let it through."""
        happened = self.proxy.happened
        if at == faults.rst_at:
            happened["rst"] += 1
            return self.reset()
        if at == faults.fin_at:
            happened["fin"] += 1
            return self.finish()
        if at == faults.stall_at:
            happened["stall"] += 1
            await asyncio.sleep(faults.stall)
        if _is_swallowed(at, faults):
            if at == faults.drop_at:
                happened["drop"] += 1
            return None
        if faults.half_close_at is not None and at >= faults.half_close_at:
            if at == faults.half_close_at:
                happened["half close"] += 1
                writer.write_eof()
            return None
        if at == faults.corrupt_at:
            happened["corrupt"] += 1
            piece = bytes([piece[0] ^ 0x55]) + piece[1:]
        if (seconds := self.proxy.late(faults)) > 0:
            happened["delay"] += 1
            await asyncio.sleep(seconds)
        if faults.rate is not None:
            happened["rate"] += 1
            await asyncio.sleep(len(piece) / faults.rate)
        await self.proxy.passable()
        writer.write(piece)
        await writer.drain()
        return None


def _is_swallowed(at: int, faults: Faults) -> bool:
    return faults.drop_at is not None and at >= faults.drop_at


def pieces(data: bytes, at: int, faults: Faults) -> list[bytes]:
    """Cut what came where something happens, and into pieces that may go through at once."""
    edges = [0, *(place - at for place in faults.places() if 0 < place - at < len(data)), len(data)]
    largest = faults.chunk or (max(1, faults.rate // 50) if faults.rate else len(data))
    return [
        data[i : min(i + largest, end)]
        for start, end in zip(edges, edges[1:])
        for i in range(start, end, largest)
    ]  # fmt: skip


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset, whatever waits to be sent."""
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None and not writer.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
    writer.transport.abort()
