"""Clients of the soak: they count aloud, want each number acknowledged, and hear the number of the moment.

May import: `transports`. What each has sent, and what of it was acknowledged, is in its ledger.
"""

import asyncio
import json
import random
import socket
import time
from collections import Counter
from dataclasses import dataclass, field

from soak.transports import PATIENCE, Gone, Polling, WebSocket

KINDS = ("websocket", "polling", "upgrade")
PING = 2.0  # s between two pings of a revision 3 client, which has to ping itself
CONNECT_PATIENCE = 15.0
LONG_ENOUGH = 20.0  # s in which a client that does not read is noticed


@dataclass
class Ledger:
    """What one client knows of its events."""

    sent: int = 0  # numbers 0 to sent - 1
    acknowledged: set[int] = field(default_factory=set)
    uncertain: set[int] = field(default_factory=set)  # sent over a connection that ended before the acknowledgement
    round_trips: list[float] = field(default_factory=list)


class Client:
    """One client that connects again and again.

    Args:
        name: by which the server keeps its account.
        kind: of KINDS.
        revision: of Engine.IO.
        port: of the server, or of a proxy in front of it.
        pace: seconds between two numbers, on average.
        stretch: by how much longer it lives, and waits, than a client of few.
    """

    def __init__(
        self, name: str, kind: str, revision: int, port: int, pace: float, seed: int, stretch: float = 1.0
    ) -> None:
        self.stretch = stretch
        self.name, self.kind, self.revision, self.port, self.pace = name, kind, revision, port, pace
        self.ledger = Ledger()
        self.endings: Counter[str] = Counter()
        self.faults: list[str] = []  # what must not happen, however bad the network is
        self.ticks = 0
        self._chance = random.Random(f"{seed} {name}")
        self._waiting: dict[int, float] = {}
        self._last_tick: int | None = None
        self._joined = asyncio.Event()

    async def run(self, until: float) -> None:
        """Be a client until that moment."""
        await asyncio.sleep(self._chance.uniform(0, 2 * (self.stretch - 1)))  # not all at once
        while time.monotonic() < until:
            lifetime = min(self._chance.uniform(5, 60) * self.stretch, max(0.1, until - time.monotonic()))
            try:
                await self._session(lifetime)
                self.endings["as wanted"] += 1
            except (Gone, OSError, asyncio.IncompleteReadError, TimeoutError) as exc:
                self.endings[type(exc).__name__ + (f": {exc}" if isinstance(exc, Gone) else "")] += 1
            self.ledger.uncertain |= set(self._waiting)
            await asyncio.sleep(self._chance.uniform(0.1, 1.0))

    async def _session(self, lifetime: float) -> None:
        self._waiting, self._last_tick, self._joined = {}, None, asyncio.Event()
        transport = (WebSocket if self.kind == "websocket" else Polling)(self.port, self.revision, self.name)
        is_polite = False
        try:
            async with asyncio.timeout(CONNECT_PATIENCE):
                await transport.open()
                if self.revision == 4:
                    await self._join(transport)
            await self._live(transport, lifetime)
            is_polite = self._chance.random() < 0.7
        finally:
            await _quietly(transport.close(is_polite))

    async def _join(self, transport: WebSocket | Polling) -> None:
        if isinstance(transport, WebSocket):
            await transport.receive()  # OPEN
        await transport.send("40")

    async def _live(self, transport: WebSocket | Polling, lifetime: float) -> None:
        listening = asyncio.create_task(self._listen(transport))
        speaking = asyncio.create_task(self._speak(transport, lifetime))
        pinging = asyncio.create_task(self._ping(transport)) if self.revision == 3 else None
        try:
            done, _ = await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (listening, speaking, pinging):
                if task is not None:
                    task.cancel()
            await asyncio.gather(*(task for task in (listening, speaking, pinging) if task), return_exceptions=True)

    async def _ping(self, transport: WebSocket | Polling) -> None:
        while True:
            await asyncio.sleep(min(10.0, PING * self.stretch))
            await transport.send("2")

    # --- outwards

    async def _speak(self, transport: WebSocket | Polling, lifetime: float) -> None:
        """Count until the end of the session, then wait for what is not acknowledged yet."""
        end = time.monotonic() + lifetime
        async with asyncio.timeout(CONNECT_PATIENCE):
            await self._joined.wait()
        while time.monotonic() < end:
            await asyncio.sleep(self._chance.expovariate(1 / self.pace))
            number, self.ledger.sent = self.ledger.sent, self.ledger.sent + 1
            self._waiting[number] = time.monotonic()
            if self._chance.random() < 0.1:
                packet = f'451-{number}["count",{number},{{"_placeholder":true,"num":0}}]'
                await transport.send(packet, self._chance.randbytes(50))
            else:
                await transport.send(f'42{number}["count",{number}]')
        async with asyncio.timeout(PATIENCE):
            while self._waiting:
                await asyncio.sleep(0.02)

    # --- inwards

    async def _listen(self, transport: WebSocket | Polling) -> None:
        if self.kind == "upgrade" and isinstance(transport, Polling):
            return await self._upgrade(transport)
        while True:
            for packet in await transport.receive():
                await self._take(packet, transport)

    async def _upgrade(self, transport: Polling) -> None:
        """Listen, move to a WebSocket once joined, and listen there; numbers go on by polling, as the server allows it."""
        while not self._joined.is_set():
            for packet in await transport.receive():
                await self._take(packet, transport)
        polls = asyncio.create_task(self._poll_until_noop(transport))
        try:
            link = await transport.upgrade()
            await polls
        finally:
            polls.cancel()
        async with transport._is_speaking:  # a POST under way must be answered before the switch
            await link.send("5")
            transport.send = link.send  # type: ignore[method-assign]
            transport.close = link.close  # type: ignore[method-assign]
        while True:
            for packet in await link.receive():
                await self._take(packet, link)

    async def _poll_until_noop(self, transport: Polling) -> None:
        while True:
            packets = await transport.receive()
            for packet in packets:
                await self._take(packet, transport)
            if "6" in packets:
                return

    async def _take(self, packet: str, transport: WebSocket | Polling) -> None:
        if packet == "2":
            await transport.send("3")
        elif packet == "1":
            raise Gone("the server said so")
        elif packet.startswith("40"):
            self._joined.set()
        elif packet.startswith("43"):
            self._acknowledged(packet[2:])
        elif packet.startswith('42["tick",'):
            self._tick(json.loads(packet[2:])[1])
        elif packet not in ("3", "6") and not packet.startswith("0"):
            self.faults.append(f"an unknown packet: {packet[:100]}")

    def _acknowledged(self, text: str) -> None:
        number, _, value = text.partition("[")
        sent = self._waiting.pop(int(number), None)
        if sent is None or value != f"{number}]":
            self.faults.append(f"an acknowledgement that nobody waits for: {text[:100]}")
        else:
            self.ledger.acknowledged.add(int(number))
            self.ledger.round_trips.append(time.monotonic() - sent)

    def _tick(self, number: int) -> None:
        if self._last_tick is not None and number != self._last_tick + 1:
            self.faults.append(f"tick {number} came after {self._last_tick}")
        self._last_tick = number
        self.ticks += 1


class SlowReader(Client):
    """A client that asks for a lot, and never reads it, but says that it is alive."""

    async def _live(self, transport: WebSocket | Polling, lifetime: float) -> None:
        while not self._joined.is_set():
            for packet in await transport.receive():
                await self._take(packet, transport)
        await transport.send('42["spray"]')
        assert isinstance(transport, WebSocket) and transport.link is not None
        writer = transport.link.writer.transport
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        writer.pause_reading()  # type: ignore[attr-defined]
        end = time.monotonic() + max(lifetime, LONG_ENOUGH * self.stretch)
        while time.monotonic() < end:
            await transport.send("3" if self.revision == 4 else "2")
            await asyncio.sleep(min(5.0, PING * self.stretch))


async def _quietly(closing: object) -> None:
    """Close, however that goes."""
    try:
        async with asyncio.timeout(5):
            await closing  # type: ignore[misc]
    except (OSError, Gone, asyncio.IncompleteReadError, TimeoutError):
        pass
