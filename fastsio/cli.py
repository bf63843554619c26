"""The command `fastsio`: serve an application, put fastsio under somebody else's command, or put load on a server.

May import: `net.serve`, `patch`, `load`, `doctor`, `versions`. Options of `run` that are not ours are uvicorn's, by the same names.
"""

import argparse
import math
import os
import sys

from fastsio import __version__
from fastsio.doctor.options import add_options as add_doctor_options


def main(argv: list[str] | None = None) -> None:
    """Run the command with its arguments, the process's own when None."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.command == "run":
        _run(args)
    elif args.command == "patch" and args.program:
        _patch(args.program)
    elif args.command == "bench":
        sys.exit(_bench(args))
    elif args.command == "doctor":
        sys.exit(_doctor(args))
    elif args.command == "version":
        print(_version(args.verbose))
    else:
        parser.error("choose a command: run app:app, doctor URL, bench URL, version, or patch -- python app.py")


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is none: choose one from 0 to 65535 (0: any that is free)")
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time to wait: choose 0 or more")
    return seconds


def _workers(text: str) -> int:
    workers = int(text)
    if workers < 1:
        raise argparse.ArgumentTypeError(f"{workers} serve nobody: choose 1 or more")
    return workers


# What argparse calls them: "invalid port value".
for _check, _name in ((_port, "port"), (_seconds, "number of seconds"), (_workers, "number of workers")):
    _check.__name__ = _name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fastsio", description="A Socket.IO server for every client generation.")
    parser.add_argument("--version", action="version", version=f"fastsio {__version__}")
    commands = parser.add_subparsers(dest="command")
    patch = commands.add_parser(
        "patch",
        usage="fastsio patch -- command ...",
        help="run a Python command in which socketio and engineio are fastsio: fastsio patch -- python app.py",
    )
    patch.add_argument("program", nargs=argparse.REMAINDER, help="the command, with its arguments")
    run = commands.add_parser("run", help="serve an ASGI application, for example: fastsio run chat:app --port 5001")
    run.add_argument("app", help="module:name of the application")
    run.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    run.add_argument("--port", type=_port, default=8000, help="port to listen on (default %(default)s)")
    run.add_argument("--uds", help="path of a UNIX socket to listen on instead")
    run.add_argument(
        "--workers",
        type=_workers,
        help="number of worker processes; rooms are per process, and polling clients need a balancer with sticky sessions",
    )
    run.add_argument("--reload", action="store_true", help="start again when a source file changes")
    run.add_argument("--app-dir", default="", help="folder to look for the module in (default: this one)")
    levels = ("critical", "error", "warning", "info", "debug", "trace")
    run.add_argument("--log-level", default="info", choices=levels, help="how much is logged (default %(default)s)")
    formats = ("text", "json")
    run.add_argument("--log-format", default="text", choices=formats, help="json: one object a line, without a banner")
    run.add_argument("--no-access-log", dest="access_log", action="store_false", help="do not log requests")
    run.add_argument(
        "--no-banner", dest="banner", action="store_false", help="do not say what is served, nor what is unsafe"
    )
    run.add_argument("--ssl-keyfile", help="key of a TLS certificate")
    run.add_argument("--ssl-certfile", help="TLS certificate")
    run.add_argument("--forwarded-allow-ips", help="proxies whose X-Forwarded headers are believed")
    run.add_argument("--timeout-graceful-shutdown", type=int, help="seconds that clients get when the server stops")
    run.add_argument(
        "--drain",
        type=_seconds,
        metavar="SECONDS",
        help="tell clients goodbye over this time when a signal comes; a second signal stops at once",
    )
    run.add_argument(
        "--full-gc",
        type=_seconds,
        metavar="SECONDS",
        help="let Python's garbage collector look at everything only so often; in between, at what is new",
    )
    about = commands.add_parser("version", help="say which fastsio this is; --verbose for reports of bugs")
    about.add_argument("--verbose", action="store_true", help="how it was built, what it needs, what it runs on")
    doctor = "connect to a Socket.IO server of any make as a browser would, and say what is wrong: fastsio doctor URL"
    add_doctor_options(commands.add_parser("doctor", help=doctor))
    if sys.platform != "win32":
        from fastsio.load.options import add_options

        add_options(commands.add_parser("bench", help="put load on a Socket.IO server of any make: fastsio bench URL"))
    return parser


def _bench(args: argparse.Namespace) -> int:
    from fastsio.load.command import main

    return main(args)


def _doctor(args: argparse.Namespace) -> int:
    from fastsio.doctor.command import main

    return main(args)


def _version(is_verbose: bool) -> str:
    from fastsio.versions import verbose

    return verbose(__version__) if is_verbose else f"fastsio {__version__}"


def _run(args: argparse.Namespace) -> None:
    from fastsio.net.serve import run

    options = {name: value for name, value in vars(args).items() if value is not None}
    for name in ("command", "app"):
        options.pop(name)
    sys.path.insert(0, os.path.abspath(options.pop("app_dir") or os.curdir))
    introduce_as = __version__ if options.pop("banner") else None
    run(args.app, introduce_as=introduce_as, **options)


def _patch(command: list[str]) -> None:
    from fastsio import patch

    print(f"fastsio {__version__} stands in for socketio and engineio", file=sys.stderr)
    sys.exit(patch.run(command[1:] if command[0] == "--" else command))
