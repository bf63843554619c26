"""Where a scenario plays: the module under test, its server in this loop, and everything that is written down.

May import: `clients`, the transcript, uvicorn. The module under test is only ever named by a `Wire`.
"""

import asyncio
import gc
import importlib
import logging
import socket
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any, NamedTuple

import uvicorn

from compat.transcript import HOST_HEADERS, Transcript, canonical
from parity.clients import Client
from wire import raw

LOGGERS = ("socketio.server", "engineio.server", "asyncio", "uvicorn.error")
# Headers that nearly every answer has, as transcripts show them.
SHORT = {
    "access-control-allow-credentials: true": "+credentials",
    "access-control-allow": "allow",
    "content-type: ": "",
}
QUIET = 3  # turns without a line after which a scene is over
TURN = 0.001  # s
HOPS = 6  # rounds of the loop within a turn: everything is in this loop, so these carry a message there and back


class Wire(NamedTuple):
    """Which library serves, and through which protocol class of uvicorn."""

    socketio: str
    engineio: str
    http: str = "httptools"


WIRES = {
    "reference": Wire("socketio", "engineio"),
    "native": Wire("fastsio", "fastsio.engineio", "fastsio.net._native:NativeConnection"),
    "asgi": Wire("fastsio", "fastsio.engineio"),
}


class Stage:
    """One run of one scenario on one wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.socketio: Any = importlib.import_module(wire.socketio)
        self.engineio: Any = importlib.import_module(wire.engineio)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so asyncio sends at once
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.transcript = Transcript(self.port)
        self.records: list[logging.LogRecord] = []
        self.loop_errors: list[dict[str, Any]] = []
        self._uvicorn: uvicorn.Server | None = None
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: self.loop_errors.append(context))

    def module(self, name: str) -> ModuleType:
        """Give a module of the Socket.IO package by its relative path."""
        return importlib.import_module(f"{self.wire.socketio}.{name}")

    def engine_module(self, name: str) -> ModuleType:
        """Give a module of the Engine.IO package by its relative path."""
        return importlib.import_module(f"{self.wire.engineio}.{name}")

    # --- the server

    def server(self, **options: Any) -> Any:
        """Make a Socket.IO server."""
        return self.socketio.AsyncServer(async_mode="asgi", **options)

    async def serve(self, server: Any, **options: Any) -> Any:
        """Serve a Socket.IO server, or any ASGI application, on this stage's port."""
        app = server if not hasattr(server, "handle_request") else self._application(server, options)
        config = uvicorn.Config(
            app,
            http=self.wire.http,
            loop="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
        )
        config.load()
        self._uvicorn = uvicorn.Server(config)
        self._uvicorn.lifespan = config.lifespan_class(config)
        await self._uvicorn.startup(sockets=[self._socket])
        return app

    def _application(self, server: Any, options: dict[str, Any]) -> Any:
        if isinstance(server, self.engineio.AsyncServer):
            return self.engineio.ASGIApp(server, **options)
        return self.socketio.ASGIApp(server, **options)

    async def close(self) -> None:
        """End the server and every task that is left, without farewells."""
        if self._uvicorn is not None:
            for listener in self._uvicorn.servers:
                listener.close()
            for connection in list(self._uvicorn.server_state.connections):
                if (transport := getattr(connection, "transport", None)) is not None:
                    transport.abort()
        self._socket.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.wait(rest, timeout=1) if rest else None

    # --- the clients

    def client(self, name: str, path: str = "/socket.io/", **options: Any) -> Client:
        return Client(self, name, path, **options)

    async def guest(self, name: str, namespace: str = "/", auth: Any = None, **options: Any) -> Client:
        """Give a client over WebSocket that has joined a namespace."""
        client = await self.client(name, **options).websocket()
        await client.join(namespace, auth)
        return client

    async def poller(self, name: str, namespace: str = "/", auth: Any = None, **options: Any) -> Client:
        """Give a client over long-polling that has joined a namespace."""
        client = await self.client(name, **options).polling()
        await client.join(namespace, auth)
        return client

    async def http(
        self, method: str, path: str, headers: raw.Headers | None = None, body: bytes | str | None = None
    ) -> raw.Response | None:
        """Make a request and write its answer down."""
        data = body.encode() if isinstance(body, str) else body
        try:
            response = await raw.fetch(
                self.port, method, path, headers, b"" if method == "POST" and data is None else data
            )
        except (raw.Reset, TimeoutError) as error:
            self.transcript.add(f"http {method} {path} {type(error).__name__}")
            return None
        self.write_response(f"http {method} {path}", response)
        return response

    def write_response(self, line: str, response: raw.Response) -> None:
        kept = {name: value for name, value in response.headers.items() if name not in HOST_HEADERS}
        shown_headers = "; ".join(f"{name}: {value}" for name, value in sorted(kept.items()))
        for long, short in SHORT.items():
            shown_headers = shown_headers.replace(long, short)
        body = response.body.decode("utf-8", "backslashreplace")
        self.transcript.add(f"{line} {response.status} [{shown_headers}] {canonical(body)}")

    # --- what is written down

    def note(self, label: str, *values: Any) -> None:
        """Write down what happened in the server."""
        self.transcript.add(f"server {label} {', '.join(map(shown, values))}")

    def noting(self, label: str, returns: Any = None) -> Callable[..., Awaitable[Any]]:
        """Give a coroutine handler that writes its arguments down."""

        async def handler(*args: Any) -> Any:
            self.note(label, *args)
            return returns

        return handler

    async def outcome(self, label: str, work: Any) -> Any:
        """Write down what a call or an awaitable gives or raises."""
        try:
            value = work() if callable(work) else work
            if isinstance(value, Awaitable):
                value = await value
        except Exception as error:
            self.note(f"{label} raises", error)
            return None
        self.note(f"{label} gives", value)
        return value

    def logs(self, level: int = logging.WARNING) -> None:
        """Write down which loggers spoke since the last time, how loudly, and whether with a traceback."""
        for record in self.records:
            if record.levelno >= level and record.name in LOGGERS[:2]:
                error = f" {record.exc_info[0].__name__}" if record.exc_info and record.exc_info[0] else ""
                self.transcript.add(f"log {record.name} {record.levelname}{error}")
        self.records.clear()

    def faults(self) -> None:
        """Write down the exceptions that became visible: in a log or in the loop's exception handler."""
        gc.collect(1)
        found = [record.exc_info[1] for record in self.records if record.exc_info]
        found += [context["exception"] for context in self.loop_errors if "exception" in context]
        for error in found:
            self.transcript.add(f"fault {shown(error)}")
        self.records.clear()
        self.loop_errors.clear()

    async def settle(self) -> None:
        """Wait until nothing has been written for some turns; then the scene is over."""
        quiet, seen = 0, len(self.transcript.lines)
        while quiet < QUIET:
            await asyncio.sleep(TURN)
            for _ in range(HOPS):
                await asyncio.sleep(0)
            quiet = quiet + 1 if seen == len(self.transcript.lines) else 0
            seen = len(self.transcript.lines)
        self.transcript.end_scene()


def shown(value: Any) -> str:
    """Give a value as a transcript shows it: an environ by its name, an exception without its module."""
    if isinstance(value, BaseException):
        return f"{type(value).__name__}{value.args}"
    if isinstance(value, dict) and "wsgi.version" in value:
        return "environ"
    return repr(value)
