"""Every released client, over every transport setting and wire, goes through every check.

Imports processes.py beside it; the checks themselves are in clients/checks.js and python_client.py.
"""

import pytest
from processes import (
    TRANSPORTS,
    Judge,
    Start,
    packers,
    read_line,
    read_outcome,
    run_client,
    start_client,
    versions,
    wires,
)


def serializer_of(client: str) -> str:
    return "msgpack" if client.endswith("-msgpack") else "default"


@pytest.mark.parametrize("wire", wires())
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("version", [*versions(), *packers()])
def test_javascript_client(
    version: str, transport: str, wire: str, serve: Start, judge: Judge, node_clients: None
) -> None:
    server = serve(wire, INTEROP_SERIALIZER=serializer_of(version))
    outcome = run_client("clients/drive.js", version, transport, server.url)
    judge(outcome, server, [version], [transport])


@pytest.mark.parametrize("wire", wires())
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("serializer", ["default", "msgpack"])
def test_python_client(serializer: str, transport: str, wire: str, serve: Start, judge: Judge) -> None:
    server = serve(wire, INTEROP_SERIALIZER=serializer)
    outcome = run_client("python_client.py", transport, serializer, server.url)
    judge(outcome, server, ["python" if serializer == "default" else "python-msgpack"], [transport])


@pytest.mark.parametrize("wire", wires())
def test_all_reconnect_after_the_server_is_killed(wire: str, serve: Start, judge: Judge, node_clients: None) -> None:
    server = serve(wire, PURPOSE="to be killed")
    clients = start_client("clients/reconnect.js", server.url, *versions())
    if read_line(clients.stdout) == "ready":
        server.stop(kill=True)
        server.start()
    judge(read_outcome(clients, timeout=60), server, versions(), TRANSPORTS)
