"""The application behind every row of costs: COST names what is switched on."""

import logging
import os
from typing import Any

import fastsio

COST = os.environ["COST"]
ROOMS = [f"room-{number}" for number in range(10)]
NAMESPACES = [f"/n{number}" for number in range(8)]
CHAT = "line of a chat that goes on and on, and says much the same as the one before it; "

options: dict[str, Any] = {}
if COST == "logs":
    logging.basicConfig(filename=os.devnull, level=logging.INFO)
    options = {"logger": True, "engineio_logger": True}
if COST == "every-limit":  # those that are off as a rule, too high to be reached
    options = {
        "max_events_per_second": 1e9, "max_bytes_per_second": 1e12, "max_sessions_per_address": 10**6,
        "handshake_rate": 1e6, "handshake_burst": 1e6, "max_loop_lag": 10.0, "watchdog": 1.0,
    }  # fmt: skip
if COST == "no-limit":  # nothing that may be switched off is on
    options = {"control_rate": 0, "log_rate": 0, "max_rooms": 0, "max_pending_acks": 0, "tcp_user_timeout": 0}
if COST == "timed":
    options = {"time_handlers": True}
if COST == "compression":
    options = {"per_message_deflate": True}

sio = fastsio.AsyncServer(async_mode="asgi", namespaces=["/", *NAMESPACES], **options)
if COST.startswith("admin"):
    mode = "development" if COST == "admin-development" else "production"
    sio.instrument(auth={"username": "admin", "password": "admin"}, mode=mode)


class Everything(fastsio.AsyncNamespace):
    """The handlers that the load generator asks for."""

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        await self.enter_room(sid, "all")
        if COST == "memberships":
            for number in range(100):
                await self.enter_room(sid, f"{sid}-{number}")

    async def on_echo(self, sid: str, data: Any) -> None:
        if COST == "churn":
            for room in ROOMS:
                await self.enter_room(sid, room)
            for room in ROOMS:
                await self.leave_room(sid, room)
        if COST == "session":
            async with self.session(sid) as session:
                session["count"] = session.get("count", 0) + 1
        await self.emit("echo", data, to=sid)

    async def on_fan(self, sid: str, data: Any) -> None:
        await self.emit("fan", CHAT * 13, room="all")


if COST in ("functions", "no-limit", "every-limit", "timed"):
    handlers = Everything("/")
    sio.on("connect", handlers.on_connect)
    sio.on("echo", handlers.on_echo)
    sio.on("fan", handlers.on_fan)
    handlers._set_server(sio)
else:
    for namespace in ("/", *NAMESPACES):
        sio.register_namespace(Everything(namespace))
app = fastsio.ASGIApp(sio)
