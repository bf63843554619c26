"""A load run for people: the line that lives while it runs, and the page that stays.

May import: `plan`, `run`. Never measures.
"""

import sys
from typing import TextIO

from fastsio.load._histogram import PRECISION
from fastsio.load.plan import Plan
from fastsio.load.run import Progress, Result

BAR = 16  # characters
NOUNS = {"connect": "clients", "broadcast": "deliveries"}


class LiveLine:
    """One line that is written over four times a second; on what is no terminal, a line for each phase."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out, self.phase = out or sys.stderr, ""
        self.tty = self.out.isatty()

    def show(self, progress: Progress) -> None:
        if self.tty:
            self.out.write(f"\r\x1b[K{line(progress)}")
        elif progress.phase != self.phase:
            self.out.write(f"{progress.phase}\n")
        self.phase = progress.phase
        self.out.flush()

    def clear(self) -> None:
        """Take the line away before something else is printed."""
        if self.tty and self.phase:
            self.out.write("\r\x1b[K")
            self.out.flush()


def line(progress: Progress) -> str:
    """How it goes, in one line."""
    if progress.of_seconds:
        done = round(BAR * min(1.0, progress.seconds / progress.of_seconds))
        head = f"{progress.phase} [{'#' * done}{'.' * (BAR - done)}] {progress.seconds:.1f}/{progress.of_seconds:g} s"
    else:
        head = f"{progress.phase} {progress.seconds:.0f} s"
    words = [head, f"{progress.ready:,} clients"]
    if progress.rate > 0:
        words.append(f"{progress.rate:,.0f} msg/s")
    if progress.latency.count:
        p50, p99 = (microseconds(progress.latency.percentile(share)) for share in (0.5, 0.99))
        words.append(f"p50 {p50}  p99 {p99}")
    if progress.server_busy is not None:
        words.append(f"server {progress.server_busy:.0%}")
    words.append(f"generator {progress.own_busy:.0%}")
    return "  ".join(words)


def title(plan: Plan) -> str:
    """What is going to be done, in one line."""
    words = [f"{plan.scenario}: {plan.clients:,} clients"]
    if plan.kind in ("echo", "ack", "broadcast"):
        words.append(f"{plan.payload:,} bytes")
        words.append(f"{plan.window:,} in flight" if plan.rate is None else f"{plan.rate:,g} a second")
    words += ["long-polling" if plan.transport == "polling" else "WebSocket", f"Engine.IO {plan.eio}"]
    return f"{plan.target.url}  {', '.join(words)}"


def page(result: Result) -> str:
    """What was measured, for the terminal."""
    noun = NOUNS.get(result.plan.kind, "messages")
    rows = [(noun, f"{result.messages:,} in {result.seconds:.1f} s: {result.rate:,.0f} a second")]
    if result.plan.kind == "idle":
        rows = [("clients", f"{result.plan.clients:,}, connected for {result.seconds:.1f} s and longer")]
    if result.messages:
        names = {"p50": "p50", "p90": "p90", "p99": "p99", "p999": "p99.9", "max": "max"}
        shown = "  ".join(f"{label} {microseconds(result.latency_us[name])}" for name, label in names.items())
        rows.append(("latency", f"{shown}  (within {PRECISION:.1%})"))
    if result.plan.rate is not None:
        half, most = (microseconds(result.delay_us[name]) for name in ("p50", "p99"))
        rows.append(("schedule", f"latency counts from it; messages left behind it by p50 {half}  p99 {most}"))
    rows += _server_rows(result)
    megabytes = (f"{count / result.seconds / 1e6:,.1f} MB/s" for count in (result.bytes_out, result.bytes_in))
    rows.append(("generator", f"{result.own_busy:.0%} of a core; sends {next(megabytes)}, receives {next(megabytes)}"))
    rows += [("", remark) for remark in _remarks(result)]
    return "\n".join([*(f"  {name:10} {text}" for name, text in rows), "", f"  {result.verdict}"])


def _server_rows(result: Result) -> list[tuple[str, str]]:
    rows, noun = [], {"connect": "client", "broadcast": "delivery"}.get(result.plan.kind, "message")
    if result.server_cpu is not None and result.server_busy is not None:
        each = f"{result.server_cpu * 1e6 / result.messages:,.2f} us CPU a {noun}, " if result.messages else ""
        who = "1 process" if result.processes == 1 else f"{result.processes} processes"
        rows.append(("server", f"{each}{result.server_busy:.0%} of a core ({who})"))
    if len(result.memory) > 1:
        (few, small), (many, large) = result.memory[1], result.memory[-1]
        each = f"{(large - small) / (many - few):,.0f} bytes a client, " if many > few else ""
        rows.append(
            (
                "memory",
                f"{each}{large / 1e6:,.1f} MB with {many:,} clients, {result.memory[0][1] / 1e6:,.1f} MB with none",
            )
        )
    return rows


def _remarks(result: Result) -> list[str]:
    remarks = []
    if result.plan.slow_clients:
        remarks.append(f"{result.slow_lost:,} of {result.plan.slow_clients:,} slow readers were disconnected")
    if result.reordered:
        remarks.append(f"{result.reordered:,} answers came out of order")
    if result.others:
        remarks.append(f"{result.others:,} other packets came, which nobody had asked for")
    if result.foreign_busy is not None and result.foreign_busy > 0.1:
        remarks.append(f"other programs used {result.foreign_busy:.0%} of a core meanwhile: compare nothing with this")
    return remarks


def microseconds(value: float) -> str:
    """Write a time in the unit that suits it."""
    if value < 1000:
        return f"{value:.0f} us"
    return (
        f"{value / 1e3:.1f} ms" if value < 1e5 else f"{value / 1e3:,.0f} ms" if value < 1e6 else f"{value / 1e6:,.1f} s"
    )
