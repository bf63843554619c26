"""The HTTP endpoint (contract 3.1, 3.2): every answer, with its headers."""

import asyncio
import json
import re
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage
from wire import raw

PATH = "/socket.io/"
EIO = f"{PATH}?EIO=4"
POLL = f"{EIO}&transport=polling"


async def served(stage: Stage, **options: Any) -> Any:
    """Give a server in service, with an echo."""
    sio = stage.server(**options)
    sio.on("E", stage.noting("E", returns=1))
    sio.on("disconnect", stage.noting("disconnect"))
    await stage.serve(sio)
    return sio


# --- rows of 3.2: requests without a session

REQUESTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "1_handshake": ("GET", POLL, {}),
    "2_without_transport": ("GET", EIO, {}),
    "3_with_upgrade_header": ("GET", POLL, {"Upgrade": "websocket"}),
    "4_unknown_transport": ("GET", f"{EIO}&transport=abc", {}),
    "4_unknown_transport_post": ("POST", f"{EIO}&transport=abc&sid=none", {}),
    "5_no_revision": ("GET", f"{PATH}?transport=polling", {}),
    "5_revision_5": ("GET", f"{PATH}?EIO=5&transport=polling", {}),
    "5_revision_twice": ("GET", f"{PATH}?EIO=4&EIO=4&transport=polling", {}),
    "5_options_without_revision": ("OPTIONS", f"{PATH}?transport=polling", {}),
    "5_blank_revision": ("GET", f"{PATH}?EIO=&transport=polling", {}),
    "6_unknown_session": ("GET", f"{POLL}&sid=unknown", {}),
    "6_unknown_session_post": ("POST", f"{POLL}&sid=unknown", {}),
    "6_unknown_session_without_revision": ("GET", f"{PATH}?sid=unknown", {}),
    "7_post_without_session": ("POST", POLL, {}),
    "8_options": ("OPTIONS", POLL, {}),
    "8_options_of_a_session": ("OPTIONS", f"{POLL}&sid=unknown", {}),
    "8_options_with_origin": (
        "OPTIONS",
        POLL,
        {"Origin": "http://127.0.0.1", "Access-Control-Request-Headers": "x-a, x-b"},
    ),
    "9_put": ("PUT", POLL, {}),
    "9_delete": ("DELETE", POLL, {}),
    "9_patch_of_a_session": ("PATCH", f"{POLL}&sid=unknown", {}),
    "10_websocket_without_upgrade": ("GET", f"{EIO}&transport=websocket", {}),
    "12_jsonp_index": ("GET", f"{POLL}&j=abc", {}),
    "12_blank_jsonp_index": ("GET", f"{POLL}&j=", {}),
    "13_jsonp": ("GET", f"{POLL}&j=0", {}),
    "35_elsewhere": ("GET", "/elsewhere", {}),
    "35_nearly": ("GET", "/socket.iox/?EIO=4&transport=polling", {}),
    "path_without_slash": ("GET", "/socket.io?EIO=4&transport=polling", {}),
    "path_below": ("GET", "/socket.io/below/?EIO=4&transport=polling", {}),
    "origin_not_allowed": ("GET", POLL, {"Origin": "http://evil.example"}),
    "first_value_wins": ("GET", f"{EIO}&transport=polling&transport=abc", {}),
}


@scenario("3.2", REQUESTS)
async def requests(stage: Stage, request: tuple[str, str, dict[str, str]]) -> None:
    await served(stage)
    await stage.http(*request)


# Requests that are wrong in two ways: which one is told.
ORDER: dict[str, tuple[str, str, dict[str, str]]] = {
    "origin_before_transport": ("GET", f"{EIO}&transport=abc", {"Origin": "http://evil.example"}),
    "transport_before_revision": ("GET", f"{PATH}?EIO=2&transport=abc", {}),
    "revision_before_jsonp": ("GET", f"{PATH}?EIO=2&transport=polling&j=abc", {}),
    "jsonp_before_session": ("GET", f"{POLL}&j=abc&sid=unknown", {}),
    "jsonp_before_method": ("DELETE", f"{POLL}&j=abc", {}),
    "transport_before_method": ("DELETE", f"{EIO}&transport=abc", {}),
    "revision_before_method": ("DELETE", f"{PATH}?EIO=2&transport=polling", {}),
    "method_before_session": ("DELETE", f"{POLL}&sid=unknown", {}),
    "session_before_revision": ("GET", f"{PATH}?EIO=2&transport=polling&sid=unknown", {}),
}


@scenario("3.1", ORDER)
async def order_of_checks(stage: Stage, request: tuple[str, str, dict[str, str]]) -> None:
    await served(stage)
    await stage.http(*request)


@scenario("3.2")
async def head(stage: Stage) -> None:
    await served(stage)
    exchange = await raw.begin(stage.port, "HEAD", POLL)
    response = await raw.read_head(exchange.reader)
    exchange.close()
    stage.write_response("http HEAD", response)


# --- rows of 3.2: requests of a session


async def joined(stage: Stage, polls: bool = False) -> Any:
    """Give a polling client that has joined; without `polls` it only polls when it is told to."""
    client = await stage.client("ann").polling(polls=polls)
    await client.send("40")
    if not polls:
        await client.poll()
    return client


POSTS: dict[str, bytes] = {
    "14_form": b"d=42%5B%22E%22%5D",
    "15_valid": b'42["E"]',
    "15_two": b'42["E"]\x1e42["E"]',
    "16_empty": b"",
    "18_no_digit": b"zzz",
    "18_empty_packet": b'42["E"]\x1e',
    "18_separator": b"\x1e",
    "18_bad_base64": b"bAAA",
    "18_worse_base64": b"bA",
    "18_not_utf8": b'42["E"]\xff',
    "19_too_many": b"\x1e".join([b'42["E"]'] * 17),
    "21_type_7": b"7",
    "22_upgrade": b"5",
    "stray_open": b"0",
    "stray_noop": b"6",
    "stray_pong": b"3",
}


@scenario("3.2", POSTS)
async def posts(stage: Stage, body: bytes) -> None:
    """A body, with a GET open; then an ordinary event."""
    sio = await served(stage)
    ann = await joined(stage, polls=True)
    await stage.http("POST", ann.url(), {}, body)
    await stage.settle()
    await stage.http("POST", ann.url(), {}, b'42["E",2]')
    await stage.settle()
    stage.note("members", len(sio.manager.rooms))


@scenario("3.2", {"2": b"2", "after_an_event": b'42["E"]\x1e2'})
async def packets_of_servers(stage: Stage, body: bytes) -> None:
    """Packets that only servers send, with a GET open (row 20)."""
    await served(stage)
    ann = await joined(stage, polls=True)
    await stage.http("POST", ann.url(), {}, body)
    await stage.settle()
    await stage.http("GET", ann.url())


@scenario("3.2", {"server_packet": b"2", "too_large": b"4" * 101})
async def refused_without_an_open_get(stage: Stage, body: bytes) -> None:
    """Without a GET that takes the farewell, the reference never answers."""
    await served(stage, max_http_buffer_size=100)
    ann = await joined(stage)
    exchange = await raw.begin(stage.port, "POST", ann.url(), {}, body)
    try:
        stage.write_response("http POST", await exchange.response(0.05))
    except TimeoutError:
        stage.note("no answer")


@scenario("3.2")
async def a_chunked_post(stage: Stage) -> None:
    await served(stage)
    ann = await joined(stage)
    head = f"POST {ann.url()} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    exchange = await raw.open_exchange(stage.port, head.encode() + b'7\r\n42["E"]\r\n0\r\n\r\n')
    stage.write_response("http POST", await exchange.response())
    await stage.settle()


@scenario("3.7")
async def a_post_in_pieces(stage: Stage) -> None:
    """A body that comes in several segments is read whole."""
    await served(stage)
    ann = await joined(stage)
    body = b'421["E","' + b"x" * 300 + b'"]'
    exchange = await raw.begin(stage.port, "POST", ann.url(), {}, body[:100], missing=len(body) - 100)
    for start in (100, 200):
        await asyncio.sleep(0.005)
        await exchange.send(body[start : start + 100] if start == 100 else body[start:])
    stage.write_response("http POST", await exchange.response())
    await ann.poll()


@scenario("3.2")
async def jsonp_answers(stage: Stage) -> None:
    """Text that JavaScript must read back, in a script; `jsonp` is an option that the reference does not know."""
    sio = await served(stage, jsonp=True)
    handshake = await stage.http("GET", f"{POLL}&j=3")
    ann = stage.client("ann")
    ann.eio_sid = re.findall(r'sid\\":\\"([\w-]+)', handshake.body.decode())[0]
    await ann.post("40")
    await raw.fetch(stage.port, "GET", f"{ann.url()}&j=3")
    await sio.emit("E", 'quote " backslash \\ line\n </script>')
    response = await raw.fetch(stage.port, "GET", f"{ann.url()}&j=3")
    stage.note("content type", response.headers["content-type"])
    text = response.body.decode().removeprefix("___eio[3](").removesuffix(");")
    await stage.outcome("JavaScript reads", lambda: json.loads(json.loads(text)[2:]))


@scenario("3.3")
async def same_origin_over_tls(stage: Stage) -> None:
    """A host that ends TLS itself says so in the scope."""
    sio = stage.server()
    app = stage.socketio.ASGIApp(sio)

    async def over_tls(scope: Any, receive: Any, send: Any) -> None:
        await app(scope | {"scheme": "https"}, receive, send)

    await stage.serve(over_tls)
    for origin in ("https://127.0.0.1", "http://127.0.0.1", "https://evil.example"):
        await stage.http("GET", f"{POLL}&sid=unknown", {"Origin": origin})


@scenario("3.2")
async def the_client_closes(stage: Stage) -> None:
    """Rows 24 to 26: a POST of `1`, the GET that is open, and the requests after it."""
    await served(stage)
    ann = await joined(stage)
    waiting = await ann.begin_poll()
    await asyncio.sleep(0.005)
    await stage.http("POST", ann.url(), {}, b"1")
    try:
        stage.write_response("waiting", await waiting.response(0.05))
    except TimeoutError:
        stage.note("the waiting GET hangs")
    await stage.http("GET", ann.url())
    await stage.http("GET", ann.url())


@scenario("3.2")
async def a_post_after_the_close(stage: Stage) -> None:
    await served(stage)
    ann = await joined(stage)
    await stage.http("POST", ann.url(), {}, b"1")
    await stage.http("POST", ann.url(), {}, b'42["E"]')
    await stage.http("POST", ann.url(), {}, b'42["E"]')


@scenario("3.2")
async def two_gets(stage: Stage) -> None:
    """Row 27: a second GET while one is open."""
    sio = await served(stage)
    ann = await joined(stage)
    first = await ann.begin_poll()
    await asyncio.sleep(0.005)
    second = await ann.begin_poll()
    await asyncio.sleep(0.005)
    await sio.emit("one")
    for name, exchange in (("first", first), ("second", second)):
        try:
            stage.write_response(name, await exchange.response(0.03))
        except (TimeoutError, raw.Reset) as error:
            stage.note(name, error)


@scenario("3.2")
async def requests_of_a_websocket_session(stage: Stage) -> None:
    """Row 28."""
    await served(stage)
    ann = await stage.guest("ann")
    await stage.http("GET", ann.url())
    await stage.http("POST", ann.url(), {}, b'42["E"]')
    await stage.http("GET", ann.url("websocket"))
    await ann.ask("E")


@scenario("3.2")
async def polls_with_packets(stage: Stage) -> None:
    """Row 30: everything that waits, in one body."""
    sio = await served(stage)
    ann = await joined(stage)
    for number in range(20):
        await sio.emit("n", number)
    await sio.emit("binary", b"\x00\xff")
    await stage.http("GET", ann.url())


@scenario("3.2")
async def after_disconnecting(stage: Stage) -> None:
    """Rows 36 and 37."""
    sio = await served(stage)
    ann = await joined(stage)
    await sio.disconnect(ann.sid)
    await stage.http("GET", ann.url())
    await ann.post("40")
    await ann.poll()
    stage.closing = asyncio.ensure_future(sio.eio.disconnect(ann.eio_sid))  # type: ignore[attr-defined]
    await asyncio.sleep(0.005)
    await stage.http("GET", ann.url())
    await stage.http("GET", ann.url())


@scenario(
    "3.2",
    {"false": False, "text": "no", "zero": 0, "true": True, "none": None, "dict": {"why": 1}, "raises": ValueError},
)
async def engine_connect_handlers(stage: Stage, result: Any) -> None:
    """Row 33: what an Engine.IO connect handler answers."""
    eio = stage.engineio.AsyncServer(async_mode="asgi")

    async def connect(sid: str, environ: Any) -> Any:
        stage.note("connect", len(sid), environ)
        if result is ValueError:
            raise ValueError
        return result

    eio.on("connect", connect)
    await stage.serve(eio)
    await stage.http("GET", "/engine.io/?EIO=4&transport=polling")
    await stage.client("ann", "/engine.io/").websocket()
    await stage.settle()
    stage.note("sessions", len(eio.sockets))


@scenario("3.2")
async def the_log_level_of_refusals(stage: Stage) -> None:
    """The first refusal of a category is an error, the next ones are information."""
    await served(stage)
    for _ in range(3):
        await stage.http("GET", f"{EIO}&transport=abc")
        stage.logs()
    await stage.http("GET", f"{POLL}&sid=unknown")
    stage.logs()
