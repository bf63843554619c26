"""Every scenario on both transports and revisions, against fastsio on both wires and python-socketio."""

import pytest

from load.conftest import Bench
from wire.live import Server

TRANSPORTS = ["websocket", "polling"]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scenario", ["echo", "ack", "broadcast"])
def test_messages(server: Server, bench: Bench, scenario: str, transport: str) -> None:
    result = bench(f"http://127.0.0.1:{server.port}", "--scenario", scenario, "--transport", transport, "--window", "3")
    assert result["messages"] > 10
    assert result["rate"] == pytest.approx(result["messages"] / result["seconds"])
    assert result["latency_us"]["p50"] <= result["latency_us"]["p99"] <= result["latency_us"]["max"]
    assert sum(count for _, count in result["steps"]) == result["messages"]
    assert result["others"] == 0
    assert result["processes"] >= 1 and result["server_cpu"] > 0  # found by its port


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_coming_and_going(server: Server, bench: Bench, transport: str) -> None:
    result = bench(f"http://127.0.0.1:{server.port}", "--scenario", "connect", "--transport", transport)
    assert result["messages"] > 10
    assert result["latency_us"]["p50"] > 0


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scenario", ["echo", "ack", "broadcast", "connect"])
def test_the_older_revision(fastsio_server: Server, bench: Bench, scenario: str, transport: str) -> None:
    url = f"http://127.0.0.1:{fastsio_server.port}"
    result = bench(url, "--scenario", scenario, "--transport", transport, "--eio", "3", "--namespace", "/chat")
    assert result["messages"] > 10


def test_polling_is_echo_by_another_name(server: Server, bench: Bench) -> None:
    result = bench(f"127.0.0.1:{server.port}", "--scenario", "polling")
    assert result["plan"]["transport"] == "polling" and result["messages"] > 10


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_idle_clients_cost_memory(server: Server, bench: Bench, transport: str) -> None:
    options = ("--scenario", "idle", "--clients", "60", "--transport", transport)
    result = bench(f"http://127.0.0.1:{server.port}", *options)
    assert [clients for clients, _ in result["memory"]] == [0, 6, 15, 30, 45, 60]
    assert all(size > 1e6 for _, size in result["memory"])
    assert result["messages"] == 0


def test_large_messages(server: Server, bench: Bench) -> None:
    result = bench(f"http://127.0.0.1:{server.port}", "--payload", "300000", "--clients", "3")
    assert result["messages"] > 3
    assert result["bytes_in"] > 300_000 * (result["messages"] - 3)  # at the edges parts of messages


def test_corked_requests_leave_together(fastsio_server: Server, bench: Bench) -> None:
    url = f"http://127.0.0.1:{fastsio_server.port}"
    result = bench(url, "--window", "16", "--cork")
    assert result["messages"] > 100 and result["reordered"] == 0


def test_a_rate_is_kept(fastsio_server: Server, bench: Bench) -> None:
    options = ("--rate", "400", "--duration", "1")
    result = bench(f"http://127.0.0.1:{fastsio_server.port}", *options)
    assert result["messages"] == pytest.approx(400, rel=0.1)
    assert result["bottleneck"] == "schedule"
    assert 0 <= result["delay_us"]["p50"] < result["latency_us"]["p50"]  # the latency counts from the schedule
    assert result["own_busy"] < 0.9  # waiting awake is not counted


@pytest.mark.parametrize("scenario", ["ack", "broadcast", "connect", "polling"])
def test_every_scenario_can_keep_a_rate(fastsio_server: Server, bench: Bench, scenario: str) -> None:
    options = ("--scenario", scenario, "--rate", "50", "--duration", "1")
    result = bench(f"http://127.0.0.1:{fastsio_server.port}", *options)
    assert result["messages"] == pytest.approx(50 * (10 if scenario == "broadcast" else 1), rel=0.2)


def test_a_rate_beyond_the_server_is_told(fastsio_server: Server, bench: Bench) -> None:
    result = bench(f"http://127.0.0.1:{fastsio_server.port}", "--rate", "5000000", "--window", "4")
    assert "was not kept" in result["verdict"]
    # Counted from when they should have been sent, messages that wait for their turn get older and older.
    assert result["latency_us"]["max"] > 50_000


def test_slow_readers_hold_nobody_up(fastsio_server: Server, bench: Bench) -> None:
    options = ("--scenario", "slow-readers", "--payload", "20000", "--slow", "0.2", "--duration", "1")
    result = bench(f"http://127.0.0.1:{fastsio_server.port}", *options)
    assert result["messages"] > 8 * 10
    assert result["messages"] % 8 < 8 and result["plan"]["slow"] == 0.2


def test_namespaces_and_logins(server: Server, bench: Bench) -> None:
    url = f"http://127.0.0.1:{server.port}"
    assert bench(url, "--namespace", "/chat", "--scenario", "ack")["messages"] > 10
    assert bench(url, "--namespace", "/login", "--auth", '{"token": "secret"}')["messages"] > 10


def test_unasked_packets_are_counted(server: Server, bench: Bench) -> None:
    result = bench(f"http://127.0.0.1:{server.port}", "--namespace", "/talkative")
    assert result["messages"] > 10
    assert result["others"] >= 10 + 2 * result["messages"]  # a welcome each, and an event with its attachment


def test_headers_are_sent(fastsio_server: Server, bench: Bench) -> None:
    result = bench(f"http://127.0.0.1:{fastsio_server.port}", "--event", "header", "--header", "X-Load: yes")
    assert result["messages"] > 10
    assert "headers" not in result["plan"] and "auth" not in result["plan"]  # files of results are shown around
