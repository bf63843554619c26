"""As much of Engine.IO 3 and 4 as a client needs to open a session, and what a server's refusal means.

May import: `wire`. Never raises for what a server said: an answer is a handshake, or a `Refusal` with its kind.
"""

import json
import math
import re
from dataclasses import dataclass

from fastsio.doctor.wire import Answer

GATEWAY = (502, 503, 504, 520, 521, 522, 523, 524)
ACCESS = (401, 403, 407, 429)
MOVED = (301, 302, 303, 307, 308)
V3_START = re.compile(r"\d{1,6}:0\{")
# The codes of Engine.IO servers in JavaScript ("Engine.IO protocol", error codes).
CODES = {0: "transport", 1: "session", 2: "other", 3: "other", 4: "other", 5: "version"}


@dataclass(frozen=True)
class Handshake:
    """What a server opens a session with; times in seconds. `eio` is the revision that it really speaks."""

    sid: str
    eio: int
    upgrades: tuple[str, ...]
    ping_interval: float
    ping_timeout: float
    packets: tuple[str, ...] = ()  # that came with it


@dataclass(frozen=True)
class Refusal:
    """An answer that opens nothing.

    `kind` is one of origin, version, transport, session, other (said by an Engine.IO server), gateway, access, moved,
    tls, stranger (said by something else).
    """

    kind: str
    answer: Answer

    @property
    def is_engineio(self) -> bool:
        return self.kind in ("origin", "version", "transport", "session", "other")


def query(eio: int, transport: str, sid: str | None = None) -> dict[str, str]:
    """Give the query of a request."""
    fields = {"EIO": str(eio), "transport": transport}
    if eio == 3 and transport == "polling":
        fields["b64"] = "1"  # text only
    return fields if sid is None else fields | {"sid": sid}


def encode(packet: str, eio: int) -> str:
    """Give a polling body of one packet, which is ASCII."""
    return packet if eio == 4 else f"{len(packet)}:{packet}"


def decode(body: str, eio: int) -> list[str]:
    """Split a polling body into packets. What is malformed ends it."""
    if eio == 4:
        return body.split("\x1e") if body else []
    packets, units = [], body.encode("utf-16-le", "surrogatepass")  # Engine.IO 3 counts as JavaScript does
    while units:
        head, colon, rest = units.partition(":".encode("utf-16-le"))
        length = head.decode("utf-16-le", "replace")
        if not colon or not (length.isascii() and length.isdigit() and len(length) < 8):
            break
        size = 2 * int(length)
        packets.append(rest[:size].decode("utf-16-le", "replace"))
        units = rest[size:]
    return packets


def read_open(packet: str, eio: int, packets: tuple[str, ...] = ()) -> Handshake | None:
    """Read an OPEN packet, None when it is none."""
    try:
        fields = json.loads(packet[1:]) if packet[:1] == "0" else None
        upgrades = tuple(map(str, fields["upgrades"]))  # type: ignore[index]
        times = float(fields["pingInterval"]) / 1000, float(fields["pingTimeout"]) / 1000  # type: ignore[index]
        if not all(math.isfinite(seconds) and seconds > 0 for seconds in times):
            return None
        return Handshake(str(fields["sid"]), eio, upgrades, *times, packets)  # type: ignore[index]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def read_handshake(answer: Answer) -> Handshake | Refusal:
    """Read the answer to a first GET."""
    text = answer.text
    if answer.status == 200:
        if answer.body[:1] == b"\0" and b"\xff0{" in answer.body[:12]:  # the binary form of Engine.IO 3
            text = text[text.index("0{") :]
            text = f"{len(text.rpartition('}')[0]) + 1}:{text}"
        eio = 3 if V3_START.match(text) else 4
        packets = decode(text, eio)
        opened = read_open(packets[0], eio, tuple(packets[1:])) if packets else None
        if opened is not None:
            return opened
    return Refusal(kind_of(answer), answer)


def kind_of(answer: Answer) -> str:
    """Say what kind of refusal an answer is; see `Refusal`."""
    said = answer.text[:2000].lower()
    if answer.status in (400, 401, 403) and (kind := _said_by_engineio(answer.status, said)):
        return kind
    if answer.status in GATEWAY:
        return "gateway"
    if answer.status in ACCESS:
        return "access"
    if answer.status in MOVED:
        return "moved"
    return "tls" if "https port" in said or "an http request to an https server" in said else "stranger"


def _said_by_engineio(status: int, said: str) -> str:
    """Give the kind of an Engine.IO server's own refusal, "" when it is somebody else's."""
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        value = said if status == 400 else None
    if isinstance(value, dict):
        code = value.get("code")
        if code == 4 and "origin" in str(value.get("message")):
            return "origin"
        return CODES.get(code, "") if isinstance(code, int) and "message" in value else ""
    if not isinstance(value, str) or len(value) > 300:
        return ""
    for sign, kind in (
        ("not an accepted origin", "origin"),
        ("unsupported version", "version"),
        ("invalid transport", "transport"),
        ("invalid session", "session"),
        ("invalid websocket upgrade", "other"),
        ("not connected", "other"),
        ("unexpected http request", "other"),
    ):
        if sign in value:
            return kind
    return ""
