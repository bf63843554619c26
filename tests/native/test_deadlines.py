"""How long a connection of the native wire may take for what (T024, T025, T042)."""

import pytest

from native.conftest import MakeSite

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
