"""`fastsio bench`: options in, a run, and a page, a JSON file or an explanation out.

May import: everything in this folder. Ends with status 0, 1 for a run that could not be, 2 for options that make no sense.
"""

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from fastsio.load import report
from fastsio.load.errors import LoadError
from fastsio.load.plan import SCENARIOS, Plan, Target, default_window, parse_url

APPLICATION = "fastsio.load.application:app"
START_SECONDS = 20.0
STOP_SECONDS = 10.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options of `fastsio bench`."""
    parser.description = "Put load on a Socket.IO server of any make, and measure it."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    width = max(map(len, SCENARIOS))
    parser.epilog = "scenarios:\n" + "\n".join(f"  {name:{width}}  {text}" for name, text in SCENARIOS.items())
    add = parser.add_argument
    add("url", nargs="?", metavar="URL", help="the server, for example http://127.0.0.1:8000; path /socket.io/ if none is given")
    add("--serve", action="store_true", help="start an example server on this machine, and measure that")
    add("--scenario", default="echo", choices=list(SCENARIOS), help="what the clients do (default %(default)s)")
    add("--clients", type=int, default=100, help="connections (default %(default)s)")
    add("--window", type=int, help="requests in flight per client, or broadcasts under way (default 1; with --rate a limit)")
    add("--rate", type=float, help="messages a second, evenly spaced (default: as fast as answers come)")
    add("--payload", type=int, default=32, help="bytes in each message, 8 or more (default %(default)s)")
    add("--transport", default="websocket", choices=["websocket", "polling"], help="default %(default)s")
    add("--eio", type=int, default=4, choices=[4, 3], help="Engine.IO revision: 3 for servers of Socket.IO 1 and 2 (default 4)")
    add("--duration", type=float, default=10.0, help="seconds that are measured (default %(default)g)")
    add("--warmup", type=float, default=1.0, help="seconds before that (default %(default)g)")
    add("--namespace", default="/", help="default %(default)s")
    add("--auth", default="", help="JSON that clients send when they connect (Engine.IO 4)")
    add("--header", action="append", default=[], metavar="'NAME: VALUE'", help="header of every request; may be repeated")
    add("--event", default="", help="name of the event (default: echo, ack or fan, by scenario)")
    add("--insecure", action="store_true", help="accept any TLS certificate")
    add("--slow", type=float, default=0.05, help="share of slow readers in slow-readers (default %(default)g)")
    add("--cork", action="store_true", help="what a client sends in answer to one read leaves in one write")
    add("--patience", type=float, default=15.0, help="seconds without an answer that end the run (default %(default)g)")
    add("--pid", type=int, action="append", help="process of the server, to read its CPU; found by itself on this machine")
    add("--json", metavar="FILE", help="write everything that was measured, - for standard output")
    add("--quiet", action="store_true", help="no progress, no page")


def main(args: argparse.Namespace) -> int:
    """Do what the options say; give the exit status."""
    if not args.url and not args.serve:
        print("fastsio bench: give the URL of a server, or --serve to measure an example", file=sys.stderr)
        return 2
    live = report.LiveLine()
    try:
        with _example() if args.serve else contextlib.nullcontext(None) as example:
            return _measure(args, example or parse_url(args.url), live)
    except LoadError as exc:
        live.clear()
        print(f"fastsio bench: {exc}", file=sys.stderr)
        if exc.hint:
            print(f"  {exc.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        live.clear()
        print("fastsio bench: stopped", file=sys.stderr)
        return 130


def _measure(args: argparse.Namespace, target: Target, live: report.LiveLine) -> int:
    from fastsio.load.run import run

    plan = _plan(args, target)
    if not args.quiet:
        print(report.title(plan), file=sys.stderr)
    result = run(plan, args.pid, None if args.quiet else live.show)
    live.clear()
    if args.json:
        text = json.dumps(result.as_json(), indent=1) + "\n"
        if args.json == "-":
            print(text, end="")
        else:
            Path(args.json).write_text(text)
    if not args.quiet:
        print(report.page(result), file=sys.stderr if args.json == "-" else sys.stdout)
    return 0


def _plan(args: argparse.Namespace, target: Target) -> Plan:
    return Plan(
        target=target,
        scenario=args.scenario,
        clients=args.clients,
        window=args.window or default_window(args.rate, args.clients),
        rate=args.rate,
        payload=args.payload,
        transport=args.transport,
        eio=args.eio,
        duration=args.duration,
        warmup=args.warmup,
        namespace=args.namespace,
        auth=args.auth,
        headers=tuple(args.header),
        event=args.event,
        verify=not args.insecure,
        slow=args.slow,
        patience=args.patience,
        cork=args.cork,
    )


@contextlib.contextmanager
def _example() -> Iterator[Target]:
    """Serve the example on a free port, on a core of its own where there are two."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "fastsio", "run", APPLICATION, "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen([*command, "--no-access-log"], stdin=subprocess.DEVNULL)
    try:
        if hasattr(os, "sched_getaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
            os.sched_setaffinity(server.pid, cores[:1])
            os.sched_setaffinity(0, cores[1:])
        _wait_for(server, port)
        yield parse_url(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise LoadError("the example server did not start")
