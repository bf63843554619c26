"""One load run from beginning to end: assemble, warm up, measure; what came out as one Result.

May import: `plan`, `watch`, `errors`, the compiled modules of this folder. Never prints; who wants to see how it goes gives a
function.
"""

import resource
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from fastsio.load._histogram import PRECISION, Histogram
from fastsio.load._load import Load
from fastsio.load.errors import LoadError
from fastsio.load.plan import Plan
from fastsio.load.watch import Sample, resident_bytes, server_pids, take_sample

SLICE = 0.25  # seconds between two looks at how it goes
SHARES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999, "p9999": 0.9999}
FULL = 0.95  # of one core
IDLE_STEPS = (0.1, 0.25, 0.5, 0.75, 1.0)  # shares of the crowd at which memory is read
SPARE_FILES = 64  # descriptors that this process needs besides its clients'


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run goes, for somebody who watches."""

    phase: str  # connecting, warming up, measuring
    seconds: float  # in this phase
    of_seconds: float  # 0.0 when nobody knows
    ready: int  # clients
    rate: float  # messages per second since the last look
    latency: Histogram
    own_busy: float  # of one core, since the last look
    server_busy: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """What one run measured. Times of a message in microseconds, of CPU in seconds; None for what is not known.

    `busy` figures are CPU seconds per second: 1.0 is one core. `own_busy` leaves out what the generator spent on waiting
    awake for its schedule; `foreign_busy` is what neither side used.
    `delay_us` is how far behind its schedule, if it had one, the generator sent: no server is to blame for that.
    `memory` are pairs of connected clients and resident bytes of the server.
    """

    plan: Plan
    seconds: float
    messages: int
    rate: float
    others: int
    reordered: int
    slow_lost: int
    bytes_in: int
    bytes_out: int
    latency_us: dict[str, float]
    delay_us: dict[str, float]
    own_busy: float
    server_cpu: float | None
    server_busy: float | None
    foreign_busy: float | None
    processes: int
    memory: list[tuple[int, int]]
    verdict: str
    bottleneck: str
    steps: list[tuple[float, int]] = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """Give everything as values of JSON."""
        content = asdict(self)
        plan = content.pop("plan")
        plan["url"] = self.plan.target.url
        del plan["target"], plan["auth"], plan["headers"]  # they may hold secrets
        server_us = self.server_cpu * 1e6 / self.messages if self.server_cpu is not None and self.messages else None
        precision = f"within {PRECISION:.2%}; max, min and mean are exact"
        return {"plan": plan, "server_cpu_us_per_message": server_us, "precision": precision, **content}


def run(plan: Plan, pids: list[int] | None = None, watch: Callable[[Progress], None] | None = None) -> Result:
    """Put the load of a plan on its server.

    Args:
        plan: what to do.
        pids: processes of the server; when None they are looked for, which finds those of this machine.
        watch: told how it goes, four times a second.

    Raises:
        LoadError: it cannot be done, or the server gave wrong answers, or none.
    """
    make_room(plan)
    load = Load(plan)
    try:
        found = pids if pids is not None else server_pids(plan.target.host, plan.target.port)
        return _Run(plan, load, found, watch or (lambda progress: None)).go()
    except ProcessLookupError as exc:
        raise LoadError(str(exc)) from exc
    finally:
        load.close()


def make_room(plan: Plan) -> None:
    """Raise the limit of open files as far as a plan needs it; what is started afterwards inherits it.

    Raises:
        LoadError: this process may not.
    """
    clients = plan.clients * (2 if plan.transport == "polling" else 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + SPARE_FILES
    if soft == resource.RLIM_INFINITY or wanted <= soft:
        return
    try:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted, hard if hard == resource.RLIM_INFINITY else max(hard, wanted))
        )
    except (ValueError, OSError) as exc:
        raise LoadError(
            f"{clients:,} connections need {wanted:,} open files; this process may have {hard:,}",
            "Raise the hard limit (ulimit -Hn, or LimitNOFILE of the service), or ask for fewer --clients.",
        ) from exc


class _Run:
    """The steps of one run, with what is remembered from look to look."""

    def __init__(self, plan: Plan, load: Load, pids: list[int], watch: Callable[[Progress], None]) -> None:
        self.plan, self.load, self.pids, self.watch = plan, load, pids, watch
        self.memory: list[tuple[int, int]] = []
        self.last = take_sample(pids)
        self.last_answers = 0
        self.last_spun = 0

    def go(self) -> Result:
        plan, load = self.plan, self.load
        if plan.kind == "idle":
            self.fill()
        elif plan.kind != "connect":
            self.assemble(plan.clients)
        load.begin()
        self.pass_time("warming up", plan.warmup)
        before, bytes_before = take_sample(self.pids), (load.bytes_in, load.bytes_out)
        spun_before = load.spun_ns
        load.measure(True)
        self.pass_time("measuring", plan.duration)
        load.measure(False)
        after, bytes_after = take_sample(self.pids), (load.bytes_in, load.bytes_out)
        if plan.kind == "idle" and self.pids:
            self.memory.append((load.ready, resident_bytes(self.pids)))
        elif plan.kind != "idle" and load.messages == 0:
            raise load.silence(plan.duration)
        traffic = (bytes_after[0] - bytes_before[0], bytes_after[1] - bytes_before[1])
        return self.result(before, after, traffic, (load.spun_ns - spun_before) / 1e9)

    def fill(self) -> None:
        """Let the crowd come in steps and read the server's memory at each: its slope is the price of a client."""
        if self.pids:
            self.memory.append((0, resident_bytes(self.pids)))
        for share in IDLE_STEPS:
            self.assemble(max(1, round(self.plan.clients * share)))
            self.pass_time("settling", self.plan.warmup)
            if self.pids and share < 1:
                self.memory.append((self.load.ready, resident_bytes(self.pids)))

    def assemble(self, count: int) -> None:
        begun = self.last.wall
        self.load.assemble(count, lambda: self.look("connecting", take_sample([]).wall - begun, 0.0))

    def pass_time(self, phase: str, seconds: float) -> None:
        passed = 0.0
        while passed < seconds:
            piece = min(SLICE, seconds - passed)
            self.load.run(piece)
            passed += piece
            self.look(phase, passed, seconds)

    def look(self, phase: str, seconds: float, of_seconds: float) -> None:
        now, load = take_sample(self.pids), self.load
        wall = max(now.wall - self.last.wall, 1e-9)
        server = None if now.server is None or self.last.server is None else (now.server - self.last.server) / wall
        rate = (load.answers - self.last_answers) / wall
        own = max(0.0, now.own - self.last.own - (load.spun_ns - self.last_spun) / 1e9) / wall
        self.watch(Progress(phase, seconds, of_seconds, load.ready, rate, load.latency, own, server))
        self.last, self.last_answers, self.last_spun = now, load.answers, load.spun_ns

    def result(self, before: Sample, after: Sample, traffic: tuple[int, int], spun: float) -> Result:
        plan, load, wall = self.plan, self.load, after.wall - before.wall
        used = after.own - before.own
        server = None if after.server is None or before.server is None else after.server - before.server
        foreign = None
        if server is not None and after.everybody is not None and before.everybody is not None:
            foreign = max(0.0, after.everybody - before.everybody - used - server) / wall
        busy, own = None if server is None else server / wall, max(0.0, used - spun)
        bottleneck, verdict = judge(plan, load.messages / wall, own / wall, busy, max(1, len(self.pids)))
        return Result(
            plan=plan,
            seconds=wall,
            messages=load.messages,
            rate=load.messages / wall,
            others=load.others,
            reordered=load.reordered,
            slow_lost=load.slow_lost,
            bytes_in=traffic[0],
            bytes_out=traffic[1],
            latency_us=_percentiles(load.latency),
            delay_us=_percentiles(load.delay),
            own_busy=own / wall,
            server_cpu=server,
            server_busy=busy,
            foreign_busy=foreign,
            processes=len(self.pids),
            memory=self.memory,
            verdict=verdict,
            bottleneck=bottleneck,
            steps=load.latency.steps(),
        )


def _percentiles(times: Histogram) -> dict[str, float]:
    """Percentiles, extremes and mean, in us; zeros when nothing was counted."""
    found = {name: times.percentile(share) for name, share in SHARES.items()}
    return found | {"max": times.max_us, "min": times.min_us, "mean": times.mean_us}


def judge(plan: Plan, rate: float, own: float, server: float | None, processes: int) -> tuple[str, str]:
    """Say who was the bottleneck, in a word (generator, server, neither, schedule, unknown) and in a sentence."""
    if plan.kind == "idle":
        return "neither", "Idle clients: nothing was asked for."
    wanted = (plan.rate or 0.0) * (plan.clients - plan.slow_clients if plan.kind == "broadcast" else 1)
    if plan.rate is not None and rate >= 0.98 * wanted:
        return "schedule", f"The rate was kept: {rate:,.0f} of {wanted:,.0f} messages a second."
    behind = (
        f"The rate was not kept ({rate:,.0f} of {wanted:,.0f} messages a second). " if plan.rate is not None else ""
    )
    if own >= FULL and (server is None or server < FULL):
        known = "" if server is None else f" while the server's processes used {server:.0%}"
        return "generator", (
            f"{behind}The load generator was the bottleneck: it used {own:.0%} of its core{known}. The server can do more "
            "than these messages a second; CPU per message holds. More --window with --cork costs the generator least."
        )
    if server is None:
        return "unknown", f"{behind}The server's CPU is not known from here; the generator used {own:.0%} of a core."
    if server >= FULL:
        cores = "its core" if processes == 1 else f"{server:.1f} cores, in {processes} processes"
        return (
            "server",
            f"{behind}The server was the bottleneck: it filled {cores}. The generator used {own:.0%} of one.",
        )
    return "neither", (
        f"{behind}Neither side was full (server {server:.0%}, generator {own:.0%} of a core): more --clients or a larger "
        "--window would bring more messages, if other programs leave them the CPU."
    )
