"""How long a connection of the native wire may take for what (T024, T025, T042)."""

from typing import Any

import pytest

from native.conftest import MakeSite, statuses

GET = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\nHost: x"


def test_a_head_that_begins_late_has_the_time_of_a_head(site: MakeSite) -> None:
    here = site(has_canary=False)
    link = here.connect()
    assert here.request(link, GET).startswith(b"HTTP/1.1 200")
    here.skip(4.8)  # an idle connection is kept for 5 s
    assert here.say(link, b"GET /socket.io/?EIO=4&transp") == b""
    here.skip(8)
    assert here.say(link, b"ort=polling HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.threat("T024")
def test_a_head_that_does_not_end_is_given_up(site: MakeSite) -> None:
    here = site(has_canary=False)
    first, later = here.connect(), here.connect()
    assert here.request(later, GET).startswith(b"HTTP/1.1 200")
    here.skip(3)
    for link in (first, later):
        assert here.say(link, b"GET /") == b""
    for _ in range(30):
        here.skip(0.4)
        for link in (first, later):
            if link.is_open and not link.is_closing() and not link.written.endswith(b"Timeout"):
                here.say(link, b"x")
    assert first.written.startswith(b"HTTP/1.1 408")  # 10 s from its opening, however much trickles in
    assert b"HTTP/1.1 408" in later.written
    here.skip(3)
    assert not first.is_open and not later.is_open


@pytest.mark.threat("T025", "T042")
def test_an_idle_connection_is_closed(site: MakeSite) -> None:
    here = site(has_canary=False)
    silent, idle = here.connect(), here.connect()
    here.request(idle, GET)
    here.skip(4.5)
    assert silent.is_open and idle.is_open
    here.skip(1)
    assert silent.is_open and not idle.is_open
    here.skip(5)
    assert not silent.is_open and not silent.written


REFUSED = b"GET /socket.io/?EIO=9 HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.threat("T027")
@pytest.mark.parametrize("more", [b"", REFUSED, b"GET /soc", REFUSED.replace(b"Host: x", b"Content-Length: 9") + b"x"])
def test_an_answer_that_is_never_read_is_given_up_whatever_else_is_asked(site: MakeSite, more: bytes) -> None:
    here = site(has_canary=False)
    link = here.connect()
    link.block()
    here.request(link, GET)
    assert link.buffer
    for _ in range(5):
        here.skip(5)
        here.say(link, more)
    here.skip(10)
    assert not link.is_open


@pytest.mark.threat("T027", "T040")
def test_requests_wait_until_the_answers_before_them_are_read(site: MakeSite) -> None:
    here = site(has_canary=False)
    link = here.connect()
    link.block()
    for _ in range(40):
        here.say(link, REFUSED * 100)
    assert len(statuses(bytes(link.buffer))) == 1
    assert link.is_paused and len(link.unread) < 40 * 100 * len(REFUSED)
    link.unblock()
    here.loop.settle()
    assert len(statuses(bytes(link.written))) == 4000
    assert not link.is_paused


@pytest.mark.threat("T026", "T027")
@pytest.mark.parametrize("query", ["EIO=9", "EIO=4&transport=polling&sid=%s"])
def test_a_body_behind_an_answer_that_is_read_late_has_the_time_of_a_body(site: MakeSite, query: str) -> None:
    here = site(has_canary=False)
    sid = here.open().rpartition("=")[2]
    link = here.connect()
    link.block()
    here.request(link, GET)
    query = query.replace("%s", sid)
    here.say(link, f"POST /socket.io/?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4".encode())
    here.skip(10)
    link.unblock()
    here.loop.settle()
    here.skip(15)
    assert link.is_open
    here.skip(10)
    assert not link.is_open


def test_nobody_is_woken_for_clients_that_have_left(site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    here = site(has_canary=False)
    for _ in range(40):  # each with deadlines of its own
        client = here.websocket().joined()
        client.transport.reset()
        here.loop.skip(0.03)
        here.loop.settle()
    wakes = []
    call_later = here.loop.call_later

    def counted(*args: Any) -> Any:
        wakes.append(args)
        return call_later(*args)

    monkeypatch.setattr(here.loop, "call_later", counted)
    here.skip(30, 0.02)
    assert len(wakes) < 5
    monkeypatch.undo()
