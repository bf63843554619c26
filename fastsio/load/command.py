"""`fastsio bench`: a run, and a page, a JSON file or an explanation out.

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
from fastsio.load.plan import Plan, Target, default_window, parse_url
from fastsio.load.run import make_room, run

APPLICATION = "fastsio.load.application:app"
START_SECONDS = 20.0
STOP_SECONDS = 10.0


def main(args: argparse.Namespace) -> int:
    """Do what the options say; give the exit status."""
    if not args.url and not args.serve:
        print("fastsio bench: give the URL of a server, or --serve to measure an example", file=sys.stderr)
        return 2
    live = report.LiveLine()
    try:
        if not args.serve:
            return _measure(_plan(args, parse_url(args.url)), args, live)
        port = _free_port()
        plan = _plan(args, parse_url(f"http://127.0.0.1:{port}"))
        make_room(plan)
        with _example(port):
            return _measure(plan, args, live)
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


def _measure(plan: Plan, args: argparse.Namespace, live: report.LiveLine) -> int:
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _example(port: int) -> Iterator[None]:
    """Serve the example, on a core of its own where there are two."""
    command = [sys.executable, "-m", "fastsio", "run", APPLICATION, "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen([*command, "--no-access-log"], stdin=subprocess.DEVNULL)
    try:
        if hasattr(os, "sched_getaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
            os.sched_setaffinity(server.pid, cores[:1])
            os.sched_setaffinity(0, cores[1:])
        _wait_for(server, port)
        yield
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
