"""A server on a stepped loop (`fuzz.world`), what clients say to it, and a canary that must not notice.

`site(option=...)` makes a server. At the end of a test, the canary and a new client still get their echo, nothing is left of
anybody, and nothing was logged that no application raised (N1, N3, N5, N6 of the catalogue).
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from finalizers import collected  # noqa: F401 -- a fixture
from fuzz.world import ExpectedError, SteppedLoop, Transport, World
from oracle.frames_oracle import BINARY, TEXT, write_frame

KEY = "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = f"Connection: Upgrade\nUpgrade: websocket\n{KEY}"
Message = str | bytes | tuple[str, int]


class WebSocket:
    """The client's end of a WebSocket on a transport of the site."""

    def __init__(self, site: "Site", transport: Transport, answer: bytes) -> None:
        self.site, self.transport = site, transport
        self._read = len(transport.written) - len(answer)

    def send(self, *messages: str | bytes) -> "WebSocket":
        frames = [
            write_frame(TEXT, one.encode()) if isinstance(one, str) else write_frame(BINARY, one) for one in messages
        ]
        return self.push(b"".join(frames))

    def push(self, data: bytes) -> "WebSocket":
        if self.transport.is_open:
            self.site.feed(self.transport, data)
            self.site.loop.settle()
        return self

    def heard(self) -> list[Message]:
        """Give what came since the last call: str, bytes, ("close", code), ("ping" or "pong", size)."""
        data, found = bytes(self.transport.written[self._read :]), []
        while len(data) >= 2:
            size, head = data[1], 2
            if size > 125:
                head = 4 if size == 126 else 10
                size = int.from_bytes(data[2:head], "big")
            if len(data) < head + size:
                break
            payload, data = data[head : head + size], data[head + size :]
            self._read += head + size
            found.append(_message(self._opcode(payload, head, size, data), payload))
        return found

    def _opcode(self, payload: bytes, head: int, size: int, rest: bytes) -> int:
        return self.transport.written[self._read - head - size] & 15

    @property
    def is_closed(self) -> bool:
        return not self.transport.is_open or self.transport.is_closing()

    def joined(self, namespace: str = "") -> "WebSocket":
        """Join a namespace; what came so far is forgotten."""
        self.heard()
        self.send(f"40{namespace}")
        assert str(self.heard()[-1]).startswith("40"), namespace
        return self

    def ended(self) -> Any:
        """Give the code of the close that must have come, None when there was none."""
        closes = [one[1] for one in self.heard() if isinstance(one, tuple) and one[0] == "close"]
        return closes[0] if closes else None


def _message(opcode: int, payload: bytes) -> Message:
    if opcode == 1:
        return payload.decode()
    if opcode == 2:
        return payload
    if opcode == 8:
        return "close", int.from_bytes(payload[:2], "big") if payload else 1005
    return ("ping" if opcode == 9 else "pong"), len(payload)


class Site(World):
    """A server without a network, whose application echoes and writes down what happens."""

    def __init__(self, loop: SteppedLoop, has_canary: bool, **options: Any) -> None:
        super().__init__(loop, None, **options)
        self.events: list[tuple[Any, ...]] = []  # ("connect" | "disconnect" | event, sid, *arguments)
        self.tasks = 0
        self.serve()
        self.canary = self.websocket().joined() if has_canary else None
        self.canary_sid = self.events[-1][1] if has_canary else ""
        self.events.clear()
        self.complaints.lines.clear()

    def serve(self) -> None:
        """Register the handlers: an echo of everything, which writes down what it hears."""
        sio = self.sio

        @sio.event
        async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
            self.events.append(("connect", sid, auth))

        @sio.event
        async def disconnect(sid: str, reason: str) -> None:
            self.events.append(("disconnect", sid, reason))

        @sio.on("*")
        async def echo(event: str, sid: str, *args: Any) -> Any:
            self.events.append((event, sid, *args))
            if event == "raise":
                raise ExpectedError(event)
            return args

    # --- HTTP

    def request(self, transport: Transport, head: str, body: bytes = b"") -> bytes:
        """Send a request whose lines end with LF here; give what comes back."""
        return self.say(transport, head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)

    def say(self, transport: Transport, data: bytes) -> bytes:
        before = len(transport.written)
        if transport.is_open:
            self.feed(transport, data)
            self.loop.settle()
        return bytes(transport.written[before:])

    def raw(self, data: bytes) -> bytes:
        """Send bytes over a connection of their own; give what comes back."""
        return self.say(self.connect(), data)

    def get(self, query: str, headers: str = "", transport: Transport | None = None) -> bytes:
        head = f"GET /socket.io/?{query} HTTP/1.1\nHost: x" + (f"\n{headers}" if headers else "")
        return self.request(transport or self.connect(), head)

    def post(self, query: str, body: str | bytes, headers: str = "") -> bytes:
        data = body.encode() if isinstance(body, str) else body
        head = f"POST /socket.io/?{query} HTTP/1.1\nHost: x\nContent-Length: {len(data)}" + (
            f"\n{headers}" if headers else ""
        )
        return self.request(self.connect(), head, data)

    def open(self, revision: int = 4) -> str:
        """Open a polling session; give the query that goes on with it."""
        body = body_of(self.get(f"EIO={revision}&transport=polling")).decode("utf-8", "replace")
        sid = json.JSONDecoder().raw_decode(body, body.index("{"))[0]["sid"]
        return f"EIO={revision}&transport=polling&sid={sid}"

    def websocket(self, query: str = "EIO=4&transport=websocket", headers: str = "") -> WebSocket:
        transport = self.connect()
        answer = self.get(
            query.replace("polling", "websocket"), UPGRADE + (f"\n{headers}" if headers else ""), transport
        )
        assert answer.startswith(b"HTTP/1.1 101"), answer
        return WebSocket(self, transport, answer[answer.index(b"\r\n\r\n") + 4 :])

    # --- what happened

    def names(self) -> list[str]:
        return [event[0] for event in self.events]

    def verdict(self) -> None:
        """The canary and a new client are served as before."""
        clients = [self.websocket().joined()]
        if self.canary is not None and not self.canary.is_closed:
            clients.append(self.canary)
        for client in clients:
            client.heard()
            client.send('42999["canary",1]')
            assert "43999[1]" in client.heard()
        if self.canary is not None:
            assert not self.canary.is_closed, "the canary was disconnected"


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer[9:12])


def statuses(answers: bytes) -> list[int]:
    """Give the status of every answer on a connection."""
    return [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


MakeSite = Callable[..., Site]


@pytest.fixture
def site() -> Iterator[MakeSite]:
    loop = SteppedLoop()
    made: list[Site] = []

    def make(has_canary: bool = True, **options: Any) -> Site:
        made.append(Site(loop, has_canary, **options))
        return made[-1]

    yield make
    for one in made:
        one.verdict()
    for one in made:  # it takes time to see that nothing is left
        one.end()
    loop.close()
