"""Which wire serves a request, or can be attached to an application: found by its class, whatever the mode is called.

May import: `net`, inside its functions only. The names of the modes are python-engineio's.
"""

import importlib
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

# In the order in which the first available one is chosen.
ASYNC_MODES = ("aiohttp", "sanic", "tornado", "asgi")
ATTACHABLE = ("aiohttp", "sanic")


def chosen_mode(requested: str | None) -> str:
    """Give the mode that was asked for, or the first one that is installed.

    Raises:
        ValueError: there is no such mode, or its package is not installed.
    """
    if requested is None:
        return next(mode for mode in ASYNC_MODES if is_installed(mode))
    if requested not in ASYNC_MODES:
        raise ValueError(f"Invalid async_mode specified: {requested!r}; choose from {', '.join(ASYNC_MODES)}")
    if not is_installed(requested):
        raise ValueError(f"Invalid async_mode specified: {requested!r} is not installed")
    return requested


def is_installed(mode: str) -> bool:
    return mode == "asgi" or importlib.util.find_spec(mode) is not None


def wire_of(thing: Any) -> ModuleType:
    """Give the wire for a request or an application of a framework.

    Raises:
        TypeError: it comes from no framework that there is a wire for.
    """
    for base in type(thing).__mro__:
        framework = base.__module__.partition(".")[0]
        if framework in ASYNC_MODES:
            return importlib.import_module(f"fastsio.net.{framework}")
    kind = f"{type(thing).__module__}.{type(thing).__name__}"
    raise TypeError(f"{kind} is of no framework that is served: {', '.join(ASYNC_MODES)}")


async def serve(registry: Any, *args: Any) -> Any:
    """Serve an ASGI scope with its channels, or a request of another framework."""
    if len(args) == 3:
        from fastsio.net import asgi

        return await asgi.serve(registry, *args)
    return await wire_of(*args).serve(registry, *args)


def attach(server: Any, app: Any, path: str, announce: Callable[[str], None]) -> None:
    """Route a path of an application to a server.

    Raises:
        KeyError: the server's mode has no applications to attach to.
        TypeError: the application is of another kind.
    """
    mode = server.async_mode
    if mode not in ATTACHABLE:
        way = "get_tornado_handler" if mode == "tornado" else "ASGIApp"
        raise KeyError("create_route", f"async_mode={mode!r} has no attach(); use {way}, or choose from {ATTACHABLE}")
    wire = wire_of(app)
    if not hasattr(wire, "attach"):
        raise TypeError(f"{app!r} is not an application that a server can be attached to")
    wire.attach(app, normal_path(path), server.handle_request, announce, server._drain)


def normal_path(path: str) -> str:
    """Give a path with a slash at each end."""
    return f"/{path.strip('/')}/" if path.strip("/") else "/"
