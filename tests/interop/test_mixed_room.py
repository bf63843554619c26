"""Ten clients of every generation in one room: nothing lost, nothing twice, in order, upgrades in the middle.

Imports processes.py beside it; what each client must have received is decided in clients/room.js.
"""

import pytest
from processes import REFERENCE, TRANSPORTS, Judge, Start, run_client, versions, wires

CLIENTS = [version for version in versions() if not version.startswith("1.")]


@pytest.mark.parametrize("wire", wires())
@pytest.mark.parametrize("kind", ["text", "binary"])
def test_a_thousand_broadcasts(kind: str, wire: str, serve: Start, judge: Judge, node_clients: None) -> None:
    if kind == "binary" and REFERENCE:
        pytest.skip("the reference hands the WebSocket form of a shared attachment to polling clients")
    server = serve(wire, INTEROP_PING_TIMEOUT="20")
    outcome = run_client("clients/room.js", server.url, kind, *CLIENTS, timeout=120)
    judge(outcome, server, CLIENTS, TRANSPORTS)
