"""Every load case: its id, the question that it answers, its unit and the scenario behind it.

May import: nothing. Never runs anything; a new case is one more entry in `CASES`.
"""

from dataclasses import dataclass

MICROSECONDS = "CPU us / message"
BYTES = "bytes / client"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure.

    Attributes:
        id: what it is called on the command line and in the files of results.
        question: what the figure tells a user.
        unit: MICROSECONDS of server CPU, or resident BYTES.
        scenario: what the load generator does.
        clients: connections; in scenario `connect`, how many handshakes are under way at once.
        window: requests in flight per client, or broadcast rounds under way.
        payload: length of the string that is sent, in bytes.
        eio: Engine.IO revision that the clients have to speak; None for the one that suits the server.
    """

    id: str
    question: str
    unit: str
    scenario: str
    clients: int
    window: int = 1
    payload: int = 32
    eio: int | None = None

    @property
    def needs(self) -> set[str]:
        """The features a server must have; those that one lacks stand in its rival.toml, with the reason."""
        return {self.scenario} | ({f"eio{self.eio}"} if self.eio else set())


CASES = {
    case.id: case
    for case in (
        Case("echo-1", "an event and its answer, one quiet client", MICROSECONDS, "echo", 1),
        Case("echo", "an event and its answer, 100 clients", MICROSECONDS, "echo", 100),
        Case("echo-16", "the same with 16 in flight per client", MICROSECONDS, "echo", 100, window=16),
        Case("echo-4k", "the same with 4 KiB", MICROSECONDS, "echo", 100, payload=4096),
        Case("echo-v3", "the same for clients of Engine.IO 3", MICROSECONDS, "echo", 100, eio=3),
        Case("ack", "an event with acknowledgement, 100 clients", MICROSECONDS, "ack", 100),
        Case("broadcast", "one delivery of a broadcast to 1,000", MICROSECONDS, "broadcast", 1000),
        Case("broadcast-8", "the same with 8 rounds in flight", MICROSECONDS, "broadcast", 1000, window=8),
        Case("broadcast-1k", "the same with 1 KiB", MICROSECONDS, "broadcast", 1000, payload=1024),
        Case("polling", "POST and GET of one round trip, 50 clients", MICROSECONDS, "polling", 50),
        Case("connect", "WebSocket handshake, CONNECT and goodbye", MICROSECONDS, "connect", 16),
        Case("idle", "memory of one idle WebSocket client", BYTES, "idle", 5000),
    )
}
