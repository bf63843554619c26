"""The command `python -m bench`: list | all | one case or more | check | render.

May import: everything in this folder. Pieces in process are measured by `python -m pytest bench/micro`.
"""

import argparse
import sys
from pathlib import Path

from bench import budgets, plots, record, tables
from bench.cases import CASES
from bench.install import why_not
from bench.run import Progress, measure
from bench.servers import BenchError, Rival, load_rivals

COMMANDS = {
    "list": "what there is",
    "check": "hold a run against the budgets",
    "render": "tables and plots out of a run",
}
README, PAGE = record.ROOT / "README.md", record.ROOT / "docs/performance.md"
README_SERVERS = ["floor", "fastsio", "socketioxide", "bun", "node-uws", "node-ws", "python-socketio-uvicorn"]


def main() -> int:
    args = _parser().parse_args()
    rivals = load_rivals()
    if args.words[0] in COMMANDS:
        return {"list": _list, "check": _check, "render": _render}[args.words[0]](args, rivals)
    unknown = [name for name in args.words if name not in CASES and name != "all"]
    unknown += [name for name in args.rivals or [] if name not in rivals]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; `python -m bench list` shows what there is", file=sys.stderr)
        return 2
    return _measure_all(args, [rivals[name] for name in args.rivals or rivals])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="CPU, memory and latency of Socket.IO servers, from one load generator.",
        epilog="; ".join(f"{name}: {text}" for name, text in COMMANDS.items()),
    )
    parser.add_argument("words", nargs="+", metavar="CASE", help="ids of cases, or all; or list, check, render")
    parser.add_argument("--rivals", type=lambda text: text.split(","), help="names of servers, separated by commas")
    parser.add_argument("--rounds", type=int, default=3, help="fresh servers per case (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="measured time per round (default %(default)s)")
    parser.add_argument(
        "--into", type=Path, help="file of results to go on with; cases that it has are not measured again"
    )
    parser.add_argument(
        "--from", dest="source", type=Path, help="file of results for check and render (default: the newest)"
    )
    return parser


def _list(args: argparse.Namespace, rivals: dict[str, Rival]) -> int:
    for case in CASES.values():
        print(f"{case.id:14} {case.unit:18} {case.question}")
    print()
    for rival in rivals.values():
        print(f"{rival.name:26} {rival.title}")
        for remark in (*rival.without.values(), rival.note):
            if remark:
                print(f"{'':26}   {remark}")
        if reason := why_not(rival):
            print(f"{'':26}   NOT MEASURED HERE: {reason}")
    return 0


def _measure_all(args: argparse.Namespace, rivals: list[Rival]) -> int:
    kept = record.read_record(args.into) if args.into and args.into.exists() else record.new_record()
    kept.path = args.into or kept.path
    names = [name for name in (CASES if "all" in args.words else args.words) if name not in kept.cases]
    progress = Progress(len(names) * len(rivals) * args.rounds)
    for name in names:
        surroundings = record.environment()
        try:
            measured = measure(CASES[name], rivals, args.rounds, args.seconds, progress)
        except BenchError as exc:
            print(f"{name}: {exc}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(f"\nstopped; what was measured is in {kept.path}, and --into goes on with it", file=sys.stderr)
            return 130
        kept.add(CASES[name], measured, surroundings)
        print(tables.terminal_table(CASES[name], measured), end="\n\n", flush=True)
    print(f"kept in {kept.path}")
    return 0


def _source(args: argparse.Namespace) -> record.Record | None:
    path = args.source or record.newest_record()
    if path is None or not path.exists():
        print("no run of all cases yet: `python -m bench all` makes one; --from PATH takes another", file=sys.stderr)
        return None
    print(f"from {path.name}")
    return record.read_record(path)


def _check(args: argparse.Namespace, rivals: dict[str, Rival]) -> int:
    source = _source(args)
    if source is None:
        return 2
    verdicts = budgets.judge(source)
    print(budgets.table(verdicts))
    missed = sum(verdict.state == "missed" for verdict in verdicts)
    unknown = sum(verdict.state == "unknown" for verdict in verdicts)
    print(f"{len(verdicts) - missed - unknown} kept, {missed} missed, {unknown} not known")
    noisy = tables.noisy(source)
    if noisy:
        print(f"other programs had a part of the cores, believe none of those: {'; '.join(noisy)}")
    return 1 if missed or unknown else 0


def _render(args: argparse.Namespace, rivals: dict[str, Rival]) -> int:
    source = _source(args)
    if source is None:
        return 2
    for path in plots.draw(source, PAGE.parent / "pictures"):
        print(f"drew {path.name}")
    where = tables.provenance(source)
    short = tables.figures_table(source, README_SERVERS) + "\n\n" + where.partition("\n\n")[0].replace("BENCH", "bench")
    texts = [
        (README, "figures", short),
        (PAGE, "figures", tables.figures_table(source) + "\n\n" + where.replace("BENCH", "../bench")),
        (PAGE, "pictures", plots.links(source)),
        (PAGE, "details", tables.details_table(source)),
    ]
    for path, marker, text in texts:
        done = tables.put_between(path, marker, text)
        print(f"{'wrote' if done else 'no markers for'} {marker} in {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
