"""The aiohttp host beside python-socketio's own aiohttp mode: every answer is the same, or stands in the table of deviations.

May import: the raw client. An entry of the table that does not differ any more fails.
"""

import asyncio
import json
import re
from typing import Any
from unittest.mock import ANY

import pytest

from deviations.hosts import HOSTS
from hosts.app import LIMIT, ORIGIN
from hosts.conftest import Host, start
from hosts.conversation import acknowledged, url
from wire import raw

# Names of headers that aiohttp or the clock writes, and those that differ on every wire.
NOISE = {"date", "server", "cache-control", "content-length", "vary", "connection", "keep-alive"}
BASE = "/socket.io/"
POLLING = BASE + "?EIO=4&transport=polling"
WEBSOCKET = BASE + "?EIO=4&transport=websocket"

REQUESTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "handshake": ("GET", POLLING, {"Origin": ORIGIN}),
    "no transport": ("GET", BASE + "?EIO=4", {}),
    "unknown transport": ("GET", BASE + "?EIO=4&transport=pigeon", {}),
    "no version": ("GET", BASE + "?transport=polling", {}),
    "two versions": ("GET", POLLING + "&EIO=3", {}),
    "unknown session": ("GET", POLLING + "&sid=nobody", {}),
    "post without session": ("POST", POLLING, {}),
    "post to unknown session": ("POST", POLLING + "&sid=nobody", {}),
    "websocket without upgrade": ("GET", WEBSOCKET, {}),
    "bad jsonp index": ("GET", POLLING + "&j=abc", {}),
    "options": ("OPTIONS", POLLING, {"Origin": ORIGIN, "Access-Control-Request-Headers": "x-a"}),
    "options with unknown session": ("OPTIONS", POLLING + "&sid=nobody", {}),
    "put": ("PUT", POLLING, {}),
    "delete": ("DELETE", POLLING, {}),
    "foreign origin": ("GET", POLLING, {"Origin": "http://evil.example"}),
    "foreign origin, unknown transport": ("GET", BASE + "?transport=x", {"Origin": "http://evil.example"}),
    "no slash": ("GET", "/socket.io?EIO=4&transport=polling", {}),
    "longer path": ("GET", "/socket.io/more?EIO=4&transport=polling", {}),
    "elsewhere": ("GET", "/", {}),
    "polling with upgrade headers": ("GET", POLLING, raw.UPGRADE),
    "refused websocket: origin": ("GET", WEBSOCKET, raw.UPGRADE | {"Origin": "http://evil.example"}),
    "refused websocket: session": ("GET", WEBSOCKET + "&sid=nobody", raw.UPGRADE),
    "refused websocket: version": ("GET", BASE + "?transport=websocket", raw.UPGRADE),
}


def shown(response: raw.Response) -> list[Any]:
    """Give what counts of an answer: without session ids, and without the order of a handshake's keys."""
    body = re.sub(r'"sid":"[^"]+"', '"sid":"?"', response.body.decode())
    if body.startswith("0{"):
        body = json.dumps(json.loads(body[1:]), sort_keys=True)
    headers = {name: value for name, value in response.headers.items() if name not in NOISE}
    return [response.status, dict(sorted(headers.items())), body]


async def answers(host: Host) -> dict[str, Any]:
    """Ask for everything; give what came."""
    found: dict[str, Any] = {}
    for name, (method, path, headers) in REQUESTS.items():
        body = b"4x" if method in ("POST", "PUT") else None
        found[name] = shown(await raw.fetch(host.port, method, path, headers, body))
    found |= await polling_answers(host)
    found |= await websocket_answers(host)
    return found


async def polling_answers(host: Host) -> dict[str, Any]:
    opened = await raw.fetch(host.port, "GET", POLLING)
    session = f"{POLLING}&sid={json.loads(opened.body[1:])['sid']}"
    found = {"post": shown(await raw.fetch(host.port, "POST", session, body=b"40"))}
    joined = shown(await raw.fetch(host.port, "GET", session))
    found["first poll"] = [joined[0], joined[1], sorted(joined[2].split("\x1e"))]  # the welcome may overtake
    found["post an event"] = shown(await raw.fetch(host.port, "POST", session, body=b'427["echo",1]'))
    found["poll of an event"] = shown(await raw.fetch(host.port, "GET", session))
    found["post binary"] = shown(
        await raw.fetch(host.port, "POST", session, body=b'451-["echo",{"_placeholder":true,"num":0}]\x1ebAAEC')
    )
    found["poll of binary"] = shown(await raw.fetch(host.port, "GET", session))
    waiting = asyncio.ensure_future(raw.fetch(host.port, "GET", session))
    await asyncio.sleep(0.05)
    found["post too large"] = shown(await raw.fetch(host.port, "POST", session, body=b"4" + b"x" * LIMIT))
    found["its poll"] = shown(await waiting)
    return found


async def websocket_answers(host: Host) -> dict[str, Any]:
    socket = await raw.websocket(host.port, url(host, transport="websocket"))
    opening = await text(socket)
    found: dict[str, Any] = {"open": {**json.loads(opening[1:]), "sid": "?"}}
    await socket.send("40")
    found["joined"] = sorted(packet[:6] for packet in (await text(socket), await text(socket)))
    await socket.send("427" + json.dumps(["my_environ"]))
    environ = acknowledged(await text(socket))
    found |= {f"environ {name}": environ[name] for name in environ if name != "HTTP_SEC_WEBSOCKET_KEY"}
    await socket.send("4" + "x" * LIMIT)
    found["message too large"] = await socket.receive()
    opened = await raw.open_websocket(host.port, url(host, transport="websocket"), {"Origin": ORIGIN})
    assert isinstance(opened, raw.WebSocket)
    found["handshake of a websocket"] = shown(opened.handshake)
    opened.abort()
    return found


async def text(socket: raw.WebSocket) -> str:
    kind, data = await socket.receive()
    assert kind == "text", (kind, data)
    return str(data)


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    host = start("aiohttp", "socketio")
    try:
        return asyncio.run(answers(host))
    finally:
        host.server.stop(grace=1)


async def test_same_answers(reference: dict[str, Any]):
    host = start("aiohttp")
    try:
        ours = await answers(host)
    finally:
        host.server.stop(grace=1)
    expected = {name: HOSTS[name].becomes(answer) if name in HOSTS else answer for name, answer in reference.items()}
    assert ours == expected


@pytest.mark.parametrize("name", HOSTS)
def test_deviations_are_needed(reference: dict[str, Any], name: str):
    become = HOSTS[name].becomes
    assert become(reference[name]) is ANY or become(reference[name]) != reference[name]
