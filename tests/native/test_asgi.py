"""The ASGI wire under a server that does everything wrong (T207, T208); the loop is plain asyncio (T209)."""

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
