"""The command `python -m bench`: list | all | one case or more. Pieces in process: `python -m pytest bench/micro`.

May import: `cases`, `servers`, `install`, `record`, `run`. Prints tables; files of results go to bench/results.
"""

import argparse
import sys
from pathlib import Path

from bench import record
from bench.cases import CASES
from bench.install import why_not
from bench.run import measure
from bench.servers import BenchError, Rival, load_rivals


def main() -> int:
    args = _parser().parse_args()
    rivals = load_rivals()
    if args.cases == ["list"]:
        _list(rivals)
        return 0
    unknown = [name for name in args.cases if name not in CASES and name != "all"]
    unknown += [name for name in args.rivals or [] if name not in rivals]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; `python -m bench list` shows what there is", file=sys.stderr)
        return 2
    return _measure_all(args, [rivals[name] for name in args.rivals or rivals])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="CPU of Socket.IO servers per message.")
    parser.add_argument("cases", nargs="+", metavar="CASE", help="ids of cases, or all, or list")
    parser.add_argument("--rivals", type=lambda text: text.split(","), help="names of servers, separated by commas")
    parser.add_argument("--rounds", type=int, default=3, help="fresh servers per case (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="measured time per round (default %(default)s)")
    parser.add_argument("--results", type=Path, default=record.RESULTS, help="folder for the files of results")
    return parser


def _list(rivals: dict[str, Rival]) -> None:
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


def _measure_all(args: argparse.Namespace, rivals: list[Rival]) -> int:
    complete = True
    for name in CASES if "all" in args.cases else args.cases:
        surroundings = record.environment()
        try:
            measured = measure(CASES[name], rivals, args.rounds, args.seconds)
        except BenchError as exc:
            print(f"{name}: {exc}", file=sys.stderr)
            return 1
        print(record.table(CASES[name], measured), flush=True)
        path = record.write(CASES[name], measured, surroundings, args.results)
        print(f"  kept in {path.name}\n", flush=True)
        complete = complete and all(one.samples or _expected(one, rivals, name) for one in measured)
    return 0 if complete else 1


def _expected(one: record.Measured, rivals: list[Rival], case_name: str) -> bool:
    """Whether a server is missing for a reason that its rival.toml knows."""
    without = next(rival.without for rival in rivals if rival.name == one.name)
    return bool(CASES[case_name].needs & without.keys())


if __name__ == "__main__":
    sys.exit(main())
