"""What a person reads: pages, progress, and explanations when it does not work."""

import re
import resource
import subprocess
import sys

import pytest

from fastsio.cli import main
from fastsio.load.plan import Plan, parse_url
from fastsio.load.run import judge
from load.conftest import Fails
from tests.ports import free_port
from wire.live import Server


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_one_command_measures_an_example() -> None:
    command = [sys.executable, "-m", "fastsio", "bench", "--serve", "--duration", "0.5", "--clients", "20"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"messages +[\d,]+ in [01]\.\d s: [\d,]+ a second", done.stdout)  # later where others want the CPU
    assert re.search(r"latency +p50 \S+ \w+  p90 .* \(within 0\.4%\)", done.stdout)
    assert re.search(r"server +[\d.]+ us CPU a message, \d+% of a core \(1 process\)", done.stdout)
    assert "echo: 20 clients, 32 bytes, 1 in flight, WebSocket, Engine.IO 4" in done.stderr


def test_json_can_go_to_standard_output(fastsio_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", url(fastsio_server), "--duration", "0.2", "--warmup", "0", "--clients", "2", "--json", "-"])
    said = capsys.readouterr()
    assert said.out.startswith("{") and '"p999"' in said.out
    assert "messages" in said.err


def test_a_url_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench"])
    assert ended.value.code == 2
    assert "give the URL of a server, or --serve" in capsys.readouterr().err


def test_nobody_listens(fails: Fails) -> None:
    said = fails(f"http://127.0.0.1:{free_port()}")
    assert "Connection refused" in said and "is the server running, and is this its port?" in said


def test_unknown_host(fails: Fails) -> None:
    assert "no address for the host 'no-such-host.invalid'" in fails("http://no-such-host.invalid:80")


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_wrong_path(fastsio_server: Server, fails: Fails, transport: str) -> None:
    said = fails(f"{url(fastsio_server)}/other/", "--transport", transport)
    assert "HTTP 404" in said and "put the path of the Socket.IO server into the URL" in said


def test_wrong_revision(fails: Fails) -> None:
    reference = Server("asgi", "load.served:app", {"SIO_MODULE": "socketio"})
    try:
        said = fails(url(reference), "--eio", "3")
    finally:
        reference.stop()
    assert "HTTP 400" in said and "--eio 4" in said


def test_a_refused_login(server: Server, fails: Fails) -> None:
    said = fails(url(server), "--namespace", "/login")
    assert "the server refuses the client" in said and "a token is wanted" in said and "--auth" in said


def test_an_event_that_nobody_answers(server: Server, fails: Fails) -> None:
    said = fails(url(server), "--event", "quiet", "--patience", "1", "--duration", "3")
    assert "nobody answered the event 'quiet' for 1 s" in said
    assert "has to answer the event 'quiet' with an event 'quiet' that brings the same data" in said
    assert "fastsio bench --serve" in said


def test_a_silence_longer_than_the_run(fastsio_server: Server, fails: Fails) -> None:
    said = fails(url(fastsio_server), "--event", "quiet")
    assert "nobody answered the event 'quiet' for 0.2 s" in said and "fastsio bench --serve" in said


def test_a_broadcast_that_leaves_somebody_out(server: Server, fails: Fails) -> None:
    said = fails(url(server), "--scenario", "broadcast", "--event", "others", "--patience", "1", "--duration", "3")
    assert "1 of 10 clients waited 1 s for a broadcast" in said and "the sender too" in said


def test_a_wrong_answer(server: Server, fails: Fails) -> None:
    assert 'wrong answer: \'2["shout","00000000IJKL' in fails(url(server), "--event", "shout")


def test_more_clients_than_files(fails: Fails, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_allowed(which: int, limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "setrlimit", not_allowed)
    said = fails("http://127.0.0.1:1", "--clients", "1000000", "--scenario", "idle")
    assert "connections need 1,000,064 open files" in said and "ulimit" in said


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--payload", "7"), "--payload 7 is not between 8 and 16,777,216"),
        (("--clients", "0"), "--clients 0 is not between 1 and 1,000,000"),
        (("--window", "20000"), "--window 20,000 is not between 1 and 10,000"),
        (("--clients", "100000", "--window", "1000"), "--clients times --window is 100,000,000"),
        (("--rate", "0"), "--rate 0.0 is not between"),
        (("--namespace", "chat"), "--namespace 'chat' is none"),
        (("--auth", "{token"), "--auth '{token' is not JSON"),
        (("--header", "nonsense"), "--header 'nonsense' is no header"),
        (("--header", "a: b\r\nc: d"), "is no header"),
        (("--event", 'a"b'), "is not a name that can be sent as it is"),
        (("--slow", "1", "--scenario", "slow-readers"), "--slow 1.0 is not between"),
    ],
)
def test_options_that_make_no_sense(fails: Fails, options: tuple[str, ...], what: str) -> None:
    assert what in fails("http://127.0.0.1:1", *options)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("localhost:5000", "http://localhost:5000/socket.io/"),
        ("http://example.org", "http://example.org:80/socket.io/"),
        ("https://example.org/", "https://example.org:443/socket.io/"),
        ("wss://example.org/ws/socket.io", "https://example.org:443/ws/socket.io/"),
        ("ws://[::1]:8000", "http://[::1]:8000/socket.io/"),
    ],
)
def test_urls(text: str, url: str) -> None:
    assert parse_url(text).url == url


@pytest.mark.parametrize("text", ["ftp://example.org", "http://", "http://a:70000"])
def test_urls_that_are_none(fails: Fails, text: str) -> None:
    assert "fastsio bench: " in fails(text)


PLAN = Plan(parse_url("localhost"), clients=10)
RATED = Plan(parse_url("localhost"), clients=10, rate=1000)


@pytest.mark.parametrize(
    ("plan", "rate", "own", "server", "word"),
    [
        (PLAN, 5000, 0.99, 0.6, "generator"),
        (PLAN, 5000, 0.99, None, "generator"),
        (PLAN, 5000, 0.6, 0.99, "server"),
        (PLAN, 5000, 0.97, 0.99, "server"),
        (PLAN, 5000, 0.3, 0.4, "neither"),
        (PLAN, 5000, 0.3, None, "unknown"),
        (RATED, 995, 0.99, 0.5, "schedule"),
        (RATED, 500, 0.99, 0.5, "generator"),
        (RATED, 500, 0.5, 0.99, "server"),
    ],
)
def test_verdicts(plan: Plan, rate: float, own: float, server: float | None, word: str) -> None:
    found, sentence = judge(plan, rate, own, server, 1)
    assert found == word
    assert ("was not kept" in sentence) == (plan.rate is not None and word != "schedule")
