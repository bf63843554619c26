"""The sink of a bare Engine.IO session: messages go to the handlers of the application, in order.

May import: `hub.dispatch`, the engine floor, `engineio.packet`, `errors`. Never used below a Socket.IO server, unless the
application has put Engine.IO handlers of its own there.
"""

import asyncio
from collections import deque
from contextvars import copy_context
from typing import Any

from fastsio.engine._session import MessageSink, Session
from fastsio.engineio.packet import Packet, message_value
from fastsio.errors import too_many_waiting
from fastsio.hub.dispatch import call, call_lifecycle

# Handlers of one session that may run at once; further messages wait, as they do below a Socket.IO server.
MAX_RUNNING = 256


class Application(MessageSink):
    """Hands the messages of one session to the "message" handler, and its end to the "disconnect" handler.

    Without `async_handlers` a message waits until the handler of the one before is done; so does the end.
    """

    def __init__(self, server: Any, session: Session) -> None:
        self.server = server
        self.session = session
        self._waiting: deque[Any] = deque()
        self._waiting_bytes = 0
        self._running = 0
        self._idle: asyncio.Event | None = None  # set when nothing runs or waits, once somebody wants to know
        self.peer: Any = None  # of a Socket.IO server above, whose handlers hand on what comes (`hub.seams.Injector`)

    def on_open(self) -> int:
        if self.peer is not None:
            self.peer.on_open()
        return 0

    def message(self, data: Any) -> None:
        handler = self.server.handlers.get("message")
        if handler is None:
            return
        value = message_value(data, self.server.json or Packet.json) if isinstance(data, str) else data
        if not self._waiting and self._running < self._limit:
            self._start(value)
        else:
            self._wait(value, len(data))

    @property
    def _limit(self) -> int:
        return MAX_RUNNING if self.server.async_handlers else 1

    def _start(self, value: Any) -> None:
        self._running += 1
        self.server._registry.spawn(self._handle(value))

    def _wait(self, value: Any, size: int) -> None:
        options = self.session.options
        self._waiting_bytes += size
        if len(self._waiting) >= options.max_waiting_packets or self._waiting_bytes > options.max_waiting_bytes:
            raise too_many_waiting(options, self._waiting_bytes)
        self._waiting.append((copy_context(), value, size))

    def _start_waiting(self) -> None:
        """Go on with what waits, in the context that it came in."""
        while self._waiting and self._running < self._limit:
            context, value, size = self._waiting.popleft()
            self._waiting_bytes -= size
            context.run(self._start, value)

    async def _handle(self, value: Any) -> None:
        try:
            await call(self.server.handlers["message"], (self.session.sid, value))
        except asyncio.CancelledError:
            pass  # the handler's own affair; later messages still have to be handled
        except Exception:
            self.server.logger.exception("message handler error")
        finally:
            self._running -= 1
            self._start_waiting()
            if self._idle is not None and not self._running:
                self._idle.set()

    def closed(self, reason: str) -> None:
        if self.server.handlers.get("disconnect") is not None:
            self.server._registry.spawn(self._farewell(reason))
        else:
            self.server._registry.settled(self.session)

    async def _farewell(self, reason: str) -> None:
        try:
            if self._running and not self.server.async_handlers:
                self._idle = asyncio.Event()
                await _until(self._idle, self.server.ping_timeout)
            await call_lifecycle(self.server.handlers["disconnect"], (self.session.sid, reason))
        except Exception:
            self.server.logger.exception("disconnect handler error")
        finally:
            self.server._registry.settled(self.session)


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, for some seconds at most."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        pass
