"""Fixtures of the interoperability tests: servers over each wire, the JavaScript clients, and the count of checks.

Imports processes.py beside it; never imports the server under test.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from processes import Judge, Outcome, Server, Start, install_node_clients


class Run(NamedTuple):
    """One client program that ran, with every client and transport setting that it drove."""

    clients: list[str]
    transports: list[str]
    wire: str
    checks: int
    failed: int


RUNS = pytest.StashKey[list[Run]]()


@pytest.fixture(scope="session")
def node_clients() -> None:
    install_node_clients()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """serve(wire, NAME=value, …): one server process per wire and settings, kept for the module."""
    running: dict[tuple[object, ...], Server] = {}
    folder: Path = tmp_path_factory.mktemp("servers")

    def get(wire: str, **settings: str) -> Server:
        key = (wire, *sorted(settings.items()))
        if key not in running:
            server = Server(wire, folder / f"{len(running)}.log", settings)
            server.start()
            running[key] = server
        server = running[key]
        server.new_log()  # forget what earlier tests caused
        return server

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Judge:
    """judge(outcome, server, clients, transports): counts the checks, then fails with all there is to know."""
    runs = request.config.stash.setdefault(RUNS, [])

    def verdict(outcome: Outcome, server: Server, clients: list[str], transports: list[str]) -> None:
        failed = sum(not check["ok"] for check in outcome.checks)
        runs.append(Run(clients, transports, server.wire, len(outcome.checks), failed))
        log = server.new_log()
        complaints = outcome.complaints + ["a traceback in the server's log"] * ("Traceback" in log)
        if complaints:
            pytest.fail("\n".join([*complaints, "--- the server's log ends:", log[-6000:]]), pytrace=False)

    return verdict


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    runs = config.stash.get(RUNS, [])
    if not runs:
        return
    clients = sorted({client for run in runs for client in run.clients})
    transports = {transport for run in runs for transport in run.transports}
    wires = sorted({run.wire for run in runs})
    terminalreporter.write_line(
        f"interop: {sum(run.checks for run in runs)} checks, {sum(run.failed for run in runs)} failed, with"
        f" {len(clients)} real clients ({', '.join(clients)}) over {len(transports)} transport settings"
        f" and {len(wires)} wires ({', '.join(wires)})"
    )
