"""Usage: python -m bench.costs [--rounds N] [--seconds S] [ROW ...]. Ten minutes on a quiet machine with two cores.

Each row is one server of its own, with one thing switched on, under the load of `python -m bench`; rounds go around all
rows. Prints CPU microseconds of the server per message, the least of the rounds first, and what that is above the row it
belongs to. Never measures rivals: what an option costs is a question to one server.
"""

import argparse
import dataclasses
from dataclasses import dataclass
from statistics import median

from bench.cases import BYTES, MICROSECONDS, Case
from bench.costs import crowds
from bench.record import figure_of
from bench.run import SERVER_CORE, Progress, load
from bench.servers import Rival, Server, load_rivals, serving

ECHO = Case("echo", "echo, 100 clients", "", MICROSECONDS, "echo", 100)
IDLE = Case("idle", "memory", "", BYTES, "idle", 2000)


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is switched on.

    Attributes:
        name: what it is called here and in the environment of the application.
        text: what is done.
        case: the load, or a crowd of clients of `crowds`.
        against: the row that it is compared with; its own name for one that stands for itself.
    """

    name: str
    text: str
    case: Case | crowds.Crowd
    against: str = "functions"


ROWS = {
    row.name: row
    for row in (
        Row("functions", "echo, handlers are functions, everything else off", ECHO),
        Row("no-limit", "the same, no limit that can be switched off", ECHO),
        Row("every-limit", "the same, every limit on, watchdog and max_loop_lag too", ECHO),
        Row("timed", "the same, `time_handlers=True`", ECHO),
        Row("class", "echo, handlers are methods of a namespace class", ECHO),
        Row("session", "echo, `async with sio.session(sid)` in each event", ECHO, "class"),
        Row("churn", "echo, each event enters 10 rooms and leaves them", ECHO, "class"),
        Row("logs", "echo, `logger=True, engineio_logger=True`, into a file: 6 lines an echo", ECHO, "class"),
        Row("admin-production", "echo, `instrument(mode='production')`, nobody looks", ECHO, "class"),
        Row("admin-development", "echo, `instrument(mode='development')`, nobody looks", ECHO, "class"),
        Row("idle", "memory of an idle client", IDLE, "idle"),
        Row("memberships", "memory of an idle client that is in 100 rooms", IDLE, "idle"),
        Row("plain-crowd", "broadcast of 1 KiB to 200 clients", crowds.Crowd(), "plain-crowd"),
        Row("compression", "the same, permessage-deflate", crowds.Crowd(compress=True), "plain-crowd"),
        Row("namespaces", "the same, each client in 8 namespaces more", crowds.Crowd(namespaces=8), "plain-crowd"),
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.costs", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    unknown = [name for name in args.rows if name not in ROWS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(ROWS)}")
    rows = [ROWS[name] for name in args.rows or ROWS]
    found: dict[str, list[float]] = {row.name: [] for row in rows}
    progress = Progress(len(rows) * args.rounds)
    for number in range(args.rounds):
        for row in rows:
            progress.show(f"round {number + 1} of {args.rounds}: {row.name}")
            found[row.name].append(_measure(row, args.seconds))
            progress.count()
    progress.show("")
    for row in rows:
        _print(row, found)


def _measure(row: Row, seconds: float) -> float:
    server_of = load_rivals()["fastsio"]
    command = [part.replace("app:app", "bench.costs.app:app") for part in server_of.command]
    rival = dataclasses.replace(
        server_of, command=command, directory="../../..", environment=server_of.environment | {"COST": row.name}
    )
    with serving(rival, SERVER_CORE) as server:
        return _figure(row, rival, server, seconds)


def _figure(row: Row, rival: Rival, server: Server, seconds: float) -> float:
    """Give CPU us per message, or bytes per client."""
    if isinstance(row.case, crowds.Crowd):
        return crowds.cost(row.case, server, seconds)
    return figure_of(row.case, load(row.case, rival, server, seconds))


def _print(row: Row, found: dict[str, list[float]]) -> None:
    figures = sorted(found[row.name])
    line = f"{row.name:18} {median(figures):9.2f} ({figures[0]:.2f}-{figures[-1]:.2f})"
    if row.against != row.name and row.against in found:
        line += f"  {median(figures) - median(found[row.against]):+9.2f} over {row.against}"
    print(f"{line:72} {row.text}")


if __name__ == "__main__":
    main()
