"""A whole server without a network: the real native connections, on a loop whose time is told, not waited for.

May import: fastsio, uvicorn. Used by the targets `http` and `session`, and by tests that need time to pass.
"""

import asyncio
import logging
import time
from typing import Any

import uvicorn
from uvicorn.server import ServerState

import fastsio
from fastsio.engine import _wheel
from fastsio.net._native import NativeConnection

# Turns of the loop after which something is taken to run for ever.
MAX_TURNS = 20_000


class SteppedLoop(asyncio.SelectorEventLoop):
    """A loop on which time passes at once when it is told to."""

    skipped = 0.0

    def time(self) -> float:
        return time.monotonic() + self.skipped

    def skip(self, seconds: float) -> None:
        self.skipped += seconds
        _wheel.skip_time(seconds)

    def settle(self) -> None:
        """Run until nothing is ready any more."""
        self.run_until_complete(self._settle())

    async def _settle(self) -> None:
        for _ in range(MAX_TURNS):
            await asyncio.sleep(0)
            if not self._ready:
                return
        raise AssertionError(f"the loop has not come to rest in {MAX_TURNS} turns")


class Transport(asyncio.Transport):
    """What a connection writes to: keeps it, and can be full."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop = loop
        self.protocol: Any = None
        self.written = bytearray()
        self.buffer = bytearray()  # what a blocked peer has not taken
        self.is_blocked = False
        self.is_paused = False
        self.is_ended = False  # this side has no more to say
        self.unread = bytearray()
        self._closing = False
        self._lost = False

    # --- the peer's side

    def connect(self, protocol: Any) -> None:
        self.protocol = protocol
        protocol.connection_made(self)

    def feed(self, data: bytes) -> None:
        """Let bytes arrive, as the loop would deliver them."""
        self.unread += data
        self._deliver()

    def _deliver(self) -> None:
        while self.unread and not (self.is_paused or self._closing):
            if hasattr(self.protocol, "get_buffer"):
                memory = self.protocol.get_buffer(-1)
                size = min(len(memory), len(self.unread))
                assert size > 0, "an empty buffer to read into"
                memory[:size] = self.unread[:size]
                del memory
                del self.unread[:size]
                self.protocol.buffer_updated(size)
            else:
                data = bytes(self.unread)
                self.unread.clear()
                self.protocol.data_received(data)

    def block(self) -> None:
        """The peer stops reading."""
        self.is_blocked = True

    def unblock(self) -> None:
        self.is_blocked = False
        self.written += self.buffer
        if self.buffer:
            self.buffer.clear()
            self.protocol.resume_writing()
        if self._closing:
            self._lose(None)

    def end(self) -> None:
        """The peer closes: FIN."""
        if not self._lost and not self.protocol.eof_received():
            self.close()

    def reset(self) -> None:
        """The peer is gone: RST."""
        self._lose(ConnectionResetError())

    @property
    def is_open(self) -> bool:
        return not self._lost

    # --- the connection's side

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def get_protocol(self) -> Any:
        return self.protocol

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return not self.is_paused

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False
        self.loop.call_soon(self._deliver)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return len(self.buffer)

    def write(self, data: Any) -> None:
        if self._closing or self._lost:
            return
        if not self.is_blocked:
            self.written += data
            return
        was_empty = not self.buffer
        self.buffer += data
        if was_empty and self.buffer:
            self.protocol.pause_writing()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_ended = True

    def close(self) -> None:
        self._closing = True
        if not self.buffer:
            self._lose(None)

    def abort(self) -> None:
        self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        self.buffer.clear()
        self.loop.call_soon(lambda: self.protocol.connection_lost(error))


class Complaints(logging.Handler):
    """Keeps what must never be logged: exceptions that no application raised."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.lines: list[str] = []  # everything else, too

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        self.lines.append(record.getMessage()[:1000])
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, ExpectedError):
            self.found.append(text)


class ExpectedError(Exception):
    """What handlers of an application raise."""


class World:
    """One server, and the clients that talk to it."""

    def __init__(self, loop: SteppedLoop, app: Any = None, **options: Any) -> None:
        self.loop = loop
        self.complaints = Complaints()
        logger = logging.Logger("fuzz", logging.INFO)
        logger.addHandler(self.complaints)
        loop.set_exception_handler(self._on_exception)
        self.sio: Any = fastsio.AsyncServer(async_mode="asgi", logger=logger, engineio_logger=logger, **options)
        self.config = uvicorn.Config(fastsio.ASGIApp(self.sio, app), log_config=None, lifespan="off", ws="none")
        self.state = ServerState()
        self.app_state: dict[str, Any] = {}  # one for all connections, as uvicorn gives it
        self.connections: list[Transport] = []

    def _on_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, ExpectedError):
            self.complaints.found.append(f"the loop: {context.get('message')}: {error!r}")

    @property
    def registry(self) -> Any:
        return self.sio.eio._registry

    def connect(self) -> Transport:
        """Open a connection."""
        transport = Transport(self.loop)
        self.loop.run_until_complete(self._make(transport))
        self.connections.append(transport)
        return transport

    async def _make(self, transport: Transport) -> None:
        transport.connect(NativeConnection(self.config, self.state, self.app_state, self.loop))

    def feed(self, transport: Transport, data: bytes) -> None:
        """Let bytes arrive on the loop, as callbacks do."""
        self.loop.run_until_complete(self._feed(transport, data))

    async def _feed(self, transport: Transport, data: bytes) -> None:
        transport.feed(data)

    def call(self, function: Any, *args: Any) -> None:
        """Call something on the loop."""
        self.loop.run_until_complete(self._call(function, args))

    async def _call(self, function: Any, args: tuple[Any, ...]) -> None:
        function(*args)

    def skip(self, seconds: float, step: float = 0.4) -> None:
        """Let time pass in steps that are too short to look like a blocked loop."""
        while seconds > 0:
            self.loop.skip(min(step, seconds))
            seconds -= step
            self.loop.settle()

    def end(self) -> None:
        """Everybody leaves without a word; nothing may be left of them."""
        for transport in self.connections:
            transport.reset()
        self.loop.settle()
        # Each wait of a session in turn: for a sign of life, an extension, a poll that hears the farewell. A long step
        # looks like a blocked loop, which gets a moment more.
        longest = self.sio.eio.ping_interval + self.sio.eio.ping_timeout + self.registry.options.linger_timeout
        for seconds in (longest, 0.3) * 4:
            self.skip(seconds, seconds)
        self.check()

    def check(self) -> None:
        assert not self.complaints.found, "\n".join(self.complaints.found)
        assert not self.registry.sessions, self.registry.sessions
        assert not self.registry.ending, self.registry.ending
        assert not self.registry.counters["faults"]
        halls = self.sio.manager._rooms.halls
        assert not any(hall.members or hall.rooms for hall in halls.values()), halls
        assert not self.state.connections, self.state.connections
        left = [task for task in asyncio.all_tasks(self.loop) if not task.done()]
        assert not left, left
