"""The ASGI wire under a server that does everything wrong (T207, T208); the loop is plain asyncio (T209)."""

import asyncio
from typing import Any

import pytest

import fastsio as socketio

HTTP = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "scheme": "http",
    "path": "/socket.io/",
    "headers": [],
}


class Channel:
    """A server's side of one ASGI call."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events, self.sent, self.asked = list(events), [], 0

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        return self.events.pop(0) if self.events else {"type": "http.disconnect"}

    async def send(self, event: dict[str, Any]) -> None:
        self.sent.append(event)

    @property
    def status(self) -> int | None:
        return self.sent[0].get("status") if self.sent else None


def application(**options: Any) -> tuple[Any, socketio.ASGIApp]:
    sio = socketio.AsyncServer(async_mode="asgi", **options)
    return sio, socketio.ASGIApp(sio)


async def ask(app: Any, query: bytes, *events: dict[str, Any], method: str = "GET", **scope: Any) -> Channel:
    channel = Channel(*events)
    await app(HTTP | {"method": method, "query_string": query} | scope, channel.receive, channel.send)
    return channel


async def opened(app: Any) -> bytes:
    channel = await ask(app, b"EIO=4&transport=polling", {"type": "http.request"})
    return b"EIO=4&transport=polling&sid=" + channel.sent[1]["body"].partition(b'"sid":"')[2].partition(b'"')[0]


@pytest.mark.threat("T207", "T209")
async def test_a_body_is_read_no_further_than_its_limit() -> None:
    sio, app = application(max_http_buffer_size=100)
    query = await opened(app)
    pieces = [{"type": "http.request", "body": b"4" * 60, "more_body": True}] * 50
    channel = await ask(app, query, *pieces, method="POST")
    assert channel.status == 400
    assert channel.asked <= 4
    query = await opened(app)
    announced = await ask(app, query, *pieces, method="POST", headers=[(b"content-length", b"3000")])
    assert (announced.status, announced.asked) == (400, 0)


@pytest.mark.threat("T207", "T028")
async def test_a_body_that_breaks_off() -> None:
    sio, app = application()
    query = await opened(app)
    channel = await ask(app, query, {"type": "http.request", "body": b"40", "more_body": True}, method="POST")
    assert channel.status in (None, 400)
    again = await ask(app, query, {"type": "http.request"})
    assert again.status == 400


@pytest.mark.threat("T208")
@pytest.mark.parametrize(
    "event",
    [
        {"type": "websocket.receive", "text": '421["x"]', "bytes": None},
        {"type": "websocket.receive", "bytes": None, "text": '421["x"]'},
        {"type": "websocket.receive", "text": '421["x"]'},
    ],
)
async def test_events_with_more_or_fewer_keys(event: dict[str, Any]) -> None:
    sio, app = application()

    async def echo(sid: str) -> int:
        return 5

    sio.on("x", echo)
    scope = {
        "type": "websocket",
        "scheme": "ws",
        "query_string": b"EIO=4&transport=websocket",
    }  # no subprotocols, no state
    channel = Channel(
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "40"},
        event,
        {"type": "websocket.disconnect"},
    )
    await app(HTTP | scope, channel.receive, channel.send)
    texts = [one.get("text") for one in channel.sent]
    assert "431[5]" in texts


@pytest.mark.threat("T208")
@pytest.mark.parametrize(
    "event",
    [{"type": "websocket.receive"}, {"type": "websocket.receive", "text": None, "bytes": None}, {"type": "nonsense"}],
)
async def test_events_that_say_nothing(event: dict[str, Any]) -> None:
    sio, app = application()
    scope = {"type": "websocket", "scheme": "ws", "query_string": b"EIO=4&transport=websocket"}
    channel = Channel(
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "40"},
        event,
        {"type": "websocket.disconnect"},
    )
    try:
        await app(HTTP | scope, channel.receive, channel.send)
    except Exception as exc:  # contained to this connection, whatever it is
        assert not isinstance(exc, (SystemExit, KeyboardInterrupt))
    other = await ask(app, b"EIO=4&transport=polling", {"type": "http.request"})
    assert other.status == 200


class Listening(Channel):
    """A WebSocket whose client says what it says when it is fed, and takes what it is sent as long as it reads."""

    def __init__(self) -> None:
        super().__init__({"type": "websocket.connect"})
        self.more: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.turns = 0  # of the loop that it takes to send anything: Tornado and aiohttp wait for a future

    async def receive(self) -> dict[str, Any]:
        return self.events.pop(0) if self.events else await self.more.get()

    async def send(self, event: dict[str, Any]) -> None:
        for _ in range(self.turns):
            await asyncio.sleep(0)
        await self.reads.wait()
        self.sent.append(event)

    def say(self, text: str) -> None:
        self.more.put_nowait({"type": "websocket.receive", "text": text})

    def heard(self, event: str) -> int:
        return sum((one.get("text") or "").startswith(f'42["{event}"') for one in self.sent)


async def connected(sio: Any, app: Any) -> tuple[Listening, str, asyncio.Task[None]]:
    """Let a client connect that reads; give it, its sid and its call of the application."""
    joined: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    sio.on("connect", lambda sid, environ: joined.set_result(sid))
    channel = Listening()
    scope = {"type": "websocket", "scheme": "ws", "query_string": b"EIO=4&transport=websocket"}
    task = asyncio.create_task(app(HTTP | scope, channel.receive, channel.send))
    channel.say("40")
    return channel, await asyncio.wait_for(joined, 5), task


async def ended(channel: Listening, task: asyncio.Task[None]) -> None:
    channel.reads.set()
    channel.more.put_nowait({"type": "websocket.disconnect"})
    await asyncio.wait_for(task, 5)


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_volatile_events_reach_who_reads(turns: int) -> None:
    """What waits for the writer's turn says nothing about the client."""
    sio, app = application()
    channel, sid, task = await connected(sio, app)
    channel.turns = turns
    for number in range(20):
        await sio.emit("a", number, to=sid)
        for _ in range(number % 4):
            await asyncio.sleep(0)
        await sio.emit("v", number, to=sid, volatile=True)
        await asyncio.sleep(0.001)
    assert (channel.heard("a"), channel.heard("v")) == (20, 20)
    channel.reads.clear()
    for number in range(20):
        await sio.emit("a", number, to=sid)
        await asyncio.sleep(0.001)
        await sio.emit("v", number, to=sid, volatile=True)
    channel.reads.set()
    await asyncio.sleep(0.01)
    assert (channel.heard("a"), channel.heard("v")) == (40, 21), "only the first found nothing else waiting"
    await ended(channel, task)


@pytest.mark.parametrize("is_binary", [False, True])
async def test_what_a_host_keeps_waiting_is_counted_and_limited(is_binary: bool) -> None:
    """At most twice the limit: what the writer is at, and the outbox."""
    sio, app = application(max_send_buffer=100_000)
    channel, sid, task = await connected(sio, app)
    reasons: list[str] = []
    sio.on("disconnect", lambda sid, reason: reasons.append(reason))
    await asyncio.sleep(0.01)
    channel.reads.clear()
    sent = 0
    while not reasons and sent < 1_000_000:
        for _ in range(5):
            if not reasons:
                await sio.emit("n", b"x" * 10_000 if is_binary else "x" * 10_000, to=sid)
                sent += 10_000
        await asyncio.sleep(0.001)
        if not reasons:
            size, _ = sio.buffered(sid)
            assert sent <= size < 1.1 * sent
    assert reasons == ["slow client"]
    assert sent <= 250_000
    await ended(channel, task)
