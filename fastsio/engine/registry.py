"""Every session of one server by its sid, with what they share: options, the flush, the sweep, the counters.

May import: the engine floor, `options`. Never parses and never decides; admission and polling do. Compiled with the
types of `registry.pxd`.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from fastsio.engine._guard import Guard
from fastsio.engine._ids import generate_sid
from fastsio.engine._session import Flusher, Session, Traffic, new_session
from fastsio.engine._wheel import Wheel
from fastsio.engine.lag import LagMeter
from fastsio.engine.log_rate import LogRate
from fastsio.engine.watchdog import Watchdog
from fastsio.errors import ProtocolError
from fastsio.options import Options

# Reasons of disconnects that are counted apart; an application may make up any number.
MAX_REASONS = 50


class Registry:
    """The sessions of one Engine.IO server.

    `accept(session)` is asked before a handshake is answered: it gives the session its sink and returns None, or
    returns an awaitable for the same when the application has to think. An awaitable that gives something else than
    None refuses the client, and what it gives is shown to it.
    """

    def __init__(self, options: Options, logger: logging.Logger) -> None:
        self.options = options
        self.logger = logger
        self.sessions: dict[str, Session] = {}
        self.ending: dict[str, Session] = {}  # ended, but disconnect handlers run
        self.opened = 0  # sessions, and those that have ended
        self.closed = 0
        self.counters: Counter[str] = Counter()  # of everything that does not happen to every client
        self.traffic = Traffic()
        self.guard = Guard()
        self.new_sid: Callable[[], str] = generate_sid
        self.accept: Callable[[Session], Any] = _accept_nobody
        self.must_join = False  # Socket.IO: a namespace has to be joined in time
        # There before the first session is: see `attach_loop`.
        self.loop: asyncio.AbstractEventLoop = None  # type: ignore[assignment]
        self.flusher: Flusher = None  # type: ignore[assignment]
        self.wheel: Wheel = None  # type: ignore[assignment]
        self.watchdog: Watchdog | None = None
        self.lag_meter: LagMeter | None = None
        self.tasks: set[asyncio.Task[Any]] = set()
        self._since = time.monotonic()
        self._ends: dict[str, int] = {}
        self._reported: set[str] = set()
        self._log_rates: dict[str, LogRate] = {}

    def attach_loop(self) -> int:
        """Belong to the running loop. A registry without sessions may move on to a new one."""
        loop = asyncio.get_running_loop()
        if loop is not self.loop:
            self.belong_to(loop)
        return 0

    def belong_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start anew on a loop.

        Raises:
            RuntimeError: clients are connected on another one.
        """
        if self.sessions and self.loop is not None and not self.loop.is_closed():
            raise RuntimeError("this server has clients on another event loop; use one server for each loop")
        if self.loop is not None:
            self._since = time.monotonic()
        self.sessions.clear()
        self.loop = loop
        self.flusher = Flusher(loop, self.logger)
        self.wheel = Wheel(loop)
        self.traffic = Traffic()
        self.guard.is_draining = False
        self.guard.lag = 0.0
        for looking in (self.watchdog, self.lag_meter):
            if looking is not None:
                looking.stop()
        self.lag_meter = LagMeter(loop, self._is_late) if self.options.max_loop_lag > 0 else None
        self.watchdog = Watchdog(loop, self.options.watchdog, self.report_stall) if self.options.watchdog > 0 else None

    def _is_late(self, seconds: float) -> None:
        self.guard.lag = seconds

    def create(self, version: Any, request: Any) -> Session:
        """Make a session; it is reachable by its sid from now on, and LIVE once its handshake is answered."""
        session = new_session(
            self.new_sid(), version, request, self, self.options, self.flusher, self.wheel, self.traffic
        )
        self.sessions[session.sid] = session
        self.opened += 1
        return session

    def forget(self, session: Session) -> int:
        """The session has ended for its client. The application finds it until `settled`."""
        if self.sessions.pop(session.sid, None) is not None:
            self.closed += 1
            if session.counted_as is not None:
                self.guard.left(session.counted_as)
            if session.sink is not None and not session.is_settled:
                self.ending[session.sid] = session
        return 0

    def settled(self, session: Session) -> int:
        """The disconnect handlers have run: nobody looks for the session any more, even if its client has yet to hear."""
        session.is_settled = True
        if not session.is_open:
            session.sink = None  # they hold each other
        self.ending.pop(session.sid, None)
        return 0

    def find(self, sid: str) -> Session | None:
        """Give a session that the application may still ask about."""
        return self.sessions.get(sid) or self.ending.get(sid)

    def count_end(self, reason: str) -> int:
        """A session ends, for one of `reasons` or what an application gives as one."""
        if reason not in self._ends and len(self._ends) >= MAX_REASONS:
            reason = "another"
        self._ends[reason] = self._ends.get(reason, 0) + 1
        return 0

    def ends(self) -> dict[str, int]:
        """Give how many sessions have ended, by their reason."""
        return dict(self._ends)

    def uptime(self) -> float:
        """Give the seconds since this was made, or moved on to another loop."""
        return time.monotonic() - self._since

    def backlog(self) -> tuple[int, int, int]:
        """Give what waits in all outboxes together, in bytes and in packets, and the bytes of the fullest one."""
        size, packets, largest = 0, 0, 0
        for session in self.sessions.values():
            owed, count = session.backlog
            size += owed
            packets += count
            largest = max(largest, owed)
        return size, packets, largest

    async def drain(self, timeout: float) -> None:
        """Close every session because the server stops, and give what runs `timeout` seconds to finish."""
        for session in list(self.sessions.values()):
            session.shut_down()
        await asyncio.sleep(0)
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=timeout)

    def spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        """Run a coroutine as a task that is kept until it is done."""
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def report_violation(self, session: Session, error: ProtocolError) -> None:
        """Log why a session is being ended: one line, at ERROR the first time for each code and at INFO afterwards."""
        sid = session.sid[:6]
        self.report(error.code, "%s: client broke the protocol (%s): %s", sid, error.code, error, sid=sid)

    def report_fault(self, session: Session, error: Exception) -> None:
        """Log an exception that no application raised."""
        self.counters["faults"] += 1
        self.logger.error("%s: a message could not be handled", session.sid[:6], exc_info=error)

    def report_unjoined(self, session: Session) -> None:
        limit = self.options.connect_timeout
        sid = session.sid[:6]
        self.report("connect timeout", "%s: no namespace was joined within %s s (connect_timeout)", sid, limit, sid=sid)

    def report_slow(self, session: Session, size: int, packets: int) -> None:
        """Say of a client that more waited for it than may: so many bytes, in so many packets."""
        self.report(
            "slow client",
            "%s: slow client disconnected: %d bytes in %d packets were waiting (max_send_buffer=%d, max_send_packets=%d)",
            session.sid[:6],
            size,
            packets,
            self.options.max_send_buffer,
            self.options.max_send_packets,
            sid=session.sid[:6],
        )

    def report_dropping(self, session: Session) -> None:
        """Say once of each client that it does not get everything."""
        if session.is_behind:
            return
        session.is_behind = True
        self.report(
            "dropped",
            "%s: slow client: events for it are dropped (slow_client_policy=%r, max_send_buffer=%d, max_send_packets=%d)",
            session.sid[:6],
            self.options.slow_client_policy,
            self.options.max_send_buffer,
            self.options.max_send_packets,
            sid=session.sid[:6],
        )

    def report_too_fast(self, session: Session, error: ProtocolError) -> None:
        """Say of an event that it was dropped, whose client may stay."""
        sid = session.sid[:6]
        self.report(error.code, "%s: an event was dropped (%s): %s", sid, error.code, error, sid=sid)

    def report_stall(self, seconds: float, what: str) -> None:
        """Log what has held the loop; no client is disconnected for it."""
        self.counters["stalls"] += 1
        self.logger.error("the event loop was held for %.2f s by %s", seconds, what)

    def report(self, category: str, message: str, *args: Any, sid: str | None = None) -> None:
        """Log one line about a refusal, as python-engineio does: ERROR once for each category, then INFO.

        Its record says `kind`, the category, and `sid`, for `fastsio.logs`.
        Beyond `log_rate` lines a second of one category nothing is logged, and the next line says how many are missing.
        """
        self.counters[category] += 1
        level = logging.INFO if category in self._reported else logging.ERROR
        self._reported.add(category)
        rate = self._log_rates.setdefault(category, LogRate())
        if not rate.admits(self.options.log_rate, time.monotonic()):
            return
        if rate.held_back:
            message += f" (and {rate.held_back:,} more of this kind that were not logged: log_rate)"
            rate.held_back = 0
        if isinstance(self.logger, logging.Logger):
            self.logger.log(level, message, *args, extra={"kind": category, "sid": sid})
        else:
            self.logger.log(level, message, *args)


def _accept_nobody(session: Session) -> Any:
    raise RuntimeError("this registry has no floor above it")
