"""The rules of long-polling: who waits, who is refused, what a response holds.

May import: the engine floor, `_http`, `_codec`, `errors`. Never touches a socket: exchanges are answered by their wires.
Source: Engine.IO protocol 4, "HTTP long-polling"; python-engineio's answers where it has the case.
"""

from typing import Any

from fastsio import _codec
from fastsio._http import Exchange, Response
from fastsio.engine import reasons
from fastsio.engine._session import Link, Session
from fastsio.engine.registry import Registry
from fastsio.errors import ProtocolError

TEXT = "text/plain; charset=UTF-8"
BINARY = "application/octet-stream"
SCRIPT = "text/javascript; charset=UTF-8"

NOOP = {4: b"6", 3: b"1:6"}


def bad_request() -> Response:
    return Response.refusal("Bad Request")


class PollingLink(Link):
    """The polling transport of one session: at most one open GET and one open POST."""

    def __init__(self, b64: bool) -> None:
        self.b64 = b64
        self.waiter: Any = None  # the Exchange of the open GET
        self.poster: Any = None  # that of the open POST

    def flush(self) -> int:
        if self.waiter is not None and self.session.has_backlog:
            self._answer(*self.session.take_body())
        return 0

    def write_now(self, message: Any) -> int:
        """Free the waiting poll: with what is owed, else with a NOOP."""
        self.flush()
        if self.waiter is not None:
            self._answer(NOOP[self.session.version], False)
        return 0

    def finish(self, code: int, farewell: Any) -> int:
        """Answer the open GET with what is owed and the farewell."""
        if self.waiter is not None and farewell is not None:
            self.session.owe(farewell)
        return self.write_now(None)

    def wait(self, exchange: Exchange) -> None:
        self.waiter = exchange
        self.is_waiting = True

    def _answer(self, body: bytes, is_binary: bool) -> None:
        exchange, self.waiter, self.is_waiting = self.waiter, None, False
        exchange.respond(payload_response(self.session, body, is_binary))


def payload_response(session: Session, body: bytes, is_binary: bool) -> Response:
    """Give a polling body the form that the session's client reads."""
    if session.jsonp is not None:
        return Response(200, _codec.encode_jsonp(body, session.jsonp), SCRIPT, [(b"X-Content-Type-Options", b"nosniff")])
    return Response(200, body, BINARY if is_binary else TEXT)


def get(registry: Registry, session: Session, exchange: Exchange) -> None:
    """Answer a poll: now when something is owed, else when something will be."""
    link = session.link
    if session.is_lingering:
        return _say_goodbye(session, exchange)
    if not isinstance(link, PollingLink):
        return exchange.respond(Response.refusal("Unexpected HTTP request"))
    if link.waiter is not None:
        return _overlap(registry, session, exchange, "GET")
    link.wait(exchange)
    if session.probing:
        link.write_now(None)
    else:
        link.flush()
    return None


def post_begins(registry: Registry, session: Session, exchange: Exchange) -> bool:
    """The head of a POST is there. True: read its body; False: the exchange has been answered."""
    link = session.link
    if session.is_lingering:
        exchange.respond(Response.refusal(f"Invalid session {session.sid}"))
    elif not isinstance(link, PollingLink):
        exchange.respond(Response.refusal("Unexpected HTTP request"))
    elif link.poster is not None:
        _overlap(registry, session, exchange, "POST")
    elif exchange.content_length > registry.options.max_http_buffer_size:
        post_too_large(registry, session, exchange)
    else:
        link.poster = exchange
        return True
    return False


def post_too_large(registry: Registry, session: Session, exchange: Exchange) -> None:
    """A body passes the limit: 400, and the session ends (python-engineio's answer)."""
    limit = registry.options.max_http_buffer_size
    _reject(session, exchange, ProtocolError("EIO_TOO_LARGE", f"a polling body of more than {limit} bytes"))


def post_lost(session: Session, exchange: Exchange) -> None:
    """The client left in the middle of its body: packets after a hole must not run."""
    link = session.link
    if isinstance(link, PollingLink) and link.poster is exchange:
        link.poster = None
        session.close(reasons.TRANSPORT_ERROR)


def post(registry: Registry, session: Session, exchange: Exchange, body: bytes) -> None:
    """Take the whole body of a POST. Its framing is checked before any packet of it is delivered."""
    link = session.link
    if not session.is_live:
        return exchange.respond(Response.refusal(f"Invalid session {session.sid}"))
    if not isinstance(link, PollingLink):
        return exchange.respond(Response.refusal("Unexpected HTTP request"))
    is_binary = exchange.request.content_type == BINARY
    try:
        if is_binary and session.version == 4:
            raise ProtocolError("EIO_BAD_TYPE", "Engine.IO 4 has no binary polling bodies")
        if session.jsonp is not None:
            body = _codec.decode_jsonp(body)
        session.check_body(body, is_binary)
    except ProtocolError as error:
        return _reject(session, exchange, error)
    return _take_slices(registry, session, link, exchange, body, is_binary, 0)


def _take_slices(
    registry: Registry, session: Session, link: PollingLink, exchange: Exchange, body: bytes, is_binary: bool, start: int
) -> None:
    start = session.receive_slice(link, body, is_binary, start)
    if start < len(body):
        registry.loop.call_soon(_take_slices, registry, session, link, exchange, body, is_binary, start)
        return
    link.poster = None
    was_overtaken = session.is_live and session.link is not link  # by an upgrade: not all of it was taken
    if was_overtaken or session.close_reason == reasons.TRANSPORT_ERROR:
        exchange.respond(bad_request())
    else:
        exchange.respond(Response(200, b"ok", "text/html" if session.jsonp is not None else "text/plain"))


def poll_lost(session: Session, exchange: Exchange) -> None:
    """The client left while its GET was open: what is owed must not go to nobody."""
    link = session.link
    if isinstance(link, PollingLink) and link.waiter is exchange:
        link.waiter, link.is_waiting = None, False
        session.close(reasons.TRANSPORT_ERROR)


def _say_goodbye(session: Session, exchange: Exchange) -> None:
    is_last = session.owe_close()
    exchange.respond(payload_response(session, *session.take_body()))
    if is_last:
        session.expire()


def _overlap(registry: Registry, session: Session, exchange: Exchange, method: str) -> None:
    error = ProtocolError("EIO_OVERLAP", f"a second {method} while the first is open; a session may have one at a time")
    first = session.link.poster
    _reject(session, exchange, error)
    if method == "POST":
        first.respond(bad_request())


def _reject(session: Session, exchange: Exchange, error: ProtocolError) -> None:
    link = session.link
    if isinstance(link, PollingLink):
        link.poster = None
    session.violate(error)
    exchange.respond(bad_request())
