"""What was found, as a table for people or as JSON for programs.

May import: `causes`, `target`.
"""

import itertools
import textwrap
from typing import Any

from fastsio.doctor.causes import CAUSES, FAILED, SKIPPED, Finding, exit_status
from fastsio.doctor.target import Target


def page(target: Target, findings: list[Finding], width: int = 120) -> str:
    """Give the table, an advice under each failure, and a last line that says it in one sentence."""
    column = max(len(finding.check) for finding in findings)
    lines = [target.url]
    for finding in _gathered(findings):
        head = f"  {finding.state:<7}  {finding.check:<{column}}  "
        lines += _wrapped(head, finding.detail, width)
        if finding.advice:
            lines += _wrapped(" " * (len(head) - 2) + "> ", finding.advice, width)
    return "\n".join([*lines, "", verdict(findings)])


def _gathered(findings: list[Finding]) -> list[Finding]:
    """Make one line of skipped checks that follow each other, and all need the same."""
    lines: list[Finding] = []
    for detail, group in itertools.groupby(
        findings, lambda finding: finding.detail if finding.state == SKIPPED else ""
    ):
        alike = list(group)
        if detail and len(alike) > 3:
            alike = [Finding(f"{len(alike)} checks", SKIPPED, f"{alike[0].check}, ... {alike[-1].check}: {detail}")]
        lines += alike
    return lines


def verdict(findings: list[Finding]) -> str:
    """Say what came of it in one line."""
    failures = [finding for finding in findings if finding.state == FAILED]
    if not failures:
        left_out = sum(finding.state == SKIPPED for finding in findings)
        return "Nothing is wrong" + (f" in what was checked; {left_out} skipped." if left_out else ".")
    status = exit_status(findings)
    first = next(finding for finding in failures if CAUSES[finding.cause].status == status)
    return f"{first.cause}: {CAUSES[first.cause].meaning}. (exit status {status})"


def as_json(target: Target, findings: list[Finding]) -> dict[str, Any]:
    """Give everything; `cause` and `advice` are null unless a check failed."""
    return {
        "url": target.url,
        "exit_status": exit_status(findings),
        "causes": sorted(
            {finding.cause for finding in findings if finding.cause}, key=lambda cause: CAUSES[cause].status
        ),
        "checks": [
            {
                "check": finding.check,
                "state": finding.state,
                "detail": finding.detail,
                "cause": finding.cause or None,
                "advice": finding.advice or None,
            }
            for finding in findings
        ],
    }


def _wrapped(head: str, text: str, width: int) -> list[str]:
    """Set text behind its head; further lines begin below it."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head]
