"""Conversations with the site of the frameworks, and with Engine.IO alone.

May import: `transcript`, python-engineio's client. Never the server, nor python-socketio's.
"""

import asyncio
from typing import Any

import engineio

from compat.transcript import Guest, Transcript, settled

POLL = "/socket.io/?EIO=4&transport=polling"


async def site(transcript: Transcript) -> None:
    """Talk to `app_frameworks`."""
    guests = []
    for name, transport in (("ann", "websocket"), ("bob", "polling"), ("cat", "upgrade")):
        guest = Guest(transcript, name)
        await guest.connect(transport=transport, auth={"token": name})
        await guest.settle()
        guests.append(guest)
    ann, bob, cat = guests
    await ann.call("is_counting")
    for guest in guests:
        await guest.emit("ping_from_page")
        await guest.emit("my_event", ["é", "😀"])
        await guest.call("picture", b"\x00\x01\xfe\xff")
    await bob.emit("my_broadcast", {"deep": [1, 2.5, None]})
    await cat.call("join", "one")
    await bob.call("join", "one")
    await ann.emit("to_room", ("one", "both of you"))
    await bob.emit("leave", "one")
    await ann.emit("to_room", ("one", "only cat"))
    await ann.emit("close", "one")
    await ann.emit("to_room", ("one", "nobody"))
    await cat.emit("disconnect_request")
    await bob.leave()
    await ann.call("why")
    await ann.leave()
    for path in ("/", "/docs/note.txt", "/docs/none"):
        # Pages beside the server are the framework's: only that they are there is of interest.
        response = await transcript.fetch("GET", path)
        transcript.write("http", f"GET {path}", response.status)
    await transcript.http("GET", POLL)
    await transcript.http("GET", f"{POLL}&sid=unknown")
    await transcript.http("POST", POLL)
    await transcript.http("OPTIONS", POLL, Origin="http://127.0.0.1")
    await transcript.http("GET", POLL, Origin="http://evil.example")
    await transcript.http("GET", "/socket.io/?transport=polling")


class Talker:
    """One python-engineio client whose life is written down."""

    def __init__(self, transcript: Transcript, name: str) -> None:
        self.transcript = transcript
        self.name = name
        self.client = engineio.AsyncClient()
        self._last_event = 0.0
        self._answers = 0
        for event in ("connect", "message", "disconnect"):
            self.client.on(event, self._note(event))

    def _note(self, what: str) -> Any:
        async def note(*args: Any) -> None:
            self._last_event = asyncio.get_running_loop().time()
            self._answers += what == "message"
            self.transcript.write(self.name, what, args)

        return note

    async def connect(self, *transports: str) -> None:
        try:
            await self.client.connect(
                f"http://127.0.0.1:{self.transcript.port}",
                headers={"X-Name": self.name},
                transports=list(transports) or None,
            )
        except engineio.exceptions.ConnectionError as error:
            self.transcript.write(self.name, "not connected", [str(text) for text in error.args])
        await settled(self.transcript.port, lambda: self._last_event)

    async def say(self, *messages: Any) -> None:
        """Send messages, and wait for the answer that each of them has."""
        due = self._answers + len(messages)
        for message in messages:
            await self.client.send(message)
        async with asyncio.timeout(10):
            while self._answers < due:
                await asyncio.sleep(0.01)
        await settled(self.transcript.port, lambda: self._last_event)
        self.transcript.end_scene()

    async def leave(self) -> None:
        try:
            async with asyncio.timeout(1):
                await self.client.disconnect()
        except TimeoutError:
            await self.client.http.close()
        await asyncio.sleep(0.1)


async def engine(transcript: Transcript) -> None:
    """Talk to `app_engine`."""
    stranger = Talker(transcript, "stranger")
    await stranger.connect("websocket")
    for name, transports in (("ann", ["websocket"]), ("bob", ["polling"]), ("cat", [])):
        talker = Talker(transcript, name)
        await talker.connect(*transports)
        await talker.say("hello é 😀", b"\x00\xff")
        await talker.say("ping")
        await talker.say("ping", "ping", {"a": [1, None]}, "")
        await talker.say("who am I?")
        await talker.say("reasons")
        if name == "cat":
            await talker.client.send("bye")
            await talker.client.wait()
        await talker.leave()
    last = Talker(transcript, "last")
    await last.connect("websocket")
    await last.say("reasons")
    await last.leave()
    await transcript.http("GET", "/")
    await transcript.http("GET", "/engine.io/?EIO=4&transport=polling", X_Name="somebody")
    await transcript.http("GET", "/engine.io/?EIO=4&transport=polling", X_Name="stranger")
    await transcript.http("GET", "/engine.io/?EIO=4&transport=polling&sid=unknown")
    await transcript.http("GET", "/socket.io/?EIO=4&transport=polling", Origin="http://evil.example")
