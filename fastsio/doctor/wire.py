"""HTTP requests as a browser sends them, each on a connection of its own, and the one that becomes a WebSocket.

May import: `target`, `frames`, `stream`. Never judges an answer.
"""

import http.client
import itertools
import socket
import ssl
import time
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha1
from http.cookies import CookieError, SimpleCookie
from os import urandom
from urllib.parse import urlencode

from fastsio.doctor.frames import WebSocket
from fastsio.doctor.stream import Stream, Unfinished
from fastsio.doctor.target import Target

MAX_BODY = 1 << 20  # bytes of an answer that are read
USER_AGENT = "Mozilla/5.0 (fastsio doctor)"
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3
# What a request can fail with: no connection, no answer in time, no HTTP, broken TLS (an OSError too).
NO_ANSWER = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `seconds` is how long it took."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def brief(self) -> str:
        """Give status and beginning of the body, for one line of a report."""
        is_page = "html" in (self.headers.get("Content-Type") or "") or self.text.lstrip()[:1] == "<"
        said = "a web page" if is_page else " ".join(self.text[:120].split())
        printable = "".join(sign if sign.isprintable() else "?" for sign in said)
        return f"HTTP {self.status}" + (f", {printable}" if printable else "")


class NotSwitched(Exception):
    """A WebSocket was asked for, and this is what was answered; `answer` with status 101 has a wrong accept key."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.brief)
        self.answer = answer


@dataclass
class Browser:
    """One page in a browser: an origin, cookies, and requests to one server.

    `verify` is False for any certificate; `auth` is JSON that it joins the namespace with, or "".
    """

    target: Target
    origin: str | None
    timeout: float
    verify: bool = True
    auth: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    # Browsers add a mark that no request has twice, against caches.
    _marks: "itertools.count[int]" = field(default_factory=lambda: itertools.count(time.time_ns()))

    def fresh(self) -> "Browser":
        """Give another page of the same kind, without cookies."""
        return Browser(self.target, self.origin, self.timeout, self.verify, self.auth)

    def connect(self, timeout: float | None = None) -> socket.socket:
        """Open a connection, with TLS where the URL wants it.

        Raises:
            OSError: there is none; `ssl.SSLError` is one.
        """
        sock = socket.create_connection((self.target.host, self.target.port), timeout or self.timeout)
        sock.settimeout(timeout or self.timeout)
        if not self.target.is_secure:
            return sock
        try:
            return tls_context(self.verify).wrap_socket(sock, server_hostname=self.target.host)
        except BaseException:
            sock.close()
            raise

    def request(self, query: dict[str, str], body: str | None = None, timeout: float | None = None) -> Answer:
        """Send a GET, or a POST when there is a body, and read the answer.

        Raises:
            NO_ANSWER: there is none within `timeout` seconds.
        """
        start = time.monotonic()
        with self.connect(timeout) as sock:
            data = b"" if body is None else body.encode()
            lines = ["Connection: close"]
            if body is not None:
                lines += ["Content-Type: text/plain;charset=UTF-8", f"Content-Length: {len(data)}"]
            sock.sendall(self._head("GET" if body is None else "POST", query, lines) + data)
            stream = Stream(sock, start + (timeout or self.timeout))
            return self._read(http.client.HTTPResponse(stream), start)  # type: ignore[arg-type]

    def websocket(self, query: dict[str, str]) -> WebSocket:
        """Open a WebSocket.

        Raises:
            NotSwitched: the answer is another one.
            NO_ANSWER: there is none.
        """
        start = time.monotonic()
        key = b64encode(urandom(16))
        sock = self.connect()
        try:
            lines = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
            sock.sendall(self._head("GET", query, [*lines, f"Sec-WebSocket-Key: {key.decode()}"]))
            stream = Stream(sock, start + self.timeout)
            response = http.client.HTTPResponse(stream)  # type: ignore[arg-type]
            response.begin()
            expected = b64encode(sha1(key + GUID).digest()).decode()
            if response.status != 101 or response.headers.get("Sec-WebSocket-Accept", "").strip() != expected:
                raise NotSwitched(self._read(response, start, has_begun=True))
            return WebSocket(sock, stream, response)
        except BaseException:
            sock.close()
            raise

    def _head(self, method: str, query: dict[str, str], lines: list[str]) -> bytes:
        marked = urlencode(query | {"t": f"{next(self._marks):x}"})
        lines = [f"{method} {self.target.path}?{marked} HTTP/1.1", f"Host: {self.target.authority}", *lines]
        lines += [f"User-Agent: {USER_AGENT}", "Accept: */*"]
        if self.origin is not None:
            lines.append(f"Origin: {self.origin}")
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

    def _read(self, response: http.client.HTTPResponse, start: float, has_begun: bool = False) -> Answer:
        if not has_begun:
            response.begin()
        body = response.read(MAX_BODY)
        for header in response.headers.get_all("Set-Cookie") or []:
            try:
                self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(header).items()})
            except CookieError:
                continue  # browsers leave such a cookie out too
        return Answer(response.status, response.headers, body, time.monotonic() - start)


def tls_context(verify: bool) -> ssl.SSLContext:
    """Give the settings of TLS, with or without a look at the certificate."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def why(error: BaseException) -> str:
    """Say in a few words why there was no answer."""
    if isinstance(error, Unfinished):
        return "the answer did not come to its end in time"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, (ConnectionResetError, http.client.RemoteDisconnected, EOFError)):
        return "the connection was closed without an answer"
    if isinstance(error, http.client.BadStatusLine):
        return "the answer is not HTTP"
    return str(error) or type(error).__name__
