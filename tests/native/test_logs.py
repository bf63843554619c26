"""What a peer sends cannot pass for a line of the log, and no line gives a session away."""

import pytest

from native.conftest import MakeSite, status_of


@pytest.mark.threat("T021")
@pytest.mark.parametrize(
    "path", ["/socket.io/%0aERROR: forged", "/socket.io/%1b[2J", "/socket.io/%e2%80%a8x", "/socket.io/" + "a" * 5000]
)
def test_a_path_stays_in_its_line(site: MakeSite, path: str) -> None:
    here = site()
    answer = here.request(here.connect(), f"GET {path.replace(' ', '%20')}?EIO=4 HTTP/1.1\nHost: x")
    assert status_of(answer) == 400
    (line,) = (line for line in here.complaints.lines if "refused" in line)
    assert line.isprintable()
    assert len(line) < 400


@pytest.mark.threat("T053", "T205")
@pytest.mark.parametrize("revision", [3, 4])
def test_no_line_tells_a_whole_session_id(site: MakeSite, revision: int) -> None:
    here = site()
    query = here.open(revision)
    here.post(query, "bad")
    for _ in range(2):  # the session is not there any more
        assert status_of(here.get(query)) == 400
    # At INFO each packet is shown, the OPEN packet with the id in it: that is asked for.
    lines = [line for line in here.complaints.lines if "packet" not in line]
    assert lines
    assert not [line for line in lines if query.rpartition("=")[2] in line]
