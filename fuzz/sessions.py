"""Targets: bytes for the real native connection, and whole conversations of several clients with one server.

May import: `world`, `source`, the frame writer of the oracle, fastsio. What is checked is that nothing is left, nothing is
logged that no application raised, and every client that was welcomed is seen off once.
"""

from collections import Counter
from typing import Any

from fastsio import AsyncServer
from fuzz.source import Source, cut
from fuzz.world import ExpectedError, SteppedLoop, Transport, World
from tests.oracle.frames_oracle import write_frame

# Seconds, short enough for a conversation to see all of them pass.
TIMES = {
    "ping_interval": 2.0,
    "ping_timeout": 1.0,
    "connect_timeout": 3.0,
    "upgrade_timeout": 1.0,
    "linger_timeout": 2.0,
}
SIZES = {"max_http_buffer_size": 2000, "max_send_buffer": 30_000, "max_send_packets": 60, "max_poll_response": 5000}
COUNTS = {"max_waiting_packets": 40, "max_waiting_bytes": 20_000, "max_namespaces": 4, "max_attachments": 3}
MAX_STEPS = 60
# What an application may choose of its limits; the last byte of the input says which. It is read for what it is, too.
CHOICES: list[dict[str, Any]] = [
    {},
    {"slow_client_policy": "drop_oldest"},
    {"slow_client_policy": "drop_newest", "high_water": 500},
    {"pause_at_packets": 4, "hold_timeout": 5.0},
    {"max_events_per_second": 3, "rate_burst": 2, "rate_policy": "drop", "pause_at_bytes": 200},
    {"max_events_per_second": 5, "max_bytes_per_second": 2000},
    {"max_sessions_per_address": 3, "handshake_rate": 2, "handshake_burst": 3},
    {"async_handlers": False, "pause_at_packets": 2, "slow_client_policy": "drop_oldest"},
]
# How one of several events may be sent.
MANNERS: list[dict[str, Any]] = [{}, {"volatile": True}, {"latest": "key"}]

_loops: list[SteppedLoop] = []


def loop() -> SteppedLoop:
    """Give the loop of this process."""
    if not _loops:
        _loops.append(SteppedLoop())
    return _loops[0]


# --- one connection


def http(data: bytes) -> None:
    """Bytes for one connection that has said nothing yet, in pieces."""
    source = Source(data)
    places = [source.byte(), source.byte() * 4]
    world = World(loop(), None, **TIMES, **SIZES, jsonp=True)
    _talk(world, cut(source.rest(), places))


def chunked(data: bytes) -> None:
    """A chunked body of a polling session; the other HTTP parser takes it, and the ASGI wire."""
    source = Source(data)
    places = [source.byte(), source.byte() * 4]
    world = World(loop(), None, **TIMES, **SIZES)
    opening = world.connect()
    world.feed(opening, b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
    world.loop.settle()
    sid = next(iter(world.registry.sessions))
    head = (
        f"POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    _talk(world, [head.encode(), *cut(source.rest(), places)])


def _talk(world: World, pieces: list[bytes]) -> None:
    transport = world.connect()
    for piece in pieces:
        if transport.is_open:
            world.feed(transport, piece)
            world.loop.settle()
    _check_output(transport)
    world.end()


def _check_output(transport: Transport) -> None:
    """Nothing that was sent may tell of our insides, and whatever is sent over HTTP begins as HTTP does."""
    written = bytes(transport.written)
    assert not written or written.startswith(b"HTTP/1.1 "), written[:80]
    assert b"Traceback" not in written and b'File "' not in written


# --- conversations

PACKETS = [
    "40", "40/a,", '40/a,{"t":1}', "40/no,", "41", "41/a,", '42["echo",1]', '421["echo",{"a":[1,2]}]', '42["room","r"]',
    '42["leave"]', '42["call"]', '42["raise"]', '425["raise"]', '42["slow",1]', '42/a,["echo"]', '42["broadcast"]',
    '42["kick"]', '42["close"]', '42["binary"]', '42["big"]', '42["again"]', '42["nobody",null]', '42[1,2]', "42",
    '431[1]', '432["x"]', "43", "44", '451-["echo",{"_placeholder":true,"num":0}]', '451-7["echo",{"_placeholder":true,"num":0}]',
    '452-["echo",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]', '461-1[{"_placeholder":true,"num":0}]',
    '450-["echo"]', "2", "3", "2probe", "3probe", "5", "6", "1", "0", "7", "", "4", "b", "bAQI=", "b4AQI=", "bad",
    '42["connect"]', '42["disconnect"]', '42["*"]', "40/a?x=1,", '42["wait"]', "48", '42["echo","\ud7ff\u20ac"]',
]  # fmt: skip
ROOMS = ["r", "", None, 1]


class Application:
    """An application that does everything at the wrong time."""

    def __init__(self, sio: AsyncServer, source: Source) -> None:
        self.sio, self.source = sio, source
        self.sids: list[tuple[str, str]] = []
        self.welcomed: list[tuple[str, str]] = []
        self.refused: list[tuple[str, str]] = []
        self.put_out: set[tuple[str, str]] = set()
        self.seen_off: list[tuple[str, str]] = []
        for namespace in ("/", "/a"):
            for name in ("connect", "disconnect", "*"):
                sio.on(name, self._handler(name, namespace), namespace=namespace)

    def _handler(self, name: str, namespace: str) -> Any:
        if name == "connect":

            async def connect(sid: str, environ: dict[str, Any], auth: Any) -> Any:
                self.welcomed.append((namespace, sid))
                self.sids.append((namespace, sid))
                await self.act(namespace, sid)
                if self.source.below(8) == 7:
                    self.welcomed.remove((namespace, sid))
                    self.refused.append((namespace, sid))
                    return False
                return None

            return connect
        if name == "disconnect":

            async def disconnect(sid: str, reason: str) -> None:
                self.seen_off.append((namespace, sid))
                await self.act(namespace, sid)

            return disconnect

        async def event(name: str, sid: str, *args: Any) -> Any:
            return await self.act(namespace, sid, name, *args)

        return event

    async def act(self, namespace: str, sid: str, name: Any = None, *args: Any) -> Any:
        """Do what an event asks for, or, in a connect or disconnect handler, what comes next in the input."""
        import asyncio

        sio = self.sio
        if name is None:
            name = self.source.choose(["", "", "", "room", "leave", "broadcast", "call", "close", "kick", "wait"])
        if name == "echo":
            return args
        if name == "room":
            room = self.source.choose(ROOMS)
            await sio.enter_room(sid, room, namespace=namespace)
            await sio.emit("room", sid, room=room, namespace=namespace)
        elif name == "leave":
            self.put_out.add((namespace, sid))
            await sio.disconnect(sid, namespace=namespace)
        elif name == "kick" and self.sids:
            other = self.source.choose(self.sids)
            self.put_out.add(other)
            await sio.disconnect(other[1], namespace=other[0])
        elif name == "broadcast":
            await sio.emit("news", {"from": sid}, skip_sid=sid if self.source.flag() else None, namespace=namespace)
        elif name == "call":
            await sio.emit("question", 1, to=sid, namespace=namespace, callback=self._answered)
        elif name == "raise":
            raise ExpectedError(name)
        elif name == "slow":
            await asyncio.sleep(1.5)
        elif name == "wait":
            await asyncio.sleep(0)
        elif name == "close":
            await sio.close_room(self.source.choose(ROOMS), namespace=namespace)
        elif name == "binary":
            await sio.emit("binary", [b"\x01" * 10, {"b": b""}], namespace=namespace)
        elif name == "big":
            await sio.emit("big", "x" * 4000, to=sid, namespace=namespace)
        elif name == "again":
            for number in range(20):
                await sio.emit("again", number, to=sid, namespace=namespace, **MANNERS[number % 3])
        return None

    def check(self) -> None:
        """Who was welcomed was seen off once; who was refused only if the application had put it out before."""
        more, fewer = Counter(self.seen_off), Counter(self.welcomed)  # a revision 3 client comes back under its old id
        more.subtract(fewer)
        for client, count in more.items():
            assert count == 0 or (0 < count <= self.refused.count(client) and client in self.put_out), (client, count)

    async def _answered(self, *args: Any) -> None:
        await self.sio.emit("answered", args)


class Conversation:
    """Several clients of one server, doing what the input says."""

    def __init__(self, source: Source, **options: Any) -> None:
        self.source = source
        self.world = World(loop(), None, **TIMES, **SIZES, **COUNTS, **options)
        self.app = Application(self.world.sio, source)
        self.links: list[tuple[Transport, int]] = []  # WebSockets and their revision
        self.polls: list[Transport] = []

    def run(self) -> None:
        actions = [
            self.open_polling, self.open_websocket, self.poll, self.post, self.upgrade, self.send, self.send, self.send,
            self.leave, self.pass_time, self.block, self.unblock, self.serve, self.settle, self.raw, self.post, self.rest,
        ]  # fmt: skip
        for _ in range(MAX_STEPS):
            if self.source.is_empty:
                break
            self.source.choose(actions)()
            self.world.call(lambda: None)
        self.world.loop.settle()
        for transport in self.world.connections:
            _check_output(transport)
        self.world.end()
        self.app.check()

    # --- what clients do

    def open_polling(self) -> None:
        self._request("GET", f"EIO={self._revision()}&transport=polling" + self.source.choose(["", "&b64=1", "&j=0"]))

    def open_websocket(self) -> None:
        revision = self._revision()
        self._upgrade(f"EIO={revision}&transport=websocket", revision)

    def poll(self) -> None:
        self._request("GET", self._session_query())

    def post(self) -> None:
        query = self._session_query()
        revision = 3 if "EIO=3" in query else 4
        packets = [self._packet() for _ in range(1 + self.source.below(4))]
        if revision == 3:
            body = "".join(f"{len(packet)}:{packet}" for packet in packets)
        else:
            body = "\x1e".join(packets)
        self._request("POST", query, body.encode("utf-8", "replace"))

    def upgrade(self) -> None:
        query = self._session_query().replace("polling", "websocket")
        self._upgrade(query, 3 if "EIO=3" in query else 4)

    def send(self) -> None:
        if not self.links:
            return
        transport, revision = self.source.choose(self.links)
        kind = self.source.below(8)
        if kind < 5:
            frame = write_frame(1, self._packet().encode("utf-8", "replace"))
        elif kind == 5:
            frame = write_frame(2, (b"" if revision == 4 else b"\x04") + self.source.piece())
        elif kind == 6:
            frame = write_frame(
                self.source.choose([8, 9, 10, 0, 1]), self.source.piece()[:125], is_final=self.source.flag()
            )
        else:
            frame = self.source.piece()
        self._feed(transport, frame)

    def raw(self) -> None:
        """Bytes on any connection, whatever it is used for."""
        if self.world.connections:
            self._feed(self.source.choose(self.world.connections), self.source.piece())

    def leave(self) -> None:
        if self.world.connections:
            transport = self.source.choose(self.world.connections)
            if transport.is_open:
                self.world.call(transport.end if self.source.flag() else transport.reset)

    def block(self) -> None:
        if self.world.connections:
            self.source.choose(self.world.connections).block()

    def unblock(self) -> None:
        if self.world.connections:
            self.world.call(self.source.choose(self.world.connections).unblock)

    def rest(self) -> None:
        """A request that lacks its end."""
        query = self._session_query()
        self._feed(
            self._connect(), f"POST /socket.io/?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4".encode()
        )

    # --- what else happens

    def pass_time(self) -> None:
        self.world.skip(self.source.choose([0.3, 1.1, 2.2, 5.0]), self.source.choose([0.4, 0.4, 3.0]))

    def serve(self) -> None:
        """The application acts of its own accord."""
        namespace, sid = self.source.choose(self.app.sids) if self.app.sids else ("/", "nobody")
        name = self.source.choose(["broadcast", "leave", "kick", "room", "close", "call", "binary", "big", "again"])
        self.world.call(lambda: self.world.sio.start_background_task(self._act_for, namespace, sid, name))

    async def _act_for(self, namespace: str, sid: str, name: str) -> None:
        try:
            await self.app.act(namespace, sid, name)
        except (ValueError, KeyError):
            pass  # a client that has left is not in any room

    def settle(self) -> None:
        self.world.loop.settle()

    # --- how

    def _revision(self) -> int:
        return self.source.choose([4, 4, 3])

    def _packet(self) -> str:
        if self.source.below(6) == 5:
            return self.source.piece().decode("latin-1")
        return self.source.choose(PACKETS)

    def _session_query(self) -> str:
        sessions = list(self.world.registry.sessions.values())
        if not sessions:
            return "EIO=4&transport=polling&sid=unknown"
        session = self.source.choose(sessions)
        return f"EIO={session.version}&transport=polling&sid={session.sid}" + (
            "&j=0" if session.jsonp is not None else ""
        )

    def _connect(self) -> Transport:
        """Open a connection, or go on with one that is used already."""
        usable = [transport for transport in self.world.connections if transport.is_open]
        if usable and self.source.below(4) == 3:
            return self.source.choose(usable)
        return self.world.connect()

    def _request(self, method: str, query: str, body: bytes | None = None) -> None:
        length = "" if body is None else f"Content-Length: {len(body)}\r\n"
        self._feed(
            self._connect(),
            f"{method} /socket.io/?{query} HTTP/1.1\r\nHost: x\r\n{length}\r\n".encode() + (body or b""),
        )

    def _upgrade(self, query: str, revision: int) -> None:
        transport = self.world.connect()
        extensions = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if self.source.flag() else ""
        head = (
            f"GET /socket.io/?{query} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{extensions}"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        self._feed(transport, head.encode())
        self.links.append((transport, revision))

    def _feed(self, transport: Transport, data: bytes) -> None:
        """Let bytes arrive at once, in two, or one by one."""
        pieces = [data]
        how = self.source.below(8)
        if how == 6:
            pieces = cut(data, [self.source.byte()])
        elif how == 7:
            pieces = [data[i : i + 1] for i in range(min(len(data), 300))] + [data[300:]]
        for piece in pieces:
            if transport.is_open and piece:
                self.world.feed(transport, piece)


def session(data: bytes) -> None:
    """Whole sessions: both revisions, both transports, upgrades, slow and vanishing clients, handlers that do anything."""
    source = Source(data)
    options: dict[str, Any] = source.choose(
        [
            {},
            {"async_handlers": False},
            {"always_connect": True},
            {"per_message_deflate": True, "compression_threshold": 0},
        ]
    )
    limits = CHOICES[data[-1] % len(CHOICES)] if data else {}
    Conversation(source, jsonp=True, **{**options, **limits}).run()


def packed_session(data: bytes) -> None:
    """The same with MessagePack packets: what clients send is binary then."""
    Conversation(Source(data), serializer="msgpack").run()
