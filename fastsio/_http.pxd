"""Requests for the Engine.IO path, and the exchanges that answer them."""
from fastsio._head cimport Head
from fastsio.options cimport Options


cdef class Request:
    cdef public str method
    cdef public str path                # percent-decoded
    cdef public bytes query_string      # as it came
    cdef list _headers                  # [(lower-case name, value)] as bytes
    cdef bytes _fields                  # or the header lines as they came, once checked
    cdef bint _stays_at_home            # known to have none of the headers that CORS is about
    cdef bint _is_octets                # of a head that was read: its body is said to be octets
    cdef public str scheme
    cdef public str http_version
    cdef public tuple client            # (host, port) of the peer, None when unknown
    cdef public tuple server
    cdef public object extras           # what the host adds to an environ, None for nothing

    @staticmethod
    cdef Request read(Head* head, str path)
    cpdef str param(self, str name)
    cpdef list params(self, str name)
    cpdef str header(self, bytes name)
    cdef bint has_octets(self) except -1


cdef class Response:
    cdef readonly int status
    cdef public bytes body
    cdef readonly str content_type
    cdef readonly list headers


cdef class Exchange:
    cdef readonly Request request
    cdef public bint is_upgrade         # asks for a WebSocket
    cdef public bint is_gone            # the peer has left: an answer goes to nobody
    cdef public Py_ssize_t content_length
    cpdef object respond(self, object response)


cdef bytes plain_answer(Options options, Request request, Response response, bytes defaults)
cpdef bytes header_lines(list headers)
cpdef bytes response_head(int status, list headers, bytes body=*)
cpdef dict environ(Request request)
cpdef Response origin_refusal(Options options, Request request)
cdef bint is_left_to_others(Options options) noexcept
cdef bytes cors_lines(Options options, Request request)
cdef bytes switching_head(const char* accept, Py_ssize_t size, bytes lines)
