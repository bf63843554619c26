"""Measures one case: a fresh server for each round, pinned to one core, the load generator on the other.

May import: `cases`, `servers`, `install`, `record`. Rounds go around all servers, so that a change of the machine's mood meets all
of them alike. Never repeats or drops a sample: what was measured is what is kept.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from bench.cases import Case
from bench.install import build, prepare
from bench.record import Measured
from bench.servers import BenchError, Rival, Server, serving

SERVER_CORE, LOAD_CORE = 0, 1
WARM_UP_SECONDS = 1.0
# Connecting thousands of clients to a slow server takes its time on top of what is measured.
PATIENCE_SECONDS = 270.0


def measure(case: Case, rivals: Iterable[Rival], rounds: int, seconds: float) -> list[Measured]:
    """Measure one case on every server that can play it.

    Raises:
        BenchError: the machine cannot measure at all (two cores and a compiler are needed).
    """
    if len(os.sched_getaffinity(0)) < 2:
        raise BenchError("two cores are needed: one for the server, one for the load generator")
    build("loadgen")
    chosen = [(rival, _introduce(case, rival)) for rival in rivals]
    os.sched_setaffinity(0, {LOAD_CORE})  # this process sleeps while others run, but not beside the server
    try:
        for round_number in range(rounds):
            for rival, measured in chosen:
                if measured.skipped is None:
                    _progress(f"{case.id}: round {round_number + 1} of {rounds}, {rival.title}")
                    _one_round(case, rival, measured, seconds)
    finally:
        os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
        _progress("")
    return [measured for _, measured in chosen]


def _introduce(case: Case, rival: Rival) -> Measured:
    """Install a server, or say why it takes no part."""
    lacking = [rival.without[need] for need in sorted(case.needs) if need in rival.without]
    if lacking:
        return Measured(rival.name, rival.title, {}, skipped=lacking[0])
    _progress(f"{case.id}: preparing {rival.title}")
    try:
        return Measured(rival.name, rival.title, prepare(rival))
    except BenchError as exc:
        return Measured(rival.name, rival.title, {}, skipped=str(exc))


def _one_round(case: Case, rival: Rival, measured: Measured, seconds: float) -> None:
    try:
        with serving(rival, SERVER_CORE) as server:
            measured.samples.append(_load(case, rival, server, seconds))
    except BenchError as exc:  # one failure is a result: a server that breaks under load has no figure
        measured.samples.clear()
        measured.skipped = str(exc)


def _load(case: Case, rival: Rival, server: Server, seconds: float) -> dict[str, Any]:
    pids = server.pids()
    command = [str(build("loadgen")), "--port", str(server.port), *_options(case, rival, seconds)]
    command += [f"--pid={pid}" for pid in pids]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + PATIENCE_SECONDS,
            preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CORE}),
        )
    except subprocess.TimeoutExpired as exc:
        raise BenchError("the load generator did not end") from exc
    if done.returncode != 0:
        raise BenchError(done.stderr.strip() or f"the load generator ended with status {done.returncode}")
    if server.pids() != pids:
        raise BenchError("the processes of the server changed while it was measured; its CPU is not known")
    sample: dict[str, Any] = json.loads(done.stdout)
    return sample


def _options(case: Case, rival: Rival, seconds: float) -> list[str]:
    values = {
        "scenario": case.scenario,
        "clients": case.clients,
        "window": case.window,
        "payload": case.payload,
        "eio": case.eio or rival.eio,
        "duration": seconds,
        "warmup": WARM_UP_SECONDS,
    }
    return [f"--{name}={value}" for name, value in values.items()]


def _progress(text: str) -> None:
    """Show what goes on, in one line that is written over; nothing when nobody looks."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)
