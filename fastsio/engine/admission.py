"""A request for the Engine.IO path: a new session, a transport of an existing one, or a refusal.

May import: the engine floor, `_http`. Never touches a socket: exchanges are answered by their wires.
Source: Engine.IO protocol 4, "Request validation"; order, statuses and bodies are python-engineio's where it has the case.
"""

import json
from typing import Any

from fastsio._http import Exchange, Response, origin_refusal
from fastsio.engine import polling, reasons
from fastsio.engine._session import Session
from fastsio.engine.registry import Registry

# Characters of what a client sent that a log line shows at most.
MAX_LOGGED = 200

UNSUPPORTED = "The client is using an unsupported version of the Socket.IO or Engine.IO protocols"


def admit(registry: Registry, exchange: Exchange) -> Session | None:
    """Judge a request whose head has been read. A session is given when the wire has to read a POST body for it.

    In every other case the exchange has been answered, or will be.
    """
    registry.attach_loop()
    request, options = exchange.request, registry.options
    if (refusal := origin_refusal(options, request)) is not None:
        return _refuse(registry, exchange, "bad origin", refusal)
    transport = request.param("transport") or ""
    if transport not in options.transports:
        return _refuse(registry, exchange, "invalid transport", Response.refusal("Invalid transport"))
    sid = request.param("sid")
    version = _revision(request, options) if sid is None else None
    if sid is None and version is None:
        return _refuse(registry, exchange, "unsupported version", Response.refusal(UNSUPPORTED))
    if (refusal := _jsonp_refusal(options, request)) is not None:
        return _refuse(registry, exchange, "jsonp", refusal)
    if request.method == "OPTIONS":
        return exchange.respond(Response(200, b"OK", "text/plain", _methods(options)))
    if sid is None and request.method not in ("GET", "POST"):
        return _refuse(registry, exchange, "bad method", Response.coded(2, "Bad handshake method"))
    if request.method not in ("GET", "POST"):
        return _refuse(registry, exchange, "bad method", Response(405, b"Method Not Found", "text/plain"))
    if sid is None:
        if request.method == "POST":
            return _refuse(registry, exchange, "no session", Response.refusal("Invalid session None"))
        return _open(registry, exchange, version or 0, transport)
    return _continue(registry, exchange, sid, transport)


def _refuse(registry: Registry, exchange: Exchange, category: str, response: Response, why: str | None = None) -> None:
    """Answer with a refusal, and log it; `why` in place of what the client is told, where that is not for logs."""
    method, path = printable(exchange.request.method), printable(exchange.request.path)
    registry.report(category, "%s %s refused: %s", method, path, response.sentence if why is None else why)
    if exchange.request.method == "OPTIONS":
        response.headers.extend(_methods(registry.options))
    exchange.respond(response)


def _methods(options: Any) -> list[tuple[bytes, bytes]]:
    """Give the header that every answer to OPTIONS has, unless CORS is left to somebody else."""
    return [] if options.cors_allowed_origins == [] else [(b"Access-Control-Allow-Methods", b"OPTIONS, GET, POST")]


def _revision(request: Any, options: Any) -> int | None:
    """Give the Engine.IO revision that a handshake asks for, if it is served."""
    values = request.params("EIO")
    for revision in options.protocols:
        if values == [str(revision)]:
            return revision
    return None


def _jsonp_refusal(options: Any, request: Any) -> Response | None:
    index = request.param("j")
    if index is None:
        return None
    if not (index.isascii() and index.isdigit() and len(index) <= 10):
        return Response.refusal("Invalid JSONP index number")
    if not options.jsonp:
        return Response.coded(3, "Bad request: JSONP is not enabled on this server")
    return None


# --- a new session


def _open(registry: Registry, exchange: Exchange, version: int, transport: str) -> None:
    if transport == "websocket" and not exchange.is_upgrade:
        return _refuse(registry, exchange, "no upgrade", Response.refusal("Invalid websocket upgrade"))
    session = registry.create(version, exchange.request)
    index = exchange.request.param("j")
    session.jsonp = int(index) if index is not None else None
    try:
        waiting = registry.accept(session)
        if waiting is None:
            _answer_handshake(registry, exchange, session, transport)
    except Exception:
        session.sink = None
        session.close(reasons.TRANSPORT_ERROR)
        raise
    if waiting is not None:
        registry.spawn(_open_later(registry, exchange, session, transport, waiting))
    return None


async def _open_later(registry: Registry, exchange: Exchange, session: Session, transport: str, waiting: Any) -> None:
    """Answer the handshake once the application has decided."""
    refusal = await waiting
    if refusal is not None:
        session.sink = None
        session.close(reasons.SERVER_DISCONNECT)
        exchange.respond(Response(401, json.dumps(refusal).encode(), "application/json"))
    elif exchange.is_gone:
        session.close(reasons.TRANSPORT_CLOSE)
    elif session.is_open:
        _answer_handshake(registry, exchange, session, transport)
    else:  # the application has closed it meanwhile
        exchange.respond(Response(401, b'"Unauthorized"', "application/json"))


def _answer_handshake(registry: Registry, exchange: Exchange, session: Session, transport: str) -> None:
    if transport == "websocket":
        link = exchange.upgrade(session, False)
        if link is None:  # the wire found the handshake malformed and has said so
            session.sink = None
            session.close(reasons.TRANSPORT_ERROR)
            return
        session.start(link, True, registry.must_join)
        session.send_open(open_data(registry, session, transport))
        return
    request = exchange.request
    link = polling.PollingLink(request.param("b64") is not None or session.jsonp is not None)
    session.start(link, False, registry.must_join)
    session.send_open(open_data(registry, session, transport))
    body, is_binary = session.take_body()
    response = polling.payload_response(session, body, is_binary)
    response.headers.extend(cookie_headers(registry.options.cookie, session.sid))
    exchange.respond(response)


def open_data(registry: Registry, session: Session, transport: str) -> str:
    """Give the JSON of an OPEN packet. Times are milliseconds, sizes are bytes."""
    options = registry.options
    may_upgrade = transport == "polling" and options.allow_upgrades and "websocket" in options.transports
    return json.dumps(
        {
            "sid": session.sid,
            "upgrades": ["websocket"] if may_upgrade else [],
            "pingInterval": int((options.ping_interval + options.ping_grace) * 1000),
            "pingTimeout": int(options.ping_timeout * 1000),
            "maxPayload": options.max_http_buffer_size,
        },
        separators=(",", ":"),
    )


def cookie_headers(cookie: Any, sid: str) -> list[tuple[bytes, bytes]]:
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


def _continue(registry: Registry, exchange: Exchange, sid: str, transport: str) -> Session | None:
    session = registry.sessions.get(sid)
    request = exchange.request
    if session is None:
        return _refuse_unknown(registry, exchange, sid)
    if not (session.is_live or session.is_lingering):
        return _refuse(registry, exchange, "not connected", Response.refusal("Not connected"))
    if request.param("EIO") not in (None, str(session.version)):
        return _refuse(registry, exchange, "other version", Response.coded(3, "Bad request"))
    if transport == "websocket" and exchange.is_upgrade:
        return _upgrade(registry, exchange, session)
    if transport == "websocket" and session.transport == "polling":
        return _refuse(registry, exchange, "no upgrade", Response.refusal("Invalid transport"))
    if session.transport != "polling":
        return _refuse(registry, exchange, "wrong transport", Response.refusal("Unexpected HTTP request"))
    if request.method == "GET":
        return polling.get(registry, session, exchange)
    return session if polling.post_begins(registry, session, exchange) else None


def printable(text: str) -> str:
    """Give what a client sent in a form that cannot pass for something else in a log: escaped, and cut."""
    return repr(text[:MAX_LOGGED])[1:-1]


def _refuse_unknown(registry: Registry, exchange: Exchange, sid: str) -> None:
    """Say that there is no such session. The log does not hear the whole id: another worker may have the session."""
    why = f"there is no session {printable(sid[:6])}..."
    return _refuse(registry, exchange, "unknown session", Response.refusal(f"Invalid session {sid[:64]}"), why)


def _upgrade(registry: Registry, exchange: Exchange, session: Session) -> None:
    if not registry.options.allow_upgrades:
        return _refuse(registry, exchange, "no upgrade", Response.refusal("Invalid transport"))
    if session.is_lingering:
        return _refuse_unknown(registry, exchange, session.sid)
    link = exchange.upgrade(session, True)
    if link is None:
        return None
    if session.transport == "websocket" or session.probe is not None:
        # Answered as the official server does: the handshake succeeds, the WebSocket is closed, the session is unharmed.
        link.finish(1005, None)
        return None
    session.start_probe(link)
    return None
