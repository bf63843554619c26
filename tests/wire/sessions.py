"""Short names for what a client of the Engine.IO protocols does: open a session, poll, post, listen.

May import: `raw`. Used by tests that are written by hand.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from wire import raw


@dataclass
class Client:
    """Where a session lives, and which revision it speaks."""

    port: int
    version: int
    path: str
    sid: str = ""
    open_packet: dict[str, Any] = field(default_factory=dict)

    def url(self, transport: str = "polling", **query: str) -> str:
        pairs = {"EIO": str(self.version), "transport": transport} | ({"sid": self.sid} if self.sid else {}) | query
        return f"{self.path}?" + "&".join(f"{name}={value}" for name, value in pairs.items())

    # --- polling

    async def open(self, **query: str) -> "Client":
        """Open a polling session."""
        response = await raw.fetch(self.port, "GET", self.url(**query))
        assert response.status == 200, response
        packet = unframed(self.version, response.body.decode())
        assert packet[0] == "0"
        self.open_packet = json.loads(packet[1:])
        self.sid = self.open_packet["sid"]
        return self

    async def begin_poll(self) -> raw.Exchange:
        return await raw.begin(self.port, "GET", self.url())

    async def poll(self) -> raw.Response:
        return await raw.fetch(self.port, "GET", self.url())

    async def begin_post(self, body: str | bytes, missing: int = 0) -> raw.Exchange:
        data = body.encode() if isinstance(body, str) else body
        return await raw.begin(self.port, "POST", self.url(), None, data, missing)

    async def post(self, body: str | bytes) -> raw.Response:
        return await (await self.begin_post(body)).response()

    async def send(self, *packets: str) -> raw.Response:
        """Post packets in the framing of the revision."""
        return await self.post(framed(self.version, *packets))

    # --- WebSocket

    async def websocket(self) -> raw.WebSocket:
        """Open a WebSocket: a session of its own, or a probe for the one that is there."""
        return await raw.websocket(self.port, self.url("websocket"))

    async def live_websocket(self) -> raw.WebSocket:
        """Open a session over WebSocket, and read its OPEN packet."""
        socket = await self.websocket()
        kind, text = await socket.receive()
        assert kind == "text" and str(text).startswith("0{"), text
        self.open_packet = json.loads(str(text)[1:])
        return socket


def framed(version: int, *packets: str) -> str:
    """Give a polling body (ASCII packets)."""
    return "\x1e".join(packets) if version == 4 else "".join(f"{len(packet)}:{packet}" for packet in packets)


def unframed(version: int, body: str) -> str:
    """Give the only packet of a polling body."""
    if version == 4:
        return body
    length, _, packet = body.partition(":")
    assert int(length) == len(packet)
    return packet


async def is_closed(socket: raw.WebSocket) -> bool:
    """Read until the server closes; False when it does not."""
    while True:
        kind, _ = await socket.receive()
        if kind in ("close", "broken"):
            return kind == "close"


async def after(socket: raw.WebSocket, *expected: raw.Event) -> None:
    """Read exactly these messages."""
    for event in expected:
        assert await socket.receive() == event
