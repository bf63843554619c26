"""`sio.stats()`, and the application that shows it: against a live server with clients."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import fastsio
from fastsio.status.prometheus import _metric, text_of
from wire.live import REFERENCE, Server
from wire.sessions import Client

pytestmark = pytest.mark.skipif(REFERENCE is not None, reason="python-socketio has no status")


@pytest.fixture(scope="module", params=["native", "asgi"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(request.param, "status.app:app", log_level="critical")
    yield server
    server.stop()


def get(server: Server, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, dict(answer.headers.items()), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers.items()), error.read()


def stats(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(server, "/status/stats.json")[2])
    return found


async def test_what_happens_is_counted(server: Server) -> None:
    before = stats(server)
    link = await Client(server.port, 4, "/socket.io/").live_websocket()
    await link.send("40")
    await link.receive()
    await link.send("40/news,")
    await link.receive()
    for text in ('42["say","hello"]', '42["fail"]', '42["say","again"]'):
        await link.send(text)
    assert [(await link.receive())[1] for _ in range(2)] == ['42["said","hello"]', '42["said","again"]']
    now = stats(server)
    assert now["sessions"]["open"] == now["sessions"]["websocket"] == before["sessions"]["open"] + 1
    assert now["namespaces"]["/"] == {"clients": 1, "rooms": 1} and now["namespaces"]["/news"] == {
        "clients": 1,
        "rooms": 0,
    }
    grown = {name: now["events"][name] - before["events"][name] for name in ("received", "failed", "emitted")}
    assert grown == {"received": 3, "failed": 1, "emitted": 2}
    assert now["packets"]["received"] - before["packets"]["received"] == 5
    assert now["packets"]["sent"] - before["packets"]["sent"] == 5
    assert now["backlog"] == {"bytes": 0, "packets": 0, "largest": 0}
    await link.send("1")
    assert (await link.receive())[0] == "close"
    after = stats(server)
    assert after["sessions"]["closed"] == now["sessions"]["closed"] + 1 and after["namespaces"] == {}
    assert after["disconnects"]["client disconnect"] >= 1


def test_refusals_are_counted_by_their_cause(server: Server) -> None:
    before = stats(server)["refusals"].get("unsupported version", 0)
    assert get(server, "/socket.io/?EIO=9&transport=polling")[0] == 400
    assert stats(server)["refusals"]["unsupported version"] == before + 1


def test_prometheus_reads_it(server: Server) -> None:
    get(server, "/socket.io/?EIO=4&transport=polling")
    status, headers, body = get(server, "/status/metrics")
    assert status == 200 and headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    assert families["fastsio_sessions"].type == "gauge" and families["fastsio_sessions_opened"].type == "counter"
    polling = [one for one in families["fastsio_sessions"].samples if one.labels == {"transport": "polling"}]
    assert polling[0].value == stats(server)["sessions"]["polling"] >= 1
    assert all(family.documentation for family in families.values()) and len(families) >= 20


def test_a_manager_tells_of_the_cluster() -> None:
    alone = fastsio.AsyncServer(async_mode="asgi")
    assert alone.stats()["cluster"] == {} and "fastsio_cluster" not in text_of(alone.stats())
    manager = fastsio.AsyncRedisManager("redis://127.0.0.1:1")
    manager.health.hears, manager.health.missed = True, 3
    stats = fastsio.AsyncServer(async_mode="asgi", client_manager=manager).stats()
    assert stats["cluster"]["missed"] == 3 and json.loads(json.dumps(stats)) == stats
    families = {family.name: family for family in text_string_to_metric_families(text_of(stats))}
    up = {one.labels["direction"]: one.value for one in families["fastsio_cluster_up"].samples}
    assert up == {"publishes": 0, "hears": 1}
    fates = {one.labels["fate"]: one.value for one in families["fastsio_cluster_messages"].samples}
    assert fates["missed"] == 3 and len(fates) == 7
    assert families["fastsio_cluster_reconnects"].samples[0].value == 0


def test_labels_are_escaped() -> None:
    text = _metric("x", "gauge", "An x.", [({"reason": 'a "b"\n\\c'}, 1)])
    (family,) = text_string_to_metric_families(text)
    assert family.samples[0].labels == {"reason": 'a "b"\n\\c'}


def test_the_page_needs_nothing_else(server: Server) -> None:
    for path in ("/status", "/status/"):
        status, headers, body = get(server, path)
        assert status == 200 and headers["content-type"].startswith("text/html")
        assert (
            b"src=" not in body
            and b"href=" not in body
            and b"default-src 'none'" in headers["content-security-policy"].encode()
        )


def test_what_there_is_not(server: Server) -> None:
    assert get(server, "/status/secrets")[0] == 404
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/status/", method="POST", data=b"")
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(request, timeout=5)


@pytest.mark.parametrize("path", ["/guarded/", "/guarded/metrics", "/guarded/stats.json", "/guarded/other"])
def test_without_the_token_nothing_is_shown(server: Server, path: str) -> None:
    for headers, query in (
        ({}, ""),
        ({"Authorization": "Bearer wrong"}, ""),
        ({}, "?token=let-me"),
        ({}, "?x=let-me-see"),
    ):
        status, answer, body = get(server, path + query, **headers)
        assert status == 401 and answer["www-authenticate"] == "Bearer" and b"token is needed" in body
    expected = 404 if path.endswith("other") else 200
    assert get(server, path, Authorization="Bearer let-me-see")[0] == expected
    assert get(server, path + "?token=let-me-see")[0] == expected


async def test_a_token_in_the_address_is_encoded_as_pages_do() -> None:
    app = fastsio.StatusApp(fastsio.AsyncServer(async_mode="asgi"), token="a+b c/d=&%")
    for query, status in (
        (b"token=a%2Bb%20c%2Fd%3D%26%25", 200),
        (b"token=a%2Bb+c%2Fd%3D%26%25", 200),
        (b"token=a+b c/d=&%", 401),
    ):
        sent: list[dict[str, object]] = []

        async def send(message: dict[str, object], sent: list[dict[str, object]] = sent) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": query}
        await app(scope, None, send)  # type: ignore[arg-type]
        assert sent[0]["status"] == status, query


def test_an_empty_token_is_refused() -> None:
    with pytest.raises(ValueError, match="token='' would let everybody in"):
        fastsio.StatusApp(fastsio.AsyncServer(async_mode="asgi"), token="")


def test_uptime_does_not_wait_for_the_first_client() -> None:
    sio = fastsio.AsyncServer(async_mode="asgi")
    time.sleep(0.02)

    async def uptime() -> float:
        sio.eio._registry.attach_loop()
        return float(sio.stats()["uptime"])

    assert asyncio.run(uptime()) >= 0.02
    assert asyncio.run(uptime()) < 0.02, "another loop is another life"
