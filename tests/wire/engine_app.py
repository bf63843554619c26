"""The Engine.IO application behind the recorded exchanges: an echo, in the five configurations of the recordings.

May import: `fastsio`. Each name `A` to `E` is an ASGI application (see `server_options` in `http_exchanges.json`).
"""

import json
from typing import Any

from fastsio import engineio

COOKIE = {"name": "io", "Path": "/", "HttpOnly": True, "SameSite": "Lax"}
LONG_COOKIE = {"name": "sio", "Max-Age": "86400", "Path": "/x", "HttpOnly": True, "Secure": True, "SameSite": "Strict"}
FAST: dict[str, Any] = {"ping_interval": 0.3, "ping_timeout": 0.2}
SOME_ORIGINS = ["https://a.example", "https://b.example"]


class Verbatim:
    """A `json=` module that decodes nothing: text messages that look like JSON come back byte for byte."""

    dumps = staticmethod(json.dumps)

    @staticmethod
    def loads(text: str) -> Any:
        raise ValueError("messages are text")


def echo(**options: Any) -> engineio.ASGIApp:
    """Give an application that returns every message and closes on the text "__close"."""
    server = engineio.AsyncServer(async_mode="asgi", json=Verbatim, **options)

    async def connect(sid: str, environ: dict[str, Any]) -> Any:
        query = environ["QUERY_STRING"]
        if "deny=1" in query:
            return "no way"
        return "deny" not in query

    async def message(sid: str, data: str | bytes) -> None:
        if data == "__close":
            await server.disconnect(sid)
        else:
            await server.send(sid, data)

    server.on("connect", connect)
    server.on("message", message)
    return engineio.ASGIApp(server)


A = echo(cors_allowed_origins=[], jsonp=True)
B = echo(**FAST, cookie=COOKIE, cors_allowed_origins="*", cors_credentials=False, protocols=4)
C = echo(max_http_buffer_size=100, cookie=LONG_COOKIE, cors_allowed_origins=SOME_ORIGINS, protocols=4)
D = echo(cors_allowed_origins="*", jsonp=True)
E = echo(**FAST, cors_allowed_origins=[], jsonp=True)
# For `test_bad_input`: limits that a test can reach.
tight = echo(cors_allowed_origins=[], max_http_buffer_size=1000, upgrade_timeout=0.3)
