"""The Engine.IO server of an application: python-engineio's API for asyncio, over the engine floor.

May import: `base_server`, `application`, `hosts`, the engine floor.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastsio.engine._session import Session
from fastsio.engine.draining import Drained, drain
from fastsio.engine.registry import Registry
from fastsio.engineio import hosts
from fastsio.engineio.application import Application
from fastsio.engineio.base_server import BaseServer
from fastsio.engineio.logs import announcer
from fastsio.engineio.packet import MESSAGE, Packet, message_text
from fastsio.hub.dispatch import call

# Seconds that disconnect handlers get when the host stops.
DRAIN_TIMEOUT = 10.0


class AsyncServer(BaseServer):
    """An Engine.IO server for asyncio.

    Args:
        async_mode: name of the framework that hosts the server, ``"asgi"``, ``"aiohttp"``, ``"sanic"`` or
            ``"tornado"``; the first that is installed when None. Every entry point works, whatever the mode.
        ping_interval: seconds between pings, or (seconds, grace seconds that clients are told on top).
        ping_timeout: seconds until a silent client counts as dead.
        max_http_buffer_size: bytes of one polling body or WebSocket message.
        allow_upgrades: let polling clients move to WebSocket.
        http_compression: compress polling responses.
        compression_threshold: bytes from which they are.
        cookie: name, or dict of attributes, of a cookie for polling handshakes.
        cors_allowed_origins: None (same origin), ``"*"``, an origin, a list, a function, or [] to leave CORS alone.
        cors_credentials: allow credentials.
        logger: True, False, or a logger.
        json: module for application messages that are lists or dicts.
        async_handlers: run message handlers as tasks.
        transports: names of the transports to enable.
        protocols: Engine.IO revisions to serve.
        options: `jsonp`, `upgrade_timeout`, `max_send_buffer` and the other fields of `fastsio.options.Options`.

    Raises:
        ValueError: an option has a value that nothing can be made of.
    """

    _draining: asyncio.Future[Drained] | None = None

    def is_asyncio_based(self) -> bool:
        return True

    # --- the application's side

    async def send(self, sid: str, data: Any) -> None:
        """Queue a message: str as text, bytes as binary, lists and dicts as JSON, anything else as its str."""
        session = self._registry.sessions.get(sid)
        if session is None:
            self.logger.warning("Cannot send to sid %s", sid)
        else:
            session.send_message(self._as_message(data))

    async def send_packet(self, sid: str, pkt: Any) -> None:
        """Queue a packet object; see `fastsio.engineio.packet`."""
        session = self._registry.sessions.get(sid)
        if session is None:
            self.logger.warning("Cannot send to sid %s", sid)
        elif pkt.packet_type == MESSAGE:
            session.send_message(self._as_message(pkt.data))
        else:
            session.send_packet(pkt.packet_type, message_text(pkt.data, self.json or Packet.json))

    async def get_session(self, sid: str) -> dict[str, Any]:
        """Give the dict that the application keeps with a connection.

        Raises:
            KeyError: there is no such connection.
        """
        return self._session_dict(self._find(sid))

    async def save_session(self, sid: str, session: dict[str, Any]) -> None:
        """Replace the dict that the application keeps with a connection."""
        self._find(sid).user_session = session

    def session(self, sid: str) -> AbstractAsyncContextManager[dict[str, Any]]:
        """Give the session dict for an `async with` block, and save it at its end."""
        return self._session_context(sid)

    @asynccontextmanager
    async def _session_context(self, sid: str) -> AsyncIterator[dict[str, Any]]:
        session = await self.get_session(sid)
        try:
            yield session
        finally:
            await self.save_session(sid, session)

    async def disconnect(self, sid: str | None = None) -> None:
        """Close one connection, or all of them: disconnect handlers run, the client is told, the transport is closed."""
        if sid is None:
            for session in list(self._registry.sessions.values()):
                session.disconnect()
        elif (found := self._registry.sessions.get(sid)) is not None:
            found.disconnect()

    def start_background_task(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> asyncio.Task[Any]:
        """Run a coroutine function as a task."""
        return asyncio.ensure_future(target(*args, **kwargs))

    async def sleep(self, seconds: float = 0) -> None:
        await asyncio.sleep(seconds)

    async def shutdown(self) -> None:
        """Kept for python-engineio's applications: deadlines here end with their sessions."""

    async def drain(self, seconds: float = DRAIN_TIMEOUT) -> Drained:
        """Take the server out of service: turn new clients away with 503, and say goodbye to all within `seconds`.

        Goodbyes are spread over the time, so that clients do not come back elsewhere all at once; a client whose handlers
        run is told when they have returned, or at the end. A second call waits for the first.

        Returns:
            How many there were, how many went by themselves, finished, or were cut, and how long it took.
        """
        if self._draining is None or not self._registry.guard.is_draining:
            self._draining = asyncio.ensure_future(drain(self._registry, seconds))
        return await asyncio.shield(self._draining)

    def create_queue(self, *args: Any, **kwargs: Any) -> asyncio.Queue[Any]:
        return asyncio.Queue(*args, **kwargs)

    def get_queue_empty_exception(self) -> type[Exception]:
        return asyncio.QueueEmpty

    def create_event(self, *args: Any, **kwargs: Any) -> asyncio.Event:
        return asyncio.Event(*args, **kwargs)

    # --- the host's side

    def attach(self, app: Any, engineio_path: str = "engine.io") -> None:
        """Serve at a path of an aiohttp or Sanic application. Clients are told when the application stops.

        Raises:
            KeyError: `async_mode` is one without such applications.
            TypeError: `app` is not one.
        """
        hosts.attach(self, app, engineio_path, announcer(self.logger, "Engine.IO"))

    async def handle_request(self, *args: Any, **kwargs: Any) -> Any:
        """Serve one ASGI scope `(scope, receive, send)`, one request of aiohttp or Sanic, or one handler of Tornado.

        Returns:
            What the framework expects: a response from aiohttp and Sanic.
        """
        return await hosts.serve(self._registry, *args, *kwargs.values())

    async def _drain(self) -> None:
        """The host stops: close every client, and let disconnect handlers finish."""
        await self._registry.drain(DRAIN_TIMEOUT)

    def _native_registry(self) -> Registry | None:
        """Give what the native wire needs, unless a subclass wants to see each request."""
        overridden = type(self).handle_request is not AsyncServer.handle_request or "handle_request" in vars(self)
        return None if overridden else self._registry

    # --- the engine's side

    def _accept(self, session: Session) -> Any:
        """Give a new session its sink, and ask the application about it."""
        session.sink = Application(self, session)
        handler = self.handlers.get("connect")
        if handler is None:
            return None
        return self._ask(handler, session)

    async def _ask(self, handler: Callable[..., Any], session: Session) -> Any:
        """Give None when the application accepts, else what the client is shown."""
        from fastsio._http import environ

        session.environ = environ(session.request)
        try:
            result = await call(handler, (session.sid, session.environ))
        except Exception:
            self.logger.exception("the connect handler raised; the client is refused")
            result = False
        return None if result is None or result is True else result or "Unauthorized"
