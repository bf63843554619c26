"""What fastsio promises itself about its figures, and whether a run keeps it.

May import: `cases`, `record`, `tables`. Ratios inside one run only: absolute times mean nothing on another machine. The
budgets of the codec are about single calls, and are measured by `python -m pytest bench/micro`.
"""

from dataclasses import dataclass

from bench.cases import CASES
from bench.record import Record
from bench.tables import is_rival, short

OURS, OURS_ASGI, THEIRS_ASGI = "fastsio", "fastsio-asgi", "python-socketio-uvicorn"
FLOOR, PEER, RIVAL, ABSOLUTE = "floor", "best peer", "best rival", ""
# The servers that the budgets were made of; socketioxide, and Go's other one, came later and are rivals all the same.
PEERS = {"bun", "node-uws", "node-ws", "googollee-go", "python-socketio-uvicorn", "python-socketio-aiohttp"}


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `must` times what `base` needs, better `aim`; with base ABSOLUTE, at most so much."""

    case: str
    base: str
    must: float
    aim: float
    server: str = OURS


BUDGETS = [
    *(Budget(case, FLOOR, 1.6, 1.35) for case in ("echo", "ack")),
    Budget("echo-16", FLOOR, 1.5, 1.2),
    Budget("echo-4k", FLOOR, 1.6, 1.3),
    *(Budget(case, FLOOR, 1.15, 1.0) for case in ("broadcast", "broadcast-8", "broadcast-1k")),
    Budget("polling", PEER, 0.6, 0.35),
    Budget("connect", PEER, 1.0, 0.6),
    Budget("idle", ABSOLUTE, 5000, 3000),
    *(Budget(case, THEIRS_ASGI, 0.4, 0.25, OURS_ASGI) for case in ("echo", "broadcast")),
    Budget("latency", FLOOR, 3.0, 3.0),
    # Every rival is behind, in every case. Not so for latency, where each server runs at a rate of its own.
    *(Budget(case, RIVAL, 1.0, 1.0) for case in CASES if case != "latency"),
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One budget in one run. `state` is aim, must, missed, or unknown when something was not measured."""

    budget: Budget
    state: str
    text: str


def judge(record: Record) -> list[Verdict]:
    """Hold a run against every budget."""
    return [_judge_one(budget, record) for budget in BUDGETS]


def _judge_one(budget: Budget, record: Record) -> Verdict:
    ours = record.figure(budget.case, budget.server)
    name, base = _base(budget, record)
    wanted = f"must {budget.must:g}, aim {budget.aim:g}" if budget.must != budget.aim else f"must {budget.must:g}"
    if budget.base != ABSOLUTE:
        wanted += f" x {name or budget.base}"
    if ours is None or base is None:
        return Verdict(budget, "unknown", f"{wanted}: not measured")
    value = ours / base
    state = "aim" if value <= budget.aim else "must" if value <= budget.must else "missed"
    shown = f"{short(ours)}" if budget.base == ABSOLUTE else f"{value:.2f} ({short(ours)} / {short(base)})"
    return Verdict(budget, state, f"{wanted}: {shown}")


def _base(budget: Budget, record: Record) -> tuple[str, float | None]:
    if budget.base == ABSOLUTE:
        return "", 1.0
    if budget.base not in (PEER, RIVAL):
        return budget.base, record.figure(budget.case, budget.base)
    others = {
        one.title: one.median(CASES[budget.case])
        for one in record.cases.get(budget.case, [])
        if is_rival(one.name) and one.samples and (budget.base == RIVAL or one.name in PEERS)
    }
    best = min(others, key=lambda title: others[title] or 0.0, default=None)
    return (f"the {budget.base}, {best}", others[best]) if best else ("", None)


def table(verdicts: list[Verdict]) -> str:
    """One line for each budget, for the terminal."""
    words = {"aim": "PASS, aim reached", "must": "PASS", "missed": "FAIL", "unknown": "not known"}
    return "\n".join(
        f"  {verdict.budget.case:13} {verdict.budget.server:13} {words[verdict.state]:18} {verdict.text}"
        for verdict in verdicts
    )
