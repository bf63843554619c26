"""A server on a stepped loop (`fuzz.world`), and words for what a client says to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fuzz.world import SteppedLoop, Transport, World


class Site(World):
    """A server without a network."""

    def request(self, transport: Transport, head: str, body: bytes = b"") -> bytes:
        """Send a request; give what has come back since."""
        return self.say(transport, head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)

    def say(self, transport: Transport, data: bytes) -> bytes:
        before = len(transport.written)
        self.feed(transport, data)
        self.loop.settle()
        return bytes(transport.written[before:])


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    """site(option=...): a server; what it must not leave or log is checked at the end of the test."""
    loop = SteppedLoop()
    made: list[Site] = []

    def make(**options: Any) -> Site:
        made.append(Site(loop, None, **options))
        return made[-1]

    yield make
    for one in made:
        one.end()
    loop.close()
