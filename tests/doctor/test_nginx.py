"""`fastsio doctor` in front of a real nginx that is wrong in one way, and names it.

May import: proxies, reading, live servers.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from doctor.proxies import PASS_HOST, PASS_UPGRADE, needs_nginx, nginx
from doctor.reading import consult
from tests.ports import free_port
from wire.live import TESTS, Server

pytestmark = needs_nginx
INTERVAL = 3.0  # seconds between pings, so that a test sees one
GOOD = PASS_HOST + PASS_UPGRADE


def start(**options: object) -> Server:
    return Server(
        "native", "doctor.applications:app", {"DOCTOR_OPTIONS": json.dumps({"ping_interval": INTERVAL, **options})}
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def second() -> Iterator[Server]:
    running = start()
    yield running
    running.stop()


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def test_a_good_proxy_is_healthy(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, [server.port], GOOD) as port:
        reading = consult(url(port))
    assert reading.status == 0
    assert {check for check, line in reading.checks.items() if line["state"] != "ok"} == {"TLS"}


def test_buffering_of_nginx_does_no_harm_to_answers_that_end(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, [server.port], GOOD + "proxy_buffering on; proxy_buffers 8 64k;") as port:
        assert consult(url(port), "--eio", "4").status == 0


def test_upgrades_are_not_passed(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, [server.port], PASS_HOST) as port:
        reading = consult(url(port), "--quick")
    assert (reading.status, reading.causes) == (23, ["no-upgrade"])
    assert "proxy_set_header Upgrade $http_upgrade" in reading.failure("no-upgrade")
    assert 'the answer is HTTP 400, "Invalid websocket upgrade"' in reading.failure("no-upgrade")
    assert reading.state("polling, EIO 4") == reading.state("polling, EIO 3") == "ok"
    assert reading.state("upgrade, EIO 4") == "skipped"


def test_another_path(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, [server.port], GOOD, location="/ws/") as port:
        assert consult(url(port), "--quick").causes == ["not-socketio"]
    with nginx(tmp_path, [server.port], GOOD, location="/ws/", onto="/") as port:
        reading = consult(url(port), "--quick")
        assert (reading.status, reading.causes) == (14, ["wrong-path"])
        assert 'path: "/ws/socket.io/"' in reading.failure("wrong-path")
        assert reading.state("upgrade, EIO 4") == "ok"
        assert consult(url(port), "--quick", "--path", "/ws/socket.io").status == 0


def test_a_path_that_redirects(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, [server.port], "return 301 https://example.org$request_uri;") as port:
        reading = consult(url(port), "--quick")
    assert (reading.status, reading.causes) == (14, ["wrong-path"])
    assert "redirects to https://example.org/socket.io/" in reading.failure("wrong-path")


def test_quiet_connections_are_ended(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, [server.port], GOOD + "proxy_read_timeout 1s;") as port:
        reading = consult(url(port))
    assert (reading.status, reading.causes) == (26, ["idle-timeout"])
    for transport in ("polling", "WebSocket"):
        for eio in (4, 3):
            line = reading.checks[f"heartbeat, {transport}, EIO {eio}"]
            assert (line["state"], line["cause"]) == ("failed", "idle-timeout")
            assert "before the ping interval of 3 s" in line["detail"] and "proxy_read_timeout" in line["advice"]


def test_two_servers_without_stickiness(server: Server, second: Server, tmp_path: Path) -> None:
    ports = [server.port, second.port]
    with nginx(tmp_path, ports, GOOD) as port:
        reading = consult(url(port), "--quick")
    assert (reading.status, reading.causes) == (20, ["not-sticky"])
    assert "ip_hash" in reading.failure("not-sticky")
    assert reading.state("WebSocket, EIO 4") == "ok" and reading.state("polling, EIO 4") == "skipped"
    with nginx(tmp_path, ports, GOOD, balance="ip_hash; ") as port:
        assert consult(url(port), "--quick").status == 0


def test_a_host_that_is_not_passed_makes_the_own_origin_a_strange_one(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, [server.port], PASS_UPGRADE) as port:
        reading = consult(url(port), "--quick")
    assert (reading.status, reading.causes) == (17, ["origin"])
    assert "proxy_set_header Host $http_host" in reading.failure("origin")
    assert reading.state("upgrade, EIO 4") == "ok"  # without an origin, as programs connect


def test_a_second_permission_in_the_answer(tmp_path: Path) -> None:
    allowing = start(cors_allowed_origins="*")
    try:
        origin = ["--quick", "--origin", "https://app.example.org"]
        with nginx(tmp_path, [allowing.port], GOOD) as port:
            assert consult(url(port), *origin).status == 0
        with nginx(tmp_path, [allowing.port], GOOD + "add_header Access-Control-Allow-Origin *;") as port:
            reading = consult(url(port), *origin)
            assert reading.causes == ["origin"] and "more than once" in reading.failure("origin")
    finally:
        allowing.stop()


def test_a_cache(server: Server, tmp_path: Path) -> None:
    cache = "proxy_cache shop; proxy_cache_key $uri; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control Vary;"
    with nginx(tmp_path, [server.port], GOOD + cache) as port:
        reading = consult(url(port), "--quick", "--eio", "4")
    assert (reading.status, reading.causes[0]) == (19, "cached")


def test_answers_that_trickle(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, [server.port], GOOD + "limit_rate 120;") as port:
        reading = consult(url(port), "--quick", "--eio", "4", "--timeout", "20")
    assert (reading.status, reading.causes) == (21, ["late"])


def test_nothing_behind_the_proxy(tmp_path: Path) -> None:
    with nginx(tmp_path, [free_port()], GOOD) as port:
        reading = consult(url(port))
    assert (reading.status, reading.causes) == (15, ["gateway"])
    assert "HTTP 502" in reading.failure("gateway")


def test_a_log_in_in_front(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, [server.port], GOOD + "deny all;") as port:
        reading = consult(url(port))
    assert (reading.status, reading.causes) == (16, ["access"])


def test_the_configuration_of_the_documentation(server: Server, tmp_path: Path) -> None:
    page = (TESTS.parent / "docs" / "doctor.md").read_text()
    inside = page.partition("```nginx\nlocation /socket.io/ {\n")[2].partition("}\n```")[0]
    kept = [line for line in inside.splitlines() if "proxy_pass" not in line]
    assert len(kept) == len(inside.splitlines()) - 1 > 5
    with nginx(tmp_path, [server.port], "\n".join([*kept, ""]), location="/socket.io/") as port:
        assert consult(url(port)).status == 0
