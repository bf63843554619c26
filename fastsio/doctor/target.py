"""What is examined: a URL as a person would write it, taken apart, and paths where Socket.IO is often found.

May import: nothing of ours.
"""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

SECURE = {"http": False, "ws": False, "https": True, "wss": True}
DEFAULT_PATH = "/socket.io/"
# Tried when the path is not the server's: the default, mounts that tutorials use, and paths of well-known applications.
LIKELY_PATHS = (
    "/socket.io/", "/engine.io/", "/ws/socket.io/", "/ws/", "/api/socket.io/", "/api/ws/socket.io/", "/socketio/", "/sio/",
    "/sio/socket.io/", "/sockets/", "/websocket/", "/realtime/", "/chat/socket.io/", "/app/socket.io/",
    "/_nicegui_ws/socket.io/", "/_event/",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """Where a server is: `path` begins and ends with a slash, as JavaScript clients ask for it."""

    host: str
    port: int
    is_secure: bool
    path: str = DEFAULT_PATH
    given_path: str = ""  # of the URL, before the default took its place

    @property
    def authority(self) -> str:
        """Give what stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_secure else 80) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Give the origin of a page that the server itself serves."""
        return f"{'https' if self.is_secure else 'http'}://{self.authority}"

    @property
    def url(self) -> str:
        return self.origin + self.path

    def at(self, path: str) -> "Target":
        return replace(self, path=path)

    def likely_paths(self) -> list[str]:
        """Give the paths to try instead of `path`; those below it first, since a mount adds its prefix."""
        prefix = self.path.rstrip("/")
        inside = [prefix + "/socket.io/", prefix + "/ws/socket.io/"]
        parents = [prefix[:end] + "/socket.io/" for end, sign in enumerate(prefix) if sign == "/" and end]
        tried = dict.fromkeys([*inside, *parents, *LIKELY_PATHS])
        return [path for path in tried if path != self.path]


def parse_url(text: str, path: str | None = None) -> Target:
    """Take a URL apart; without a scheme it means http.

    Raises:
        ValueError: it is none; says what was given and what would do.
    """
    parts = urlsplit(text if "://" in text else "http://" + text)
    if parts.scheme not in SECURE or not parts.hostname:
        raise ValueError(
            f"{text!r} is not a URL of a server: write for example http://127.0.0.1:8000 or https://example.org"
        )
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"{text!r} has no valid port: it must be a number from 1 to 65535") from None
    is_secure = SECURE[parts.scheme]
    given = parts.path.strip("/") if path is None else path.strip("/")
    whole = f"/{given}/" if given else DEFAULT_PATH if path is None else "/"
    if any(sign <= " " or sign in "?#\x7f" for sign in whole) or not whole.isascii():
        raise ValueError(f"path {whole!r} has signs that no path has; write it percent-encoded")
    return Target(parts.hostname, port or (443 if is_secure else 80), is_secure, whole, given)


def checked_origin(text: str | None) -> str | None:
    """Give an origin back, without a slash at its end.

    Raises:
        ValueError: browsers send no such thing.
    """
    if text is None or text == "null":
        return text
    parts = urlsplit(text)
    if not parts.scheme or not parts.netloc or parts.path not in ("", "/") or any(sign <= " " for sign in text):
        raise ValueError(
            f"origin {text!r} is none: write scheme and host as browsers do, for example https://app.example.org"
        )
    return text.rstrip("/")
