"""A raw client of one host: Engine.IO requests and Socket.IO packets as the bytes that travel.

May import: `wire.raw`. Never the server.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from hosts.conftest import Host
from wire import raw

SEPARATOR = "\x1e"
# Engine.IO revision -> what a client says to join the namespace "/"; revision 3 clients are in it from the start.
JOIN = {4: '40{"token":"t"}', 3: None}


def url(host: Host, version: int = 4, transport: str = "polling", sid: str | None = None) -> str:
    query = f"EIO={version}&transport={transport}"
    return f"{host.path}?{query}" if sid is None else f"{host.path}?{query}&sid={sid}"


def encode(version: int, *packets: str) -> bytes:
    """Give the packets as a polling body."""
    if version == 4:
        return SEPARATOR.join(packets).encode()
    return "".join(f"{len(packet)}:{packet}" for packet in packets).encode()


def decode(version: int, body: bytes) -> list[str]:
    text = body.decode()
    if version == 4:
        return text.split(SEPARATOR)
    packets = []
    while text:
        size, _, text = text.partition(":")
        packets.append(text[: int(size)])
        text = text[int(size) :]
    return packets


@dataclass
class PollingClient:
    """A session over long-polling."""

    host: Host
    version: int
    sid: str
    opened: dict[str, Any]
    inbox: list[str]
    id: str = ""

    @property
    def url(self) -> str:
        return url(self.host, self.version, sid=self.sid)

    async def post(self, *packets: str) -> raw.Response:
        return await raw.fetch(self.host.port, "POST", self.url, body=encode(self.version, *packets))

    async def poll(self) -> raw.Response:
        return await raw.fetch(self.host.port, "GET", self.url, {"Accept": "*/*"})

    async def next(self) -> str:
        """Give the next packet, from polls as far as needed."""
        while not self.inbox:
            response = await self.poll()
            assert response.status == 200, response
            self.inbox += decode(self.version, response.body)
        return self.inbox.pop(0)

    async def ask(self, *event: Any) -> Any:
        """Emit an event and give its acknowledgement's argument."""
        assert (await self.post("427" + json.dumps(event))).status == 200
        return acknowledged(await self.next())


async def polling_client(host: Host, version: int = 4) -> PollingClient:
    """Open a session over long-polling, and join "/"."""
    response = await raw.fetch(host.port, "GET", url(host, version))
    assert response.status == 200, response
    first, *rest = decode(version, response.body)
    client = PollingClient(host, version, json.loads(first[1:])["sid"], json.loads(first[1:]), rest)
    if (join := JOIN[version]) is not None:
        assert (await client.post(join)).status == 200
    await take_welcome(client)
    return client


@dataclass
class WebSocketClient:
    """A session over WebSocket from the start."""

    socket: raw.WebSocket
    version: int
    opened: dict[str, Any]
    id: str = ""

    async def next(self) -> str:
        kind, data = await self.socket.receive()
        assert kind == "text", (kind, data)
        return str(data)

    async def ask(self, *event: Any) -> Any:
        await self.socket.send("427" + json.dumps(event))
        return acknowledged(await self.next())


async def websocket_client(host: Host, version: int = 4) -> WebSocketClient:
    """Open a session over WebSocket, and join "/"."""
    socket = await raw.websocket(host.port, url(host, version, "websocket"))
    kind, first = await socket.receive()
    assert kind == "text" and str(first).startswith("0"), first
    client = WebSocketClient(socket, version, json.loads(str(first)[1:]))
    if (join := JOIN[version]) is not None:
        await socket.send(join)
    await take_welcome(client)
    return client


async def take_welcome(client: PollingClient | WebSocketClient) -> None:
    joined = await client.next()
    assert joined.startswith("40"), joined
    token = '{"token":"t"}' if client.version == 4 else "null"
    welcome = await client.next()
    assert welcome.replace(" ", "") in (f'42["welcome",{token}]', '42["welcome"]'), welcome
    client.id = json.loads(joined[2:])["sid"] if client.version == 4 else client.opened["sid"]


def acknowledged(packet: str) -> Any:
    assert packet.startswith("437["), packet
    return next(iter(json.loads(packet[3:])), None)  # no argument stands for None


async def reason_of(host: Host, id: str, patience: float = 5) -> str:
    """Give the reason that the application was told about a client that has gone."""
    client = await websocket_client(host)
    reason = None
    async with asyncio.timeout(patience):
        while (reason := await client.ask("reason_of", id)) is None:
            await asyncio.sleep(0.05)
    client.socket.abort()
    return str(reason)
