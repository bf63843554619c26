"""The head of an ordinary HTTP/1.1 request."""
from fastsio._bytes cimport View


cdef struct Head:
    # borrowed from what was read
    View method
    View path
    View query
    View fields             # header lines, each with its line end
    View websocket_key      # empty when there is none
    # what the fields say about the message
    Py_ssize_t content_length   # 0 when there is none
    bint closes             # "Connection" names "close"
    bint wants_upgrade      # "Connection" names "upgrade"
    bint is_websocket       # "Upgrade" is "websocket"
    bint is_octets          # "Content-Type" is "application/octet-stream"
    bint is_version_13      # "Sec-WebSocket-Version" is 13
    bint is_forwarded       # a proxy has added an X-Forwarded header
    bint crosses_origins    # it names its origin, or asks which headers it may send


cdef Py_ssize_t find_head_end(View data) noexcept nogil
cdef bint read_head(View data, Head* head) noexcept nogil
cdef bint next_field(View* fields, View* name, View* value) noexcept nogil
cdef bint is_name(View name, const char* lowered, Py_ssize_t size) noexcept nogil
