"""Runs the fuzzers, each in a process of its own, one after another, and reports what they did.

May import: `targets`, the standard library. Needs a tree that was built with FASTSIO_BUILD=fuzz, and atheris.

    python -m fuzz list
    python -m fuzz run --minutes 10 [--corpus DIR] [--findings DIR] [TARGET ...]
    python -m fuzz replay TARGET FILE ...
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from fuzz.targets import TARGETS, dictionary

# Limits of one execution: seconds, and MiB of the process.
TIMEOUT = 5
MEMORY = 1024
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "PYTHONMALLOC": "malloc",  # Python's own allocator would hide overruns of small objects
}


class Result(NamedTuple):
    """What one fuzzer did; `edges` are those of compiled and Python code that it has reached."""

    target: str
    executions: int
    per_second: int
    edges: int
    features: int
    corpus: int
    finding: str


def runtime() -> str:
    """Give the library that must be in the process before Python is."""
    found = find_spec("atheris")
    if found is None or found.origin is None:
        sys.exit("the fuzzers need atheris: pip install atheris")
    return str(Path(found.origin).parent.parent / "asan_with_fuzzer.so")


def fuzz(name: str, seconds: int, corpus: Path, findings: Path) -> Result:
    """Run one target for some seconds, from its seeds and from what earlier runs have kept in `corpus`."""
    target = TARGETS[name]
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        seeds, words = Path(folder, "seeds"), Path(folder, "words")
        seeds.mkdir()
        for number, seed in enumerate(target.seeds()):
            (seeds / str(number)).write_bytes(seed)
        options = [
            f"-max_total_time={seconds}", f"-max_len={target.max_length}", f"-timeout={TIMEOUT}",
            f"-rss_limit_mb={MEMORY}", f"-artifact_prefix={findings}/", "-print_final_stats=1",
        ]  # fmt: skip
        if target.words:  # libFuzzer refuses an empty dictionary
            words.write_text(dictionary(target.words))
            options.append(f"-dict={words}")
        command = [sys.executable, "-m", "fuzz.engine", name, *options, str(corpus), str(seeds)]
        environment = os.environ | SANITIZERS | {"LD_PRELOAD": runtime()}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace")
    return _result(name, done.stdout + done.stderr, done.returncode, findings)


def _result(name: str, output: str, code: int, findings: Path) -> Result:
    finding = ""
    if code != 0:
        written = re.findall(r"Test unit written to (\S+)", output)
        finding = written[-1] if written else "no input was written"
        (findings / "last.log").write_text(output)
        print(f"--- {name}: {finding}\n{output[-4000:]}", file=sys.stderr)

    def last(pattern: str) -> int:
        return int((re.findall(pattern, output) or ["0"])[-1])

    return Result(
        name,
        last(r"stat::number_of_executed_units:\s*(\d+)") or last(r"#(\d+)\s"),
        last(r"stat::average_exec_per_sec:\s*(\d+)"),
        last(r"cov: (\d+)"),
        last(r"ft: (\d+)"),
        last(r"corp: (\d+)"),
        finding,
    )


def run(names: list[str], minutes: float, corpus: Path, findings: Path) -> list[Result]:
    """Share the minutes out among the targets, by weight."""
    share = minutes * 60 / sum(TARGETS[name].weight for name in names)
    results = []
    for name in names:
        results.append(fuzz(name, max(1, int(share * TARGETS[name].weight)), corpus / name, findings / name))
        print(
            "{:18} {:>10} runs {:>6}/s {:>6} edges {:>6} features {:>5} in corpus {}".format(*results[-1]), flush=True
        )
    return results


def replay(name: str, files: list[str]) -> None:
    for file in files:
        TARGETS[name].function(Path(file).read_bytes())
        print(f"{file}: nothing is wrong")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.partition("\n")[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    running = commands.add_parser("run")
    running.add_argument("targets", nargs="*", choices=[[], *TARGETS], default=[])
    running.add_argument("--minutes", type=float, default=5)
    running.add_argument("--corpus", type=Path, default=Path("build/corpus"))
    running.add_argument("--findings", type=Path, default=Path("build/findings"))
    running.add_argument("--report", type=Path, help="file to write the figures to, as JSON")
    replaying = commands.add_parser("replay")
    replaying.add_argument("target", choices=list(TARGETS))
    replaying.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    if arguments.command == "list":
        for name, target in TARGETS.items():
            print(
                f"{name:18} {(target.function.__doc__ or '').strip().splitlines()[0] if target.function.__doc__ else ''}"
            )
    elif arguments.command == "replay":
        replay(arguments.target, arguments.files)
    else:
        results = run(arguments.targets or list(TARGETS), arguments.minutes, arguments.corpus, arguments.findings)
        if arguments.report:
            arguments.report.write_text(json.dumps([result._asdict() for result in results], indent=1))
        sys.exit(any(result.finding for result in results))


if __name__ == "__main__":
    main()
