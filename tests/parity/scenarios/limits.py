"""Limits, details of polling, WebSocket handshakes (contract 3.6 to 3.8)."""

import asyncio
import json
from typing import Any

from parity.scenario import scenario
from parity.scenarios.http import EIO, PATH, POLL, joined, served
from parity.stage import Stage
from wire import raw


@scenario("3.6", {"just": 0, "one_more": 1})
async def limit_of_a_post(stage: Stage, more: int) -> None:
    await served(stage, max_http_buffer_size=100)
    ann = await joined(stage, polls=True)
    body = b'42["E","' + b"x" * (100 - 10 + more) + b'"]'
    await stage.http("POST", ann.url(), {}, body)
    await stage.settle()


@scenario("3.6", {"text": '42["E","%s"]', "binary": b"x"})
async def limit_of_a_message(stage: Stage, message: Any) -> None:
    await served(stage, max_http_buffer_size=100)
    ann = await stage.guest("ann")
    await ann.send(message % ("x" * 90) if isinstance(message, str) else '451-["E",{"_placeholder":true,"num":0}]')
    await ann.send(message % ("x" * 91) if isinstance(message, str) else message * 101)


@scenario("3.6")
async def the_limit_is_live(stage: Stage) -> None:
    sio = await served(stage)
    await stage.http("GET", POLL)
    sio.eio.max_http_buffer_size = 200
    await stage.http("GET", POLL)
    ann = await joined(stage, polls=True)
    await stage.http("POST", ann.url(), {}, b"4" * 201)
    await stage.settle()


@scenario("5")
async def max_decode_packets_is_live(stage: Stage) -> None:
    """`Payload.max_decode_packets`, assigned on the class."""
    payload = stage.engine_module("payload").Payload
    await served(stage)
    payload.max_decode_packets = 3
    ann = await joined(stage, polls=True)
    await stage.http("POST", ann.url(), {}, b"\x1e".join([b'42["E"]'] * 3))
    payload.max_decode_packets = 50
    await stage.http("POST", ann.url(), {}, b"\x1e".join([b'42["E"]'] * 50))
    await stage.settle()


# --- polling details and WebSocket handshakes (3.7, 3.8)


@scenario("3.7")
async def an_aborted_poll(stage: Stage) -> None:
    """Packets do not get lost with a request whose client is gone."""
    sio = await served(stage)
    ann = await joined(stage)
    exchange = await ann.begin_poll()
    await asyncio.sleep(0.005)
    exchange.abort()
    await asyncio.sleep(0.005)
    await sio.emit("news", 1)
    try:
        stage.write_response("poll", await (await ann.begin_poll()).response(0.05))
    except TimeoutError:
        stage.note("the packet is lost")


@scenario("3.8")
async def first_frame_of_a_websocket(stage: Stage) -> None:
    await served(stage)
    socket = await raw.websocket(stage.port, f"{EIO}&transport=websocket")
    kind, text = await socket.receive()
    stage.note("open", kind, sorted(json.loads(str(text)[1:]).items()))


REFUSED_WEBSOCKETS = {
    "transport": f"{EIO}&transport=abc",
    "revision": f"{PATH}?EIO=5&transport=websocket",
    "unknown_session": f"{EIO}&transport=websocket&sid=unknown",
    "elsewhere": "/elsewhere",
}


@scenario("3.8", REFUSED_WEBSOCKETS)
async def refused_websockets(stage: Stage, path: str) -> None:
    await served(stage)
    opened = await raw.open_websocket(stage.port, path)
    if isinstance(opened, raw.Response):
        stage.note("refused", opened.status, opened.body.decode())
    else:
        stage.note("granted", await opened.receive())


@scenario("1.5")
async def transports_option(stage: Stage) -> None:
    sio = await served(stage, transports=["polling"])
    await stage.http("GET", POLL)
    await stage.client("ann").websocket()
    sio.eio.transports = ["websocket"]
    await stage.http("GET", POLL)


@scenario("1.5", {"polling": "polling", "websocket": ["websocket"], "odd": ["polling", "odd"], "upgrades": None})
async def advertised_upgrades(stage: Stage, transports: Any) -> None:
    await served(stage, transports=transports)
    await stage.http("GET", POLL)


@scenario("1.5")
async def no_upgrades_allowed(stage: Stage) -> None:
    await served(stage, allow_upgrades=False)
    await stage.http("GET", POLL)
    ann = await joined(stage)
    opened = await raw.open_websocket(stage.port, ann.url("websocket"))
    stage.note("granted", isinstance(opened, raw.WebSocket))
