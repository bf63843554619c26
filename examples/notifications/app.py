"""Notifications for people who have signed in: a token from a login, a room for each person, unread until acknowledged.

A person may have several windows open: each of them is told, and what is read in one is read in all. The token is the person's name
with a time, signed (HMAC-SHA256); a real application takes what its framework signs.
"""

import hmac
import itertools
import os
import time
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

import fastsio as socketio

HERE = Path(__file__).parent
SECRET = os.environ.get("NOTIFICATIONS_SECRET", "").encode() or os.urandom(32)
VALID_SECONDS = 3600
PEOPLE = {"anna": "red apple", "bert": "blue boat"}  # and their passwords; a real application hashes them
MAX_UNREAD = 100

sio = socketio.AsyncServer(async_mode="asgi")
unread: dict[str, dict[int, str]] = {name: {} for name in PEOPLE}
numbers = itertools.count(1)


# --- who is who


def sign(text: str) -> str:
    return f"{text}|{hmac.new(SECRET, text.encode(), 'sha256').hexdigest()}"


def person_of(token: Any) -> str | None:
    """Give whose token this is, None when it is nobody's, or too old."""
    if not isinstance(token, str) or token.count("|") != 2:
        return None
    name, until, _ = token.split("|")
    if not hmac.compare_digest(token, sign(f"{name}|{until}")) or float(until) < time.time():
        return None
    return name


async def login(request: Request) -> Response:
    sent = await request.json()
    name, password = str(sent.get("name", "")).lower(), str(sent.get("password", ""))
    if not hmac.compare_digest(PEOPLE.get(name, "").encode(), password.encode()) or name not in PEOPLE:
        return JSONResponse({"error": "name or password is wrong"}, status_code=403)
    return JSONResponse({"token": sign(f"{name}|{time.time() + VALID_SECONDS}")})


# --- what they are told


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
    """Let in whoever brings a token, into the person's room, and tell what is unread."""
    name = person_of(auth.get("token") if isinstance(auth, dict) else None)
    if name is None:
        raise socketio.exceptions.ConnectionRefusedError("sign in first")
    await sio.save_session(sid, {"name": name})
    await sio.enter_room(sid, name)
    for number, text in unread[name].items():
        await sio.emit("notification", (number, text), to=sid)


@sio.event
async def read(sid: str, number: Any = None, *rest: Any) -> None:
    """A notification was read, in one of the person's windows."""
    name = (await sio.get_session(sid))["name"]
    if isinstance(number, int) and unread[name].pop(number, None) is not None:
        await sio.emit("read", number, room=name)


@sio.event
async def tell(sid: str, whom: Any = None, text: Any = None, *rest: Any) -> str:
    """Notify somebody; the answer says what became of it."""
    sender = (await sio.get_session(sid))["name"]
    if whom not in PEOPLE or not isinstance(text, str) or not text.strip():
        return "there is nobody of that name, or nothing to say"
    number, line = next(numbers), f"{sender}: {text.strip()[:200]}"
    unread[whom][number] = line
    while len(unread[whom]) > MAX_UNREAD:
        del unread[whom][min(unread[whom])]
    await sio.emit("notification", (number, line), room=whom)
    return "told" if any(sio.manager.get_participants("/", whom)) else "waits until they come"


async def page(request: Request) -> Response:
    return FileResponse(HERE / "static/index.html")


site = Starlette(routes=[Route("/", page), Route("/login", login, methods=["POST"])])
client = HERE.parent / "chat/static/clients/4.8.4/socket.io.js"
app = socketio.ASGIApp(sio, site, static_files={"/socket.io.js": str(client)})
