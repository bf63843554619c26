"""Environs of requests that are like an earlier one are copies of that one's: nobody may see another's in them."""

import gc
from typing import Any

import pytest

from fastsio._http import Request, environ
from native.conftest import KEY, MakeSite, Site

QUERY = "EIO=4&transport=websocket"
PLAIN = f"Connection: Upgrade\nUpgrade: websocket\n{KEY}"


def _seen(here: Site, headers: str = PLAIN, query: str = QUERY, path: str = "/socket.io/") -> dict[str, Any]:
    """Connect a client; give the environ that its connect handler was shown."""
    seen: list[dict[str, Any]] = []

    @here.sio.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        seen.append(environ)

    transport = here.connect()
    answer = here.request(transport, f"GET {path}?{query} HTTP/1.1\nHost: x\n{headers}")
    assert answer.startswith(b"HTTP/1.1 101"), answer
    sid = answer[answer.index(b'"sid":"') + 7 :][:20].decode()
    here.say(transport, b"\x81\x82\0\0\0\00040")
    session = here.registry.sessions[sid]
    assert seen[0] == _expected(session.request)
    return seen[0]


def _expected(request: Any) -> dict[str, Any]:
    """Give what a request with its headers already taken apart has for an environ: it is made from nothing."""
    again = Request(request.method, request.path, request.query_string, request.headers)
    again.scheme, again.client, again.server, again.extras = (
        request.scheme,
        request.client,
        request.server,
        request.extras,
    )
    return environ(again)


def test_clients_alike_have_their_own_values(site: MakeSite) -> None:
    here = site()
    first = _seen(here, f"{PLAIN}\nCookie: user=ada\nUser-Agent: one")
    second = _seen(here, f"{PLAIN}\nCookie: user=bob\nUser-Agent: one")
    assert (first["HTTP_COOKIE"], second["HTTP_COOKIE"]) == ("user=ada", "user=bob")
    assert first["HTTP_USER_AGENT"] == second["HTTP_USER_AGENT"] == "one"
    assert (b"cookie", b"user=ada") in first["asgi.scope"]["headers"]
    assert (b"cookie", b"user=bob") in second["asgi.scope"]["headers"]


def test_what_one_handler_changes_no_other_sees(site: MakeSite) -> None:
    here = site()
    first = _seen(here)
    for table in (first, first["asgi.scope"], first["asgi.scope"]["state"], first["asgi.scope"]["asgi"]):
        table["app.user"] = "ada"
    first["asgi.scope"]["headers"].append((b"x-added", b"1"))
    first["HTTP_HOST"] = "elsewhere"
    second = _seen(here)
    assert "app.user" not in str(second) and "x-added" not in str(second)
    assert second["HTTP_HOST"] == "x"
    assert second["asgi.scope"] is not first["asgi.scope"]


@pytest.mark.parametrize(
    "headers",
    [
        f"{PLAIN}\nX-Twice: a\nX-Twice: b",
        f"{PLAIN}\nX_Under: a",
        f"{PLAIN}\nX-Latin: \xe9",
        f"{PLAIN}\nX-Latin: ascii",
        f"{PLAIN}\nx-latin: ascii",
        f"{PLAIN}\nX-Forwarded-Proto: https",
        f"{PLAIN}\nX-Forwarded-Proto: http",
        f"{PLAIN}\nContent-Type: text/plain\nContent-Length: 0",
        PLAIN.replace("websocket", "WebSocket"),
        PLAIN + "".join(f"\nX-Many-{i}: {i}" for i in range(15)),
        PLAIN + "".join(f"\nX-Many-{i}: {i}" for i in range(16)),
        PLAIN + "".join(f"\nX-Many-{i}: {i}" for i in range(100)),
    ],
)
def test_every_kind_of_header_after_every_other(site: MakeSite, headers: str) -> None:
    here = site()
    for before in (PLAIN, f"{PLAIN}\nX-Latin: \xe9", f"{PLAIN}\nX-Latin: b", headers, headers):
        _seen(here, before)


def test_other_requests_are_not_mistaken_for_it(site: MakeSite) -> None:
    here = site()
    _seen(here)
    assert _seen(here, query=f"{QUERY}&room=1")["QUERY_STRING"] == f"{QUERY}&room=1"
    assert _seen(here, path="/socket.io/below")["PATH_INFO"] == "/socket.io/below"
    assert _seen(here)["RAW_URI"] == f"/socket.io/?{QUERY}"


def test_servers_do_not_share_the_state_of_their_applications(site: MakeSite) -> None:
    one, other = site(), site()
    assert _seen(one)["asgi.scope"]["state"] is not _seen(other)["asgi.scope"]["state"]


def test_what_is_kept_for_later_requests_is_nobodys_secret(site: MakeSite) -> None:
    here = site()
    _seen(
        here, f"{PLAIN}\nCookie: user=secret\nAuthorization: Bearer secret\nUser-Agent: kept", f"{QUERY}&token=secret"
    )
    kept = [gc.get_referents(one) for one in gc.get_objects() if type(one).__name__ == "Mold"]
    assert "'HTTP_USER_AGENT': 'kept'" in str(kept) and "secret" not in str(kept)
