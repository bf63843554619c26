"""fastsio: a Socket.IO and Engine.IO server for Python, compiled, for every client generation at once.

Change `import socketio` to `import fastsio as socketio`, and keep the application.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

if find_spec("fastsio._codec") is None:
    raise ImportError(f"{__path__[0]} is fastsio's source, not compiled: run `make build` there, or leave that folder")

from fastsio import borrowed, exceptions
from fastsio.alias import install, uninstall
from fastsio.asgi import ASGIApp
from fastsio.async_manager import AsyncManager
from fastsio.async_namespace import AsyncNamespace
from fastsio.async_server import AsyncServer
from fastsio.status import StatusApp
from fastsio.tornado import get_tornado_handler

__version__ = "0.1.0"

__all__ = [
    "ASGIApp",
    "AsyncManager",
    "AsyncNamespace",
    "AsyncServer",
    "StatusApp",
    "exceptions",
    "get_tornado_handler",
    "install",
    "run",
    "uninstall",
]

# Client classes are python-socketio's, when it is installed.
_CLIENT_NAMES = {
    "AsyncClient",
    "AsyncClientNamespace",
    "AsyncSimpleClient",
    "Client",
    "ClientNamespace",
    "SimpleClient",
}

# Managers of clusters, imported when asked for: most applications are one process.
_CLUSTER_NAMES = {
    "AsyncAioPikaManager": "async_aiopika_manager",
    "AsyncPubSubManager": "async_pubsub_manager",
    "AsyncRedisManager": "async_redis_manager",
    "PubSubManager": "pubsub_manager",
    "RedisManager": "redis_manager",
}

# Names of python-socketio that a later release brings.
_NOT_YET = {
    "KafkaManager",
    "KombuManager",
    "Manager",
    "Middleware",
    "Namespace",
    "Server",
    "WSGIApp",
    "ZmqManager",
}


def run(app: Any, *, host: str = "127.0.0.1", port: int = 8000, **options: Any) -> None:
    """Serve an application on the native wire until a signal ends it. See `fastsio.net.serve.run`."""
    from fastsio.net.serve import run as serve

    serve(app, host=host, port=port, **options)


def __getattr__(name: str) -> Any:
    if name in _CLUSTER_NAMES:
        return getattr(import_module(f"fastsio.{_CLUSTER_NAMES[name]}"), name)
    if name in _NOT_YET:
        raise AttributeError(f"fastsio.{name} is not there yet in {__version__}; see 'Not for you, yet' in the README")
    if name not in _CLIENT_NAMES:
        raise AttributeError(f"module 'fastsio' has no attribute {name!r}")
    return borrowed.attribute("socketio", name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_CLUSTER_NAMES, *(_CLIENT_NAMES if borrowed.is_installed() else ())})
