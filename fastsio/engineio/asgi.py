"""The ASGI application around a server: its path, static files, another application, and start and stop hooks.

May import: `hosts`, `logs`, `static_files`. Subclasses may override `__call__`; then the native wire leaves them alone.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from fastsio.engineio.hosts import normal_path
from fastsio.engineio.logs import announcer
from fastsio.engineio.static_files import existing_file

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Mounted:
    """Where an application stands: the prefix it is mounted under, and how paths begin that are the server's."""

    def __init__(self, root: str, path: str | None) -> None:
        self.root = root
        self.path = path
        self.starts: tuple[str, ...]
        prefix = root.rstrip("/")
        if path is None:
            self.public_path, self.starts = prefix + "/", ("",)
        elif not prefix:
            self.public_path, self.starts = path, (path,)
        elif path.startswith(prefix + "/"):  # the prefix was given with the path; a host may have cut it off a request
            self.public_path, self.starts = path, (path, path.removeprefix(prefix))
        else:
            self.public_path, self.starts = prefix + path, (prefix + path, path)


def check_server(server: Any) -> None:
    """Refuse what is no server, or one of the make that is being switched from: half a switch would go unseen.

    Raises:
        TypeError: says what was given, and what to do.
    """
    kind = f"{type(server).__module__}.{type(server).__qualname__}"
    if kind.partition(".")[0] in ("socketio", "engineio"):
        raise TypeError(
            f"ASGIApp was given python-socketio's {kind}: change the import where it is made to "
            "`import fastsio as socketio`, or call fastsio.install() before that"
        )
    if not hasattr(server, "handle_request"):
        raise TypeError(f"ASGIApp was given a {kind}, which is no server: it has no handle_request()")


class ASGIApp:
    """Serves an Engine.IO server under a path, and everything else from elsewhere.

    Mounted under a prefix, it is found at the prefix and the path together, and at the path alone where that begins
    with the prefix already: mounted at ``/ws``, the paths ``engine.io`` and ``/ws/engine.io`` both mean
    ``/ws/engine.io/``.

    Args:
        engineio_server: the `AsyncServer` to serve.
        other_asgi_app: application for all other requests.
        static_files: URL path -> file name, or {"filename", "content_type"}.
        engineio_path: where the server lives; None gives it every request.
        on_startup: called, and awaited if it wants to be, when the ASGI server starts.
        on_shutdown: the same when it stops.

    Raises:
        TypeError: `engineio_server` is no server, or python-socketio's.
    """

    protocol = "Engine.IO"  # what log lines call it

    def __init__(
        self,
        engineio_server: Any,
        other_asgi_app: Any = None,
        static_files: dict[str, Any] | None = None,
        engineio_path: str | None = "engine.io",
        on_startup: Callable[[], Any] | None = None,
        on_shutdown: Callable[[], Any] | None = None,
    ) -> None:
        check_server(engineio_server)
        self.engineio_server = engineio_server
        self.other_asgi_app = other_asgi_app
        self.engineio_path = None if engineio_path is None else normal_path(engineio_path)
        self.static_files = static_files or {}
        self.on_startup = on_startup
        self.on_shutdown = on_shutdown
        self._mounted = Mounted("", None)
        self._announce = announcer(engineio_server.logger, self.protocol)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(scope, receive, send)
        elif scope["type"] in ("http", "websocket") and self._is_ours(scope):
            await self.engineio_server.handle_request(scope, receive, send)
        elif scope["type"] == "http" and (found := existing_file(scope["path"], self.static_files)):
            await self.serve_static_file(found, receive, send)
        elif self.other_asgi_app is not None:
            await self.other_asgi_app(scope, receive, send)
        else:
            await self.not_found(receive, send, scope)

    def native_route(self) -> tuple[Any, str] | None:
        """Give (registry, path) when the native wire may serve the path itself, None when it must not."""
        native = getattr(self.engineio_server, "_native_registry", None)
        registry = None if native is None else native()
        if registry is None or self.engineio_path is None or type(self).__call__ is not ASGIApp.__call__:
            return None
        return registry, self.engineio_path

    def announce(self, root: str) -> None:
        """Log the path that clients have to use, once; `root` is the prefix that the application is mounted under."""
        self._announce(Mounted(root, self.engineio_path).public_path)

    def _is_ours(self, scope: Scope) -> bool:
        mounted, root = self._mounted, scope.get("root_path") or ""
        if mounted.root != root or mounted.path != self.engineio_path:
            mounted = self._mounted = Mounted(root, self.engineio_path)
            self.announce(root)
        return (scope["path"] + "/").startswith(mounted.starts)

    async def serve_static_file(self, static_file: dict[str, str], receive: Receive, send: Send) -> None:
        """Answer with a file."""
        with open(static_file["filename"], "rb") as file:
            body = file.read()
        await _respond(send, 200, static_file["content_type"], body)

    async def not_found(self, receive: Receive, send: Send, scope: Scope | None = None) -> None:
        """Answer that there is nothing here."""
        if scope is not None and scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            await _respond(send, 404, "text/plain", b"Not Found")

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the hooks, or let the other application see the whole protocol."""
        self.announce(scope.get("root_path") or "")

        async def receive_and_drain() -> dict[str, Any]:
            event = await receive()
            if event["type"] == "lifespan.shutdown":
                await self._drain()
            return event

        if self.other_asgi_app is not None and self.on_startup is None and self.on_shutdown is None:
            await self.other_asgi_app(scope, receive_and_drain, send)
            return
        while True:
            event = await receive_and_drain()
            name = event["type"].removeprefix("lifespan.")
            if not await _run_hook(self.on_startup if name == "startup" else self.on_shutdown):
                await send({"type": f"lifespan.{name}.failed"})
                return
            await send({"type": f"lifespan.{name}.complete"})
            if name == "shutdown":
                return

    async def _drain(self) -> None:
        drain = getattr(self.engineio_server, "_drain", None)
        if drain is not None:
            await drain()


async def _run_hook(hook: Callable[[], Any] | None) -> bool:
    try:
        if hook is not None and inspect.isawaitable(result := hook()):
            await result
    except Exception:
        return False
    return True


async def _respond(send: Send, status: int, content_type: str, body: bytes) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
