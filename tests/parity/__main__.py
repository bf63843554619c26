"""Prints where scenarios differ: `cd tests && python -m parity [-v] [part of a name …]`; `--here`: what they are here."""

import difflib
import sys
import time
import traceback

from parity.run import expected, reference, transcript_of
from parity.scenario import SCENARIOS


def main(*words: str) -> None:
    verbose = "-v" in words
    parts = [word for word in words if not word.startswith("-")]
    names = [name for name in SCENARIOS if not parts or any(part in name for part in parts)]
    if "--here" in words:
        for name in names:
            print(f"=== {name}", *transcript_of(name, "native"), sep="\n")
        return
    different = 0
    for name in names:
        started = time.monotonic()
        try:
            reference(name)
            report = ["    " + line for line in expected(name, "native")] if verbose else []
            for wire in ("native", "asgi"):
                report += _diff(name, wire)
        except Exception:
            report = [traceback.format_exc()]
        if report:
            different += 1
            print(f"=== {name}  ({time.monotonic() - started:.2f} s)", *report, sep="\n")
    print(f"{len(names)} scenarios, {different} reported")


def _diff(name: str, wire: str) -> list[str]:
    try:
        got = transcript_of(name, wire)
    except Exception:
        return [f"--- {wire}", traceback.format_exc(limit=-3)]
    lines = difflib.unified_diff(expected(name, wire), got, "reference", wire, lineterm="", n=1)
    return list(lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
