"""An ASGI application that shows one server: a page for people, `stats.json`, and `metrics` for Prometheus.

May import: the rest of this folder. Never shows session ids, rooms' names or anything that clients have sent.
"""

import hmac
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from fastsio.status import prometheus
from fastsio.status.stats import stats_of

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Body = tuple[int, str, bytes]

PAGE = Path(__file__).with_name("page.html")
HTML, JSON, TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
# Everything that the page needs is in it.
POLICY = b"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"


class StatusApp:
    """A status page for a server. Mount it where those who may see it can reach it.

    Paths below the mount: "/" is the page, which refreshes itself; "/stats.json" what `sio.stats()` gives; "/metrics"
    Prometheus' text.

    Args:
        sio: the `AsyncServer`.
        token: what a reader has to bring, as ``Authorization: Bearer TOKEN`` or ``?token=TOKEN``; None for anybody who can
            reach it.

    Example:
        app.mount("/status", fastsio.StatusApp(sio, token=os.environ["STATUS_TOKEN"]))
    """

    def __init__(self, sio: Any, token: str | None = None) -> None:
        if token == "":
            raise ValueError("token='' would let everybody in; give a longer one, or None to want that")
        self._sio, self._token = sio, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _answer(send, scope["method"], self._body_for(scope))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] == "lifespan":
            await _live(receive, send)

    def _body_for(self, scope: Scope) -> Body:
        path = scope["path"].removeprefix(scope.get("root_path") or "")
        if scope["method"] not in ("GET", "HEAD"):
            return 405, TEXT, b"GET is all there is here\n"
        if not self._may_see(scope):
            return 401, TEXT, b"a token is needed: Authorization: Bearer TOKEN, or ?token=TOKEN\n"
        if path in ("", "/"):
            return 200, HTML, PAGE.read_bytes()
        if path == "/stats.json":
            return 200, JSON, json.dumps(stats_of(self._sio)).encode()
        if path == "/metrics":
            return 200, prometheus.CONTENT_TYPE, prometheus.text_of(stats_of(self._sio)).encode()
        return 404, TEXT, b"there are /, /stats.json and /metrics here\n"

    def _may_see(self, scope: Scope) -> bool:
        if self._token is None:
            return True
        wanted = self._token.encode()
        brought = [value.partition(b" ")[2].strip() for name, value in scope["headers"] if name == b"authorization"]
        query = parse_qsl(scope.get("query_string") or b"")
        brought += [value for name, value in query if name == b"token"]
        return any(hmac.compare_digest(one, wanted) for one in brought)


async def _answer(send: Send, method: str, body: Body) -> None:
    status, content_type, text = body
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(text)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"content-security-policy", POLICY),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else text})


async def _live(receive: Receive, send: Send) -> None:
    """Stand alone: there is nothing to start or to stop."""
    while True:
        name = (await receive())["type"]
        await send({"type": f"{name}.complete"})
        if name == "lifespan.shutdown":
            return
