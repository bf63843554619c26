"""The part of HTTP/1.1 that is ours: query, CORS, compression, response heads, environ.

May import: `_bytes`, `_head`, `errors`, `options`. Requests are parsed by `_head`, by httptools or by an ASGI server; sockets
are somebody else's.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII, PyUnicode_DecodeUTF8
from libc.string cimport memchr, memcmp, memcpy

from fastsio._bytes cimport View, view_bytes, view_of, view_skip
from fastsio._head cimport Head, is_name, next_field
from fastsio.options cimport Options

import gzip
import http
import json
import logging
import sys
import zlib
from urllib.parse import parse_qs

cdef extern from "Python.h":
    void PyObject_GC_UnTrack(void* object)

OCTETS = "application/octet-stream"

# Characters of a peer's value that a refusal shows at most.
MAX_ECHO = 64

STATUS_LINES = {status.value: b"HTTP/1.1 %d %s\r\n" % (status.value, status.phrase.encode()) for status in http.HTTPStatus}


@cython.final
cdef class Request:
    """The head of one request, whichever wire it came over."""

    def __init__(self, str method, str path, bytes query_string, list headers):
        self.method = method
        self.path = path
        self.query_string = query_string
        self._headers = headers
        self.scheme = "http"
        self.http_version = "1.1"

    @staticmethod
    cdef Request read(Head* head, str path):
        """Make a request of a head whose path is `path`. The header lines are kept as they came, and read when asked for.

        It is the native wire's, which gives it no `extras` that lead back to it, so the garbage collector need not look at it.
        Those of other hosts can be part of a cycle: what they are called with may end up in a traceback.
        """
        cdef Request self = Request.__new__(Request)
        PyObject_GC_UnTrack(<void*> self)
        self.method = "GET" if head.method.size == 3 else "POST" if head.method.size == 4 else "OPTIONS"
        self.path = path
        self.query_string = view_bytes(head.query)
        self._fields = view_bytes(head.fields)
        self._stays_at_home = not head.crosses_origins
        self._is_octets = head.is_octets
        self.scheme = "http"
        self.http_version = "1.1"
        return self

    @property
    def headers(self):
        """[(name in lower case, value)] as bytes, in the order they came."""
        cdef View rest
        cdef View name
        cdef View value
        cdef list found = []
        if self._fields is None:
            return self._headers
        rest = view_of(self._fields)
        while rest.size and next_field(&rest, &name, &value):
            found.append((name_of(view_bytes(name))[0], view_bytes(value)))
        return found

    cpdef str param(self, str name):
        """Give the first value of a query parameter, None when it is absent or blank."""
        cdef View query = view_of(self.query_string)
        cdef View value
        if is_escaped(query):
            values = self.params(name)
            return values[0] if values else None
        return text_of(value) if next_value(&query, name, &value) else None

    cpdef list params(self, str name):
        """Give every value of a query parameter, blank ones left out."""
        cdef View query = view_of(self.query_string)
        cdef View value
        cdef list values = []
        if is_escaped(query):
            return parse_qs(self.query_string.decode("ascii", "replace"), errors="replace").get(name, [])
        while next_value(&query, name, &value):
            values.append(text_of(value))
        return values

    cpdef str header(self, bytes name):
        """Give a header's value, repeated ones joined with a comma, None when absent. `name` in lower case."""
        cdef bytes found = None
        if self._fields is not None:
            found = field_of(self._fields, name)
        else:
            for key, value in self._headers:
                if key == name:
                    found = value if found is None else found + b"," + value
        return None if found is None else found.decode("latin-1")

    cdef bint has_octets(self) except -1:
        """Tell whether its body is said to be bytes rather than text."""
        return self._is_octets if self._fields is not None else self.header(b"content-type") == OCTETS


cdef inline bint is_escaped(View query) noexcept:
    """Tell whether a query has to be decoded to be understood."""
    return query.size != 0 and (
        memchr(query.data, c"%", query.size) != NULL or memchr(query.data, c"+", query.size) != NULL
    )


cdef inline str text_of(View value):
    """The value of a parameter; the two that nearly every request has are there already."""
    if value.size == 7 and memcmp(value.data, b"polling", 7) == 0:
        return "polling"
    if value.size == 9 and memcmp(value.data, b"websocket", 9) == 0:
        return "websocket"
    return PyUnicode_DecodeASCII(<const char*> value.data, value.size, b"replace")


cdef bint next_value(View* query, str name, View* value) except -1:
    """Find the next value of a parameter in a query without escapes, and go past it. False: there is none."""
    cdef Py_ssize_t size = 0, length
    cdef const char* wanted = PyUnicode_AsUTF8AndSize(name, &size)
    cdef const unsigned char* at
    cdef const unsigned char* end
    while query.size > 0:
        at = query.data
        end = <const unsigned char*> memchr(at, c"&", query.size)
        length = query.size if end == NULL else end - at
        view_skip(query, length if end == NULL else length + 1)
        if length > size + 1 and at[size] == c"=" and memcmp(at, wanted, size) == 0:
            value.data, value.size = at + size + 1, length - size - 1
            return True
    return False


cdef bytes field_of(bytes fields, bytes wanted):
    """The value of a header; repeated ones are joined."""
    cdef View rest = view_of(fields)
    cdef View name
    cdef View value
    cdef bytes found = None
    while rest.size and next_field(&rest, &name, &value):
        if is_name(name, PyBytes_AS_STRING(wanted), PyBytes_GET_SIZE(wanted)):
            found = view_bytes(value) if found is None else found + b"," + view_bytes(value)
    return found


@cython.no_gc
cdef class Response:
    """A whole answer: status, body, content type, further headers as pairs of bytes."""

    def __init__(self, int status, bytes body, str content_type, list headers=None):
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = [] if headers is None else headers

    @staticmethod
    def refusal(str sentence):
        """A 400 as python-engineio gives it: the sentence as a JSON string."""
        return Response(400, json.dumps(sentence).encode(), "text/plain")

    @staticmethod
    def coded(int code, str sentence):
        """A 400 for cases that python-engineio does not know (Engine.IO protocol 4, error codes)."""
        return Response(400, json.dumps({"code": code, "message": sentence}, separators=(",", ":")).encode(), "application/json")

    @property
    def sentence(self):
        """The body as one line for the log."""
        return self.body.decode("utf-8", "replace")


cdef class Exchange:
    """One request and its answer. The wires subclass it."""

    def __init__(self, Request request):
        self.request = request

    cpdef object respond(self, object response):
        """Answer with a `Response`; exactly once."""
        raise NotImplementedError

    def upgrade(self, session, bint is_probe):
        """Answer a WebSocket handshake; give the Link that it became, None when the handshake was malformed."""
        raise NotImplementedError


# --- origin and CORS


cpdef Response origin_refusal(Options options, Request request):
    """Give the refusal of a request whose Origin is not allowed, else None."""
    if request._stays_at_home:
        return None
    origin = request.header(b"origin")
    if not origin or is_left_to_others(options):
        return None
    if is_allowed_origin(options, request, origin):
        return None
    shown = origin if len(origin) <= MAX_ECHO else origin[:MAX_ECHO] + "..."
    return Response.refusal(f"{shown} is not an accepted origin.")


cdef bint is_left_to_others(Options options) noexcept:
    """Tell whether somebody else looks after CORS: a list of no origins says so."""
    cdef object allowed = options.cors_allowed_origins
    return isinstance(allowed, list) and PyList_GET_SIZE(allowed) == 0


def is_allowed_origin(Options options not None, Request request, str origin):
    """Compare an Origin with what the application allows; same origin only by default."""
    allowed = options.cors_allowed_origins
    if allowed is None:
        return origin in same_origins(request)
    if callable(allowed):
        return bool(_ask(allowed, origin, request))
    if isinstance(allowed, str):
        return allowed == "*" or origin == allowed
    return "*" in allowed or origin in allowed


def same_origins(Request request):
    """Give the origins that this server has in the eyes of its clients, a proxy's word included."""
    host = request.header(b"host") or ""
    origins = [f"{request.scheme}://{host}"]
    if request.scheme in ("ws", "wss"):
        origins = [f"{'https' if request.scheme == 'wss' else 'http'}://{host}"]
    proto, forwarded_host = request.header(b"x-forwarded-proto"), request.header(b"x-forwarded-host")
    if proto is not None or forwarded_host is not None:
        scheme = (proto or origins[0].partition(":")[0]).partition(",")[0].strip()
        origins.append(f"{scheme}://{(forwarded_host or host).partition(',')[0].strip()}")
    return origins


def _ask(allowed, origin, request):
    """Ask the application's function; one that raises allows nothing."""
    try:
        try:
            return allowed(origin, environ(request))
        except TypeError:
            return allowed(origin)
    except Exception:
        logging.getLogger("engineio.server").exception("the function in cors_allowed_origins raised; %r is refused", origin)
        return False


def cors_headers(Options options not None, Request request not None):
    """Give the Access-Control headers of an answer (python-engineio's set, plus Vary)."""
    cdef list headers = []
    if is_left_to_others(options):
        return headers
    if not request._stays_at_home:
        origin = request.header(b"origin")
        if origin is not None and is_allowed_origin(options, request, origin):
            headers.append((b"Access-Control-Allow-Origin", origin.encode("latin-1")))
            headers.append((b"Vary", b"Origin"))
        asked = request.header(b"access-control-request-headers")
        if asked is not None:
            headers.append((b"Access-Control-Allow-Headers", asked.encode("latin-1")))
    if options.cors_credentials:
        headers.append((b"Access-Control-Allow-Credentials", b"true"))
    return headers


cdef bytes cors_lines(Options options, Request request):
    """Give the same as lines."""
    if not request._stays_at_home:
        return header_lines(cors_headers(options, request))
    if options.cors_credentials and not is_left_to_others(options):
        return b"Access-Control-Allow-Credentials: true\r\n"
    return b""


# --- answers


def finished_headers(Options options not None, Request request not None, Response response not None):
    """Give every header of a response but the connection's own; compresses the body where that was asked for."""
    cdef list headers = list(response.headers)
    if options.http_compression and len(response.body) >= options.compression_threshold:
        headers.extend(_compress(request, response))
    headers.append((b"Content-Type", response.content_type.encode()))
    headers.append((b"Content-Length", str(len(response.body)).encode()))
    headers.append((b"Cache-Control", b"no-store"))
    headers.extend(cors_headers(options, request))
    return headers


def _compress(Request request, Response response):
    for entry in (request.header(b"accept-encoding") or "").split(","):
        name, _, weight = entry.partition(";")
        if name.strip() in ("gzip", "deflate") and weight.replace(" ", "") not in ("q=0", "q=0.0"):
            name = name.strip()
            response.body = gzip.compress(response.body, 6, mtime=0) if name == "gzip" else zlib.compress(response.body)
            return [(b"Content-Encoding", name.encode()), (b"Vary", b"Accept-Encoding")]
    return []


cdef bytes SWITCHING = STATUS_LINES[101] + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "

# Content type -> a whole answer up to its length.
cdef dict _starts = {}


cdef bytes plain_answer(Options options, Request request, Response response, bytes defaults):
    """A whole 200, as `finished_headers` and `response_head` would have it; None when there is more to say.

    `defaults` are the header lines that every answer of the server has.
    """
    cdef bytes start
    if response.status != 200 or response.headers or not request._stays_at_home:
        return None
    if options.http_compression and PyBytes_GET_SIZE(response.body) >= options.compression_threshold:
        return None
    start = _starts.get(response.content_type)
    if start is None:
        start = b"%bContent-Type: %b\r\nContent-Length: " % (STATUS_LINES[200], response.content_type.encode())
        _starts[response.content_type] = start
    return b"".join(
        [start, decimal(PyBytes_GET_SIZE(response.body)), b"\r\nCache-Control: no-store\r\n",
         cors_lines(options, request), defaults, b"\r\n", response.body]
    )


cdef bytes decimal(Py_ssize_t value):
    cdef char[20] digits
    cdef int at = 20
    while True:
        at -= 1
        digits[at] = <char> (48 + value % 10)
        value //= 10
        if value == 0:
            return digits[at:20]


cpdef bytes header_lines(list headers):
    """Give headers as lines.

    Raises:
        ValueError: a header holds a line break.
    """
    cdef Py_ssize_t size = 0
    cdef bytes name, value, result
    cdef char* out
    for name, value in headers:
        if has_line_break(value):
            raise ValueError(f"the header {name!r} must not contain line breaks: {value!r}")
        size += PyBytes_GET_SIZE(name) + PyBytes_GET_SIZE(value) + 4
    result = PyBytes_FromStringAndSize(NULL, size)
    out = PyBytes_AS_STRING(result)
    for name, value in headers:
        out = put(put(put(put(out, name), b": "), value), b"\r\n")
    return result


cpdef bytes response_head(int status, list headers, bytes body=b""):
    """Give the head of an HTTP/1.1 response, empty line included, and `body` after it.

    Raises:
        ValueError: a header holds a line break.
    """
    return b"".join([STATUS_LINES[status], header_lines(headers), b"\r\n", body])


cdef bytes switching_head(const char* accept, Py_ssize_t size, bytes lines):
    """Give the head of the answer to a WebSocket handshake: `size` characters of `accept`, and further header lines."""
    cdef bytes result = PyBytes_FromStringAndSize(NULL, PyBytes_GET_SIZE(SWITCHING) + size + PyBytes_GET_SIZE(lines) + 4)
    cdef char* out = put(PyBytes_AS_STRING(result), SWITCHING)
    memcpy(out, accept, size)
    put(put(put(out + size, b"\r\n"), lines), b"\r\n")
    return result


cdef bint has_line_break(bytes value) noexcept:
    cdef const char* text = PyBytes_AS_STRING(value)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(value)
    return (
        memchr(text, c"\n", size) != NULL or memchr(text, c"\r", size) != NULL or memchr(text, 0, size) != NULL
    )


cdef char* put(char* out, bytes piece) noexcept:
    """Copy `piece` to `out`, which has room for it; give where the next one goes."""
    memcpy(out, PyBytes_AS_STRING(piece), PyBytes_GET_SIZE(piece))
    return out + PyBytes_GET_SIZE(piece)


# --- what applications see


cpdef dict environ(Request request):
    """Give the handshake as the WSGI-like dict that connect handlers know from python-socketio."""
    cdef dict result = None
    if type(request.extras) is AsgiExtras and request._fields is not None:
        result = _cast(request)
    return _composed(request) if result is None else result


cdef dict _composed(Request request):
    """Make an environ from nothing."""
    cdef tuple client = request.client or NOBODY
    cdef dict result = FIXED.copy()
    result["wsgi.url_scheme"] = "http" if request.scheme == "ws" else "https" if request.scheme == "wss" else request.scheme
    result["wsgi.errors"] = sys.stderr
    result["REQUEST_METHOD"] = request.method
    result["PATH_INFO"] = request.path
    _add_query(result, request)
    result["REMOTE_ADDR"] = str(client[0])
    result["REMOTE_PORT"] = str(client[1])
    cdef list headers = request.headers
    _add_headers(result, headers)
    if "HTTP_X_FORWARDED_PROTO" in result:
        result["wsgi.url_scheme"] = result["HTTP_X_FORWARDED_PROTO"]
    if request.extras is not None:
        result.update(request.extras(request, headers))
    return result


cdef int _add_query(dict result, Request request) except -1:
    cdef str query = request.query_string.decode("utf-8", "ignore")
    result["QUERY_STRING"] = query
    result["RAW_URI"] = f"{request.path}?{query}" if query else request.path
    return 0


cdef dict asgi_extras(Request request, list headers, dict state, object channel):
    """Give what python-socketio adds to an environ under ASGI."""
    scope = {
        "type": "websocket" if (request.header(b"upgrade") or "").lower() == "websocket" else "http",
        "asgi": ASGI.copy(),
        "http_version": request.http_version,
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": request.query_string,
        "root_path": "",
        "headers": headers,
        "client": request.client,
        "server": request.server,
        "state": state,
    }
    return {"asgi.scope": scope, "asgi.receive": channel, "asgi.send": channel}


@cython.final
cdef class AsgiExtras:
    """Adds to the environ of a request that no ASGI server has brought what python-socketio adds to one under ASGI.

    Args:
        state: the application's of its lifespan; None for none.
        channel: stands for receive and send, and cannot do either.
    """

    cdef object _state
    cdef object _channel

    def __init__(self, state, channel):
        self._state = state
        self._channel = channel

    def __call__(self, Request request not None, list headers not None):
        return asgi_extras(request, headers, self.state(), self._channel)

    cdef dict state(self):
        return dict(self._state) if self._state else {}


# --- environs that are like an earlier one

cdef enum:
    MAX_FIELDS = 64     # a request with more headers has its environ made from nothing
    MOLD_COUNT = 16

# Headers that many clients have the same values of, and that are nobody's secret.
cdef frozenset COMMON = frozenset(
    f"HTTP_{name}" for name in (
        "ACCEPT", "ACCEPT_ENCODING", "ACCEPT_LANGUAGE", "CACHE_CONTROL", "CONNECTION", "HOST", "ORIGIN", "PRAGMA",
        "SEC_WEBSOCKET_EXTENSIONS", "SEC_WEBSOCKET_VERSION", "UPGRADE", "USER_AGENT",
    )
)

# Number of headers, modulo MOLD_COUNT -> the Mold of the last request with as many; clients of one kind send as many each.
cdef list _molds = [None] * MOLD_COUNT


@cython.final
cdef class Mold:
    """An environ that was made, and of what: that of the next request like it is a copy, with the values that differ.

    It outlives its client, so it keeps no value that is not COMMON.
    """

    cdef object extras
    cdef str method
    cdef str path
    cdef str scheme
    cdef str http_version
    cdef list names         # of the headers as they came, and as keys of the environ
    cdef list keys
    cdef list headers
    cdef dict environ
    cdef dict scope

    cdef bint fits(self, Request request) except -1:
        """Tell whether a request differs in nothing but its query, its headers and its addresses."""
        return (
            self.extras is request.extras and self.method == request.method and self.path == request.path
            and self.scheme == request.scheme and self.http_version == request.http_version
        )

    cdef int keep(self, Request request, dict environ) except -1:
        """Keep what may be kept of a request and of its environ."""
        self.extras, self.method, self.path = request.extras, request.method, request.path
        self.scheme, self.http_version = request.scheme, request.http_version
        self.environ = environ.copy()
        self.scope = self.environ["asgi.scope"].copy()
        self.headers = [
            pair if key in COMMON else (pair[0], b"") for key, pair in zip(self.keys, self.scope["headers"], strict=True)
        ]
        for key in self.keys:
            if key not in COMMON:
                self.environ[key] = ""
        self.environ["QUERY_STRING"] = self.environ["RAW_URI"] = self.environ["REMOTE_ADDR"] = ""
        self.scope["query_string"] = b""
        self.scope["headers"] = self.scope["client"] = self.scope["state"] = self.environ["asgi.scope"] = None
        return 0


cdef dict _cast(Request request):
    """Give an environ by copying that of an earlier request; None, after making a Mold, when there is none like it."""
    cdef View[MAX_FIELDS] names
    cdef View[MAX_FIELDS] values
    cdef Py_ssize_t count = _split(request._fields, names, values)
    cdef Mold mold
    if count < 0:
        return None
    mold = _molds[count % MOLD_COUNT]
    if mold is not None and mold.fits(request) and _has_names(mold, names, count):
        result = _filled(mold, request, values, count)
        if result is not None:
            return result
    return _molded(request, names, count)


cdef Py_ssize_t _split(bytes fields, View* names, View* values) noexcept:
    """Find the headers in their lines; give how many, -1 for more than MAX_FIELDS."""
    cdef View rest = view_of(fields)
    cdef Py_ssize_t count = 0
    while rest.size:
        if count == MAX_FIELDS or not next_field(&rest, &names[count], &values[count]):
            return -1
        count += 1
    return count


@cython.boundscheck(False)
@cython.wraparound(False)
cdef bint _has_names(Mold mold, View* names, Py_ssize_t count) except -1:
    cdef Py_ssize_t i
    if PyList_GET_SIZE(mold.names) != count:
        return False
    for i in range(count):
        if not is_same(names[i], <bytes> mold.names[i]):
            return False
    return True


cdef inline bint is_same(View text, bytes other) noexcept:
    return text.size == PyBytes_GET_SIZE(other) and memcmp(text.data, PyBytes_AS_STRING(other), text.size) == 0


@cython.boundscheck(False)
@cython.wraparound(False)
cdef dict _filled(Mold mold, Request request, View* values, Py_ssize_t count):
    """Give a copy of the mold's environ with the values of another request; None when that cannot be."""
    cdef dict result = mold.environ.copy()
    cdef dict scope = mold.scope.copy()
    cdef list headers = mold.headers[:]
    cdef tuple client = request.client or NOBODY
    cdef tuple pair
    cdef Py_ssize_t i
    for i in range(count):
        pair = <tuple> headers[i]
        if is_same(values[i], <bytes> pair[1]):
            continue
        if mold.keys[i] == "HTTP_UPGRADE":
            return None     # the type of the scope depends on it
        headers[i] = (pair[0], view_bytes(values[i]))
        try:
            result[mold.keys[i]] = PyUnicode_DecodeUTF8(<const char*> values[i].data, values[i].size, NULL)
        except UnicodeDecodeError:
            return None     # such a header is left out
    _add_query(result, request)
    result["wsgi.errors"] = sys.stderr
    result["REMOTE_ADDR"] = str(client[0])
    result["REMOTE_PORT"] = str(client[1])
    result["asgi.scope"] = scope
    scope["asgi"] = ASGI.copy()
    scope["query_string"] = request.query_string
    scope["headers"] = headers
    scope["client"] = request.client
    scope["server"] = request.server
    scope["state"] = (<AsgiExtras> request.extras).state()
    return result


cdef dict _molded(Request request, View* names, Py_ssize_t count):
    """Make an environ from nothing, and a Mold of it if each header is a key of its own there."""
    cdef Mold mold = Mold.__new__(Mold)
    cdef dict result = _composed(request)
    mold.names = [view_bytes(names[i]) for i in range(count)]
    mold.keys = [name_of(name)[1] for name in mold.names]
    if len(set(mold.keys)) < count or "HTTP_X_FORWARDED_PROTO" in result:
        return result
    for key in mold.keys:
        if key not in result:
            return result
    mold.keep(request, result)
    _molds[count % MOLD_COUNT] = mold
    return result


# Names of headers as they came -> in lower case, and as keys of an environ (None: left out). Bounded.
cdef dict _names = {}
cdef Py_ssize_t MAX_NAMES = 512


cdef tuple name_of(bytes name):
    """Give the name of a header in lower case, and its key in an environ.

    There is no key for what is not UTF-8, or would pass for the same name with hyphens.
    """
    cdef object key
    cdef object known = _names.get(name)
    if known is not None:
        return <tuple> known
    try:
        key = None if b"_" in name else name.decode().upper().replace("-", "_")
    except UnicodeDecodeError:
        key = None
    if key is not None and key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = "HTTP_" + key
    known = (name.lower(), key)
    if len(_names) < MAX_NAMES:
        _names[name] = known
    return <tuple> known


cdef int _add_headers(dict result, list headers) except -1:
    cdef bytes name, value
    cdef str text
    for name, value in headers:
        key = name_of(name)[1]
        if key is None:
            continue
        try:
            text = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), NULL)
        except UnicodeDecodeError:
            continue    # as python-socketio under ASGI
        result[key] = f"{result[key]},{text}" if key in result else text
    return 0


class _NoBody:
    """`wsgi.input` of a handshake, which has no body."""

    async def read(self, length=None):
        return b""


cdef tuple NOBODY = ("127.0.0.1", 0)     # the peer of a request when the host names none

# What is the same in every scope.
cdef dict ASGI = {"version": "3.0", "spec_version": "2.3"}

# What is the same in every environ, and the places of what is not.
cdef dict FIXED = {
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.input": _NoBody(),
    "wsgi.errors": None,
    "wsgi.async": True,
    "wsgi.multithread": False,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "SERVER_SOFTWARE": "asgi",
    "REQUEST_METHOD": "",
    "PATH_INFO": "",
    "QUERY_STRING": "",
    "RAW_URI": "",
    "SCRIPT_NAME": "",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "",
    "REMOTE_PORT": "",
    "SERVER_NAME": "asgi",
    "SERVER_PORT": "0",
}
