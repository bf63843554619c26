"""What one load run shall do: where, who, what and for how long; checked once, before anything is opened.

May import: `errors`. Never opens a connection.
"""

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fastsio.load.errors import LoadError

SCENARIOS = {
    "echo": "every client sends events; each is answered with an event of the same name",
    "ack": "every client sends events that ask for an acknowledgement",
    "broadcast": "one client sends; the server tells everybody, the sender too",
    "connect": "clients come and go: handshake, CONNECT, goodbye",
    "polling": "echo over long-polling, POST and GET",
    "idle": "clients connect and stay, heartbeats answered",
    "slow-readers": "broadcast, while some of the clients do not read",
}
EVENTS = {"echo": "echo", "ack": "ack", "broadcast": "fan", "polling": "echo", "slow-readers": "fan"}
# Kind of scenario -> what the application of the server has to do, said when it does not.
EXAMPLE = "`fastsio bench --serve` measures an example that does; fastsio/load/application.py is its source."
NEEDS = {
    "echo": "The application has to answer the event {0!r} with an event {0!r} that brings the same data. " + EXAMPLE,
    "ack": "The application has to return the data of the event {0!r} as its acknowledgement. " + EXAMPLE,
    "broadcast": (
        "The application has to emit {0!r}, with the data it came with, to all clients, the sender too, each once. "
        + EXAMPLE
    ),
    "connect": "",
    "idle": "",
}
DIGITS = 8  # every payload begins with its number
MAX_PAYLOAD = 16 << 20  # bytes
MAX_WINDOW = 10_000  # requests in flight per client
MAX_CLIENTS = 1_000_000
MAX_IN_FLIGHT = 20_000_000  # 16 bytes each
RATE_WINDOW = 1_000  # in flight per client when a rate is kept: enough that the schedule is what limits


@dataclass(frozen=True, slots=True)
class Target:
    """A server, taken apart: from http://host:port/path."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.path}"


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Attributes:
        target: the server.
        scenario: a key of SCENARIOS.
        clients: connections; in `connect`, how many handshakes are under way at once.
        window: requests in flight per client, or broadcasts under way; with a rate, the most there may be.
        rate: messages per second to send, all clients together, evenly spaced; None for as fast as answers come.
        payload: length in bytes of the string that is sent.
        transport: websocket or polling.
        eio: Engine.IO revision, 4 or 3.
        duration, warmup: seconds that are measured, and seconds before that.
        namespace: Socket.IO namespace.
        auth: JSON text for the CONNECT packet (revision 4).
        headers: header lines for every request, without line ends.
        event: name of the event that is sent and expected back.
        verify: whether a TLS certificate has to be one that this machine trusts.
        slow: share of the clients that do not read, in `slow-readers`.
        cork: whether requests that one client makes in answer to one read leave in one write.
        patience: seconds without any answer after which the run ends with an error.
    """

    target: Target
    scenario: str = "echo"
    clients: int = 100
    window: int = 1
    rate: float | None = None
    payload: int = 32
    transport: str = "websocket"
    eio: int = 4
    duration: float = 10.0
    warmup: float = 1.0
    namespace: str = "/"
    auth: str = ""
    headers: tuple[str, ...] = ()
    event: str = ""
    verify: bool = True
    slow: float = 0.05
    patience: float = 15.0
    cork: bool = False
    # Derived: echo, ack, broadcast, connect or idle; the other scenarios are these with something changed.
    kind: str = field(init=False, default="")

    def __post_init__(self) -> None:
        kind = {"polling": "echo", "slow-readers": "broadcast"}.get(self.scenario, self.scenario)
        object.__setattr__(self, "kind", kind)
        if self.scenario == "polling":
            object.__setattr__(self, "transport", "polling")
        if not self.event:
            object.__setattr__(self, "event", EVENTS.get(self.scenario, ""))
        _check(self)

    @property
    def slow_clients(self) -> int:
        """How many clients do not read."""
        return max(1, round(self.clients * self.slow)) if self.scenario == "slow-readers" else 0


def default_window(rate: float | None, clients: int) -> int:
    """Give the window when nobody asks for one: 1, or with a rate as many as RATE_WINDOW, a million in all at most."""
    return 1 if rate is None else max(1, min(RATE_WINDOW, MAX_CLIENTS // clients))


def parse_url(text: str) -> Target:
    """Take a URL apart. A bare host:port is http; the path is /socket.io/ unless the URL says otherwise.

    Raises:
        LoadError: it is not the URL of a Socket.IO server.
    """
    url = urlsplit(text if "://" in text else f"http://{text}")
    if url.scheme not in ("http", "https", "ws", "wss"):
        raise LoadError(f"{text!r} begins with {url.scheme}://", "Give http://, https://, ws:// or wss://.")
    try:
        port = url.port
    except ValueError as exc:
        raise LoadError(f"{text!r} has a port that is no number up to 65535") from exc
    if not url.hostname:
        raise LoadError(f"{text!r} names no host", "Give a URL such as http://127.0.0.1:8000.")
    secure = url.scheme in ("https", "wss")
    path = url.path if url.path.strip("/") else "/socket.io/"
    return Target(secure, url.hostname, port or (443 if secure else 80), path if path.endswith("/") else path + "/")


def _check(plan: Plan) -> None:
    if plan.scenario not in SCENARIOS:
        raise LoadError(f"no scenario {plan.scenario!r}", f"There are {', '.join(SCENARIOS)}.")
    _between("--clients", plan.clients, 1, MAX_CLIENTS)
    _between("--window", plan.window, 1, MAX_WINDOW)
    _between("--payload", plan.payload, DIGITS, MAX_PAYLOAD)
    if plan.clients * plan.window > MAX_IN_FLIGHT and plan.kind in ("echo", "ack", "broadcast"):
        product = plan.clients * plan.window
        raise LoadError(f"--clients times --window is {product:,}; {MAX_IN_FLIGHT:,} requests may be in flight")
    _between("--duration", plan.duration, 0.1, 1e6)
    _between("--warmup", plan.warmup, 0, 1e6)
    _between("--patience", plan.patience, 0.1, 1e6)
    if plan.rate is not None:
        _between("--rate", plan.rate, 0.001, 1e7)
    if plan.transport not in ("websocket", "polling"):
        raise LoadError(f"no transport {plan.transport!r}", "There are websocket and polling.")
    if plan.eio not in (3, 4):
        raise LoadError(f"--eio {plan.eio} is not a revision that Socket.IO clients speak", "Give 4 or 3.")
    if plan.scenario == "slow-readers":
        _between("--slow", plan.slow, 0.0, 0.9)
        _between("--clients for slow-readers", plan.clients, 2, MAX_CLIENTS)
    _check_texts(plan)


def _check_texts(plan: Plan) -> None:
    if not plan.namespace.startswith("/") or "," in plan.namespace:
        raise LoadError(f"--namespace {plan.namespace!r} is none", "A namespace begins with / and has no comma.")
    if any(ord(character) < 32 or character == '"' for character in plan.event):
        raise LoadError(f"--event {plan.event!r} is not a name that can be sent as it is")
    for header in plan.headers:
        name, colon, value = header.partition(":")
        if not name.strip() or not colon or not (header.isascii() and header.isprintable()):
            raise LoadError(f"--header {header!r} is no header", "Give it as 'Name: value'.")
    if plan.auth:
        try:
            json.loads(plan.auth)
        except ValueError as exc:
            raise LoadError(f"--auth {plan.auth!r} is not JSON: {exc}", """Give it as '{"token": "..."}'.""") from exc


def _between(option: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise LoadError(f"{option} {value:,} is not between {least:,} and {most:,}")
