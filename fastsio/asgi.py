"""The ASGI application around a Socket.IO server.

May import: `engineio.asgi`.
"""

from collections.abc import Callable
from typing import Any

from fastsio import engineio


class ASGIApp(engineio.ASGIApp):
    """Serves a Socket.IO server under a path, and everything else from elsewhere.

    Args:
        socketio_server: the `AsyncServer` to serve.
        other_asgi_app: application for all other requests.
        static_files: URL path -> file name, or {"filename", "content_type"}.
        socketio_path: where the server lives; None gives it every request.
        on_startup: called, and awaited if it wants to be, when the ASGI server starts.
        on_shutdown: the same when it stops.
    """

    protocol = "Socket.IO"

    def __init__(
        self,
        socketio_server: Any,
        other_asgi_app: Any = None,
        static_files: dict[str, Any] | None = None,
        socketio_path: str | None = "socket.io",
        on_startup: Callable[[], Any] | None = None,
        on_shutdown: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__(socketio_server, other_asgi_app, static_files, socketio_path, on_startup, on_shutdown)
