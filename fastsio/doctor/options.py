"""The options of `fastsio doctor`.

May import: `causes`. Never loads what connects to anything: every `fastsio` command reads these.
"""

import argparse
import json

from fastsio.doctor.causes import CAUSES

TIMEOUT = 5.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options of `fastsio doctor`."""
    parser.description = (
        "Connect to a Socket.IO server of any make as a browser would, and say what is wrong on the way."
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "exit status: 0 nothing is wrong, 1 the doctor itself could not, 2 wrong options, or the first failure's:\n"
    )
    parser.epilog += "\n".join(f"  {cause.status:3}  {cause.meaning}" for cause in CAUSES.values())
    add = parser.add_argument
    add("url", metavar="URL", help="the server as clients reach it, for example https://example.org")
    add("--path", help="where Socket.IO is served (default: the path of the URL, or /socket.io/)")
    add(
        "--origin",
        help="origin of the web page that connects, for example https://app.example.org (default: the server's own)",
    )
    add(
        "--eio",
        type=int,
        choices=[4, 3],
        help="only this Engine.IO revision: 4 for JavaScript clients 3 and 4, 3 for 1 and 2",
    )
    add(
        "--auth",
        type=json_text,
        default="",
        metavar="JSON",
        help='what clients of Engine.IO 4 pass as `auth`, for example \'{"token": "abc"}\'',
    )
    add("--timeout", type=seconds, default=TIMEOUT, help="seconds that each answer may take (default %(default)g)")
    add(
        "--quick",
        action="store_true",
        help="do not wait for the ping interval to pass: leaves out the heartbeat checks",
    )
    add("--json", action="store_true", help="write what was found as JSON to standard output")


def json_text(text: str) -> str:
    """Read JSON, and give it as it came; "" is none at all.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        if text:
            json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON: {error}") from None
    return text


def seconds(text: str) -> float:
    """Read a time.

    Raises:
        ArgumentTypeError: it is not a number between 0.1 and 600.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds between 0.1 and 600")
    return value
