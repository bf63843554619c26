"""Headers of the HTTP endpoint (contract 3.3 to 3.5): CORS, cookies, compression."""

import gzip
import warnings
import zlib
from typing import Any

from parity.scenario import scenario
from parity.scenarios.http import POLL, joined, served
from parity.stage import Stage
from wire import raw


def allowing(*names: str) -> Any:
    def allowed(origin: str, *rest: Any) -> bool:
        return origin in names

    return allowed


async def asynchronous(origin: str, environ: Any) -> bool:
    return origin == "http://a.example"


ORIGINS: dict[str, Any] = {
    "default": None,
    "star": "*",
    "list_with_star": ["*"],
    "text": "http://a.example",
    "list": ["http://a.example", "http://b.example"],
    "tuple": ("http://a.example",),
    "function_of_two": lambda origin, environ: origin == "http://a.example" and "HTTP_HOST" in environ,
    "function_of_one": lambda origin: origin == "http://a.example",
    "disabled": [],
}


@scenario("3.3", ORIGINS)
async def origins(stage: Stage, allowed: Any) -> None:
    await served(stage, cors_allowed_origins=allowed)
    for origin in ("http://a.example", "http://evil.example", "http://127.0.0.1", "null", None):
        await stage.http("GET", f"{POLL}&sid=unknown", {"Origin": origin} if origin else {})
    await stage.http("OPTIONS", POLL, {"Origin": "http://a.example", "Access-Control-Request-Headers": "x-a"})


@scenario("3.3")
async def an_async_function_for_origins(stage: Stage) -> None:
    """The reference takes the coroutine for a yes, for every origin."""
    try:
        await served(stage, cors_allowed_origins=asynchronous)
    except ValueError:
        stage.note("refused at construction")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        await stage.http("GET", f"{POLL}&sid=unknown", {"Origin": "http://evil.example"})


@scenario("3.3")
async def without_credentials(stage: Stage) -> None:
    await served(stage, cors_allowed_origins="*", cors_credentials=False)
    await stage.http("GET", f"{POLL}&sid=unknown", {"Origin": "http://a.example"})
    await stage.http("OPTIONS", POLL, {"Origin": "http://a.example"})


FORWARDED: dict[str, dict[str, str]] = {
    "proto": {"X-Forwarded-Proto": "https"},
    "host": {"X-Forwarded-Host": "a.example"},
    "both": {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "a.example"},
    "lists": {"X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "a.example, b.example"},
}


@scenario("3.3", FORWARDED)
async def same_origin_behind_a_proxy(stage: Stage, headers: dict[str, str]) -> None:
    await served(stage)
    for origin in (
        "http://127.0.0.1",
        "https://127.0.0.1",
        "https://a.example",
        "http://a.example",
        "https://b.example",
    ):
        await stage.http("GET", f"{POLL}&sid=unknown", headers | {"Origin": origin})


@scenario("3.3")
async def cors_is_live(stage: Stage) -> None:
    sio = await served(stage)
    request = ("GET", f"{POLL}&sid=unknown", {"Origin": "http://a.example"})
    await stage.http(*request)
    for allowed in ("*", [], ["http://a.example"]):
        sio.eio.cors_allowed_origins = allowed
        await stage.http(*request)


@scenario("3.3")
async def cors_of_websockets(stage: Stage) -> None:
    await served(stage)
    await (await stage.client("ann", Origin="http://127.0.0.1").websocket()).join()
    await stage.client("bob", Origin="http://evil.example").websocket()


@scenario("3.3")
async def headers_of_a_handshake_with_origin(stage: Stage) -> None:
    await served(stage, cors_allowed_origins="*")
    await stage.http("GET", POLL, {"Origin": "http://a.example"})


# --- cookies (3.4)

COOKIES: dict[str, Any] = {
    "text": "io",
    "dict": {"name": "sid", "Path": "/", "SameSite": "Strict", "Secure": True, "HttpOnly": True},
    "without_name": {"path": "/x"},
    "function": {"name": "io", "Max-Age": lambda: "60"},
    "false": {"name": "io", "Secure": False},
    "number": {"name": "io", "Max-Age": 60},
    "none": {"name": "io", "Domain": None},
    "empty": {},
}


@scenario("3.4", COOKIES)
async def cookies(stage: Stage, cookie: Any) -> None:
    await served(stage, cookie=cookie)
    await stage.http("GET", POLL)


@scenario("3.4")
async def cookies_are_for_polling_handshakes(stage: Stage) -> None:
    await served(stage, cookie="io")
    ann = await stage.guest("ann")
    stage.note("websocket", "set-cookie" in ann.socket.handshake.headers)
    bob = await joined(stage)
    await stage.http("POST", bob.url(), {}, b'421["E"]')
    await stage.settle()
    await stage.http("GET", bob.url())


# --- compression (3.5)

ENCODINGS = {
    "none": "",
    "gzip": "gzip",
    "deflate": "deflate",
    "both": "deflate, gzip",
    "unknown_first": "br, gzip",
    "star": "*",
    "upper_case": "GZIP",
    "quality": "gzip;q=0.5",
}


@scenario("3.5", ENCODINGS)
async def compression(stage: Stage, accepted: str) -> None:
    sio = await served(stage, compression_threshold=200)
    ann = await joined(stage)
    for size in (10, 300):
        await sio.emit("E", "x" * size)
        response = await raw.fetch(stage.port, "GET", ann.url(), {"Accept-Encoding": accepted} if accepted else {})
        encoding = response.headers.get("content-encoding", "")
        body = {"gzip": gzip.decompress, "deflate": zlib.decompress, "": bytes}[encoding](response.body)
        stage.note(f"{size}", encoding, body.decode())


@scenario("3.5")
async def compression_is_live(stage: Stage) -> None:
    sio = await served(stage, http_compression=False, compression_threshold=10)
    ann = await joined(stage)
    for enabled in (False, True):
        sio.eio.http_compression = enabled
        await sio.emit("E", "x" * 100)
        response = await raw.fetch(stage.port, "GET", ann.url(), {"Accept-Encoding": "gzip"})
        stage.note("encoding", response.headers.get("content-encoding"))
    sio.eio.compression_threshold = 100_000
    await sio.emit("E", "x" * 100)
    response = await raw.fetch(stage.port, "GET", ann.url(), {"Accept-Encoding": "gzip"})
    stage.note("encoding", response.headers.get("content-encoding"))
