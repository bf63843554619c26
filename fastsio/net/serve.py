"""Starts uvicorn with the native wire in its `http=` seat, and says in one line when there is nothing to serve.

May import: `banner`, `loops`, `stopping`, `logs`. Listeners, TLS, signals, lifespan, reload and workers are uvicorn's.
"""

import logging.config
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from fastsio.logs import FORMAT_VARIABLE, logging_config, text_config
from fastsio.net.banner import banner, warnings
from fastsio.net.loops import best_loop
from fastsio.net.stopping import StoppingServer

# Named rather than given: worker and reload processes import it again.
NATIVE = "fastsio.net._native:NativeConnection"
AIOHTTP = "aiohttp.web_app.Application"
# Log levels at which the banner is shown; its warnings are shown at one more.
TALKATIVE = (None, "info", "debug", "trace")


def run(
    app: str | Callable[..., Any],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    introduce_as: str | None = None,
    drain: float | None = None,
    full_gc: float | None = None,
    log_format: str = "text",
    **options: Any,
) -> None:
    """Serve an ASGI application until a signal ends it.

    A `fastsio.ASGIApp` is served by the native wire; anything else, middleware around one included, by the ASGI wire.

    Args:
        app: the application, or ``"module:name"`` of one (needed for `workers` and `reload`).
        host: address to listen on.
        port: port to listen on.
        introduce_as: the version to begin with when it is to say on stderr what is served, and which settings are unsafe.
        drain: seconds over which clients are told goodbye when a signal comes (`AsyncServer.drain`); a second signal ends
            the process at once. None: all are told in the same moment. For one process without `workers` and `reload`.
        full_gc: seconds between two garbage collections that look at everything, and stop the loop meanwhile; those in
            between look at what is new. None: Python decides. For one process, as `drain`.
        log_format: ``"json"`` for one JSON object a line (`fastsio.logs`); of the introduction, only what is unsafe.
        options: any option of `uvicorn.run`.

    Raises:
        SystemExit: there is no such application, or it is not one; the message says what to do.
    """
    options.setdefault("loop", best_loop())
    options.setdefault("http", NATIVE)
    if log_format == "json":
        os.environ[FORMAT_VARIABLE] = log_format  # for servers that the application makes, in workers too
        options["log_config"] = logging_config(options.get("log_level") or "info")
        logging.config.dictConfig(options["log_config"])  # the introduction comes before uvicorn does it
    else:
        options.setdefault("log_config", text_config())
    found = None
    # Processes of their own import the application themselves, and only they.
    if not (isinstance(app, str) and (options.get("reload") or options.get("workers"))):
        found = _import(app) if isinstance(app, str) else app
        _check(found, app if isinstance(app, str) else "the application")
    if introduce_as is not None:
        _introduce(found, introduce_as, host, port, options, log_format == "json")
    if options.get("reload") or (options.get("workers") or 1) > 1:
        for name, value in (("--drain", drain), ("--full-gc", full_gc)):
            if value is not None:
                sys.exit(
                    f"{name} is for one process: start each worker by itself, or leave --workers and --reload away"
                )
        uvicorn.run(app, host=host, port=port, **options)
    else:
        _run_here(app, drain, full_gc, host=host, port=port, **options)


def _run_here(app: str | Callable[..., Any], drain: float | None, full_gc: float | None, **options: Any) -> None:
    """As `uvicorn.run` in this process."""
    if (folder := options.pop("app_dir", None)) is not None:
        sys.path.insert(0, folder)
    server = StoppingServer(uvicorn.Config(app, **options), drain, full_gc)
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        uds = options.get("uds")
        if uds and os.path.exists(uds):
            os.remove(uds)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _introduce(app: Any, version: str, host: str, port: int, options: dict[str, Any], is_json: bool) -> None:
    level = options.get("log_level")
    if level in TALKATIVE and not is_json:
        print(banner(app, version, host, port, options["http"] == NATIVE, options), file=sys.stderr)
    if level in (*TALKATIVE, "warning"):
        for text in warnings(app, host, options):
            if is_json:
                logging.getLogger("uvicorn.error").warning(text)
            else:
                print(f"WARNING:  {text}", file=sys.stderr)


def _import(target: str) -> Any:
    """Give what ``"module:name"`` names. What the module itself raises, and what it misses, is its own affair."""
    module_name, _, name = target.partition(":")
    is_path = "/" in module_name or "\\" in module_name or module_name.endswith(".py")
    if not name or is_path or not all(module_name.split(".")):
        example = Path(module_name).stem or "app"
        sys.exit(f"{target!r} does not name an application: write module:name, for example {example}:app")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        sys.exit(f"there is no module {error.name!r} in {sys.path[0]} (--app-dir names another folder)")
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            sys.exit(f"there is no {name!r} in module {module_name} ({module.__file__})")
        found = getattr(found, part)
    return found


def _check(app: Any, name: str) -> None:
    if not callable(app):
        kind = f"{type(app).__module__.split('.')[0]}.{type(app).__qualname__}"
        # A Socket.IO or an Engine.IO server
        advice = "; wrap it, app = ASGIApp(sio), and serve that" if hasattr(app, "handle_request") else ""
        sys.exit(f"{name} is a {kind}, which is not an ASGI application{advice}")
    if f"{type(app).__module__}.{type(app).__qualname__}" == AIOHTTP:
        sys.exit(f"{name} is an aiohttp application, not an ASGI one; aiohttp serves it: web.run_app(app)")
    if any(kind.__module__.startswith("engineio.") for kind in type(app).__mro__):
        print(
            f"WARNING:  {name} is python-socketio's: it is served as it is, at its own speed. "
            "Change its import to `import fastsio as socketio`, or put `fastsio patch --` before this command.",
            file=sys.stderr,
        )
