"""Measures one case: a fresh server for each round, pinned to one core, the load generator on the other.

May import: `cases`, `servers`, `install`, `record`. The load generator is the command `fastsio bench`, in a process of its
own. Rounds go around all servers, so that a change of the machine's mood meets all of them alike. Never repeats or drops a
sample: what was measured is what is kept.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Any

from bench.cases import BYTES, LATENCY, Case
from bench.install import build, certificate, prepare
from bench.record import ROOT, Measured
from bench.servers import BenchError, Rival, Server, serving

SERVER_CORE, LOAD_CORE = 0, 1
WARM_UP_SECONDS = 1.0
# Connecting thousands of clients to a slow server takes its time on top of what is measured.
PATIENCE_SECONDS = 270.0
KEPT_FOR_LATENCY = ("steps",)  # hundreds of numbers, of use in plots of latency only


class Progress:
    """One line on the terminal that says what goes on, and about how long all of it will take."""

    def __init__(self, rounds_to_do: int) -> None:
        self.left, self.done, self.begun = rounds_to_do, 0, time.monotonic()

    def show(self, text: str) -> None:
        """Write the line over; on what is no terminal, a new line."""
        if text and self.done:
            minutes = (time.monotonic() - self.begun) / self.done * self.left / 60
            text += f"; about {minutes:.0f} min left" if minutes >= 1 else "; less than a minute left"
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif text:
            print(text, file=sys.stderr, flush=True)

    def count(self, rounds: int = 1) -> None:
        self.left -= rounds
        self.done += rounds


def measure(case: Case, rivals: Iterable[Rival], rounds: int, seconds: float, progress: Progress) -> list[Measured]:
    """Measure one case on every server that can play it.

    Raises:
        BenchError: the machine cannot measure at all (two cores and a compiler are needed).
    """
    if len(os.sched_getaffinity(0)) < 2:
        raise BenchError("two cores are needed: one for the server, one for the load generator")
    build("floor")
    chosen = [(rival, _introduce(case, rival, progress)) for rival in rivals]
    progress.left -= rounds * sum(measured.skipped is not None for _, measured in chosen)
    os.sched_setaffinity(0, {LOAD_CORE})  # this process sleeps while others run, but not beside the server
    try:
        for number in range(rounds):
            for rival, measured in chosen:
                if measured.skipped is None:
                    progress.show(f"{case.id}: round {number + 1} of {rounds}, {rival.title}")
                    _one_round(case, rival, measured, seconds)
                    progress.count()
    finally:
        os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
        progress.show("")
    return [measured for _, measured in chosen]


def _introduce(case: Case, rival: Rival, progress: Progress) -> Measured:
    """Install a server, or say why it takes no part."""
    lacking = [rival.without[need] for need in sorted(case.needs) if need in rival.without]
    if lacking:
        return Measured(rival.name, rival.title, {}, skipped=lacking[0])
    progress.show(f"{case.id}: preparing {rival.title}")
    try:
        return Measured(rival.name, rival.title, prepare(rival))
    except BenchError as exc:
        return Measured(rival.name, rival.title, {}, skipped=str(exc))


def _one_round(case: Case, rival: Rival, measured: Measured, seconds: float) -> None:
    try:
        with serving(rival, SERVER_CORE, certificate() if case.tls else None) as server:
            if case.of_saturation is None:
                measured.samples.append(load(case, rival, server, seconds))
            else:
                most = load(case, rival, server, seconds)["rate"]
                sample = load(case, rival, server, seconds, most * case.of_saturation)
                measured.samples.append(sample | {"saturation": most})
    except BenchError as exc:  # one failure is a result: a server that breaks under load has no figure
        measured.samples.clear()
        measured.skipped = str(exc)


def load(case: Case, rival: Rival, server: Server, seconds: float, rate: float | None = None) -> dict[str, Any]:
    """Put the load of a case on a server once, and give what the load generator measured."""
    pids = server.pids()
    url = f"{'https' if case.tls else 'http'}://127.0.0.1:{server.port}"
    command = [sys.executable, "-m", "fastsio", "bench", url, *_options(case, rival, seconds)]
    command += [f"--pid={pid}" for pid in pids] + (
        [f"--rate={rate:.0f}"] if rate is not None else [f"--window={case.window}"]
    )
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + PATIENCE_SECONDS,
            preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CORE}),
        )
    except subprocess.TimeoutExpired as exc:
        raise BenchError("the load generator did not end") from exc
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"the load generator ended with status {done.returncode}"]
        raise BenchError(said[0].removeprefix("fastsio bench: "))
    if server.pids() != pids:
        raise BenchError("the processes of the server changed while it was measured; its CPU is not known")
    return _checked(case, json.loads(done.stdout))


def _checked(case: Case, sample: dict[str, Any]) -> dict[str, Any]:
    """Refuse a sample of a server that sent anything but answers; leave out what no table or plot needs."""
    if sample["others"]:
        raise BenchError(f"the server sent {sample['others']} packets that nobody asked for")
    if case.unit == BYTES and len(sample["memory"]) < 3:
        raise BenchError("the server's memory could not be read")
    if case.unit != LATENCY:
        sample = {key: value for key, value in sample.items() if key not in KEPT_FOR_LATENCY}
    return {key: value for key, value in sample.items() if key not in ("plan", "verdict", "precision")}


def _options(case: Case, rival: Rival, seconds: float) -> list[str]:
    values = {
        "scenario": case.scenario,
        "clients": case.clients,
        "payload": case.payload,
        "eio": case.eio or rival.eio,
        "duration": seconds,
        "warmup": WARM_UP_SECONDS,
        "json": "-",
    }
    flags = ["--quiet", *(["--cork"] if case.cork else []), *(["--insecure"] if case.tls else [])]
    return [*flags, *(f"--{name}={value}" for name, value in values.items())]
