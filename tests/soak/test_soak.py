"""The soak in small: seconds of it, so that the long one works when it is wanted."""

import pytest

from soak.__main__ import judge, kinds_of_lines, show, soak, unknown_lines
from wire.live import Server

# What needs minutes to happen.
LATER = ("no slow client", "memory grows", "the loop was held")


@pytest.mark.threat("T094", "T095", "T123", "T186", "T195")
async def test_some_seconds_of_it() -> None:
    server = Server("native", "soak.app:app")
    try:
        found = await soak(server, 0.1, 60, pace=0.3)
    finally:
        code = server.stop()
    show(found, server.log())
    assert sum(len(client.ledger.acknowledged) for client in found["clients"]) > 300
    assert [line for line in judge(found, server.log(), code) if not line.startswith(LATER)] == []


def test_lines_are_known_by_the_documentation() -> None:
    assert len(kinds_of_lines()) > 10
    known = "q2xoTw: client broke the protocol (SIO_BAD_JSON): the data of a packet is not JSON"
    assert unknown_lines(f"{known}\n\nTraceback (most recent call last):\nwhatever") == [
        "Traceback (most recent call last):",
        "whatever",
    ]
