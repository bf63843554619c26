"""The engine alone is a drop-in too: python-socketio's own server runs on `fastsio.engineio`, and says the same.

May import: the transcript, the live servers. The reference is python-socketio on python-engineio.
"""

import pytest

from compat.transcript import Guest, Transcript
from wire.live import Server


async def conversation(transcript: Transcript) -> None:
    refused = Guest(transcript, "refused")
    await refused.connect(auth={"refuse": True})
    await refused.leave()
    guests = []
    for name, transport in (("ann", "websocket"), ("bob", "polling"), ("cat", "upgrade")):
        guest = Guest(transcript, name, {"question": f"{name} says yes"})
        await guest.connect(transport=transport, auth={"token": name})
        await guest.settle()
        guests.append(guest)
    for guest in guests:
        await guest.call("echo", (1, "zwei é", None, {"deep": [b"\x00\xff", b""]}))
        await guest.call("ask back")
        await guest.emit("numbers", 14)
        await guest.call("join", "room")
        await guest.emit("everybody", ["all", 1])
        await guest.emit("to room", ("room", "others"))
    await guests[0].emit("put me out")
    for guest in guests[:2]:
        await guest.leave()
    await guests[2].call("farewells")
    await guests[2].leave()


async def transcript_of(swap: str) -> list[str]:
    server = Server("asgi", "compat.engine_swap:app", {"SWAP": swap})
    try:
        transcript = Transcript(server.port)
        await conversation(transcript)
        return transcript.lines
    finally:
        server.stop(grace=1)


@pytest.fixture(scope="module")
def references() -> list[list[str]]:
    return []


@pytest.mark.parametrize("swap", ["class", "instance"])
async def test_same_transcript(references: list[list[str]], swap: str):
    if not references:
        references.append(await transcript_of("none"))
        assert len(references[0]) > 60
    assert await transcript_of(swap) == references[0]
