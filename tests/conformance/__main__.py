"""Runs Autobahn's WebSocket cases against the echo on the native wire, and counts them.

May import: the standard library, `tests.ports`. The cases come from kosoku (PyPI), whose command is given; see `make conformance`.

    python -m tests.conformance --kosoku PATH base          # 301 cases: a quarter of a minute
    python -m tests.conformance --kosoku PATH compression   # 216 cases, a group at a time: minutes
    python -m tests.conformance --kosoku PATH 12.3          # one group
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.ports import free_port

# Group -> how many cases it has. A suite that lost some would pass all of the rest.
BASE = {"1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "9": 54, "10": 1}
COMPRESSION = {f"{part}.{number}": 18 for part, numbers in (("12", 5), ("13", 7)) for number in range(1, numbers + 1)}
# Cases that have no right answer: data after a close, and close codes nobody may rely on.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}
# Seconds that one run of kosoku may take.
TIMEOUT = 600
START_TIMEOUT = 20


def wait_until_listening(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
    sys.exit("the echo server did not start")


def run_cases(kosoku: str, patterns: list[str], port: int, folder: Path) -> dict[str, tuple[str, str]]:
    """Run the cases of some patterns; give case -> (behaviour, behaviour at the close)."""
    chosen = [part for pattern in patterns for part in ("-i", f"{pattern}.*")]
    command = [kosoku, *chosen, "-o", str(folder), f"ws://127.0.0.1:{port}"]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    index = folder / "index.json"
    if not index.exists():
        sys.exit(f"kosoku left no report:\n{outcome.stdout}{outcome.stderr}")
    (cases,) = json.loads(index.read_text()).values()
    return {name: (case["behavior"], case["behaviorClose"]) for name, case in cases.items()}


def complaints(cases: dict[str, tuple[str, str]], groups: dict[str, int]) -> list[str]:
    """Say what is missing, and what did not pass strictly."""
    counts = Counter(group for name in cases for group in groups if name.startswith(group + "."))
    found = [
        f"group {name}: {counts[name]} cases, {size} expected" for name, size in groups.items() if counts[name] != size
    ]
    for name, verdict in cases.items():
        expected = "INFORMATIONAL" if name in INFORMATIONAL else "OK"
        if verdict != (expected, expected):
            found.append(f"case {name}: {verdict[0]}, at the close {verdict[1]}")
    return found


def run(kosoku: str, groups: dict[str, int], runs: list[list[str]]) -> int:
    """Run the groups on one server, `runs` naming those that go together; give how many complaints there were."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "fastsio.testing.ws_echo", "--port", str(port)])
    wait_until_listening(port, server)
    cases: dict[str, tuple[str, str]] = {}
    try:
        for patterns in runs:
            start = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                cases |= run_cases(kosoku, patterns, port, Path(folder))
            print(f"groups {' '.join(patterns)}: {time.monotonic() - start:.1f} s", flush=True)
    finally:
        server.terminate()
        server.wait()
    found = complaints(cases, groups)
    print("\n".join(found), end="\n" if found else "")
    print(
        f"{len(cases)} of {sum(groups.values())} cases ran, {len(cases) - sum(c.startswith('case') for c in found)} passed strictly"
    )
    return len(found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--kosoku", default="kosoku", help="its command")
    parser.add_argument("cases", choices=["base", "compression", *BASE, *COMPRESSION])
    arguments = parser.parse_args()
    name = arguments.cases
    if name == "base":
        sys.exit(run(arguments.kosoku, BASE, [list(BASE)]) > 0)
    if name == "compression":
        sys.exit(run(arguments.kosoku, COMPRESSION, [[group] for group in COMPRESSION]) > 0)
    sys.exit(run(arguments.kosoku, {name: (BASE | COMPRESSION)[name]}, [[name]]) > 0)


if __name__ == "__main__":
    main()
