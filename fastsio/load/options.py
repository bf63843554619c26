"""The options of `fastsio bench`.

May import: `plan`. Never loads what puts load on anything: every `fastsio` command reads these.
"""

import argparse

from fastsio.load.plan import SCENARIOS


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options of `fastsio bench`."""
    parser.description = "Put load on a Socket.IO server of any make, and measure it."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    width = max(map(len, SCENARIOS))
    parser.epilog = "scenarios:\n" + "\n".join(f"  {name:{width}}  {text}" for name, text in SCENARIOS.items())
    add = parser.add_argument
    add(
        "url",
        nargs="?",
        metavar="URL",
        help="the server, for example http://127.0.0.1:8000; path /socket.io/ if none is given",
    )
    add("--serve", action="store_true", help="start an example server on this machine, and measure that")
    add("--scenario", default="echo", choices=list(SCENARIOS), help="what the clients do (default %(default)s)")
    add("--clients", type=int, default=100, help="connections (default %(default)s)")
    add(
        "--window",
        type=int,
        help="requests in flight per client, or broadcasts under way (default 1; with --rate a limit)",
    )
    add("--rate", type=float, help="messages a second, evenly spaced (default: as fast as answers come)")
    add("--payload", type=int, default=32, help="bytes in each message, 8 or more (default %(default)s)")
    add("--transport", default="websocket", choices=["websocket", "polling"], help="default %(default)s")
    add(
        "--eio",
        type=int,
        default=4,
        choices=[4, 3],
        help="Engine.IO revision: 3 for servers of Socket.IO 1 and 2 (default 4)",
    )
    add("--duration", type=float, default=10.0, help="seconds that are measured (default %(default)g)")
    add("--warmup", type=float, default=1.0, help="seconds before that (default %(default)g)")
    add("--namespace", default="/", help="default %(default)s")
    add("--auth", default="", help="JSON that clients send when they connect (Engine.IO 4)")
    add(
        "--header",
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="header of every request; may be repeated",
    )
    add("--event", default="", help="name of the event (default: echo, ack or fan, by scenario)")
    add("--insecure", action="store_true", help="accept any TLS certificate")
    add("--slow", type=float, default=0.05, help="share of slow readers in slow-readers (default %(default)g)")
    add("--cork", action="store_true", help="what a client sends in answer to one read leaves in one write")
    add("--patience", type=float, default=15.0, help="seconds without an answer that end the run (default %(default)g)")
    add(
        "--pid",
        type=int,
        action="append",
        help="process of the server, to read its CPU; found by itself on this machine",
    )
    add("--json", metavar="FILE", help="write everything that was measured, - for standard output")
    add("--quiet", action="store_true", help="print nothing; the figures go where --json says")
