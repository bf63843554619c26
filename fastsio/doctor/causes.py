"""What can be wrong, each with an exit status of its own, and what a check found.

May import: nothing of ours. docs/doctor.md has the same table; a test compares both.
"""

from dataclasses import dataclass

# Seconds beyond which an answer that needs no thought is late.
LATE = 2.0
LATE_ADVICE = (
    "switch buffering, delays and rate limits off for this path in the proxy; without a proxy: the server is busy"
)
OK, FAILED, SKIPPED = "ok", "failed", "skipped"


@dataclass(frozen=True)
class Cause:
    """A thing that can be wrong: `status` is the exit status of the command."""

    status: int
    meaning: str


# The order is the one in which a connection meets them.
CAUSES = {
    "name": Cause(10, "the name of the host is not known"),
    "nothing-listening": Cause(11, "nothing listens there, or nothing answers"),
    "tls": Cause(12, "TLS: a wrong certificate, or http and https mixed up"),
    "not-socketio": Cause(13, "something answers, but no Socket.IO server"),
    "wrong-path": Cause(14, "Socket.IO is served, but under another path, or the path redirects"),
    "gateway": Cause(15, "a proxy answers, and cannot reach the server behind it"),
    "access": Cause(16, "refused before Socket.IO: log-in, firewall or rate limit"),
    "origin": Cause(17, "the origin of the page is refused (CORS)"),
    "version": Cause(18, "the Engine.IO revision is not served"),
    "cached": Cause(19, "a cache between here and the server answers handshakes"),
    "not-sticky": Cause(
        20, "several servers answer, and requests of one session reach the wrong one (no sticky sessions)"
    ),
    "late": Cause(21, "answers are held back: a proxy buffers, or the server is overloaded"),
    "polling": Cause(22, "long-polling is refused or breaks for another reason"),
    "no-upgrade": Cause(23, "a proxy, or the host of the server, does not pass WebSocket upgrades"),
    "websocket": Cause(24, "WebSocket is refused or breaks for another reason"),
    "no-connect": Cause(25, "Engine.IO works, but nothing answers for the Socket.IO namespace /"),
    "idle-timeout": Cause(26, "a proxy ends quiet connections before the ping interval has passed"),
}


@dataclass(frozen=True)
class Finding:
    """One line of the table: a check, what came of it, and what to do about it when it failed."""

    check: str
    state: str
    detail: str
    cause: str = ""
    advice: str = ""


def ok(check: str, detail: str) -> Finding:
    return Finding(check, OK, detail)


def skipped(check: str, why: str) -> Finding:
    return Finding(check, SKIPPED, why)


def failed(check: str, cause: str, detail: str, advice: str) -> Finding:
    """Give a failure. `cause` is one of `CAUSES`."""
    assert cause in CAUSES, cause
    return Finding(check, FAILED, detail, cause, advice)


def exit_status(findings: list[Finding]) -> int:
    """Give the exit status: of the failure that a connection meets first, 0 without one."""
    return min((CAUSES[finding.cause].status for finding in findings if finding.state == FAILED), default=0)
