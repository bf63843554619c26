"""What a peer sends cannot pass for a line of the log, and no line gives a session away (T021, T053)."""

from collections.abc import Callable

import pytest

from native.conftest import Site


@pytest.mark.parametrize(
    "path", ["/socket.io/%0aERROR: forged", "/socket.io/%1b[2J", "/socket.io/%e2%80%a8x", "/socket.io/" + "a" * 5000]
)
def test_a_path_stays_in_its_line_T021(site: Callable[..., Site], path: str) -> None:
    here = site()
    answer = here.request(here.connect(), f"GET {path.replace(' ', '%20')}?EIO=4 HTTP/1.1\nHost: x")
    assert answer.startswith(b"HTTP/1.1 400")
    (line,) = (line for line in here.complaints.lines if "refused" in line)
    assert line.isprintable()
    assert len(line) < 400


def test_no_line_tells_a_whole_session_id_T053(site: Callable[..., Site]) -> None:
    here = site()
    for words in ("EIO=4&transport=polling", "EIO=3&transport=polling"):
        link = here.connect()
        here.request(link, f"GET /socket.io/?{words} HTTP/1.1\nHost: x")
        (sid,) = here.registry.sessions
        query = f"{words}&sid={sid}"
        here.request(link, f"POST /socket.io/?{query} HTTP/1.1\nHost: x\nContent-Length: 3", b"bad")
        for _ in range(2):  # the session is not there any more
            assert here.request(here.connect(), f"GET /socket.io/?{query} HTTP/1.1\nHost: x").startswith(b"HTTP/1.1 400")
        assert here.complaints.lines
        # At INFO each packet is shown, the OPEN packet with the id in it: that is asked for.
        assert not [line for line in here.complaints.lines if sid in line and "packet" not in line]
