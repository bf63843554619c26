"""What sibling modules cimport from the WebSocket frame codec."""
cimport cython
from libc.stdint cimport uint64_t

from fastsio._bytes cimport View


cdef enum:
    ACCEPT_SIZE = 28    # characters of a Sec-WebSocket-Accept


cdef enum FrameStatus:
    FRAME_NEED_MORE = 0     # the input holds no complete frame; `FrameReader.needed` tells how long it will be
    FRAME_MESSAGE = 1       # one complete text or binary message, fragments joined, inflated, UTF-8 checked
    FRAME_PING = 2
    FRAME_PONG = 3
    FRAME_CLOSE = 4         # `close_code` is the peer's, 1005 when it gave none; `data` is its reason
    FRAME_ERROR = 5         # `close_code` is what to answer; the reader refuses all further input


cdef enum Opcode:
    OP_CONTINUATION = 0
    OP_TEXT = 1
    OP_BINARY = 2
    OP_CLOSE = 8
    OP_PING = 9
    OP_PONG = 10


cdef struct Frame:
    bint is_binary
    int close_code
    View data           # see FrameReader.next_frame for how long it lives


cdef struct FrameHeader:
    Opcode opcode
    bint is_final
    bint is_compressed
    int size            # bytes, the key included; 0 while the header is not complete
    bint has_payload_size
    uint64_t payload_size


cdef class Deflate:
    cdef object _inflater
    cdef readonly int client_window_bits
    cdef readonly int server_window_bits
    cdef readonly bint client_takeover
    cdef object inflate(self, View data, Py_ssize_t limit)
    cpdef bytes deflate(self, data)


cdef class FrameReader:
    # what the peer has begun and not finished
    cdef bytearray _message
    cdef bint _in_message
    cdef bint _is_binary
    cdef bint _is_compressed
    cdef Py_ssize_t _fragments
    cdef unsigned int _utf8_state
    # the unfinished text frame at the head of the input: bytes of it unmasked and checked, and the state there
    cdef Py_ssize_t _ahead
    cdef unsigned int _ahead_state
    # how it ended
    cdef bint _failed
    cdef bint _closed
    cdef int _close_code
    cdef readonly str error         # a name of `fastsio.errors.CODES` after FRAME_ERROR
    # what holds the last message while its view is out
    cdef object _held
    # what `feed` has not used up yet
    cdef bytearray _tail
    cdef readonly Deflate deflate
    cdef readonly Py_ssize_t max_fragments
    cdef FrameStatus next_frame(self, View* input, Py_ssize_t limit, Frame* out) except? FRAME_ERROR
    cdef Py_ssize_t needed(self, View input) noexcept nogil
    cdef bint _look_ahead(self, FrameHeader* header, View part) noexcept
    cdef void _unmask_ahead(self, View payload) noexcept
    cdef FrameStatus _complete_rest(self, View payload, Frame* out) noexcept
    cdef FrameStatus _complete(self, FrameHeader* header, View payload, Frame* out) noexcept
    cdef FrameStatus _close(self, View payload, Frame* out) noexcept
    cdef int _begin(self, FrameHeader* header) except -1
    cdef int _append(self, View payload, const unsigned char* key) except -1
    cdef FrameStatus _finish(self, Py_ssize_t limit, Frame* out) except? FRAME_ERROR
    cdef FrameStatus _fail(self, int fault, Frame* out) noexcept


cdef int frame_header(unsigned char* out, Opcode opcode, uint64_t size, bint is_compressed) noexcept nogil
cdef bytes build_frame(Opcode opcode, bytes data)
cdef bytes build_close(int code, bytes reason)
cpdef bytes build_compressed_frame(Opcode opcode, bytes payload)
cdef bint put_accept_key(View key, char* accept) noexcept nogil
