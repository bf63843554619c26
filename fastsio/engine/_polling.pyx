"""The rules of long-polling: who waits, who is refused, what a response holds.

May import: the engine floor, `_http`, `_codec`, `errors`. Never touches a socket: exchanges are answered by their wires.
Source: Engine.IO protocol 4, "HTTP long-polling"; python-engineio's answers where it has the case.
"""

cimport cython

from fastsio._collector cimport hold_collector, release_collector
from fastsio._http cimport Exchange, Response
from fastsio.engine._lifecycle cimport LINGERING, LIVE
from fastsio.engine._outbox cimport Prepared
from fastsio.engine._session cimport Link, Session
from fastsio.engine.registry cimport Registry

from fastsio import _codec
from fastsio._http import OCTETS
from fastsio.engine import reasons
from fastsio.errors import ProtocolError

TEXT = "text/plain; charset=UTF-8"
SCRIPT = "text/javascript; charset=UTF-8"

NOOP = {4: b"6", 3: b"1:6"}


def bad_request():
    return Response.refusal("Bad Request")


@cython.final
cdef class PollingLink(Link):
    """The polling transport of one session: at most one open GET and one open POST."""

    def __init__(self, bint b64):
        self.b64 = b64

    cpdef int flush(self) except -1:
        cdef bint was_on = hold_collector()     # a finalizer that ends the session would leave what is taken to nobody
        try:
            if self.waiter is not None and self.session.outbox.packets:
                body, is_binary = self.session.take_body()
                self._answer(body, is_binary)
        finally:
            release_collector(was_on)
        return 0

    cpdef int write_now(self, Prepared message) except -1:
        """Free the waiting poll: with what is owed, else with a NOOP."""
        self.flush()
        if self.waiter is not None:
            self._answer(NOOP[self.session.version], False)
        return 0

    cpdef int finish(self, int code, Prepared farewell) except -1:
        """Answer the open GET with what is owed and the farewell."""
        if self.waiter is not None and farewell is not None:
            self.session.owe(farewell)
        return self.write_now(None)

    cpdef int hold(self, bint held) except -1:
        """A client may have one POST open, so one that is not answered keeps it from sending."""
        cdef tuple later = self._later
        self._held = held
        if not held and later is not None:
            self._later = None
            (<Registry> later[0]).loop.call_soon(_take_slices, *later)
        return 0

    cdef int wait(self, Exchange exchange) except -1:
        self.waiter = exchange
        self.is_waiting = True
        return 0

    cdef int _answer(self, bytes body, bint is_binary) except -1:
        cdef Exchange exchange = self.waiter
        self.waiter = None
        self.is_waiting = False
        exchange.respond(payload_response(self.session, body, is_binary))
        return 0


def payload_response(Session session not None, bytes body not None, bint is_binary):
    """Give a polling body the form that the session's client reads."""
    if session.jsonp is not None:
        return Response(200, _codec.encode_jsonp(body, session.jsonp), SCRIPT, [(b"X-Content-Type-Options", b"nosniff")])
    return Response(200, body, OCTETS if is_binary else TEXT)


cdef PollingLink link_of(Session session):
    """The polling transport of a session, None when it uses another one."""
    return <PollingLink> session.link if isinstance(session.link, PollingLink) else None


cpdef object get(Registry registry, Session session, Exchange exchange):
    """Answer a poll: now when something is owed, else when something will be."""
    cdef PollingLink link = link_of(session)
    if session.state == LINGERING:
        return _say_goodbye(session, exchange)
    if link is None:
        return exchange.respond(Response.refusal("Unexpected HTTP request"))
    if link.waiter is not None:
        return _overlap(registry, session, exchange, "GET")
    link.wait(exchange)
    if session.probing:
        link.write_now(None)
    else:
        link.flush()
    return None


cpdef bint post_begins(Registry registry, Session session, Exchange exchange) except *:
    """The head of a POST is there. True: read its body; False: the exchange has been answered."""
    cdef PollingLink link = link_of(session)
    if session.state == LINGERING:
        exchange.respond(Response.refusal(f"Invalid session {session.sid}"))
    elif link is None:
        exchange.respond(Response.refusal("Unexpected HTTP request"))
    elif link.poster is not None:
        _overlap(registry, session, exchange, "POST")
    elif exchange.content_length > session.options.max_http_buffer_size:
        post_too_large(registry, session, exchange)
    else:
        link.poster = exchange
        return True
    return False


def post_too_large(Registry registry, Session session not None, Exchange exchange not None):
    """A body passes the limit: 400, and the session ends (python-engineio's answer)."""
    limit = session.options.max_http_buffer_size
    text = f"a polling body of more than {limit} bytes (max_http_buffer_size)"
    _reject(session, exchange, ProtocolError("EIO_TOO_LARGE", text))


def post_lost(Session session not None, Exchange exchange not None):
    """The client left in the middle of its body: packets after a hole must not run."""
    cdef PollingLink link = link_of(session)
    if link is not None and link.poster is exchange:
        link.poster = None
        session.close(reasons.TRANSPORT_ERROR)


cpdef object post(Registry registry, Session session, Exchange exchange, bytes body):
    """Take the whole body of a POST. Its framing is checked before any packet of it is delivered."""
    cdef PollingLink link = link_of(session)
    cdef bint is_binary
    if session.state != LIVE:
        return exchange.respond(Response.refusal(f"Invalid session {session.sid}"))
    if link is None:
        return exchange.respond(Response.refusal("Unexpected HTTP request"))
    is_binary = exchange.request.has_octets()
    try:
        if is_binary and session.version == 4:
            raise ProtocolError("EIO_BAD_TYPE", "Engine.IO 4 has no binary polling bodies")
        if session.jsonp is not None:
            body = _codec.decode_jsonp(body)
        session.check_body(body, is_binary)
    except ProtocolError as error:
        return _reject(session, exchange, error)
    return _take_slices(registry, session, link, exchange, body, is_binary, 0)


cpdef object _take_slices(
    Registry registry, Session session, PollingLink link, Exchange exchange, bytes body, bint is_binary, Py_ssize_t start
):
    if not link._held:
        start = session.receive_slice(link, body, is_binary, start)
    if link._held:
        link._later = (registry, session, link, exchange, body, is_binary, start)
        return None
    if start < len(body):
        registry.loop.call_soon(_take_slices, registry, session, link, exchange, body, is_binary, start)
        return None
    link.poster = None
    was_overtaken = session.state == LIVE and session.link is not link  # by an upgrade: not all of it was taken
    if was_overtaken or session.close_reason == reasons.TRANSPORT_ERROR:
        exchange.respond(bad_request())
    else:
        exchange.respond(Response(200, b"ok", "text/html" if session.jsonp is not None else "text/plain"))


def poll_lost(Session session not None, Exchange exchange not None):
    """The client left while its GET was open: what is owed must not go to nobody."""
    cdef PollingLink link = link_of(session)
    if link is not None and link.waiter is exchange:
        link.waiter = None
        link.is_waiting = False
        session.close(reasons.TRANSPORT_ERROR)


cdef object _say_goodbye(Session session, Exchange exchange):
    is_last = session.owe_close()
    exchange.respond(payload_response(session, *session.take_body()))
    if is_last:
        session.expire()


cdef object _overlap(Registry registry, Session session, Exchange exchange, str method):
    cdef Exchange first = link_of(session).poster
    error = ProtocolError("EIO_OVERLAP", f"a second {method} while the first is open; a session may have one at a time")
    _reject(session, exchange, error)
    if method == "POST":
        first.respond(bad_request())


cdef object _reject(Session session, Exchange exchange, object error):
    cdef PollingLink link = link_of(session)
    if link is not None:
        link.poster = None
    session.violate(error)
    exchange.respond(bad_request())
