"""Starts uvicorn with the native wire in its `http=` seat.

May import: `loops`. Listeners, TLS, signals, lifespan, reload and workers are uvicorn's.
"""

from collections.abc import Callable
from typing import Any

import uvicorn

from fastsio.net.loops import best_loop

# Named rather than given: worker and reload processes import it again.
NATIVE = "fastsio.net._native:NativeConnection"


def run(app: str | Callable[..., Any], *, host: str = "127.0.0.1", port: int = 8000, **options: Any) -> None:
    """Serve an ASGI application until a signal ends it.

    A `fastsio.ASGIApp` is served by the native wire; anything else, middleware around one included, by the ASGI wire.

    Args:
        app: the application, or ``"module:name"`` of one (needed for `workers` and `reload`).
        host: address to listen on.
        port: port to listen on.
        options: any option of `uvicorn.run`.
    """
    options.setdefault("loop", best_loop())
    options.setdefault("http", NATIVE)
    uvicorn.run(app, host=host, port=port, **options)
