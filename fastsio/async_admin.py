"""`AsyncServer.instrument()`: the object that it gives, as python-socketio has it.

May import: `admin`, `exceptions`. Installs handlers and an observer and nothing else; replaces no method of the server.
"""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

from fastsio.admin import EventBuffer
from fastsio.admin.descriptions import describe, iso_time, sample
from fastsio.admin.limits import ALL_SOCKETS
from fastsio.admin.observer import Observer
from fastsio.admin.reports import HOSTNAME, Announcements, Reports
from fastsio.admin.stream import AdminStream
from fastsio.exceptions import ConnectionRefusedError
from fastsio.hub.manager import AsyncManager

# Seconds between an admin's login and what it is told first: its page needs a moment to listen.
CONFIG_DELAY = 0.1
# Members that a command is carried out for before other clients are served.
COMMAND_SLICE = 200

COMMANDS = ["EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT"]


class InstrumentedAsyncServer:
    """A server that the Socket.IO Admin UI may watch. `AsyncServer.instrument()` documents the arguments."""

    def __init__(
        self,
        sio: Any,
        auth: Any = None,
        namespace: str = "/admin",
        read_only: bool = False,
        server_id: str | None = None,
        mode: str = "development",
        server_stats_interval: float = 2,
    ) -> None:
        if auth is None:
            raise ValueError("auth must be specified")
        self.sio = sio
        self.auth = auth
        self.admin_namespace = namespace
        self.read_only = read_only
        self.server_id = server_id or getattr(sio.manager, "host_id", None) or HOSTNAME
        self.mode = mode
        self.server_stats_interval = server_stats_interval
        self.event_buffer = EventBuffer()
        self.stop_stats_event: asyncio.Event | None = None
        self.stats_task: asyncio.Task[None] | None = None
        self._stream = AdminStream(sio, namespace)
        self._observer = Observer(sio, namespace, self._stream, self._look_away)
        self._reports = Reports(sio, self.server_id, self.event_buffer)
        self._announcements = Announcements(sio)
        self._replaced: dict[str, Callable[..., Any] | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.instrument()

    @property
    def dropped(self) -> int:
        """How much admins were not told of, because of the limits."""
        return self._stream.dropped

    @property
    def _is_development(self) -> bool:
        return self.mode == "development"

    # --- on and off

    def instrument(self) -> None:
        """Let admins in."""
        if self.sio._instrumentation is not None:
            raise ValueError("this server is instrumented already")
        self.sio._instrumentation = self
        self.sio._guarded |= {self.admin_namespace}
        handlers: dict[str, Callable[..., Any]] = {"connect": self.admin_connect}
        if self._is_development and not self.read_only:
            handlers["emit"] = self.admin_emit
            handlers["join"] = self.admin_enter_room
            handlers["leave"] = self.admin_leave_room
            handlers["_disconnect"] = self.admin_disconnect
        for event, handler in handlers.items():
            self._replaced[event] = self.sio.handlers.get(self.admin_namespace, {}).get(event)
            self.sio.on(event, handler, namespace=self.admin_namespace)
        if self.sio.manager_initialized:
            self.first_client()

    def uninstrument(self) -> None:
        """Leave the server as it was. Admins stay connected, and hear nothing any more."""
        handlers = self.sio.handlers.get(self.admin_namespace, {})
        for event, handler in self._replaced.items():
            handlers.pop(event, None)
            if handler is not None:
                handlers[event] = handler
        if not handlers:
            self.sio.handlers.pop(self.admin_namespace, None)
        self._replaced = {}
        self.sio._guarded -= {self.admin_namespace}
        self.sio._instrumentation = None
        self._look_away()
        for task in (*self._tasks, self.stats_task):
            if task is not None:
                task.cancel()
        self.stats_task = None

    async def shutdown(self) -> None:
        """Stop reporting, until the next admin comes."""
        if self.stats_task is not None:
            if self.stop_stats_event is not None:
                self.stop_stats_event.set()
            await asyncio.gather(self.stats_task, return_exceptions=True)
            self.stats_task = None

    def first_client(self) -> None:
        """The server has begun. Its admins may be connected to other processes, so these are told from now on."""
        manager = self.sio.manager
        self._stream.is_clustered = type(manager).emit is not AsyncManager.emit or "emit" in vars(manager)
        if self._stream.is_clustered:
            self._watch()

    def _watch(self) -> None:
        """Somebody may be watching: observe and report."""
        if self._is_development:
            self.sio.manager._rooms.observer = self._observer
        task = self.stats_task
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            self.stop_stats_event = asyncio.Event()
            self._reports.begin()
            self.stats_task = self.sio.start_background_task(self._emit_server_stats)

    def _look_away(self) -> None:
        if self.sio.manager._rooms.observer is self._observer:
            self.sio.manager._rooms.observer = None

    # --- admins

    async def admin_connect(self, sid: str, environ: dict[str, Any], client_auth: Any) -> None:
        """Connect handler of the admin namespace.

        Raises:
            ConnectionRefusedError: `client_auth` is not what was asked for.
        """
        if self.auth and not await self._authenticate(client_auth):
            raise ConnectionRefusedError("authentication failed")
        self._watch()
        task = self.sio.start_background_task(self._introduce, sid)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _authenticate(self, client_auth: Any) -> bool:
        if isinstance(self.auth, dict):
            return bool(client_auth == self.auth)
        if isinstance(self.auth, list):
            return client_auth in self.auth
        answer = self.auth(client_auth)
        return bool(await answer if inspect.isawaitable(answer) else answer)

    async def _introduce(self, sid: str) -> None:
        """Tell an admin what this server does, and who is here."""
        await self.sio.sleep(CONFIG_DELAY)
        namespace = self.admin_namespace
        await self.sio.emit("config", {"supportedFeatures": self._features()}, to=sid, namespace=namespace)
        if self._is_development:
            members = sample(self.sio.manager._rooms, ALL_SOCKETS)
            sockets = [describe(self.sio, member) for member in members]
            await self.sio.emit("all_sockets", sockets, to=sid, namespace=namespace)

    def _features(self) -> list[str]:
        commands = [] if self.read_only else COMMANDS
        return ["AGGREGATED_EVENTS", *commands, *(["ALL_EVENTS"] if self._is_development else [])]

    def serialize_socket(self, sid: str, namespace: str, eio_sid: str | None = None) -> dict[str, Any]:
        """Give the description of a socket.

        Raises:
            KeyError: there is no such client.
        """
        member = self.sio.manager._rooms.member(namespace, sid)
        if member is None:
            raise KeyError(sid)
        return describe(self.sio, member)

    # --- commands

    async def admin_emit(self, _: str, namespace: str, room_filter: Any, event: str, *data: Any) -> None:
        await self.sio.emit(event, data, to=room_filter, namespace=namespace)

    async def admin_enter_room(self, _: str, namespace: str, room: Any, room_filter: Any = None) -> None:
        await self._for_each(namespace, room_filter, lambda sid: self.sio.enter_room(sid, room, namespace=namespace))

    async def admin_leave_room(self, _: str, namespace: str, room: Any, room_filter: Any = None) -> None:
        await self._for_each(namespace, room_filter, lambda sid: self.sio.leave_room(sid, room, namespace=namespace))

    async def admin_disconnect(self, _: str, namespace: str, close: bool, room_filter: Any = None) -> None:
        """Put clients out of a namespace; with `close`, end their connections."""
        if not close:
            await self._for_each(namespace, room_filter, lambda sid: self.sio.disconnect(sid, namespace=namespace))
            return
        eio_sids = dict(self.sio.manager.get_participants(namespace, room_filter))
        await self._for_each(namespace, room_filter, lambda sid: self.sio.eio.disconnect(eio_sids[sid]))

    async def _for_each(self, namespace: str, room_filter: Any, act: Callable[[str], Any]) -> None:
        """Do something for everybody in a room, in slices. Clients that have left meanwhile are passed over."""
        for count, (sid, _) in enumerate(list(self.sio.manager.get_participants(namespace, room_filter)), 1):
            try:
                await act(sid)
            except (KeyError, ValueError, TypeError) as exc:
                self.sio.logger.warning("a command of an admin fails for %s: %s", sid, exc)
            if count % COMMAND_SLICE == 0:
                await self.sio.sleep(0)

    # --- reports

    async def _emit_server_stats(self) -> None:
        """Report every `server_stats_interval` seconds while somebody watches; look at the counters each second."""
        stopped = self.stop_stats_event
        due = time.monotonic() + self.server_stats_interval
        while stopped is not None and not await _is_set_within(stopped, min(1, due - time.monotonic())):
            if not self._stream.is_watched():
                return
            self._reports.sample()
            if time.monotonic() >= due:
                due = time.monotonic() + self.server_stats_interval
                self._report()

    def _report(self) -> None:
        try:
            self._stream.tell("server_stats", self._reports.report())
            self._stream.tell_late()
            if self._is_development:
                for member in self._announcements.next(self.server_stats_interval):
                    self._stream.tell_change("socket_connected", describe(self.sio, member), iso_time())
        except Exception:
            self.sio.logger.exception("the report for the Admin UI failed")


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, or for some seconds; tell whether it is set."""
    try:
        await asyncio.wait_for(event.wait(), max(seconds, 0))
    except TimeoutError:
        pass
    return event.is_set()
