"""Three applications for python-socketio, served by python-socketio and by this server: the transcripts are equal.

May import: the conversations. The reference is python-socketio under uvicorn, the same process host.
"""

from collections.abc import Awaitable, Callable

import pytest
from deviations import ruled
from deviations.applications import APPLICATIONS, RULES
from wire.live import Server

from compat import conversations
from compat.transcript import Transcript

SCRIPTS: dict[str, Callable[[Transcript], Awaitable[None]]] = {
    "rooms": conversations.rooms,
    "fiddle": conversations.fiddle,
    "classes": conversations.classes,
}
HOSTS = {"uvicorn": "asgi", "native": "native"}


async def transcript_of(name: str, module: str, host: str) -> list[str]:
    """Run an application, hold its conversation, give what the clients saw."""
    server = Server(HOSTS[host], f"compat.app_{name}:app", {"SIO_MODULE": module})
    try:
        transcript = Transcript(server.port)
        await SCRIPTS[name](transcript)
        return transcript.lines
    finally:
        server.stop(grace=1)  # the reference waits for clients that will not come back


@pytest.fixture(scope="session")
def references() -> dict[str, list[str]]:
    """Transcripts of python-socketio, by conversation."""
    return {}


@pytest.fixture(params=SCRIPTS)
async def reference(request: pytest.FixtureRequest, references: dict[str, list[str]]) -> tuple[str, list[str]]:
    """A conversation, and its transcript on python-socketio."""
    name = request.param
    if name not in references:
        references[name] = await transcript_of(name, "socketio", "uvicorn")
    return name, references[name]


def with_deviations(name: str, lines: list[str]) -> list[str]:
    replaced = [new for line in lines for new in _lines_here(name, line)]
    return ruled(RULES, replaced)


def _lines_here(name: str, line: str) -> list[str]:
    entry = APPLICATIONS.get((name, line))
    return [line] if entry is None else entry.becomes


@pytest.mark.parametrize("host", HOSTS)
async def test_same_transcript(reference: tuple[str, list[str]], host: str):
    name, lines = reference
    assert await transcript_of(name, "fastsio", host) == with_deviations(name, lines)


async def test_the_reference_says_much(reference: tuple[str, list[str]]):
    """A conversation that says nothing would be equal everywhere."""
    name, lines = reference
    assert len(lines) > 20
    for conversation, line in APPLICATIONS:
        assert conversation != name or line in lines
    for rule in RULES:
        assert name == "fiddle" or any(rule(line) != line for line in lines)
