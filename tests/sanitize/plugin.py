"""A plugin of pytest for `make sanitize`: servers run sanitized too, nothing else does, and every report is a failure.

May import: the standard library, pytest. Wants FASTSIO_PYTHON and FASTSIO_REPORTS, as the script `python` beside it.
"""

import os
import sys
from pathlib import Path

import pytest

REPORTS = Path(os.environ["FASTSIO_REPORTS"])
# Bytes of each report that are shown.
SHOWN = 6000


def pytest_configure(config: pytest.Config) -> None:
    # Only Python can bear the runtime: Node, Redis and browsers are started without, servers by the script that has it.
    os.environ.pop("LD_PRELOAD", None)
    sys.executable = str(Path(__file__).parent / "python")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if any(REPORTS.iterdir()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = sorted(REPORTS.iterdir())
    terminalreporter.write_line(f"{len(reports)} reports of the sanitizers in {REPORTS}")
    for report in reports:
        terminalreporter.write_line(report.read_text(errors="replace")[:SHOWN])
