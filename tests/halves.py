"""The whole suite in two processes at once: python -m tests.halves [options of pytest].

Most tests wait: for heartbeats, for browsers, for other servers. What waits longest is one half, everything else the other, found
by looking, so that no test is forgotten. The second half is shown when the first is done. Ends with the worse of both statuses.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
# Those that drive other programs. Each installs what it needs in a folder of its own.
FIRST = ("admin", "alias", "browser", "cluster", "compat", "doctor", "interop")


def halves() -> tuple[list[str], list[str]]:
    """Give the paths of both halves; together they are every test there is."""
    folders = {path.parent.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py") if path.parent != TESTS}
    others = sorted(folders - set(FIRST)) + sorted(path.name for path in TESTS.glob("test_*.py"))
    return [f"tests/{name}" for name in FIRST], [f"tests/{name}" for name in others]


def main() -> int:
    begun = time.monotonic()
    command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
    first, second = halves()
    with tempfile.TemporaryFile() as output:
        beside = subprocess.Popen([*command, *second], cwd=ROOT, stdout=output, stderr=output)
        try:
            statuses = [subprocess.call([*command, *first], cwd=ROOT), beside.wait()]
        finally:
            beside.kill()
        output.seek(0)
        sys.stdout.flush()
        sys.stdout.buffer.write(output.read())
    print(f"both halves took {time.monotonic() - begun:.0f} s")
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
