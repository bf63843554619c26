"""How `fastsio run` begins and ends: a first signal drains the servers of the application, where that was asked for; a second
ends it at once.

May import: `_native`, `banner` (who serves), `collecting`. What a server does in a drain is its own affair (`engine.draining`); listeners are uvicorn's.
"""

import asyncio
import logging
import os
import socket
from types import FrameType
from typing import Any

import uvicorn

from fastsio.net.banner import servers_in
from fastsio.net.collecting import Collector, freeze
from fastsio.net.loops import is_uvloop

logger = logging.getLogger("uvicorn.error")


class StoppingServer(uvicorn.Server):
    """uvicorn's server, which may drain before it stops.

    Args:
        config: uvicorn's.
        drain_seconds: what `AsyncServer.drain` is given; None to stop at once.
        full_gc: seconds between two garbage collections that look at everything; None to leave it to Python.
    """

    def __init__(self, config: uvicorn.Config, drain_seconds: float | None, full_gc: float | None = None) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._collector = None if full_gc is None else Collector(full_gc)
        self._poller: Any = None  # of `net._poller`, once it accepts
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain: asyncio.Task[None] | None = None

    async def serve(self, sockets: Any = None) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await super().serve(sockets)
        finally:
            self._end_polling()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._prepare_wire(is_ours=sockets is None)
        if self._collector is not None:
            self._collector.start()
        else:
            freeze()

    def _prepare_wire(self, is_ours: bool) -> None:
        from fastsio.net import _native  # which uvicorn has loaded by now, if it serves

        if self.started and issubclass(self.config.http_protocol_class, _native.NativeConnection):
            loop = asyncio.get_running_loop()
            _native.keep_memory()
            listeners = [listener for server in self.servers for listener in server.sockets]
            _native.tune_listeners(self.config, loop, listeners)
            if is_ours and not self.config.ssl and is_uvloop(loop):
                self._take_listeners(_native, loop, listeners)

    def _take_listeners(self, native: Any, loop: asyncio.AbstractEventLoop, listeners: list[Any]) -> None:
        """Accept ourselves, where we can, what the loop would accept.

        Only uvloop's: it has what it accepts in the same moment, and no handler runs it again from within.
        """
        own: list[socket.socket] = []
        taken = None
        try:
            for listener in listeners:
                own.append(socket.socket(fileno=os.dup(listener.fileno())))
            if all(one.family in (socket.AF_INET, socket.AF_INET6) for one in own):
                taken = native.poll_listeners(self.config, self.server_state, self.lifespan.state, loop, own)
        except OSError as exc:
            logger.warning("Connections are accepted by the loop, which takes more time for each: %s", exc)
        if taken is None:
            for one in own:
                one.close()
            return
        for server in self.servers:
            server.close()
        self._poller, self.servers = taken

    def _end_polling(self) -> None:
        """Close what is left: it was asked twice to stop, or cancelled."""
        if self._poller is None:
            return
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            if hasattr(connection, "abort"):  # others have transports of the loop
                connection.abort()
        self._poller.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        is_first = not self._captured_signals
        if is_first and self._drain_seconds is not None and self._loop is not None:
            self._captured_signals.append(sig)
            self._loop.call_soon_threadsafe(self._begin)
            return
        super().handle_exit(sig, frame)
        self.force_exit = self.force_exit or not is_first

    def _begin(self) -> None:
        self._drain = asyncio.ensure_future(self._drain_all())

    async def _drain_all(self) -> None:
        try:
            servers = {
                id(server): server for _, server in servers_in(self.config.loaded_app) if hasattr(server, "drain")
            }
            await asyncio.gather(*(self._drain_one(server) for server in servers.values()))
        finally:
            self.should_exit = True

    async def _drain_one(self, server: Any) -> None:
        assert self._drain_seconds is not None
        logger.info("Draining for up to %g s. (a second signal stops at once)", self._drain_seconds)
        done = await server.drain(self._drain_seconds)
        counts = done["clients"], done["left"], done["finished"], done["cut"]
        logger.info(
            "Drained in %.1f s: %d clients, of whom %d left, %d were told, %d were cut", done["seconds"], *counts
        )
