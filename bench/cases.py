"""Every load case: its id, the question that it answers, its unit and the scenario behind it.

May import: nothing. Never runs anything; a new case is one more entry in `CASES`.
"""

from dataclasses import dataclass

MICROSECONDS = "CPU us / message"
BYTES = "bytes / client"
LATENCY = "p99 us"
LARGE = 200_000  # bytes of a payload that not every server has room for


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure.

    Attributes:
        id: what it is called on the command line and in the files of results.
        title: what it is called in tables and plots.
        question: what the figure tells a user.
        unit: MICROSECONDS of server CPU, resident BYTES, or LATENCY at the 99th percentile.
        scenario: what the load generator does (`fastsio bench --scenario`).
        clients: connections; in scenario `connect`, how many handshakes are under way at once.
        window: requests in flight per client, or broadcast rounds under way.
        payload: length of the string that is sent, in bytes.
        eio: Engine.IO revision that the clients have to speak; None for the one that suits the server.
        cork: whether requests that fall due together leave in one write.
        tls: whether the server has to encrypt.
        of_saturation: the share of what the server can do at most at which latency is measured; None for all it can.
    """

    id: str
    title: str
    question: str
    unit: str
    scenario: str
    clients: int
    window: int = 1
    payload: int = 32
    eio: int | None = None
    cork: bool = False
    tls: bool = False
    of_saturation: float | None = None

    @property
    def needs(self) -> set[str]:
        """The features a server must have; those that one lacks stand in its rival.toml, with the reason."""
        asked = {f"eio{self.eio}": self.eio, "tls": self.tls, "large": self.payload > LARGE}
        return {self.scenario} | {feature for feature, is_needed in asked.items() if is_needed}


CASES = {
    case.id: case
    for case in (
        Case("echo-1", "echo, 1 client", "an event and its answer, one quiet client", MICROSECONDS, "echo", 1),
        Case("echo", "echo, 100 clients", "an event and its answer, 100 clients", MICROSECONDS, "echo", 100),
        Case("echo-16", "echo, 16 in flight", "the same with 16 in flight per client", MICROSECONDS, "echo", 100, 16),
        Case(
            "echo-16-cork",
            "echo, 16 in one write",
            "the same, but a client's requests leave in one write: the most messages per second",
            MICROSECONDS,
            "echo",
            100,
            window=16,
            cork=True,
        ),
        Case("echo-4k", "echo, 4 KiB", "an event of 4 KiB and its answer", MICROSECONDS, "echo", 100, payload=4096),
        Case(
            "echo-64k",
            "echo, 64 KiB",
            "an event of 64 KiB and its answer, 10 clients",
            MICROSECONDS,
            "echo",
            10,
            payload=65536,
        ),
        Case(
            "echo-900k",
            "echo, 900 KB",
            "an event near the default limit of 1 MB, 4 clients",
            MICROSECONDS,
            "echo",
            4,
            payload=900_000,
        ),
        Case(
            "echo-v3",
            "echo, Engine.IO 3",
            "an event for clients of Socket.IO 1 and 2",
            MICROSECONDS,
            "echo",
            100,
            eio=3,
        ),
        Case("echo-tls", "echo, TLS", "an event over an encrypted connection", MICROSECONDS, "echo", 100, tls=True),
        Case("ack", "acknowledgement", "an event with acknowledgement, 100 clients", MICROSECONDS, "ack", 100),
        Case("broadcast", "broadcast to 1,000", "one delivery of a broadcast", MICROSECONDS, "broadcast", 1000),
        Case("broadcast-8", "broadcast, 8 in flight", "the same with 8 under way", MICROSECONDS, "broadcast", 1000, 8),
        Case("broadcast-1k", "broadcast, 1 KiB", "the same with 1 KiB", MICROSECONDS, "broadcast", 1000, payload=1024),
        Case(
            "slow-readers",
            "broadcast, 5 % do not read",
            "one delivery of a broadcast of 1 KiB while 50 of 1,000 clients do not read",
            MICROSECONDS,
            "slow-readers",
            1000,
            payload=1024,
        ),
        Case("polling", "long-polling", "POST and GET of one round trip, 50 clients", MICROSECONDS, "polling", 50),
        Case("polling-1k", "long-polling, 1,000", "the same with 1,000 clients", MICROSECONDS, "polling", 1000),
        Case("connect", "connect", "WebSocket handshake, CONNECT and goodbye", MICROSECONDS, "connect", 16),
        Case("idle", "memory", "memory of one idle WebSocket client", BYTES, "idle", 5000),
        Case(
            "latency",
            "latency at half load",
            "how long an answer takes at 50 % of the messages that the server can do",
            LATENCY,
            "echo",
            100,
            of_saturation=0.5,
        ),
    )
}
