"""The server of the soak: counts what it gets from whom, tells everybody the number of the moment, and watches its loop.

May import: `fastsio`, the census of `leaks`. `GET /account`, `/watch` and `/census` give what it knows, as JSON.
"""

import asyncio
import gc
import json
import os
import sys
import threading
import time
import traceback
from typing import Any

import fastsio as socketio
from leaks.census import census

# With very many clients everything takes its time, or the machine would be busy with being clients.
STRETCH = float(os.environ.get("SOAK_STRETCH", "1"))
TICK = 0.5 * STRETCH  # s between two numbers for everybody
SPRAY = 0.05 * STRETCH  # s between two large events for those who asked for them
# So large that a reader who does not read is full before 30 s have passed without progress, after which it is cut anyway.
LARGE = "x" * int(20_000 * max(1.0, STRETCH / 2))

OPTIONS: dict[str, Any] = {
    "ping_interval": min(20, 4 * STRETCH),
    "ping_timeout": min(20, 3 * STRETCH),
    "connect_timeout": 5 * STRETCH,
    "upgrade_timeout": min(10, 3 * STRETCH),
    "max_send_buffer": 1_000_000,  # a slow reader is to be caught within minutes
}


class Watch:
    """Measures how long callbacks hold the loop, in seconds of this thread's CPU: waiting for a busy machine is no fault.

    A beat comes every 5 ms; what the thread has computed between two beats beyond that is one turn of the loop. A second
    thread looks where the first one is when a beat is 50 ms late.
    """

    BEAT = 0.005
    LONG = 0.05

    def __init__(self) -> None:
        self.beats = 0
        self.longest = self.latest = 0.0
        self.long_turns = 0
        self.places: dict[str, int] = {}
        self.longest_collection = 0.0
        gc.callbacks.append(self._collecting)
        self._seen = time.monotonic()
        self._thread = threading.get_ident()

    async def run(self) -> None:
        threading.Thread(target=self._look, daemon=True).start()
        cpu = time.thread_time()
        while True:
            await asyncio.sleep(self.BEAT)
            now, used = time.monotonic(), time.thread_time()
            held = used - cpu - self.BEAT
            self.longest, self.latest = max(self.longest, held), max(self.latest, now - self._seen - self.BEAT)
            self.long_turns += held > self.LONG
            self.beats += 1
            self._seen, cpu = now, used

    def _collecting(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._begun = time.thread_time()
        else:
            self.longest_collection = max(self.longest_collection, time.thread_time() - self._begun)

    def _look(self) -> None:
        while True:
            time.sleep(self.LONG / 2)
            if time.monotonic() - self._seen > self.LONG:
                frame = sys._current_frames().get(self._thread)
                place = "".join(traceback.format_stack(frame, 3)[-3:])
                self.places[place] = self.places.get(place, 0) + 1

    def report(self) -> dict[str, Any]:
        where = sorted(self.places.items(), key=lambda item: -item[1])[:5]
        return {
            "beats": self.beats, "longest turn": self.longest, "latest beat": self.latest, "turns over 50 ms": self.long_turns,
            "longest collection": self.longest_collection, "where": where,
        }  # fmt: skip


class Accounts:
    """What came from each client, by the name that it gave, in the order in which it came.

    Kept as rows of numbers without a gap, first and last of each, so that an account does not grow while nothing is lost.
    """

    def __init__(self) -> None:
        self.received: dict[str, list[list[int]]] = {}
        self.reasons: dict[str, int] = {}

    def note(self, name: str, number: int) -> None:
        rows = self.received.setdefault(name, [])
        if rows and rows[-1][1] + 1 == number:
            rows[-1][1] = number
        else:
            rows.append([number, number])

    def report(self) -> dict[str, Any]:
        return {"received": self.received, "reasons": self.reasons}


sio = socketio.AsyncServer(async_mode="asgi", **OPTIONS)
accounts, watch = Accounts(), Watch()


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    query = dict(pair.partition("=")[::2] for pair in environ["QUERY_STRING"].split("&"))
    if auth == {"refuse": True} or auth == {"fail": True}:  # the bad connections of `leaks` ask for it
        raise socketio.exceptions.ConnectionRefusedError("no")
    await sio.save_session(sid, {"name": query.get("name", "stranger")})


@sio.event
async def disconnect(sid: str, reason: str) -> None:
    accounts.reasons[reason] = accounts.reasons.get(reason, 0) + 1


@sio.on("count")
async def count(sid: str, number: int, data: bytes = b"") -> int:
    name = (await sio.get_session(sid))["name"]
    accounts.note(name, number)
    return number


@sio.on("*")
async def echo(event: str, sid: str, *args: Any) -> Any:
    return args


@sio.on("spray")
async def spray(sid: str) -> None:
    await sio.enter_room(sid, "spray")


async def tell_everybody() -> None:
    number = 0
    while True:
        await asyncio.sleep(TICK)
        number += 1
        await sio.emit("tick", number)


async def spray_on() -> None:
    while True:
        await asyncio.sleep(SPRAY)
        await sio.emit("large", LARGE, room="spray")


async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
    answers = {"/account": accounts.report, "/watch": watch.report, "/census": lambda: census(sio)}
    answer = answers.get(scope["path"])
    body = json.dumps(answer() if answer else None).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200 if answer else 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def start() -> None:
    for work in (watch.run, tell_everybody, spray_on):
        sio.start_background_task(work)


app = socketio.ASGIApp(sio, serve, on_startup=start)
