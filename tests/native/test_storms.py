"""Re-entrancy storms: every callback of an application does to the server whatever it can, while broadcasts run.

At the end of each, the fixture finds a canary served as before, and nothing left of anybody.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fastsio.engine.registry import Registry
from fuzz.world import ExpectedError
from native.conftest import MakeSite, Site, WebSocket, status_of

CLIENTS = 24
DEEDS = 1_500  # of one storm
SID = re.compile(rb'"sid":"([^"]+)"')
ROOMS = ("red", "green", "blue")


class Storm:
    """An application that does something wild whenever it is called.

    Attributes:
        done: how often each deed was done, by the callback that did it.
    """

    def __init__(self, here: Site, seed: int) -> None:
        self.here, self.sio, self.chance = here, here.sio, random.Random(seed)
        self.left = DEEDS
        self.done: dict[tuple[str, str], int] = {}
        self.tasks: list[asyncio.Task[Any]] = []
        self.kept = {event[1] for event in here.events} | {here.canary_sid}
        self.deeds: dict[str, Callable[[str], Awaitable[Any]]] = {
            "disconnect itself": lambda sid: self.sio.disconnect(sid),
            "disconnect another": lambda sid: self.sio.disconnect(self.another()),
            "disconnect at once": self._disconnect_unawaited,
            "end its session": self._end_session,
            "end another session": lambda sid: self._end_session(self.another()),
            "enter": lambda sid: self.sio.enter_room(sid, self.chance.choice(ROOMS)),
            "take another in": lambda sid: self.sio.enter_room(self.another(), self.chance.choice(ROOMS)),
            "leave": lambda sid: self.sio.leave_room(sid, self.chance.choice(ROOMS)),
            "close": lambda sid: self.sio.close_room(self.chance.choice(ROOMS)),
            "emit to a room": lambda sid: self.sio.emit("wind", "x" * 500, room=self.chance.choice(ROOMS)),
            "emit to all": lambda sid: self.sio.emit("wind", b"rain"),
            "ask a room": lambda sid: self.sio.emit("q", room=self.chance.choice(ROOMS), callback=self.answered),
            "emit what need not arrive": lambda sid: self.sio.emit("wind", 1, volatile=True),
            "wait": lambda sid: asyncio.sleep(0),
            "start a task": self._start_task,
            "cancel a task": self._cancel_task,
            "cancel itself": self._cancel_itself,
            "raise": self._raise,
        }
        for name in ("connect", "disconnect"):
            self.sio.on(name, self.handler(name))
        self.sio.on("storm", self.handler("event"))

    def another(self) -> str:
        sids = [sid for sid in self.sio.manager._rooms.halls["/"].members if sid not in self.kept]
        return str(self.chance.choice(sids)) if sids else "nobody"

    def handler(self, where: str) -> Callable[..., Awaitable[Any]]:
        async def run(sid: str, *args: Any) -> Any:
            if sid not in self.kept and self.chance.random() < 0.9:
                await self.rage(where, sid)
            return [where]

        return run

    async def answered(self, *args: Any) -> None:
        await self.rage("acknowledgement", self.another())

    async def rage(self, where: str, sid: str) -> None:
        for _ in range(self.chance.randrange(4)):
            if self.left <= 0:
                return
            self.left -= 1
            name = self.chance.choice(list(self.deeds))
            self.done[where, name] = self.done.get((where, name), 0) + 1
            try:
                await self.deeds[name](sid)
            except (KeyError, ValueError):
                pass  # that client has gone meanwhile

    async def _disconnect_unawaited(self, sid: str) -> None:
        self.tasks.append(asyncio.ensure_future(self._quietly(self.sio.disconnect(sid))))

    async def _quietly(self, work: Awaitable[Any]) -> None:
        try:
            await work
        except (KeyError, ValueError):
            pass

    async def _end_session(self, sid: str) -> None:
        """As the engine's own `disconnect`: all at once, with nothing awaited between."""
        member = self.sio.manager._rooms.member("/", sid)
        if member is not None and member.session is not None:
            member.session.disconnect()

    async def _start_task(self, sid: str) -> None:
        self.tasks.append(self.sio.start_background_task(self.rage, "task", sid))

    async def _cancel_task(self, sid: str) -> None:
        if self.tasks:
            self.chance.choice(self.tasks).cancel()

    async def _cancel_itself(self, sid: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async def _raise(self, sid: str) -> None:
        raise ExpectedError("in a storm")


def arrive(here: Site, number: int) -> WebSocket | str | None:
    """A client of one of the four kinds: WebSocket or polling, Engine.IO 4 or 3. None: the storm has ended it at once."""
    revision = 3 if number % 2 else 4
    if number % 4 < 2:
        link = here.websocket(f"EIO={revision}&transport=websocket")
        return link.send("40") if revision == 4 else link
    answer = here.get(f"EIO={revision}&transport=polling")
    if status_of(answer) == 401 or b'"sid"' not in answer:
        return None
    query = f"EIO={revision}&transport=polling&sid={SID.findall(answer)[0].decode()}"
    if revision == 4:
        here.post(query, "40")
    return query


def speak(here: Site, who: WebSocket | str, packet: str) -> None:
    if isinstance(who, WebSocket):
        who.send(packet)
    else:
        here.post(who, f"{len(packet)}:{packet}" if "EIO=3" in who else packet)


def listen(here: Site, who: WebSocket | str, acks: bool) -> None:
    """Take what came, and acknowledge what is asked for."""
    heard = who.heard() if isinstance(who, WebSocket) else []
    if isinstance(who, str):
        here.get(who)
    for text in heard if acks else []:
        if isinstance(text, str) and text.startswith("42") and text[2:3].isdigit():
            speak(here, who, "43" + text[2 : text.index("[")] + "[]")


@pytest.mark.threat("T185", "T189", "T229", "T247")
@pytest.mark.parametrize("seed", range(12))
def test_a_storm(site: MakeSite, seed: int) -> None:
    here = site(async_handlers=seed % 3 != 2)
    storm = Storm(here, seed)
    clients: list[WebSocket | str] = []
    arrivals = seed
    for turn in range(60):
        while len(clients) < CLIENTS:
            arrivals += 1
            if (who := arrive(here, arrivals)) is not None:
                clients.append(who)
        here.call(lambda: here.sio.start_background_task(here.sio.emit, "gust", "z" * 2_000))
        for who in clients:
            speak(here, who, '42["storm",1]')
        for who in clients:
            listen(here, who, acks=turn % 2 == 0)
        clients = [who for number, who in enumerate(clients) if (number + turn) % 9]
        if storm.left <= 0:
            break
        here.skip(0.2)
    wild = {where for where, _ in storm.done}
    assert wild >= {"connect", "disconnect", "event", "task"}
    assert len({deed for _, deed in storm.done}) == len(storm.deeds), "every deed was done"
    storm.left = 0
    for task in storm.tasks:
        task.cancel()
    here.loop.settle()


def test_a_server_that_was_stopped_starts_again() -> None:
    """Twice in one process, on a loop of its own each time."""
    import fastsio
    from fastsio.testing import client

    sio = fastsio.AsyncServer(async_mode="asgi")
    sio.on("echo", lambda sid, value: value)

    async def serve(number: int) -> Registry:
        async with client(sio) as first, client(sio) as second:
            assert await first.call("echo", number) == number
            await sio.drain(0)
            await second.clock.advance(1)
            assert not first.is_connected and not second.is_connected
        registry: Registry = sio.eio._registry
        assert not registry.sessions
        return registry

    for number in range(3):
        registry = asyncio.run(serve(number))
    assert registry.opened == 6
