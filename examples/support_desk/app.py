"""A support desk: customers open tickets and talk, agents take them, other systems change them over REST.

Written for python-socketio and FastAPI, as a team would have it. See README.md for the one line that makes it fastsio.
"""

import asyncio
import hmac
import itertools
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import socketio
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

log = logging.getLogger("desk")
STATIC = Path(__file__).parent / "static"
WATCH_EVERY = float(os.environ.get("DESK_WATCH_EVERY", "2"))  # s between two looks at the queue
API_KEY = os.environ.get("DESK_API_KEY", "let-me-in")
# A real desk would ask its user service.
USERS = {
    "ann-token": {"name": "Ann", "agent": False},
    "bob-token": {"name": "Bob", "agent": False},
    "zoe-token": {"name": "Zoe", "agent": True},
}


@dataclass
class Ticket:
    id: int
    subject: str
    customer: str
    status: str = "open"
    agent: str | None = None
    messages: list[dict[str, str]] = field(default_factory=list)

    @property
    def room(self) -> str:
        return f"ticket:{self.id}"


tickets: dict[int, Ticket] = {}
numbers = itertools.count(1)
sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=["https://shop.example"])


def user_of(auth: Any) -> dict[str, Any]:
    """Give the user whose token it is; refuse everybody else, with what the page needs to send them to the login."""
    token = auth.get("token") if isinstance(auth, dict) else None
    if token not in USERS:
        raise socketio.exceptions.ConnectionRefusedError("not signed in", {"login": "/login"})
    return USERS[token]


# Customers: the default namespace.
@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    user = user_of(auth)
    await sio.save_session(sid, {"name": user["name"], "came": time.time()})
    for ticket in tickets.values():
        if ticket.customer == user["name"]:
            await sio.enter_room(sid, ticket.room)
    log.info("%s came from %s", user["name"], environ.get("HTTP_USER_AGENT", "somewhere"))


@sio.on("open ticket")
async def open_ticket(sid: str, subject: str) -> dict[str, Any]:
    session = await sio.get_session(sid)
    ticket = Ticket(next(numbers), subject, session["name"])
    tickets[ticket.id] = ticket
    await sio.enter_room(sid, ticket.room)
    await sio.emit("ticket opened", asdict(ticket), namespace="/agents")
    return {"id": ticket.id}


@sio.event
async def say(sid: str, ticket_id: int, text: str) -> dict[str, Any]:
    ticket = tickets.get(ticket_id)
    if ticket is None or ticket.room not in sio.rooms(sid):
        return {"error": "not your ticket"}
    async with sio.session(sid) as session:
        session["said"] = session.get("said", 0) + 1
        await publish(ticket, session["name"], text, skip_sid=sid)
        return {"said": session["said"]}


@sio.event
async def disconnect(sid: str, reason: str) -> None:
    session = await sio.get_session(sid)
    await sio.emit("customer left", {"name": session["name"], "reason": reason}, namespace="/agents")


async def publish(ticket: Ticket, author: str, text: str, skip_sid: str | None = None) -> None:
    """Put a message on a ticket, and show it to its customer and to all agents who look at it."""
    message = {"from": author, "text": text}
    ticket.messages.append(message)
    for namespace in ("/", "/agents"):
        await sio.emit("said", (ticket.id, message), room=ticket.room, skip_sid=skip_sid, namespace=namespace)


class Agents(socketio.AsyncNamespace):
    """The agents' side: they see every ticket that is opened, take some, and answer."""

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        user = user_of(auth)
        if not user["agent"]:
            raise socketio.exceptions.ConnectionRefusedError("agents only")
        await self.save_session(sid, {"name": user["name"]})
        await self.emit("tickets", [asdict(ticket) for ticket in tickets.values()], to=sid)

    async def on_take(self, sid: str, ticket_id: int) -> dict[str, Any]:
        name = (await self.get_session(sid))["name"]
        ticket = tickets[ticket_id]
        ticket.agent, ticket.status = name, "taken"
        await self.enter_room(sid, ticket.room)
        await sio.emit("taken", (ticket.id, name), room=ticket.room)
        return asdict(ticket)

    async def on_say(self, sid: str, ticket_id: int, text: str) -> None:
        name = (await self.get_session(sid))["name"]
        await publish(tickets[ticket_id], name, text, skip_sid=sid)

    async def on_attach(self, sid: str, ticket_id: int, name: str, content: bytes) -> int:
        await sio.emit("file", {"name": name, "content": content}, room=tickets[ticket_id].room)
        return len(content)

    async def on_disconnect(self, sid: str, reason: str) -> None:
        log.info("agent %s left: %s", (await self.get_session(sid))["name"], reason)


sio.register_namespace(Agents("/agents"))


async def watch_queue() -> None:
    """Tell the agents how long the queue is, whenever that changes."""
    told = None
    while True:
        waiting = sum(ticket.status == "open" for ticket in tickets.values())
        if waiting != told:
            await sio.emit("queue", {"waiting": waiting}, namespace="/agents")
            told = waiting
        await sio.sleep(WATCH_EVERY)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    watcher = sio.start_background_task(watch_queue)
    yield
    watcher.cancel()
    await asyncio.gather(watcher, return_exceptions=True)
    await sio.shutdown()


async def api_key(x_api_key: str = Header("")) -> None:
    if not hmac.compare_digest(x_api_key.encode(), API_KEY.encode()):
        raise HTTPException(401, "wrong API key")


class Change(BaseModel):
    status: str


api = FastAPI(title="Support desk", lifespan=lifespan)


@api.get("/api/tickets", dependencies=[Depends(api_key)])
async def list_tickets() -> list[dict[str, Any]]:
    return [asdict(ticket) for ticket in tickets.values()]


@api.post("/api/tickets/{ticket_id}/status", dependencies=[Depends(api_key)])
async def change_status(ticket_id: int, change: Change) -> dict[str, Any]:
    """Called by the billing system, for example; whoever looks at the ticket sees it at once."""
    if (ticket := tickets.get(ticket_id)) is None:
        raise HTTPException(404, "no such ticket")
    ticket.status = change.status
    for namespace in ("/", "/agents"):
        await sio.emit("status", (ticket.id, ticket.status), room=ticket.room, namespace=namespace)
    return asdict(ticket)


api.mount("/", StaticFiles(directory=STATIC, html=True))
app = socketio.ASGIApp(sio, api)
