"""A chat that every Socket.IO client generation can join, served on one port.

Imports fastsio under python-socketio's name: with that one import changed, the same application runs on either.
Never hands a session id to anybody: for Engine.IO 3 clients it is the secret of the session.
"""

import contextlib
import itertools
import logging
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import fastsio as socketio

ROOM = "mychat"
MAX_NAME, MAX_TEXT = 24, 2000

logging.basicConfig(level=logging.INFO, format="%(levelname)s:     %(message)s")
log = logging.getLogger("chat")

sio = socketio.AsyncServer(async_mode="asgi", max_http_buffer_size=64 * 1024)
app = socketio.ASGIApp(sio, static_files={"/": f"{Path(__file__).parent / 'static'}/"})

people: dict[str, dict[str, Any]] = {}  # who is here, by sid
numbers = itertools.count(1)


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
    """Put the client into the room; its nickname follows with `introduce`, because 2.x clients send no auth."""
    engine = parse_qs(environ["QUERY_STRING"])["EIO"][0]
    person = people[sid] = {"id": next(numbers), "client": "?", "engine": engine, "transport": sio.transport(sid)}
    person["name"] = f"Guest {person['id']}"
    await sio.enter_room(sid, ROOM)
    log.info("%s joined room %s over Engine.IO %s", person["name"], ROOM, engine)


@sio.event
async def introduce(sid: str, data: Any = None, *rest: Any) -> dict[str, Any] | None:
    """Take nickname and client version. Pages send it on connect, after a new name, and after a transport upgrade."""
    if (person := people.get(sid)) is None or not isinstance(data, dict):
        return None
    before, first = person["name"], person["client"] == "?"
    name, version = clean_name(data.get("name")) or before, clean_version(data.get("client"))
    person.update(name=name, client=version)
    with contextlib.suppress(KeyError):  # it may be leaving at this moment
        person["transport"] = sio.transport(sid)
    if first or name != before:
        log.info("%s is %s, with client %s", before, name, version)
        await sio.emit("notice", {"kind": "join" if first else "rename", "person": person, "before": before}, to=ROOM)
    await sio.emit("presence", list(people.values()), to=ROOM)
    return person


@sio.on("chat message")
async def chat_message(sid: str, text: Any = None, *rest: Any) -> None:
    """Hand a message to the room: the text first, as the oldest pages expect it, then who wrote it."""
    if sid in people and isinstance(text, str) and text.strip():
        await sio.emit("chat message", (text.strip()[:MAX_TEXT], people[sid]), to=ROOM)


@sio.event
async def disconnect(sid: str, reason: str) -> None:
    """Tell the others who left, and why."""
    person = people.pop(sid)
    log.info("%s left: %s", person["name"], reason)
    await sio.emit("notice", {"kind": "leave", "person": person, "reason": reason}, to=ROOM, skip_sid=sid)
    await sio.emit("presence", list(people.values()), to=ROOM, skip_sid=sid)


def clean_name(name: Any) -> str:
    """Return what may be shown of a name: short and printable, which leaves out controls and direction marks."""
    return "".join(filter(str.isprintable, name[:200])).strip()[:MAX_NAME].strip() if isinstance(name, str) else ""


def clean_version(version: Any) -> str:
    """Return the version of a client if it looks like one."""
    return version if isinstance(version, str) and re.fullmatch(r"\d{1,3}(\.\d{1,3}){2}", version) else "unknown"


if __name__ == "__main__":
    socketio.run(app, host="127.0.0.1", port=5001)
