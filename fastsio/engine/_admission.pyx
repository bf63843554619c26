"""A request for the Engine.IO path: a new session, a transport of an existing one, or a refusal.

May import: the engine floor, `_http`. Never touches a socket: exchanges are answered by their wires.
Source: Engine.IO protocol 4, "Request validation"; order, statuses and bodies are python-engineio's where it has the case.
"""

import json

from fastsio._http cimport Exchange, Request, Response, is_left_to_others, origin_refusal
from fastsio.engine._lifecycle cimport LINGERING, LIVE, OPENING, POLLING, WEBSOCKET
from fastsio.engine._polling cimport PollingLink, get, post_begins
from fastsio.engine._session cimport Link, Session
from fastsio.engine._wheel cimport monotonic
from fastsio.engine.registry cimport Registry
from fastsio.options cimport Options

from fastsio.engine import reasons
from fastsio.engine._polling import payload_response

# Characters of what a client sent that a log line shows at most.
MAX_LOGGED = 200

UNSUPPORTED = "The client is using an unsupported version of the Socket.IO or Engine.IO protocols"


cpdef Session admit(Registry registry, Exchange exchange):
    """Judge a request whose head has been read. A session is given when the wire has to read a POST body for it.

    In every other case the exchange has been answered, or will be.
    """
    cdef Request request = exchange.request
    cdef Options options = registry.options
    cdef str transport, sid
    cdef object version = None
    if (refusal := origin_refusal(options, request)) is not None:
        why = f"{refusal.sentence} (cors_allowed_origins)"
        return _refuse(registry, exchange, "bad origin", refusal, why)
    transport = request.param("transport")
    if transport not in options.transports:
        return _refuse(registry, exchange, "invalid transport", Response.refusal("Invalid transport"))
    sid = request.param("sid")
    if sid is None:
        version = _revision(request, options)
    if sid is None and version is None:
        return _refuse(registry, exchange, "unsupported version", Response.refusal(UNSUPPORTED))
    if (refusal := _jsonp_refusal(options, request)) is not None:
        return _refuse(registry, exchange, "jsonp", refusal)
    if request.method == "OPTIONS":
        exchange.respond(Response(200, b"OK", "text/plain", _methods(options)))
        return None
    if sid is None and request.method not in ("GET", "POST"):
        return _refuse(registry, exchange, "bad method", Response.coded(2, "Bad handshake method"))
    if request.method not in ("GET", "POST"):
        return _refuse(registry, exchange, "bad method", Response(405, b"Method Not Found", "text/plain"))
    if sid is None:
        if request.method == "POST":
            return _refuse(registry, exchange, "no session", Response.refusal("Invalid session None"))
        return _open(registry, exchange, version, transport)
    return _continue(registry, exchange, sid, transport)


cdef Session _refuse(Registry registry, Exchange exchange, str category, Response response, str why=None):
    """Answer with a refusal, and log it; `why` in place of what the client is told, where that is not for logs."""
    method, path = printable(exchange.request.method), printable(exchange.request.path)
    registry.report(category, "%s %s refused: %s", method, path, response.sentence if why is None else why)
    if exchange.request.method == "OPTIONS":
        response.headers.extend(_methods(registry.options))
    exchange.respond(response)


cdef list _methods(Options options):
    """Give the header that every answer to OPTIONS has, unless CORS is left to somebody else."""
    return [] if is_left_to_others(options) else [(b"Access-Control-Allow-Methods", b"OPTIONS, GET, POST")]


cdef object _revision(Request request, Options options):
    """Give the Engine.IO revision that a handshake asks for, if it is served."""
    cdef list values = request.params("EIO")
    if len(values) == 1:
        for revision in options.protocols:
            if values[0] == ("4" if revision == 4 else "3"):
                return revision
    return None


cdef Response _jsonp_refusal(Options options, Request request):
    index = request.param("j")
    if index is None:
        return None
    if not (index.isascii() and index.isdigit() and len(index) <= 10):
        return Response.refusal("Invalid JSONP index number")
    if not options.jsonp:
        return Response.coded(3, "Bad request: JSONP is not enabled on this server")
    return None


# --- a new session


cdef Response _unavailable(Options options, str sentence):
    """A 503 that says when to come back (RFC 9110 10.2.3)."""
    return Response(
        503, json.dumps({"code": 3, "message": sentence}).encode(), "application/json",
        [(b"Retry-After", str(options.retry_after).encode())],
    )


cdef Session _open(Registry registry, Exchange exchange, int version, str transport):
    cdef Session session
    if transport == "websocket" and not exchange.is_upgrade:
        return _refuse(registry, exchange, "no upgrade", Response.refusal("Invalid websocket upgrade"))
    address = exchange.request.client[0] if exchange.request.client else ""
    sentence = registry.guard.refusal(registry.options, len(registry.sessions), address, monotonic())
    if sentence is not None:
        return _refuse(
            registry, exchange, "turned away", _unavailable(registry.options, sentence),
            f"{sentence}; the client is {printable(address) if address else 'unknown'}",
        )
    session = registry.create(version, exchange.request)
    if registry.options.max_sessions_per_address:
        registry.guard.entered(address)
        session.counted_as = address
    index = exchange.request.param("j")
    session.jsonp = int(index) if index is not None else None
    try:
        waiting = registry.accept(session)
        if waiting is None:
            _answer_handshake(registry, exchange, session, transport)
    except Exception:
        if session.state == OPENING:    # else who is above has heard of it, and has to hear of its end
            session.sink = None
        session.close(reasons.TRANSPORT_ERROR)
        raise
    if waiting is not None:
        registry.spawn(_open_later(registry, exchange, session, transport, waiting))
    return None


async def _open_later(Registry registry, Exchange exchange, Session session, str transport, waiting):
    """Answer the handshake once the application has decided."""
    try:
        refusal = await waiting
    except BaseException:   # cancelled, most likely: nobody else would ever answer, nor forget the session
        session.sink = None
        _give_up(exchange, session)
        raise
    if refusal is not None:
        session.sink = None
        session.close(reasons.SERVER_DISCONNECT)
        exchange.respond(Response(401, json.dumps(refusal).encode(), "application/json"))
    elif exchange.is_gone:
        session.close(reasons.TRANSPORT_CLOSE)
    elif session.is_open:
        try:
            _answer_handshake(registry, exchange, session, transport)
        except Exception as exc:
            registry.logger.error("a request could not be served", exc_info=exc)
            _give_up(exchange, session)
    else:  # the application has closed it meanwhile
        exchange.respond(Response(401, b'"Unauthorized"', "application/json"))


cdef int _give_up(Exchange exchange, Session session) except -1:
    session.close(reasons.TRANSPORT_ERROR)
    exchange.respond(Response(500, b"Internal Server Error", "text/plain"))
    return 0


cdef int _answer_handshake(Registry registry, Exchange exchange, Session session, str transport) except -1:
    cdef Request request = exchange.request
    cdef Response response
    cdef Link link
    if transport == "websocket":
        link = exchange.upgrade(session, False)
        if link is None:  # the wire found the handshake malformed and has said so
            session.sink = None
            session.close(reasons.TRANSPORT_ERROR)
            return 0
        session.start(link, True, registry.must_join)
        session.send_open(open_rest(registry.options, transport))
        return 0
    link = PollingLink(request.param("b64") is not None or session.jsonp is not None)
    session.start(link, False, registry.must_join)
    session.send_open(open_rest(registry.options, transport))
    body, is_binary = session.take_body()
    response = payload_response(session, body, is_binary)
    response.headers.extend(cookie_headers(registry.options.cookie, session.sid))
    exchange.respond(response)
    return 0


# What the OPEN packets of a server have in common, as long as its options stay the same: all but the sid.
cdef bytes _open_rest = None
cdef bint _may_upgrade
cdef double _interval
cdef double _timeout
cdef Py_ssize_t _max_payload


cdef bytes open_rest(Options options, str transport):
    """Give what follows the sid in the JSON of an OPEN packet. Times are milliseconds, sizes are bytes."""
    global _open_rest, _may_upgrade, _interval, _timeout, _max_payload
    cdef bint may_upgrade = transport == "polling" and options.allow_upgrades and "websocket" in options.transports
    cdef double interval = options.ping_interval + options.ping_grace, timeout = options.ping_timeout
    cdef Py_ssize_t size = options.max_http_buffer_size
    cdef bytes rest
    if (
        _open_rest is None or may_upgrade != _may_upgrade or interval != _interval or timeout != _timeout or size != _max_payload
    ):
        rest = _written_rest(may_upgrade, interval, timeout, size)
        # Together, with nothing between that could raise or let another thread in.
        _may_upgrade, _interval, _timeout, _max_payload = may_upgrade, interval, timeout, size
        _open_rest = rest
        return rest
    return _open_rest


cdef bytes _written_rest(bint may_upgrade, double interval, double timeout, Py_ssize_t size):
    rest = {
        "upgrades": ["websocket"] if may_upgrade else [],
        "pingInterval": int(interval * 1000),
        "pingTimeout": int(timeout * 1000),
        "maxPayload": size,
    }
    return b"," + json.dumps(rest, separators=(",", ":"))[1:].encode()


def cookie_headers(cookie, str sid not None):
    """Give the Set-Cookie header of a polling handshake; `cookie` is a name, or a dict of attributes."""
    if not cookie:
        return []
    if isinstance(cookie, str):
        return [(b"Set-Cookie", f"{cookie}={sid}; path=/; SameSite=Lax".encode("latin-1"))]
    text = f"{cookie.get('name', 'io')}={sid}"
    for key, value in cookie.items():
        value = value() if callable(value) else value
        if key == "name" or value is None or value is False:
            continue
        text += f"; {key}" if value is True else f"; {key}={value}"
    if "\r" in text or "\n" in text:
        raise ValueError(f"a cookie must not contain line breaks: {text!r}")
    return [(b"Set-Cookie", text.encode("latin-1"))]


# --- an existing session


cdef Session _continue(Registry registry, Exchange exchange, str sid, str transport):
    cdef Session session = registry.sessions.get(sid)
    cdef Request request = exchange.request
    if session is None:
        return _refuse_unknown(registry, exchange, sid)
    if session.state != LIVE and session.state != LINGERING:
        return _refuse(registry, exchange, "not connected", Response.refusal("Not connected"))
    if request.param("EIO") not in (None, "4" if session.version == 4 else "3"):
        return _refuse(registry, exchange, "other version", Response.coded(3, "Bad request"))
    if transport == "websocket" and exchange.is_upgrade:
        return _upgrade(registry, exchange, session)
    if transport == "websocket" and session.kind == POLLING:
        return _refuse(registry, exchange, "no upgrade", Response.refusal("Invalid transport"))
    if session.kind != POLLING:
        return _refuse(registry, exchange, "wrong transport", Response.refusal("Unexpected HTTP request"))
    if request.method == "GET":
        get(registry, session, exchange)
        return None
    return session if post_begins(registry, session, exchange) else None


cdef str printable(str text):
    """Give what a client sent in a form that cannot pass for something else in a log: escaped, and cut."""
    return repr(text[:MAX_LOGGED])[1:-1]


cdef Session _refuse_unknown(Registry registry, Exchange exchange, str sid):
    """Say that there is no such session. The log does not hear the whole id: another worker may have the session."""
    cdef str why = f"there is no session {printable(sid[:6])}..."
    return _refuse(registry, exchange, "unknown session", Response.refusal(f"Invalid session {sid[:64]}"), why)


cdef Session _upgrade(Registry registry, Exchange exchange, Session session):
    cdef Link link
    if not registry.options.allow_upgrades:
        return _refuse(registry, exchange, "no upgrade", Response.refusal("Invalid transport"))
    if session.state == LINGERING:
        return _refuse_unknown(registry, exchange, session.sid)
    link = exchange.upgrade(session, True)
    if link is None:
        return None
    if session.kind == WEBSOCKET or session.probe is not None:
        # Answered as the official server does: the handshake succeeds, the WebSocket is closed, the session is unharmed.
        link.finish(1005, None)
        return None
    session.start_probe(link)
    return None
