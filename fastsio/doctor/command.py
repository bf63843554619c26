"""`fastsio doctor`: an examination, and a table or JSON out.

May import: everything in this folder. Ends with the status of `causes`, 1 when it could not examine, 2 for wrong options.
"""

import argparse
import json
import shutil
import sys

from fastsio.doctor import report
from fastsio.doctor.causes import exit_status
from fastsio.doctor.examine import examine
from fastsio.doctor.target import checked_origin, parse_url


def main(args: argparse.Namespace) -> int:
    """Do what the options say; give the exit status."""
    try:
        target = parse_url(args.url, args.path)
        origin = checked_origin(args.origin)
    except ValueError as error:
        print(f"fastsio doctor: {error}", file=sys.stderr)
        return 2
    if not args.json and not args.quick and sys.stderr.isatty():
        print(
            "examining; the heartbeat takes as long as the server's ping interval (--quick leaves it out)",
            file=sys.stderr,
        )
    try:
        findings = examine(target, origin, args.eio, args.timeout, args.quick, args.auth)
    except KeyboardInterrupt:
        print("fastsio doctor: stopped", file=sys.stderr)
        return 130
    if args.json:
        print(json.dumps(report.as_json(target, findings), indent=1))
    else:
        print(report.page(target, findings, min(130, max(80, shutil.get_terminal_size((120, 24)).columns))))
    return exit_status(findings)
