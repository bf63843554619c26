"""One TCP connection of the native wire: HTTP until upgraded, then WebSocket, written to by send(2) directly if it can be.

May import: the engine floor, `_frames`, `_head`, `_http`, `errors`, `net.loops`, `net._poller`. Never knows rooms or handlers.
Sits in uvicorn's `http=` seat. Requests that are not for the Engine.IO path, or that are unusual (chunked bodies,
escaped paths, HTTP/1.0), are given to uvicorn's own protocol, bytes and all: the fast path is an exception that is taken
only when everything about it is known to be right.
"""
cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcmp, memcpy

from fastsio._bytes cimport View, view_bytes, view_of
from fastsio._collector cimport hold_collector, release_collector
from fastsio._frames cimport (
    ACCEPT_SIZE,
    FRAME_CLOSE, FRAME_ERROR, FRAME_MESSAGE, FRAME_NEED_MORE, FRAME_PING, OP_BINARY, OP_PONG, OP_TEXT, Deflate,
    Frame, FrameReader, FrameStatus, build_close, build_frame, put_accept_key,
)
from fastsio._head cimport Head, find_head_end, read_head
from fastsio._http cimport (
    Exchange, Request, cors_lines, header_lines, plain_answer, response_head, switching_head,
)
from fastsio.engine._outbox cimport Prepared
from fastsio.engine._polling cimport post
from fastsio.engine._session cimport Arrivals, Flusher, Link, Session
from fastsio.engine._wheel cimport NEVER, Wheel, monotonic
from fastsio.engine.registry cimport Registry
from fastsio.options cimport Options
from fastsio.net._poller cimport PolledTransport, Poller, Stream
from fastsio.net._sockets cimport SYSTEM_WRITES_DIRECTLY, ipv4_name, system_keep_memory, system_tune, system_send

import asyncio
import logging
import socket
import sys
import weakref
from functools import partial

import httptools
from uvicorn.middleware.message_logger import MessageLoggerMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from fastsio import _frames
from fastsio.engine import _admission
from fastsio.engine._polling import poll_lost, post_lost
from fastsio._http import AsgiExtras, Response, finished_headers
from fastsio.errors import ProtocolError
from fastsio.net._poller import can_poll
from fastsio.net.loops import is_fallback, tcp_transport

# Else everything is written through the transport, as it is where there is TLS.
cdef bint _writes_directly = SYSTEM_WRITES_DIRECTLY and not is_fallback()
cdef object _tcp_transport = tcp_transport()
# Whether a socket has from its listener what was set there.
cdef bint _inherits = SYSTEM_WRITES_DIRECTLY and sys.platform == "linux"

# Bytes that one read may bring, shared by all connections of a server.
cdef Py_ssize_t READ_SIZE = 262_144
# Close codes of a reader that has had enough (RFC 6455 7.4.1).
cdef enum:
    TOO_MANY_FRAGMENTS = 1008
    TOO_LARGE = 1009
# Frames of one flush are joined up to this many bytes, and written on their own beyond it.
cdef Py_ssize_t CORK_SIZE = 65_536
cdef Py_ssize_t CORK_LIMIT = 16_384
# Limits of a request head, in bytes, and of a refused body that is read past rather than hung up on.
cdef Py_ssize_t MAX_HEAD = 24_576
cdef Py_ssize_t MAX_SKIP = 65_536
# A body announced as longer than this is as good as one of this length: too long.
MAX_LENGTH = 2 ** 62
# Bytes of a body that must have come within BODY_TIMEOUT for the wait to go on.
cdef Py_ssize_t BODY_PROGRESS = 16_384
# Bytes that are set aside for a frame when it begins, and doubled as it comes: its header alone is worth no more.
cdef Py_ssize_t FIRST_TAIL = 65_536
cdef Py_ssize_t MAX_TAIL = 2 ** 62
# The first byte of what a TLS client says, and of no request.
cdef unsigned char TLS_HANDSHAKE = 0x16
# Bytes that may wait behind an open exchange, or an answer that is not read, before reading stops.
cdef Py_ssize_t MAX_PIPELINED = 65_536
# Seconds that what one read brought may hold the loop before other clients are served, and after how many frames that is checked.
cdef double READ_SLICE = 0.002
cdef Py_ssize_t READ_CHECK = 8
# Seconds: to send a request head or body, to answer a close frame, to take any byte of what is owed.
cdef double HEADER_TIMEOUT = 10.0
cdef double BODY_TIMEOUT = 20.0
cdef double CLOSE_TIMEOUT = 5.0
cdef double HANG_UP_TIMEOUT = 1.0
cdef double WRITE_TIMEOUT = 30.0


cdef enum Mode:
    HEAD = 0        # a request head is being read
    BODY = 1        # the body of an admitted POST
    SKIP = 2        # the body of a refused request
    BUSY = 3        # an exchange is open: its answer comes later
    WEBSOCKET = 4
    CLOSING = 5     # nothing more is said; the peer may finish
    CLOSED = 6
    ELSEWHERE = 7   # uvicorn's protocol has the connection


# --- what the connections of one server share


cdef class Route:
    """Where a server's Engine.IO path leads, and the memory its connections share."""

    cdef Registry registry
    cdef object admit           # judges every request, as `_admission.admit` does
    cdef bytes path             # with slashes at both ends
    cdef str _path_text
    cdef object _default_headers    # as uvicorn gave them last, and as lines
    cdef bytes _default_lines
    cdef object proxy           # uvicorn's proxy-header rules, None when they are off
    cdef object _extras         # of requests, and the state of the application that it adds
    cdef object _app_state
    cdef double keep_alive      # seconds that a connection may be idle between two requests
    cdef bytearray buffer       # what one read brings
    cdef object buffer_view
    cdef bytearray cork
    cdef double _inherited      # the `tcp_user_timeout` that connections have from their listeners; -1 for none

    def __init__(self, Registry registry not None, str path, proxy, double keep_alive, admit=_admission.admit):
        self.registry = registry
        self.admit = admit
        self.path = path.encode()
        self._path_text = path
        self.proxy = proxy
        self.keep_alive = keep_alive
        self.buffer = bytearray(READ_SIZE)
        self.buffer_view = memoryview(self.buffer)  # an export, so the memory stays where it is
        self.cork = bytearray(CORK_SIZE)
        self._inherited = -1.0

    cdef bint has_tuned(self, transport_type) noexcept:
        """Tell whether a connection has what `_tune` would set: from its listener, and from uvloop."""
        return (transport_type is PolledTransport or transport_type is _tcp_transport) and (
            self._inherited == self.registry.options.tcp_user_timeout
        )

    cdef bytes defaults(self, object server_state):
        """The lines that uvicorn puts into every answer; it makes them anew every second."""
        headers = server_state.default_headers
        if headers is not self._default_headers:
            self._default_lines = header_lines(headers)
            self._default_headers = headers
        return self._default_lines

    cdef object extras(self, app_state):
        """Give what adds to an environ as `Request.extras` does: one for all requests, so that none leads to a connection."""
        if self._extras is None or app_state is not self._app_state:
            self._extras = AsgiExtras(app_state, _no_channel)
            self._app_state = app_state
        return self._extras

    cdef bint leads(self, View path) noexcept:
        """Tell whether a path is the server's, or below it."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(self.path)
        if path.size == size - 1:   # its last slash is missing
            size -= 1
        return path.size >= size and memcmp(path.data, PyBytes_AS_STRING(self.path), size) == 0

    cdef str path_of(self, View path):
        """Such a path as text."""
        return self._path_text if path.size == PyBytes_GET_SIZE(self.path) else view_bytes(path).decode("latin-1")


cdef object _routes = weakref.WeakKeyDictionary()
cdef object _last_config = None     # asked for with every connection; and its route
cdef Route _last_route = None


cdef object _last_state = None      # of a server of uvicorn; and its connections
cdef set _last_connections = None


cdef set _connections_of(object server_state):
    global _last_state, _last_connections
    if server_state is not _last_state:
        _last_connections = server_state.connections
        _last_state = server_state
    return _last_connections


cdef Route known_route(object config):
    global _last_config, _last_route
    if config is not _last_config:
        _last_route = route_of(config)
        _last_config = config
    return _last_route


def route_of(config):
    """Give the Route of a uvicorn configuration, None when its application must see every request itself."""
    if not config.loaded:
        config.load()
    if config in _routes:
        return _routes[config]
    app, route = config.loaded_app, None
    while isinstance(app, (ProxyHeadersMiddleware, MessageLoggerMiddleware)):
        app = app.app
    native = getattr(app, "native_route", None)
    found = native() if native is not None and not config.root_path else None
    if found is not None:
        proxy = ProxyHeadersMiddleware(_capture, config.forwarded_allow_ips) if config.proxy_headers else None
        route = Route(found[0], found[1], proxy, max(config.timeout_keep_alive, 1.0), *found[2:])
    _routes[config] = route
    wire = "the native wire" if route is not None else "the ASGI wire, if the application has any: it is not a plain ASGIApp"
    logging.getLogger("uvicorn.error").info("Socket.IO is served over %s", wire)
    _announce(app, config.root_path)
    return route


def _announce(app, str prefix):
    """Let an ASGIApp say where it is found, in whatever mount of a Starlette application it stands."""
    announce = getattr(app, "announce", None)
    if announce is not None and hasattr(app, "native_route"):
        announce(prefix)
    routes = getattr(app, "routes", None)
    for mount in routes if isinstance(routes, list) else ():
        if hasattr(mount, "app"):
            _announce(mount.app, prefix + str(getattr(mount, "path", "")))


async def _capture(scope, receive, send):
    """Stands for an application where only the changed scope is wanted."""


@cython.final
cdef class NativeExchange(Exchange):
    """A request on a native connection."""

    cdef NativeConnection connection
    cdef bint keep_alive
    cdef bytes key                      # its Sec-WebSocket-Key, empty for none, and whether its version is 13
    cdef bint is_version_13

    cpdef object respond(self, object response):
        if self.connection is not None:
            self.connection._respond(self, response)

    def upgrade(self, session, bint is_probe):
        return None if self.connection is None else self.connection._upgrade(self, session is not None and not is_probe)


# --- the connection


cdef class NativeConnection(Stream):
    """The protocol class that uvicorn makes for each connection."""

    # what each write asks for, together in memory: a broadcast asks it of thousands
    cdef int _fd                        # -1: write through the transport
    cdef Mode _mode
    cdef bint _blocked                  # the transport holds bytes: nothing may overtake them
    cdef bint _is_tls
    cdef object _transport
    cdef bytes _unsaid                  # the answer to the handshake, until the first frame goes with it
    cdef Deflate _deflate               # what the WebSocket has agreed on for compression; None for none
    # who made it
    cdef object _config
    cdef object _server_state
    cdef object _app_state
    cdef object _loop
    cdef Route _route
    # the socket's ends
    cdef tuple _client                  # (host, port) of the peer, and ours; None until a request has come
    cdef tuple _server
    # input that no read callback could finish
    cdef bytearray _tail
    cdef Py_ssize_t _tail_size
    cdef bint _reading_paused
    # the request being read or answered
    cdef bint _head_begun               # the wait for it has its own deadline
    cdef object _parser
    cdef bytes _url
    cdef list _headers
    cdef NativeExchange _exchange
    cdef Session _body_session
    cdef bytearray _body
    cdef Py_ssize_t _body_left
    cdef Py_ssize_t _body_seen          # bytes of it at the last look at its deadline
    cdef Py_ssize_t _unwritten          # bytes the transport held at the last look at a blocked connection
    # the WebSocket
    cdef FrameReader _reader
    cdef object _listener               # hears the messages of a WebSocket that has no session

    def __init__(self, config, server_state, app_state, _loop=None):
        self._config = config
        self._server_state = server_state
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._route = known_route(config)
        self._fd = -1

    # --- asyncio's side

    def connection_made(self, transport):
        self._transport = transport
        if self._route is None:
            return self._hand_over(b"")
        _connections_of(self._server_state).add(self)
        if self._route.registry.loop is not self._loop:
            self._route.registry.attach_loop()
        self._flusher().arrivals.note_context()
        kind = type(transport)
        if kind is PolledTransport:
            self._fd = (<PolledTransport> transport).fd
            if not self._route.has_tuned(kind):
                system_tune(self._fd, self._route.registry.options.tcp_user_timeout)
        else:
            self._know_socket(transport, kind)
        self._head_begun = True     # the first head has its time from now on
        self._set_deadline(HEADER_TIMEOUT)

    cdef int _know_socket(self, transport, kind) except -1:
        """Find out what the transport of a loop is, and what it may be relieved of."""
        self._is_tls = kind is not _tcp_transport and transport.get_extra_info("sslcontext") is not None
        sock = transport.get_extra_info("socket")
        if sock is not None and not self._route.has_tuned(kind):
            _tune(sock, self._route.registry.options.tcp_user_timeout)
        if _writes_directly and not self._is_tls and sock is not None:
            self._fd = sock.fileno()
            transport.set_write_buffer_limits(high=0)   # any byte left in there is worth knowing of
        return 0

    def get_buffer(self, hint):
        if self._tail_size == 0:
            return self._route.buffer_view
        self._reserve_tail()
        return memoryview(self._tail)[self._tail_size:]

    def buffer_updated(self, Py_ssize_t count):
        self.arrived(count)

    cdef unsigned char* room(self, Py_ssize_t* size) except NULL:
        if self._tail_size == 0:
            size[0] = READ_SIZE
            return <unsigned char*> PyByteArray_AS_STRING(self._route.buffer)
        self._reserve_tail()
        size[0] = len(self._tail) - self._tail_size
        return <unsigned char*> PyByteArray_AS_STRING(self._tail) + self._tail_size

    cdef int arrived(self, Py_ssize_t count) except -1:
        cdef bytearray tail = self._tail    # held: whatever is called may drop the connection's own
        if self._tail_size == 0:
            self._take(<unsigned char*> PyByteArray_AS_STRING(self._route.buffer), count, None)
        else:
            count += self._tail_size
            self._tail_size = 0
            self._tail = None
            self._take(<unsigned char*> PyByteArray_AS_STRING(tail), count, tail)
        return self._flusher().relieve()

    def data_received(self, data):
        """The same for loops that know this protocol only as an ordinary one."""
        cdef Py_ssize_t start = 0, size
        while start < len(data) and self._mode < CLOSED:
            buffer = self.get_buffer(-1)
            size = min(len(buffer), len(data) - start)
            buffer[:size] = data[start:start + size]
            del buffer
            start += size
            self.buffer_updated(size)

    def eof_received(self):
        return False

    def pause_writing(self):
        self._blocked = True
        self._unwritten = self._transport.get_write_buffer_size() if self._transport is not None else 0
        self._set_deadline(WRITE_TIMEOUT)

    def resume_writing(self):
        self._blocked = False
        if self._mode == HEAD:
            self._set_deadline(self._route.keep_alive)
            self._take_tail_soon()
        elif self._mode == BODY or self._mode == SKIP:
            self._set_deadline(BODY_TIMEOUT)
        elif self._mode == CLOSING:
            self._set_deadline(HANG_UP_TIMEOUT)
        else:
            self._set_deadline(NEVER)
        if self._mode == WEBSOCKET and self.session is not None:
            self.session.flush()

    def connection_lost(self, exc):
        cdef Session session = self.session
        cdef NativeExchange exchange = self._exchange
        cdef Mode mode = self._mode
        if mode == ELSEWHERE:
            return
        self._mode = CLOSED
        _connections_of(self._server_state).discard(self)
        self._wheel().drop(self)
        self.deadline = NEVER
        self._exchange = None
        self._parser = None
        self._tail = None
        self._tail_size = 0
        if exchange is not None:
            self._exchange_lost(exchange)
        if session is not None:
            session.lost(self)
        self._reader = None
        self._deflate = None
        self._listener = None
        self._transport = None

    def shutdown(self):
        """uvicorn stops: tell the client, in words that let it come back."""
        if self._mode == WEBSOCKET and self.session is not None:
            self.session.shut_down()
        elif self._exchange is not None and self._mode == BUSY:
            self._exchange.keep_alive = False
            self._end_waiting_session()
        elif self._mode < CLOSED:
            self._close()

    def abort(self):
        """Close the connection now, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    cdef int _end_waiting_session(self) except -1:
        sid = self._exchange.request.param("sid")
        session = self._route.registry.sessions.get(sid)
        if session is not None:
            session.shut_down()
        if self._exchange is not None:
            self._exchange.connection = None
            self._close()
        return 0

    cdef int on_deadline(self, double now) except -1:
        if self._transport is None or (self._mode == BUSY and not self._blocked) or self._makes_progress():
            return 0
        if not self._blocked and (self._mode == BODY or (self._mode == HEAD and self._tail_size)):
            if self._mode == HEAD:
                why = f"the head of a request did not come in {HEADER_TIMEOUT:g} s"
            else:
                why = f"of the body of a request, less than {BODY_PROGRESS} bytes came in {BODY_TIMEOUT:g} s"
            self._refuse_connection(408, b"Request Timeout", why)
        else:
            # A close waits until everything is written, which a peer that does not read can put off for ever.
            self._transport.abort() if self._blocked or self._mode >= BUSY else self._close()
        return 0

    cdef bint _makes_progress(self) except -1:
        """Something moved since the last look, so look again later: a slow peer is not a dead one."""
        cdef Py_ssize_t unwritten
        if self._blocked:
            unwritten = self._transport.get_write_buffer_size()
            if unwritten < self._unwritten:
                self._unwritten = unwritten
                self._set_deadline(WRITE_TIMEOUT)
                return True
        elif self._mode == BODY and len(self._body) - self._body_seen >= BODY_PROGRESS:
            self._body_seen = len(self._body)
            self._set_deadline(BODY_TIMEOUT)
            return True
        return False

    cdef Flusher _flusher(self):
        return self._route.registry.flusher

    cdef Wheel _wheel(self):
        return self._route.registry.wheel

    cdef int _set_deadline(self, double seconds) except -1:
        if seconds == NEVER:
            self.deadline = NEVER
            return 0
        return self._wheel().schedule(self, monotonic() + seconds)

    # --- input

    cdef int _take(self, unsigned char* data, Py_ssize_t size, bytearray owner) except -1:
        """Consume what was read, in whatever mode each part of it finds the connection.

        Shape: `data` begins `owner`, which nobody else has; None where the memory is shared.
        """
        cdef View rest
        cdef Py_ssize_t before, heads = 0
        cdef double now = monotonic()
        cdef Arrivals arrivals = self._flusher().arrivals
        cdef bint is_enough = False     # for this turn of the loop
        cdef Mode mode
        rest.data = data
        rest.size = size
        while rest.size and not is_enough:
            before, mode = rest.size, self._mode
            if mode == WEBSOCKET or mode == CLOSING:
                arrivals.is_reading = True
                try:
                    is_enough = self._take_frames(&rest, now)
                finally:
                    arrivals.is_reading = False
                if self._reader is None:
                    rest.size = 0   # what comes after the last word is not read
            elif self._is_to_wait():
                break
            elif mode == HEAD:
                is_enough = heads and monotonic() > now + READ_SLICE
                if not is_enough:
                    heads += 1
                    self._take_head(&rest)
            elif mode == BODY or mode == SKIP:
                self._take_body(&rest)
            else:
                break
            if rest.size == before and mode == self._mode:
                break
        self._keep(rest, owner)
        return self._go_on_later() if is_enough and self._tail_size else 0

    cdef int _go_on_later(self) except -1:
        """Read nothing more until a later turn of the loop has taken what is there."""
        self._stop_reading()
        return self._flusher().arrivals.read_later(self) if self._mode == WEBSOCKET else self._take_tail_soon()

    cdef int read_on(self) except -1:
        self._take_again()
        return 0

    cdef int _stop_reading(self) except -1:
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()
        return 0

    cdef bint _is_to_wait(self) noexcept:
        """Tell whether what comes next has to wait: for the answer before it, or until the peer has read that."""
        return self._mode == BUSY or (self._mode == HEAD and self._blocked)

    cdef int _keep(self, View rest, bytearray owner) except -1:
        """Keep what cannot be used yet: where it lies if it has room there, else as a copy."""
        cdef bytearray tail
        if rest.size == 0 or self._mode >= CLOSED:
            return 0
        if owner is not None and rest.data == <const unsigned char*> PyByteArray_AS_STRING(owner):
            self._tail = owner      # a large frame that comes byte by byte is not copied for each of them
        else:
            tail = bytearray(max(rest.size + 1024, min(self._wanted(rest), max(2 * rest.size, FIRST_TAIL))))
            memcpy(PyByteArray_AS_STRING(tail), rest.data, rest.size)
            self._tail = tail
        self._tail_size = rest.size
        return self._stop_reading() if self._is_to_wait() and rest.size > MAX_PIPELINED else 0

    cdef Py_ssize_t _wanted(self, View rest) noexcept:
        """Bytes that the unfinished frame at the head of `rest` will have, limit checked already."""
        return self._reader.needed(rest) if self._mode == WEBSOCKET and self._reader is not None else 0

    cdef int _reserve_tail(self) except -1:
        cdef bytearray grown
        cdef View begun
        if self._tail_size < len(self._tail):
            return 0
        begun.data, begun.size = <const unsigned char*> PyByteArray_AS_STRING(self._tail), self._tail_size
        grown = bytearray(max(self._tail_size + 1024, min(2 * self._tail_size, self._wanted(begun) or MAX_TAIL)))
        memcpy(PyByteArray_AS_STRING(grown), PyByteArray_AS_STRING(self._tail), self._tail_size)
        self._tail = grown
        return 0

    def _take_again(self):
        """An exchange was answered later, or its answer read: go on with what came meanwhile."""
        cdef bytearray tail = self._tail
        cdef Py_ssize_t size = self._tail_size
        if self._is_to_wait():
            return      # whatever ends that comes back here
        is_held = self.session is not None and self.session.held
        if self._reading_paused and not is_held and self._transport is not None:
            self._reading_paused = False
            self._transport.resume_reading()
        if size and self._mode < CLOSED:
            self._tail = None
            self._tail_size = 0
            self._take(<unsigned char*> PyByteArray_AS_STRING(tail), size, tail)

    # --- HTTP, inwards

    cdef int _take_head(self, View* rest) except -1:
        cdef Py_ssize_t end = find_head_end(rest[0])
        cdef View whole
        cdef Head parsed
        cdef bytes head
        if end > MAX_HEAD or (end < 0 and rest.size > MAX_HEAD):
            rest.size = 0
            why = f"the head of a request has more than {MAX_HEAD} bytes"
            return self._refuse_connection(431, b"Request Header Fields Too Large", why)
        if end < 0:
            if rest.size and rest.data[0] == TLS_HANDSHAKE:
                rest.size = 0
                return self._refuse_connection(400, b"Bad Request: TLS on a plain port", "it speaks TLS, this port does not")
            if not self._head_begun:    # until now it was idle
                self._head_begun = True
                self._set_deadline(HEADER_TIMEOUT)
            return 0
        whole.data, whole.size = rest.data, end
        if read_head(whole, &parsed) and self._route.leads(parsed.path):
            rest.data += end
            rest.size -= end
            return self._begin(self._exchange_of(&parsed))
        # Somebody else's, or unusual.
        head = view_bytes(whole)
        if not self._is_ours(head):
            head = view_bytes(rest[0])
            rest.size = 0
            self._hand_over(head)
            return 0
        rest.data += end
        rest.size -= end
        return self._begin_unusual(head, rest)

    cdef bint _is_ours(self, bytes head) except -1:
        """Tell whether the native wire knows everything about this request."""
        cdef bytes line = head[:head.find(b"\r\n")]
        cdef list words = line.split(b" ")
        if len(words) != 3 or words[2] != b"HTTP/1.1":
            return False
        path = (<bytes> words[1]).partition(b"?")[0]
        if b"%" in path or not (path + b"/").startswith(self._route.path):
            return False
        lowered = head.lower()
        return b"\ntransfer-encoding" not in lowered and b"\nexpect" not in lowered

    cdef NativeExchange _exchange_of(self, Head* head):
        """Make an exchange of an ordinary head."""
        cdef Request request = Request.read(head, self._route.path_of(head.path))
        cdef NativeExchange exchange = NativeExchange.__new__(NativeExchange)
        exchange.request = request
        self._complete(request, head.is_forwarded)
        exchange.connection = self
        exchange.keep_alive = not head.closes
        exchange.is_upgrade = head.wants_upgrade and head.is_websocket
        exchange.content_length = head.content_length
        exchange.key = view_bytes(head.websocket_key)
        exchange.is_version_13 = head.is_version_13
        return exchange

    cdef int _begin_unusual(self, bytes head, View* rest) except -1:
        """Let a general parser read the head."""
        cdef NativeExchange exchange
        try:
            exchange = self._parse(head)
        except httptools.HttpParserError:
            rest.size = 0
            return self._refuse_connection(400, b"Bad Request", "the head of a request cannot be read")
        return self._begin(exchange)

    cdef int _begin(self, NativeExchange exchange) except -1:
        """Ask admission about a request whose head is there."""
        self._server_state.total_requests += 1
        self._exchange = exchange
        self._body_left = exchange.content_length
        self._mode = BUSY
        self._set_deadline(NEVER)
        try:
            session = self._route.admit(self._route.registry, exchange)
        except Exception as exc:
            self._route.registry.logger.error("a request could not be served", exc_info=exc)
            return self._refuse_connection(500, b"Internal Server Error", None)
        if session is None or self._mode != BUSY:
            return 0
        self._body_session = session
        self._body = bytearray()
        self._body_seen = 0
        self._mode = BODY
        self._set_deadline(BODY_TIMEOUT)
        return self._body_done() if self._body_left == 0 else 0

    cdef NativeExchange _parse(self, bytes head):
        cdef NativeExchange exchange
        cdef Request request
        self._headers = []
        self._url = None
        self._parser = httptools.HttpRequestParser(self)
        try:
            self._parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            pass
        path, _, query = self._url.partition(b"?")
        request = Request(self._parser.get_method().decode("latin-1"), path.decode("latin-1"), query, self._headers)
        self._complete(request, _is_forwarded(request))
        exchange = NativeExchange(request)
        exchange.connection = self
        exchange.keep_alive = "close" not in (request.header(b"connection") or "").lower()
        exchange.is_upgrade = self._parser.should_upgrade() and (request.header(b"upgrade") or "").lower() == "websocket"
        length = request.header(b"content-length")
        exchange.content_length = min(int(length), MAX_LENGTH) if length is not None else 0
        exchange.key = (request.header(b"sec-websocket-key") or "").encode("latin-1")
        exchange.is_version_13 = request.header(b"sec-websocket-version") == "13"
        self._headers = None
        self._parser = None
        return exchange

    def on_url(self, bytes url):
        self._url = url if self._url is None else self._url + url

    def on_header(self, bytes name, bytes value):
        self._headers.append((name.lower(), value))

    cdef int _complete(self, Request request, bint is_forwarded) except -1:
        """Say in a request what only the connection knows: scheme, addresses, what an environ has besides."""
        if self._client is None:
            self._client = self._name_of("peername")
            self._server = self._name_of("sockname")
        request.scheme = "https" if self._is_tls else "http"
        request.client = self._client
        request.server = self._server
        request.extras = self._route.extras(self._app_state)
        return self._trust_proxy(request) if is_forwarded else 0

    cdef tuple _name_of(self, str end):
        """Give (host, port) of one end of the connection, None for sockets without one."""
        cdef bint is_peer = end == "peername"
        cdef tuple found = None
        if type(self._transport) is PolledTransport:
            found = (<PolledTransport> self._transport).name(is_peer)
        elif self._fd >= 0:
            found = ipv4_name(self._fd, is_peer)
        if found is not None:
            return found
        name = self._transport.get_extra_info(end)
        return (name[0], name[1]) if isinstance(name, tuple) else None

    cdef int _trust_proxy(self, Request request) except -1:
        """Apply uvicorn's rules on X-Forwarded headers to peer address and scheme."""
        if self._route.proxy is None:
            return 0
        scope = {"type": "http", "scheme": request.scheme, "headers": request.headers, "client": request.client}
        coroutine = self._route.proxy(scope, None, None)
        try:
            coroutine.send(None)
        except StopIteration:
            pass
        request.scheme = scope["scheme"]
        request.client = scope["client"]
        return 0

    cdef int _take_body(self, View* rest) except -1:
        cdef Py_ssize_t count = min(rest.size, self._body_left)
        if self._mode == BODY:
            self._body.extend((<const char*> rest.data)[:count])
        rest.data += count
        rest.size -= count
        self._body_left -= count
        if self._body_left:
            return 0
        if self._mode == SKIP:
            return self._next_request()
        return self._body_done()

    cdef int _body_done(self) except -1:
        cdef bytes body = bytes(self._body)
        cdef Session session = self._body_session
        self._body = None
        self._body_session = None
        self._mode = BUSY
        self._set_deadline(NEVER)
        post(self._route.registry, session, self._exchange, body)
        return 0

    cdef int _exchange_lost(self, NativeExchange exchange) except -1:
        cdef Session session
        exchange.is_gone = True
        exchange.connection = None
        if self._body_session is not None:
            post_lost(self._body_session, exchange)
            self._body_session = None
            return 0
        session = self._route.registry.sessions.get(exchange.request.param("sid"))
        if session is not None:
            poll_lost(session, exchange)
        return 0

    cdef int _hand_over(self, bytes data) except -1:
        """Give the connection to uvicorn's own protocol, with everything that was read."""
        cdef set connections = _connections_of(self._server_state)
        transport = self._transport
        protocol = AutoHTTPProtocol(
            config=self._config, server_state=self._server_state, app_state=self._app_state, _loop=self._loop
        )
        if self._route is not None:
            connections.discard(self)
            self._wheel().drop(self)
            self.deadline = NEVER
        self._mode = ELSEWHERE
        self._transport = None
        if type(transport) is PolledTransport:
            sock = socket.socket(fileno=(<PolledTransport> transport).detach())
            meanwhile = _Meanwhile(data)
            task = self._loop.create_task(_hand_on(self._loop, sock, protocol, meanwhile, connections))
            connections.add(meanwhile)
            _handed_on.add(task)
            task.add_done_callback(partial(_was_handed_on, sock, connections, meanwhile))
        else:
            if self._fd >= 0:
                transport.set_write_buffer_limits()
            _change_protocol(transport, protocol, data)
        return 0

    # --- HTTP, outwards

    cdef int _respond(self, NativeExchange exchange, response) except -1:
        cdef list headers
        cdef bytes answer
        if self._exchange is not exchange or self._mode >= CLOSING:
            return 0
        if exchange.keep_alive and not exchange.is_upgrade and self._body_left == 0 and self._mode != BODY:
            answer = plain_answer(
                self._route.registry.options, exchange.request, response, self._route.defaults(self._server_state)
            )
            if answer is not None:
                self._write(answer)
                exchange.connection = None
                return self._answered(exchange)
        headers = finished_headers(self._route.registry.options, exchange.request, response)
        headers.extend(self._server_state.default_headers)
        if exchange.is_upgrade or self._body_left > MAX_SKIP or self._mode == BODY:
            exchange.keep_alive = False
        if not exchange.keep_alive:
            headers.append((b"Connection", b"close"))
        self._write(response_head(response.status, headers, b"" if exchange.request.method == "HEAD" else response.body))
        exchange.connection = None
        return self._answered(exchange)

    cdef int _answered(self, NativeExchange exchange) except -1:
        """The open exchange is done: get ready for the next request."""
        self._exchange = None
        self._body = None
        self._body_session = None
        if self._mode >= CLOSING:
            return 0
        if not exchange.keep_alive:
            return self._hang_up()
        if self._body_left:
            self._mode = SKIP
            if not self._blocked:   # else `resume_writing` starts the wait
                self._set_deadline(BODY_TIMEOUT)
            return self._take_tail_soon()
        return self._next_request()

    cdef int _next_request(self) except -1:
        self._mode = HEAD
        self._head_begun = False
        if not self._blocked:   # else `resume_writing` starts the wait
            self._set_deadline(self._route.keep_alive)
        return self._take_tail_soon()

    cdef int _take_tail_soon(self) except -1:
        if self._tail_size or self._reading_paused:
            self._loop.call_soon(self._take_again)
        return 0

    cdef int _refuse_connection(self, int status, bytes sentence, str why) except -1:
        """Answer something that is not a request that could be answered otherwise, and hang up; `why` is for the log."""
        cdef Registry registry = self._route.registry
        address = (self._name_of("peername") or ("unknown",))[0]
        response = Response(status, sentence, "text/plain")
        headers = [(b"Content-Type", b"text/plain"), (b"Content-Length", b"%d" % len(sentence)), (b"Connection", b"close")]
        if self._body_session is not None:
            post_lost(self._body_session, self._exchange)
            self._body_session = None
        self._exchange = None
        self._write(response_head(status, headers, response.body))
        self._hang_up()
        if why is not None:     # last: a handler or filter of the application's logging may raise
            registry.report(f"http {status}", "connection of %s refused (%d): %s", address, status, why)
        return 0

    # --- WebSocket

    cdef Link _upgrade(self, NativeExchange exchange, bint more_follows):
        """Answer a WebSocket handshake (RFC 6455 4.2)."""
        cdef char[ACCEPT_SIZE] accept
        if not exchange.is_version_13:
            refusal = Response(426, b"Upgrade Required: WebSocket version 13", "text/plain", [(b"Sec-WebSocket-Version", b"13")])
        elif exchange.content_length or not put_accept_key(view_of(exchange.key), accept):
            refusal = Response(400, b"Bad Request: a WebSocket handshake has a 16 byte key and no body", "text/plain")
        else:
            self._become_websocket(exchange.request, accept, more_follows)
            return self
        self._respond(exchange, refusal)
        return None

    cdef int _become_websocket(self, Request request, const char* accept, bint more_follows) except -1:
        cdef Options options = self._route.registry.options
        cdef bytes lines = cors_lines(options, request)
        deflate = None
        if options.per_message_deflate:
            offer = request.header(b"sec-websocket-extensions")
            agreed = _frames.negotiate(offer.encode("latin-1")) if offer is not None else None
            if agreed is not None:
                lines = header_lines([(b"Sec-WebSocket-Extensions", agreed[0])]) + lines
                deflate = agreed[1]
        self._reader = FrameReader(deflate, options.max_fragments)
        self._deflate = deflate
        self.b64 = request.param("b64") is not None
        self._exchange = None
        self._mode = WEBSOCKET
        self._unsaid = switching_head(accept, ACCEPT_SIZE, lines)
        if not more_follows:    # else it is said together with that, in this turn of the loop
            self._write(b"")
        self._set_deadline(NEVER)
        return self._take_tail_soon()

    cdef bint _take_frames(self, View* rest, double now) except -1:
        """Take frames until there is no whole one. True: the rest has to wait for a later turn of the loop."""
        cdef Frame frame
        cdef FrameStatus status
        cdef Py_ssize_t limit = self._limit(), count = 0
        cdef Session session
        cdef FrameReader reader = self._reader      # held: it owns messages that came in fragments
        while rest.size and self._reader is not None:
            if count == READ_CHECK:
                if monotonic() > now + READ_SLICE:
                    return True
                count = 0
            count += 1
            status = reader.next_frame(rest, limit, &frame)
            if status == FRAME_NEED_MORE:
                return False
            if status == FRAME_MESSAGE:
                session = self.session      # held: a handler may end it
                if session is not None:
                    session.receive_frame(self, frame.data, frame.is_binary, now)
                elif self._listener is not None:
                    self._listener(self, view_bytes(frame.data), frame.is_binary)
            elif status == FRAME_PING:
                session = self.session
                if session is not None and not session.may_ping(now):
                    return False
                if self._mode == WEBSOCKET and not self._blocked:
                    self._write(build_frame(OP_PONG, view_bytes(frame.data)))
            elif status == FRAME_CLOSE or status == FRAME_ERROR:
                rest.size = 0
                self._websocket_ended(status, frame.close_code)
        return False

    cdef Py_ssize_t _limit(self) except -1:
        if self.session is not None:
            return self.session.options.max_http_buffer_size
        return 65_536 if self._listener is None else self._route.registry.options.max_http_buffer_size

    cdef int _websocket_ended(self, FrameStatus status, int code) except -1:
        """The peer closed, or cannot be understood any more."""
        self._flusher().arrivals.settle()
        cdef Session session = self.session
        if self._mode == CLOSING:
            return self._close()
        if status == FRAME_CLOSE:
            self._write(build_close(code, b""))
            self._close()
            if session is not None:
                session.lost(self)
        elif session is None:
            self.finish(code, None)
        elif session.link is self and code == TOO_LARGE:
            session.refuse_large_message()
        elif session.link is self:
            session.violate(ProtocolError(self._reader.error, self._why(code)), code)
        else:
            self.finish(code, None)
            session.lost(self)
        return 0

    cdef str _why(self, int code):
        if code == TOO_MANY_FRAGMENTS:
            return f"a message of more than {self._reader.max_fragments} fragments (max_fragments)"
        return f"the WebSocket is closed with code {code}"

    # --- without a session: the bare WebSocket, for conformance tests

    def hear(self, listener):
        """Call `listener(connection, data, is_binary)` with each message of a WebSocket that has no session."""
        self._listener = listener

    def say(self, bytes data not None, bint is_binary):
        """Send one message; `data` of a text is UTF-8. Dropped when the WebSocket is closing."""
        cdef int opcode = OP_BINARY if is_binary else OP_TEXT
        if self._mode == WEBSOCKET:
            self._write(self._deflated(opcode, data) if self._deflate is not None else _frames.encode_frame(opcode, data))

    # --- the seam to the engine

    cpdef int flush(self) except -1:
        """Write what the session owes: joined, in one send(2) where the kernel takes it."""
        cdef Session session = self.session
        cdef Prepared only
        cdef bint was_on
        if self._blocked or self._mode != WEBSOCKET or session is None:
            return 0
        only = session.take_only()
        if only is not None and self._deflate is None and not only.has_binary():
            return self._write(self._frames_of(only))
        was_on = hold_collector()   # a finalizer may end this session, or write for another one into the same cork
        try:
            return self._write_corked(session, session.take_owed() if only is None else [only])
        finally:
            release_collector(was_on)

    cdef bytes _frames_of(self, Prepared message):
        if self._deflate is not None:
            return message.ws_deflated(self.session.version, self.b64, self._deflate.server_window_bits, self._deflated)
        return message.ws(self.session.version, self.b64)

    def _deflated(self, int opcode, data):
        """Build the frame of one message: compressed, unless it is too short for that to be worth anything."""
        if len(data) < self._route.registry.options.compression_threshold:
            return _frames.encode_frame(opcode, data)
        return _frames.build_compressed_frame(opcode, self._deflate.deflate(data))

    cdef int _write_corked(self, Session session, list items) except -1:
        cdef char* cork = PyByteArray_AS_STRING(self._route.cork)
        cdef Py_ssize_t used = 0, count = 0
        cdef bytes frames
        for item in items:
            frames = self._frames_of(<Prepared> item)
            if PyBytes_GET_SIZE(frames) > CORK_LIMIT or used + PyBytes_GET_SIZE(frames) > CORK_SIZE:
                self._send(cork, used)
                used = 0
            if self._mode != WEBSOCKET:     # to write has ended it
                return 0
            if self._blocked:
                # What the transport holds goes first; this and the rest wait where the limits see them.
                session.put_back(items[count:])
                return 0
            count += 1
            if PyBytes_GET_SIZE(frames) > CORK_LIMIT:
                self._write(frames)
            else:
                memcpy(cork + used, PyBytes_AS_STRING(frames), PyBytes_GET_SIZE(frames))
                used += PyBytes_GET_SIZE(frames)
        return self._send(cork, used)

    cpdef int write_now(self, Prepared message) except -1:
        return self._write(message.ws(4, self.b64))

    cpdef int finish(self, int code, Prepared farewell) except -1:
        """Say the last words, then wait a little for the peer to close."""
        if self._mode != WEBSOCKET:
            return 0
        self.flush()
        if self._blocked and self.session is not None and self.session.outbox.packets:
            self._transport.abort()     # it does not read; nothing we say can reach it in order
            return 0
        if farewell is not None:
            self._write(farewell.ws(4, self.b64))
        self._write(build_close(code, b""))
        self._mode = CLOSING
        self.session = None
        return self._set_deadline(CLOSE_TIMEOUT)

    cpdef int abandon(self) except -1:
        """Cut the connection when bytes are held for a client that does not take them."""
        if self._blocked and self._transport is not None:
            self._transport.abort()
        return 0

    cpdef bint is_congested(self) except -1:
        return self._blocked

    @property
    def unsent(self):
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    cpdef int hold(self, bint held) except -1:
        """Leave what comes in the kernel, so that TCP slows the client down."""
        if self._transport is not None and self._mode == WEBSOCKET and held != self._reading_paused:
            self._reading_paused = held
            self._transport.pause_reading() if held else self._transport.resume_reading()
        return 0

    # --- output

    cdef int _write(self, bytes data) except -1:
        return self._send(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    cdef int _send(self, const char* data, Py_ssize_t size) except -1:
        """Write now what the kernel takes; the transport keeps the rest, and nothing overtakes it."""
        cdef Py_ssize_t sent = 0
        cdef bytes joined
        cdef bint was_on
        if self._unsaid is not None:
            joined = PyBytes_FromStringAndSize(NULL, PyBytes_GET_SIZE(self._unsaid) + size)
            memcpy(PyBytes_AS_STRING(joined), PyBytes_AS_STRING(self._unsaid), PyBytes_GET_SIZE(self._unsaid))
            memcpy(PyBytes_AS_STRING(joined) + PyBytes_GET_SIZE(self._unsaid), data, size)
            self._unsaid = None
            data, size = PyBytes_AS_STRING(joined), PyBytes_GET_SIZE(joined)
        if size == 0 or self._transport is None:
            return 0
        if self._fd >= 0 and not self._blocked:
            sent = system_send(self._fd, data, size)
            if sent < 0:
                return 0    # the peer is gone; the loop will tell
        if sent < size:
            was_on = hold_collector()   # until the rest waits its turn: a finalizer's words would come before it
            try:
                self._transport.write(data[sent:size])
            finally:
                release_collector(was_on)
        return 0

    cdef int _hang_up(self) except -1:
        """Close after an answer, but let the peer read it: what it is still sending is read past for a moment."""
        if self._mode >= CLOSED or not self._transport.can_write_eof():
            return self._close()
        self._mode = CLOSING
        self._reader = None
        self._transport.write_eof()
        return 0 if self._blocked else self._set_deadline(HANG_UP_TIMEOUT)

    cdef int _close(self) except -1:
        """Close the connection once everything is written."""
        self._mode = CLOSING
        self._reader = None
        if self._transport is not None:
            if not self._blocked:
                self._set_deadline(CLOSE_TIMEOUT)
            self._transport.close()
        return 0


def _change_protocol(transport, protocol, bytes data not None):
    """Have a transport serve another protocol, which hears first what was read already."""
    # The loop chose how it reads when it saw a buffered protocol; a pause makes it choose again.
    transport.pause_reading()
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    if data:
        protocol.data_received(data)
    if not transport.is_closing() and not protocol.flow.read_paused:    # an application that is slower than its client
        transport.resume_reading()


class _Meanwhile(asyncio.Protocol):
    """Keeps what a socket brings until the loop has made a transport for it. To uvicorn, a connection."""

    def __init__(self, data):
        self.data = data
        self.is_ended = self.is_lost = self.is_stopping = False

    def shutdown(self):
        self.is_stopping = True

    def data_received(self, data):
        self.data += data

    def eof_received(self):
        self.is_ended = True
        return True     # open until the other protocol has said what it makes of that

    def connection_lost(self, error):
        self.is_lost = True


# Tasks, none of which would be kept by anybody else. uvicorn counts its own against a limit.
cdef set _handed_on = set()


def _was_handed_on(sock, set connections not None, meanwhile, task):
    _handed_on.discard(task)
    connections.discard(meanwhile)
    if task.cancelled():
        sock.close()


async def _hand_on(loop, sock, protocol, meanwhile, set connections not None):
    """Give a socket that is nobody's to the loop, and what it brings to a protocol."""
    try:
        transport, _ = await loop.connect_accepted_socket(lambda: meanwhile, sock)
    except OSError:
        sock.close()    # the client is gone
        return
    connections.discard(meanwhile)
    if not meanwhile.is_lost:
        _change_protocol(transport, protocol, meanwhile.data)
        if meanwhile.is_ended and not protocol.eof_received():
            transport.close()
        if meanwhile.is_stopping:
            protocol.shutdown()


def poll_listeners(config, server_state, app_state, loop, list sockets not None):
    """Accept the connections of listening sockets past the loop; give the poller and its listeners.

    None where that cannot be: it is another system, or the application must see every request itself.
    """
    cdef Route route = known_route(config)
    if route is None or not can_poll():
        return None
    make = partial(config.http_protocol_class, config, server_state, app_state, loop)
    poller = Poller(route.registry, loop)
    try:
        return poller, [poller.listen(sock, make) for sock in sockets]
    except OSError:
        poller.close()
        raise


# Bytes of a block, and of all that is free at the end of the heap, that stay with the process: a message near the default
# limit is some blocks of a megabyte.
cdef int KEPT_BLOCK = 8 * 1024 * 1024
cdef int KEPT_MEMORY = 32 * 1024 * 1024


def keep_memory():
    """Have what large messages needed stay with this process, for the next."""
    system_keep_memory(KEPT_BLOCK, KEPT_MEMORY)


# Seconds after which every connection that is accepted has come after its listener was tuned.
TUNED_AFTER = 1.0


def tune_listeners(config, loop, list sockets not None):
    """Set on listeners what each connection would be given: the kernel hands it on, and a call for each is saved."""
    cdef Route route = known_route(config)
    if route is None or not _inherits:
        return
    timeout = route.registry.options.tcp_user_timeout
    for sock in sockets:
        _tune(sock, timeout)
    _note_later(route, loop, timeout)


cdef int _note_later(Route route, object loop, double timeout) except -1:
    loop.call_later(TUNED_AFTER, _note_inherited, route, loop, timeout, loop.time() + TUNED_AFTER)
    return 0


def _note_inherited(Route route not None, loop, double timeout, double due):
    if loop.time() > due + TUNED_AFTER / 10:    # the loop was blocked: who came before is accepted after this
        _note_later(route, loop, timeout)
    else:
        route._inherited = timeout


cdef int _tune(sock, double user_timeout) except -1:
    if SYSTEM_WRITES_DIRECTLY:
        system_tune(sock.fileno(), user_timeout)
    elif sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return 0


cdef bint _is_forwarded(Request request) except -1:
    for name, _ in request.headers:
        if (<bytes> name).startswith(b"x-forwarded-"):
            return True
    return False


async def _no_channel(*args):
    raise RuntimeError("this request was served by the native wire: there is no ASGI channel to receive from or send to")
