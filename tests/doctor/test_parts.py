"""The parts of `fastsio doctor` that need no connection, and its page in docs/.

May import: `fastsio.doctor`.
"""

import re
from email.message import Message
from http.client import HTTPMessage

import pytest

from fastsio.cli import main
from fastsio.doctor import report
from fastsio.doctor.causes import CAUSES, failed, ok, skipped
from fastsio.doctor.engineio import Handshake, Refusal, decode, read_handshake
from fastsio.doctor.session import Broken
from fastsio.doctor.target import checked_origin, parse_url
from fastsio.doctor.transports import _broken
from fastsio.doctor.wire import Answer
from wire.live import TESTS

OPEN = '0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'


def answer(status: int, body: str | bytes, kind: str = "text/plain") -> Answer:
    headers = HTTPMessage()
    Message.__setitem__(headers, "Content-Type", kind)
    return Answer(status, headers, body if isinstance(body, bytes) else body.encode(), 0.01)


@pytest.mark.parametrize(
    ("text", "path", "url"),
    [
        ("example.org", None, "http://example.org/socket.io/"),
        ("wss://example.org:443", None, "https://example.org/socket.io/"),
        ("https://example.org:8443/chat", None, "https://example.org:8443/chat/"),
        ("http://[::1]:5000/", "live/io", "http://[::1]:5000/live/io/"),
        ("http://example.org/chat", "/", "http://example.org/"),
    ],
)
def test_urls(text: str, path: str | None, url: str) -> None:
    assert parse_url(text, path).url == url


@pytest.mark.parametrize("text", ["ftp://example.org", "http://", "http://example.org:99999", "http://example.org/a b"])
def test_what_is_no_url(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError):
        parse_url(text)
    with pytest.raises(SystemExit) as ended:
        main(["doctor", text])
    assert ended.value.code == 2 and "fastsio doctor:" in capsys.readouterr().err


def test_what_is_no_origin() -> None:
    assert checked_origin("https://app.example.org/") == "https://app.example.org"
    for text in ("app.example.org", "https://app.example.org/page", "https://a b"):
        with pytest.raises(ValueError, match="scheme and host"):
            checked_origin(text)


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon", "601"])
def test_what_is_no_timeout(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "http://127.0.0.1:1", "--timeout", seconds])
    assert ended.value.code == 2 and "between 0.1 and 600" in capsys.readouterr().err


def test_payloads_of_both_revisions() -> None:
    assert decode("40\x1e2", 4) == ["40", "2"]
    assert decode("2:401:2", 3) == ["40", "2"]
    assert decode("3:4é😀"[:-1] + "x1:2", 3) == ["4éx", "2"]
    assert decode("4:4\N{GRINNING FACE}x1:2", 3) == ["4\N{GRINNING FACE}x", "2"]  # two units of UTF-16
    assert decode("99999999999:x", 3) == decode("x:1", 3) == decode("", 4) == []


@pytest.mark.parametrize(
    ("body", "eio"),
    [
        (OPEN.encode(), 4),
        (f"{len(OPEN)}:{OPEN}2:40".encode(), 3),
        (b"\0\x01\x00\x03\xff" + OPEN.encode() + b"\0\x02\xff40", 3),  # servers of Engine.IO 1
    ],
)
def test_handshakes(body: bytes, eio: int) -> None:
    found = read_handshake(answer(200, body))
    assert isinstance(found, Handshake)
    assert (found.sid, found.eio, found.ping_interval, found.upgrades) == ("abc", eio, 25.0, ("websocket",))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, '{"code":5,"message":"Unsupported protocol version"}', "version"),
        (400, '{"code":0,"message":"Transport unknown"}', "transport"),
        (400, '{"code":1,"message":"Session ID unknown"}', "session"),
        (400, '"Invalid session abc"', "session"),
        (400, '"https://example.org is not an accepted origin."', "origin"),
        (400, '"The client is using an unsupported version of the Socket.IO or Engine.IO protocols"', "version"),
        (400, "The plain HTTP request was sent to HTTPS port", "tls"),
        (400, '{"error":"bad"}', "stranger"),
        (200, '0{"sid":1}', "stranger"),
        (200, "0[]", "stranger"),
        (200, "", "stranger"),
        (404, "Not Found", "stranger"),
        (502, "<html>", "gateway"),
        (302, "", "moved"),
        (429, "slow down", "access"),
    ],
)
def test_refusals(status: int, body: str, kind: str) -> None:
    found = read_handshake(answer(status, body))
    assert isinstance(found, Refusal) and found.kind == kind


def test_control_signs_do_not_reach_the_terminal() -> None:
    assert answer(404, "\x1b[2Jgone\x07").brief == "HTTP 404, ?[2Jgone?"


def test_the_page_says_it_in_one_line() -> None:
    target = parse_url("http://example.org")
    later = [skipped(f"check {number}", "needs the path") for number in range(5)]
    findings = [ok("port", "open"), failed("path", "wrong-path", "HTTP 404", "take the other"), *later]
    lines = report.page(target, findings).splitlines()
    assert lines[0] == "http://example.org/socket.io/"
    assert [line.split()[0] for line in lines[1:-2]] == ["ok", "failed", ">", "skipped"]
    assert lines[-1].startswith("wrong-path:") and "exit status 14" in lines[-1]
    assert (
        report.as_json(target, findings)["exit_status"] == 14 and len(report.as_json(target, findings)["checks"]) == 7
    )
    assert report.verdict([ok("port", "open")]) == "Nothing is wrong."


def test_the_exit_status_is_of_what_a_connection_meets_first() -> None:
    findings = [failed("b", "idle-timeout", "", ""), failed("a", "origin", "", "")]
    assert report.as_json(parse_url("x"), findings)["exit_status"] == CAUSES["origin"].status == 17


def test_the_documentation_has_every_exit_status() -> None:
    page = (TESTS.parent / "docs" / "doctor.md").read_text()
    found = re.findall(r"^\| (\d+) \| `([\w-]+)` \| (.+?) \|", page, re.MULTILINE)
    rows = {name: (int(status), meaning) for status, name, meaning in found}
    assert rows == {name: (cause.status, cause.meaning) for name, cause in CAUSES.items()}
    assert len({cause.status for cause in CAUSES.values()}) == len(CAUSES)


def test_a_session_that_another_server_does_not_know_is_named() -> None:
    """Of several servers that share a port each request may meet any: the check before this one can have been lucky."""
    finding = _broken("polling, EIO 4", Broken(answer(400, '"Invalid session"'), "POST"))
    assert (finding.state, finding.cause) == ("failed", "not-sticky")
    assert "ip_hash" in str(finding.advice)
