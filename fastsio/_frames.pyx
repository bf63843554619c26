"""The WebSocket wire: frames in and out, fragments, masking, UTF-8, permessage-deflate (RFC 6455, RFC 7692).

May import: `_bytes`, `_mask.c`, `_sha1.c`, `_runs.h`, the standard library's zlib.
Never touches a socket, a clock or a log; never keeps a view of its input beyond the call that received it.
"""
cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

from fastsio._bytes cimport (
    View, load_u16, load_u64, store_u16, store_u64, view_bytes, view_of, view_skip, write_base64,
)

import zlib


cdef extern from "_mask.h":
    void fastsio_mask_select() noexcept nogil
    void fastsio_mask(unsigned char* data, size_t size, const unsigned char* key) noexcept nogil
    int fastsio_mask_with(int kernel, unsigned char* data, size_t size, const unsigned char* key) noexcept nogil

cdef extern from "_runs.h":
    Py_ssize_t fastsio_ascii_run(const unsigned char* data, Py_ssize_t size) noexcept nogil

cdef extern from "_sha1.h":
    enum: FASTSIO_SHA1_SIZE
    void fastsio_sha1(const unsigned char* data, size_t size, unsigned char* digest) noexcept nogil


# A message in more fragments than a reader is told is refused with 1008; empty ones count, so that they are not free.
MAX_FRAGMENTS = 4096    # unless told otherwise

cdef enum:
    CONTROL_LIMIT = 125                 # bytes of payload of a control frame, RFC 6455 5.5
    REASON_LIMIT = 123                  # what a close code leaves of it
    KEY_SIZE = 4
    HEADER_LIMIT = 10                   # bytes of the longest header without a key
    NONCE_SIZE = 24                     # characters of a Sec-WebSocket-Key, and what is appended to it
    GUID_SIZE = 36
    NO_CODE = 1005                      # stands for a close frame without a code, RFC 6455 7.4.1

cdef Py_ssize_t SIZE_LIMIT = <Py_ssize_t> ((<size_t> -1) >> 1)

cdef const char* ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
cdef const char* BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


# --- what can be wrong with what a peer sends

cdef enum Fault:
    FAULT_NONE = 0
    FAULT_RSV = 1
    FAULT_OPCODE = 2
    FAULT_UNMASKED = 3
    FAULT_CONTROL = 4
    FAULT_LENGTH = 5
    FAULT_TOO_LARGE = 6
    FAULT_FRAGMENTS = 7
    FAULT_CONTINUATION = 8
    FAULT_UTF8 = 9
    FAULT_CLOSE = 10
    FAULT_DEFLATE = 11

# Fault -> (close code to answer with, name in `errors.CODES`), in the order of Fault.
cdef tuple FAULTS = (
    (0, ""),
    (1002, "WS_BAD_RSV"),
    (1002, "WS_BAD_OPCODE"),
    (1002, "WS_UNMASKED"),
    (1002, "WS_BAD_CONTROL"),
    (1002, "WS_BAD_LENGTH"),
    (1009, "WS_TOO_LARGE"),
    (1008, "WS_TOO_MANY_FRAGMENTS"),
    (1002, "WS_BAD_CONTINUATION"),
    (1007, "WS_BAD_UTF8"),
    (1002, "WS_BAD_CLOSE"),
    (1007, "WS_BAD_DEFLATE"),
)


# --- UTF-8

# States of the UTF-8 automaton. Each is the offset of its own 6 bits in a row of UTF8_ROWS, so that a step is one
# load, one shift and one mask. UTF8_BAD is 0: a row leads there by default, and nothing leads out.
cdef enum Utf8State:
    UTF8_BAD = 0
    UTF8_START = 6          # between two characters
    UTF8_TAIL1 = 12         # one more continuation byte
    UTF8_TAIL2 = 18
    UTF8_TAIL3 = 24
    UTF8_AFTER_E0 = 30      # A0-BF must come, or the form is overlong
    UTF8_AFTER_ED = 36      # 80-9F must come, or it is a surrogate
    UTF8_AFTER_F0 = 42      # 90-BF must come, or the form is overlong
    UTF8_AFTER_F4 = 48      # 80-8F must come, or it is above U+10FFFF

cdef uint64_t[256] UTF8_ROWS    # written once, at import


cdef void utf8_rule(int first, int last, Utf8State state, Utf8State following) noexcept nogil:
    """In `state`, each byte from `first` to `last` leads to `following`."""
    cdef int byte
    for byte in range(first, last + 1):
        UTF8_ROWS[byte] |= <uint64_t> following << state


cdef void utf8_build() noexcept nogil:
    """Source: RFC 3629, section 4."""
    utf8_rule(0x00, 0x7F, UTF8_START, UTF8_START)
    utf8_rule(0xC2, 0xDF, UTF8_START, UTF8_TAIL1)
    utf8_rule(0xE0, 0xE0, UTF8_START, UTF8_AFTER_E0)
    utf8_rule(0xE1, 0xEC, UTF8_START, UTF8_TAIL2)
    utf8_rule(0xED, 0xED, UTF8_START, UTF8_AFTER_ED)
    utf8_rule(0xEE, 0xEF, UTF8_START, UTF8_TAIL2)
    utf8_rule(0xF0, 0xF0, UTF8_START, UTF8_AFTER_F0)
    utf8_rule(0xF1, 0xF3, UTF8_START, UTF8_TAIL3)
    utf8_rule(0xF4, 0xF4, UTF8_START, UTF8_AFTER_F4)
    utf8_rule(0x80, 0xBF, UTF8_TAIL1, UTF8_START)
    utf8_rule(0x80, 0xBF, UTF8_TAIL2, UTF8_TAIL1)
    utf8_rule(0x80, 0xBF, UTF8_TAIL3, UTF8_TAIL2)
    utf8_rule(0xA0, 0xBF, UTF8_AFTER_E0, UTF8_TAIL1)
    utf8_rule(0x80, 0x9F, UTF8_AFTER_ED, UTF8_TAIL1)
    utf8_rule(0x90, 0xBF, UTF8_AFTER_F0, UTF8_TAIL2)
    utf8_rule(0x80, 0x8F, UTF8_AFTER_F4, UTF8_TAIL2)


cdef unsigned int utf8_run(unsigned int state, const unsigned char* data, Py_ssize_t size) noexcept nogil:
    """Drive the automaton over `size` bytes from `state`; stops at the first bad byte.

    Shape: `data` is borrowed. Returns the new state: UTF8_START at the end of a character, UTF8_BAD for ever.
    """
    cdef Py_ssize_t i = 0
    while i < size and state != UTF8_BAD:
        if state == UTF8_START:
            i += fastsio_ascii_run(data + i, size - i)
        while i < size and (state > UTF8_START or (state == UTF8_START and data[i] >= 0x80)):
            state = (UTF8_ROWS[data[i]] >> state) & 63
            i += 1
    return state


cdef inline bint view_is_utf8(View text) noexcept nogil:
    return utf8_run(UTF8_START, text.data, text.size) == UTF8_START


# --- frames in

cdef Fault read_header(View input, bint may_compress, FrameHeader* out) noexcept nogil:
    """Read the header of a client's frame, as far as it is there, and judge it by itself.

    Shape: `input` is borrowed. `out.size` is 0 while the header is not complete; `out.payload_size` is good as soon
        as `out.has_payload_size`, which is before the masking key is there.
    Errors: each Fault is reported as soon as the bytes that show it are there; `out` is then unspecified.
    Source: RFC 6455 5.2.
    """
    cdef unsigned char first, second
    cdef int extended
    out.size = 0
    out.has_payload_size = False
    out.opcode = OP_CONTINUATION
    if input.size < 1:
        return FAULT_NONE
    first = input.data[0]
    out.opcode = <Opcode> (first & 0x0F)
    out.is_final = first & 0x80 != 0
    out.is_compressed = first & 0x40 != 0
    if first & 0x30 or (out.is_compressed and not (may_compress and OP_TEXT <= out.opcode <= OP_BINARY)):
        return FAULT_RSV
    if OP_BINARY < out.opcode < OP_CLOSE or out.opcode > OP_PONG:
        return FAULT_OPCODE
    if input.size < 2:
        return FAULT_NONE
    second = input.data[1]
    if not second & 0x80:
        return FAULT_UNMASKED
    second &= 0x7F
    if out.opcode >= OP_CLOSE and (second > CONTROL_LIMIT or not out.is_final):
        return FAULT_CONTROL
    extended = 0 if second < 126 else 2 if second == 126 else 8
    if input.size < 2 + extended:
        return FAULT_NONE
    if not read_payload_size(input.data + 2, second, &out.payload_size):
        return FAULT_LENGTH
    out.has_payload_size = True
    if input.size >= 2 + extended + KEY_SIZE:
        out.size = 2 + extended + KEY_SIZE
    return FAULT_NONE


cdef inline bint read_payload_size(const unsigned char* at, unsigned char short_size, uint64_t* out) noexcept nogil:
    """Read the extended length at `at`; false when it is not minimal, or its top bit is set."""
    if short_size < 126:
        out[0] = short_size
        return True
    if short_size == 126:
        out[0] = load_u16(at)
        return out[0] > CONTROL_LIMIT
    out[0] = load_u64(at)
    return out[0] > 0xFFFF and not out[0] >> 63


cdef bint is_close_code(int code) noexcept nogil:
    """Say whether `code` may stand in a close frame (RFC 6455 7.4, and the registry it opens: 1012 to 1014)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


@cython.final
@cython.no_gc    # its fields hold buffers and a Deflate, never a caller
cdef class FrameReader:
    """Reads the frames of one client, in order, and joins, inflates and checks its messages."""

    def __cinit__(self, Deflate deflate=None, Py_ssize_t max_fragments=4096):
        self.deflate = deflate
        self.max_fragments = max_fragments

    cdef FrameStatus next_frame(self, View* input, Py_ssize_t limit, Frame* out) except? FRAME_ERROR:
        """Take the next message or control frame off `input`.

        Shape: `input` is borrowed, must be writable (frames are unmasked where they lie) and is advanced past every
            frame taken; an unfinished frame stays, must not be changed by anybody else (its beginning may have been
            unmasked), and must be handed in again with more behind it.
            `out.data` is held by the input memory for control frames and for messages in one uncompressed frame,
            otherwise by this reader until its next call; it dies with whichever comes first.
        Units: `limit` is in bytes, inclusive, for one message with all its fragments: as sent, and as inflated.
        Errors: FRAME_ERROR, `out.close_code` and `self.error` name what the peer did; every later call returns the
            same. After FRAME_CLOSE all further input is dropped. MemoryError only while joining or inflating: the
            reader is unusable then.
        Allocates: nothing, except for fragments (one growing bytearray) and compressed messages.
        Source: RFC 6455 5.4, 5.5, 7.1; RFC 7692 6.2.
        """
        cdef FrameHeader header
        cdef View payload
        cdef int fault
        out.is_binary = False
        out.close_code = self._close_code
        out.data.data = NULL
        out.data.size = 0
        self._held = None
        if self._failed:
            return FRAME_ERROR
        if self._closed:
            view_skip(input, input.size)
            return FRAME_NEED_MORE
        while True:
            fault = read_header(input[0], self.deflate is not None and not self._in_message, &header)
            if fault == FAULT_NONE and header.has_payload_size and header.opcode < OP_CLOSE:
                fault = check_place(self, &header, limit)
            if fault != FAULT_NONE:
                return self._fail(fault, out)
            if not header.size:
                return FRAME_NEED_MORE
            payload.data = input.data + header.size
            if header.payload_size > <uint64_t> (input.size - header.size):
                payload.size = input.size - header.size
                return FRAME_NEED_MORE if self._look_ahead(&header, payload) else self._fail(FAULT_UTF8, out)
            payload.size = <Py_ssize_t> header.payload_size
            if header.opcode >= OP_CLOSE or (header.is_final and not header.is_compressed and not self._in_message):
                view_skip(input, header.size + payload.size)
                if self._ahead:
                    return self._complete_rest(payload, out)
                fastsio_mask(<unsigned char*> payload.data, payload.size, payload.data - KEY_SIZE)
                return self._complete(&header, payload, out)
            if not self._in_message:
                self._begin(&header)
            self._append(payload, payload.data - KEY_SIZE)
            view_skip(input, header.size + payload.size)
            if self._utf8_state == UTF8_BAD:
                return self._fail(FAULT_UTF8, out)
            if header.is_final:
                return self._finish(limit, out)

    cdef Py_ssize_t needed(self, View input) noexcept nogil:
        """Return how long the unfinished frame at the head of `input` is, or 0 while its header is not complete.

        Units: bytes, header included. Only what `next_frame` let pass is below its limit.
        """
        cdef unsigned char short_size
        cdef int size
        cdef uint64_t payload_size
        if input.size < 2:
            return 0
        short_size = input.data[1] & 0x7F
        size = 2 + (0 if short_size < 126 else 2 if short_size == 126 else 8)
        if input.data[1] & 0x80:
            size += KEY_SIZE
        if input.size < size:
            return 0
        read_payload_size(input.data + 2, short_size, &payload_size)
        if payload_size > <uint64_t> (SIZE_LIMIT - size):
            return SIZE_LIMIT
        return size + <Py_ssize_t> payload_size

    def peek_size(self, bytes data not None):
        """Return what `needed` says about the frame at the head of `data`, in bytes. For tests."""
        return self.needed(view_of(data))

    cdef bint _look_ahead(self, FrameHeader* header, View part) noexcept:
        """Unmask and check what has come of an unfinished text frame; false as soon as it is not UTF-8.

        `_ahead` bytes of the frame at the head of the input are done, each once, however it arrives.
        """
        cdef bint is_text = header.opcode == OP_TEXT or (header.opcode == OP_CONTINUATION and not self._is_binary)
        if not is_text or header.is_compressed or (self._in_message and self._is_compressed) or part.size == self._ahead:
            return True
        if not self._ahead:
            self._ahead_state = self._utf8_state if self._in_message else UTF8_START
        self._unmask_ahead(part)
        return self._ahead_state != UTF8_BAD

    cdef void _unmask_ahead(self, View payload) noexcept:
        """Go on unmasking and checking where the last look ahead ended."""
        cdef unsigned char[KEY_SIZE] key
        cdef unsigned char* at = <unsigned char*> payload.data + self._ahead
        cdef Py_ssize_t size = payload.size - self._ahead
        cdef int i
        for i in range(KEY_SIZE):
            key[i] = (payload.data - KEY_SIZE)[(self._ahead + i) & 3]
        fastsio_mask(at, size, key)
        self._ahead_state = utf8_run(self._ahead_state, at, size)
        self._ahead += size

    cdef FrameStatus _complete_rest(self, View payload, Frame* out) noexcept:
        """Answer for a whole text message that was looked at while it came."""
        self._unmask_ahead(payload)
        self._ahead = 0
        if self._ahead_state != UTF8_START:
            return self._fail(FAULT_UTF8, out)
        out.data = payload
        return FRAME_MESSAGE

    cdef FrameStatus _complete(self, FrameHeader* header, View payload, Frame* out) noexcept:
        """Answer for a frame that is complete in itself: a control frame, or a whole plain message."""
        out.data = payload
        if header.opcode == OP_PING:
            return FRAME_PING
        if header.opcode == OP_PONG:
            return FRAME_PONG
        if header.opcode == OP_CLOSE:
            return self._close(payload, out)
        out.is_binary = header.opcode == OP_BINARY
        if not out.is_binary and not view_is_utf8(payload):
            return self._fail(FAULT_UTF8, out)
        return FRAME_MESSAGE

    cdef FrameStatus _close(self, View payload, Frame* out) noexcept:
        """Read the body of a close frame. Source: RFC 6455 5.5.1, 7.4."""
        cdef int code = NO_CODE
        if payload.size:
            code = load_u16(payload.data) if payload.size > 1 else 0
            if not is_close_code(code):
                return self._fail(FAULT_CLOSE, out)
            view_skip(&payload, 2)
            if not view_is_utf8(payload):
                return self._fail(FAULT_UTF8, out)
        self._closed = True
        self._message = None
        out.close_code = code
        out.data = payload
        return FRAME_CLOSE

    cdef int _begin(self, FrameHeader* header) except -1:
        """Start to collect a message. Allocates: the bytearray that it will grow in."""
        self._message = bytearray()
        self._in_message = True
        self._is_binary = header.opcode == OP_BINARY
        self._is_compressed = header.is_compressed
        self._utf8_state = UTF8_START
        self._fragments = 0
        return 0

    cdef int _append(self, View payload, const unsigned char* key) except -1:
        """Copy a fragment behind what is there, unmask it there, and carry the UTF-8 check on."""
        cdef Py_ssize_t have = PyByteArray_GET_SIZE(self._message)
        cdef unsigned char* at
        cdef bint was_looked_at = self._ahead != 0
        if was_looked_at:
            self._unmask_ahead(payload)
            self._utf8_state = self._ahead_state
            self._ahead = 0
        PyByteArray_Resize(self._message, have + payload.size)
        at = <unsigned char*> PyByteArray_AS_STRING(self._message) + have
        memcpy(at, payload.data, payload.size)
        if not was_looked_at:
            fastsio_mask(at, payload.size, key)
            if not self._is_binary and not self._is_compressed:
                self._utf8_state = utf8_run(self._utf8_state, at, payload.size)
        self._fragments += 1
        return 0

    cdef FrameStatus _finish(self, Py_ssize_t limit, Frame* out) except? FRAME_ERROR:
        """Hand out the collected message, inflated when it was compressed."""
        cdef bytearray message = self._message
        self._message = None
        self._in_message = False
        if self._is_compressed:
            message = self.deflate.inflate(view_of_array(message), limit)
            if message is None:
                return self._fail(FAULT_DEFLATE, out)
            if PyByteArray_GET_SIZE(message) > limit:
                return self._fail(FAULT_TOO_LARGE, out)
            if not self._is_binary:
                self._utf8_state = utf8_run(UTF8_START, view_of_array(message).data, PyByteArray_GET_SIZE(message))
        if self._utf8_state != UTF8_START:
            return self._fail(FAULT_UTF8, out)
        self._held = message
        out.data = view_of_array(message)
        out.is_binary = self._is_binary
        return FRAME_MESSAGE

    cdef FrameStatus _fail(self, int fault, Frame* out) noexcept:
        """Refuse everything from here on, and let go of what was collected."""
        cdef int code = FAULTS[fault][0]
        self.error = FAULTS[fault][1]
        self._failed = True
        self._close_code = code
        self._message = None
        self._held = None
        self._tail = None
        out.data.data = NULL
        out.data.size = 0
        out.is_binary = False
        out.close_code = code
        return FRAME_ERROR

    def feed(self, bytes data not None, Py_ssize_t limit=1_000_000):
        """Read a piece of the stream and return what it completed, in order. For tests and measurements.

        Each item is `(kind, code, data)`: kind is "text", "binary", "ping", "pong", "close" or "error"; `code` is
        the close code for the last two and 0 otherwise; `data` is the payload or the reason. An unfinished frame is
        kept for the next call. After "close" and "error" every call returns an empty list.
        """
        cdef View input
        cdef Frame frame
        cdef FrameStatus status = FRAME_MESSAGE
        cdef list items = []
        cdef bytearray memory
        if self._failed:
            return items
        memory = bytearray(data) if self._tail is None else self._tail
        if self._tail is not None:
            memory += data
        input = view_of_array(memory)
        while True:
            status = self.next_frame(&input, limit, &frame)
            if status == FRAME_NEED_MORE:
                break
            items.append((kind_of(status, frame.is_binary), frame.close_code, view_bytes(frame.data)))
            if status == FRAME_ERROR:
                return items
        del memory[:PyByteArray_GET_SIZE(memory) - input.size]
        self._tail = memory if memory else None
        return items


cdef inline Fault check_place(FrameReader reader, FrameHeader* header, Py_ssize_t limit) noexcept:
    """Judge a data frame by what came before it: room, then number of fragments, then order.

    The limit may have been lowered since the message began, hence the comparison by subtraction in signed numbers.
    """
    cdef Py_ssize_t room = limit
    if reader._in_message:
        room -= PyByteArray_GET_SIZE(reader._message)
    if room < 0 or header.payload_size > <uint64_t> room:
        return FAULT_TOO_LARGE
    if header.opcode != OP_CONTINUATION:
        return FAULT_CONTINUATION if reader._in_message else FAULT_NONE
    if not reader._in_message:
        return FAULT_CONTINUATION
    return FAULT_FRAGMENTS if reader._fragments >= reader.max_fragments else FAULT_NONE


cdef inline View view_of_array(bytearray owner) noexcept:
    """Borrow the contents of `owner`; valid while the caller holds it and does not resize it."""
    cdef View view
    view.data = <const unsigned char*> PyByteArray_AS_STRING(owner)
    view.size = PyByteArray_GET_SIZE(owner)
    return view


cdef str kind_of(FrameStatus status, bint is_binary):
    if status == FRAME_MESSAGE:
        return "binary" if is_binary else "text"
    if status == FRAME_PING:
        return "ping"
    if status == FRAME_PONG:
        return "pong"
    return "close" if status == FRAME_CLOSE else "error"


# --- frames out

cdef int frame_header(unsigned char* out, Opcode opcode, uint64_t size, bint is_compressed) noexcept nogil:
    """Write the header of a server's frame, final and unmasked, in front of `size` bytes of payload.

    Shape: `out` has room for 10 bytes. Returns how many were written: 2, 4 or 10.
    Source: RFC 6455 5.2; the compressed bit is RSV1, RFC 7692 6.
    """
    out[0] = <unsigned char> (0x80 | (0x40 if is_compressed else 0) | <int> opcode)
    if size < 126:
        out[1] = <unsigned char> size
        return 2
    if size <= 0xFFFF:
        out[1] = 126
        store_u16(out + 2, <unsigned short> size)
        return 4
    out[1] = 127
    store_u64(out + 2, size)
    return HEADER_LIMIT


cdef bytes join_frame(Opcode opcode, bytes data, bint is_compressed):
    """Allocates: the frame."""
    cdef unsigned char[HEADER_LIMIT] header
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef int header_size = frame_header(header, opcode, size, is_compressed)
    cdef bytes frame
    if size > SIZE_LIMIT - header_size:
        raise MemoryError
    frame = PyBytes_FromStringAndSize(NULL, header_size + size)
    memcpy(PyBytes_AS_STRING(frame), header, header_size)
    memcpy(PyBytes_AS_STRING(frame) + header_size, PyBytes_AS_STRING(data), size)
    return frame


cdef bytes build_frame(Opcode opcode, bytes data):
    """Build a whole frame; the caller keeps control frames to 125 bytes. Allocates: the frame."""
    return join_frame(opcode, data, False)


cpdef bytes build_compressed_frame(Opcode opcode, bytes payload):
    """Build a frame around a payload that `Deflate.deflate` made. Allocates: the frame."""
    if payload is None or not OP_TEXT <= opcode <= OP_BINARY:
        raise ValueError("only text and binary frames are compressed")
    return join_frame(opcode, payload, True)


cdef bytes build_close(int code, bytes reason):
    """Build a close frame.

    Units: `reason` is UTF-8, cut to 123 bytes in front of the code point that passes them.
    Errors: none: a code that must not be on the wire (1005 above all) gives a frame without code and reason.
    Allocates: the frame and its body.
    Source: RFC 6455 5.5.1, 7.4.1.
    """
    cdef unsigned char[CONTROL_LIMIT] body
    cdef const unsigned char* text = <const unsigned char*> PyBytes_AS_STRING(reason)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(reason)
    if not is_close_code(code):
        return join_frame(OP_CLOSE, b"", False)
    if size > REASON_LIMIT:
        size = REASON_LIMIT
        # No code point is longer than 4 bytes, so a step further back means that this is not UTF-8 at all.
        while size > REASON_LIMIT - 4 and text[size] & 0xC0 == 0x80:
            size -= 1
    store_u16(body, <unsigned short> code)
    memcpy(body + 2, text, size)
    return join_frame(OP_CLOSE, PyBytes_FromStringAndSize(<const char*> body, size + 2), False)


def encode_frame(int opcode, bytes data not None):
    """Build a server's frame: final, unmasked.

    Raises:
        ValueError: unknown opcode, or a control frame of more than 125 bytes.
    """
    if opcode < 0 or opcode > OP_PONG or OP_BINARY < opcode < OP_CLOSE:
        raise ValueError(f"unknown opcode {opcode}")
    if opcode >= OP_CLOSE and len(data) > CONTROL_LIMIT:
        raise ValueError("a control frame holds at most 125 bytes")
    return build_frame(<Opcode> opcode, data)


def encode_close(int code, bytes reason=b""):
    """Build a close frame; 1005 makes one without code, and a long reason is cut.

    Raises:
        ValueError: the code must not be sent.
    """
    if reason is None or code != NO_CODE and not is_close_code(code):
        raise ValueError(f"close code {code} must not be sent")
    return build_close(code, reason)


# --- small doors

def is_utf8(bytes data not None):
    """Say whether `data` is UTF-8 as WebSocket texts must be: no overlong form, no surrogate, nothing cut."""
    return view_is_utf8(view_of(data))


def mask(bytes data not None, bytes key not None):
    """Return `data` masked as a client does it.

    Raises:
        ValueError: the key is not 4 bytes long.
    """
    cdef bytearray masked = bytearray(data)
    mask_in_place(masked, key, 0, 0)
    return bytes(masked)


def mask_in_place(bytearray data not None, bytes key not None, Py_ssize_t start=0, int kernel=0):
    """Mask `data` from `start` on, with one kernel: 0 the usual choice, 1 portable, 2 SSE2, 3 AVX2.

    Raises:
        ValueError: the key is not 4 bytes long, `start` lies outside, or this machine lacks the kernel.
    """
    if len(key) != KEY_SIZE or not 0 <= start <= len(data):
        raise ValueError("the key has 4 bytes, and start lies inside the data")
    cdef unsigned char* at = <unsigned char*> PyByteArray_AS_STRING(data) + start
    if fastsio_mask_with(kernel, at, len(data) - start, <const unsigned char*> PyBytes_AS_STRING(key)) < 0:
        raise ValueError(f"no masking kernel {kernel} on this machine")


def accept_key(bytes key not None):
    """Return the Sec-WebSocket-Accept for a Sec-WebSocket-Key, or None if that is not 16 bytes in canonical base64."""
    cdef char[ACCEPT_SIZE] accept
    return accept[:ACCEPT_SIZE] if put_accept_key(view_of(key), accept) else None


cdef bint put_accept_key(View key, char* accept) noexcept nogil:
    """Put the Sec-WebSocket-Accept for a Sec-WebSocket-Key where there is room for ACCEPT_SIZE characters.

    False, and nothing is put, if the key is not 16 bytes in canonical base64. Source: RFC 6455 4.2.2.
    """
    cdef unsigned char[NONCE_SIZE + GUID_SIZE] text
    cdef unsigned char[FASTSIO_SHA1_SIZE] digest
    if key.size != NONCE_SIZE or not is_nonce(key.data):
        return False
    memcpy(text, key.data, NONCE_SIZE)
    memcpy(text + NONCE_SIZE, ACCEPT_GUID, GUID_SIZE)
    fastsio_sha1(text, NONCE_SIZE + GUID_SIZE, digest)
    write_base64(BASE64, digest, FASTSIO_SHA1_SIZE, <unsigned char*> accept)
    return True


def sha1(bytes data not None):
    """Return the SHA-1 of `data`. For tests."""
    cdef unsigned char[FASTSIO_SHA1_SIZE] digest
    fastsio_sha1(<const unsigned char*> PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), digest)
    return (<char*> digest)[:FASTSIO_SHA1_SIZE]


cdef bint is_nonce(const unsigned char* key) noexcept nogil:
    """Tell whether 24 characters are 16 bytes in base64, the unused bits at the end zero."""
    cdef int i
    for i in range(22):
        if not (c"a" <= key[i] <= c"z" or c"A" <= key[i] <= c"Z" or c"0" <= key[i] <= c"9" or key[i] in (c"+", c"/")):
            return False
    return key[21] in (c"A", c"Q", c"g", c"w") and key[22] == c"=" and key[23] == c"="


# --- permessage-deflate

cdef enum:
    MIN_WINDOW_BITS = 9         # zlib cannot write raw deflate with 8
    MAX_WINDOW_BITS = 15
    OUR_WINDOW_BITS = 12        # the most that we use, and ask a client to use: 4 KiB
    DEFLATE_MEMORY = 5          # zlib's memLevel: 16 KiB of tables for a compressor that lives for one message
    INFLATE_STEP = 8_192        # bytes of input, and at most four times as many of output, per call into zlib

cdef bytes FLUSH_TAIL = b"\x00\x00\xff\xff"     # what a sender leaves out, RFC 7692 7.2.1
cdef bytes FINAL_BLOCK = b"\x03\x00"            # an empty last block: zlib sees the end only if none is open

cdef dict WINDOW_BITS = {str(bits).encode(): bits for bits in range(MIN_WINDOW_BITS, MAX_WINDOW_BITS + 1)}


@cython.final
@cython.no_gc    # and a zlib stream
cdef class Deflate:
    """permessage-deflate of one connection.

    The server takes no context over, so no compressor outlives its message. The client's window is kept between
    messages only if it may take its context over.
    """

    def __cinit__(self, int client_window_bits=15, int server_window_bits=12, bint client_takeover=False):
        for bits in (client_window_bits, server_window_bits):
            if not MIN_WINDOW_BITS <= bits <= MAX_WINDOW_BITS:
                raise ValueError("window bits range from 9 to 15")
        self.client_window_bits = client_window_bits
        self.server_window_bits = server_window_bits
        self.client_takeover = client_takeover

    cdef object inflate(self, View data, Py_ssize_t limit):
        """Inflate one message.

        Shape: `data` is borrowed. Returns an owned bytearray; None if the data are no complete deflate stream.
        Units: at most `limit` + 1 bytes come back, and that one more says "too large"; the rest is not inflated.
        Errors: after None, and after too much, the stream is gone: fail the connection. zlib notices a window larger
            than agreed on only where it matters, that is when it no longer has the bytes.
        Allocates: the result, a zlib stream unless one is kept, one chunk at a time.
        Source: RFC 7692 7.2.2.
        """
        stream = self._inflater if self._inflater is not None else zlib.decompressobj(-self.client_window_bits)
        self._inflater = None
        cdef bytearray output = bytearray()
        cdef Py_ssize_t start = 0
        cdef Py_ssize_t size
        try:
            while start < data.size and not stream.eof and len(output) <= limit:
                size = min(data.size - start, <Py_ssize_t> INFLATE_STEP)
                inflate_chunk(stream, (<const char*> data.data)[start:start + size], output, limit)
                start += size
            if stream.eof and len(output) <= limit:
                # A sender may close its stream and must then open an empty block for the tail (RFC 7692 7.2.3.4).
                rest = stream.unused_data + (<const char*> data.data)[start:min(start + 2, data.size)]
                return output if rest == b"\x00" else None
            inflate_chunk(stream, FLUSH_TAIL, output, limit)
            if len(output) <= limit and not is_between_blocks(stream, self.client_takeover):
                return None
        except zlib.error:
            return None
        if self.client_takeover:
            self._inflater = stream
        return output

    cpdef bytes deflate(self, data):
        """Compress one message for `build_compressed_frame`; `data` is a buffer. Allocates: stream and result."""
        stream = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -self.server_window_bits, DEFLATE_MEMORY)
        cdef bytes packed = stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)
        return packed[:-4]      # the FLUSH_TAIL, which the peer puts back


cdef int inflate_chunk(stream, bytes chunk, bytearray output, Py_ssize_t limit) except -1:
    """Inflate a chunk into `output`, until that is one byte longer than `limit`.

    Without input left, zlib may still hold the rest of one match, 258 bytes at most: the next call brings it.
    """
    cdef Py_ssize_t most
    while len(output) <= limit and not stream.eof:
        most = min(limit - len(output), <Py_ssize_t> (4 * INFLATE_STEP)) + 1
        output += stream.decompress(chunk, most)
        chunk = stream.unconsumed_tail
        if not chunk:
            break
    return 0


cdef bint is_between_blocks(stream, bint keep) except -1:
    """Say whether the stream has ended on the end of a block, so that nothing of the message is missing.

    Ends the stream, unless it is to be kept: then a copy.
    """
    probe = stream.copy() if keep else stream
    return not stream.eof and probe.decompress(FINAL_BLOCK, 1) == b"" and probe.eof and not probe.unused_data


def negotiate(bytes header_value not None):
    """Choose among a client's offers in Sec-WebSocket-Extensions.

    Returns the value to answer with and the Deflate agreed on, or None to go on uncompressed. The first offer that
    we can serve wins; a malformed, unknown or unservable one is passed over.

    Source: RFC 6455 9.1, RFC 7692 5 and 7.1.
    """
    for offer in split_unquoted(header_value, 44):      # ","
        agreed = accept_offer(split_unquoted(offer, 59))    # ";"
        if agreed is not None:
            return agreed
    return None


cdef list split_unquoted(bytes value, unsigned char separator):
    """Split at each `separator` that stands outside quoted strings, and strip the parts. Linear."""
    cdef list parts = []
    cdef Py_ssize_t start = 0, i
    cdef bint is_quoted = False, is_escaped = False
    cdef unsigned char byte
    for i in range(len(value)):
        byte = value[i]
        if is_escaped:
            is_escaped = False
        elif is_quoted and byte == 92:      # backslash
            is_escaped = True
        elif byte == 34:                    # double quote
            is_quoted = not is_quoted
        elif byte == separator and not is_quoted:
            parts.append(value[start:i].strip(b" \t"))
            start = i + 1
    parts.append(value[start:].strip(b" \t"))
    return parts


cdef tuple accept_offer(list parts):
    """Answer one offer, or decline it with None.

    A quoted value is declined like an unknown one: no client quotes these, and declining is always right.
    """
    if parts[0] != b"permessage-deflate":
        return None
    cdef dict params = {}
    for part in parts[1:]:
        name, equals, value = part.partition(b"=")
        name = name.rstrip(b" \t")
        if name in params:
            return None
        params[name] = value.lstrip(b" \t") if equals else None
    for name, value in params.items():
        if not is_param(name, value):
            return None
    return answer_offer(params)


cdef bint is_param(bytes name, bytes value) except -1:
    if name == b"server_no_context_takeover" or name == b"client_no_context_takeover":
        return value is None
    if name == b"client_max_window_bits" and value is None:
        return True
    return (name == b"client_max_window_bits" or name == b"server_max_window_bits") and value in WINDOW_BITS


cdef tuple answer_offer(dict params):
    """Build the answer to valid parameters.

    What a connection keeps while idle is the client's window, so it is capped where the client lets us cap it, and
    where it does not, the client may not take its context over: RFC 7692 7.1.1.2 lets a server ask for that unasked.
    """
    cdef bytes answer = b"permessage-deflate; server_no_context_takeover"
    cdef bint can_cap = b"client_max_window_bits" in params
    cdef bint takeover = can_cap and b"client_no_context_takeover" not in params
    cdef int client_bits = MAX_WINDOW_BITS
    cdef int server_bits = OUR_WINDOW_BITS
    if not takeover:
        answer += b"; client_no_context_takeover"
    if b"server_max_window_bits" in params:
        server_bits = min(server_bits, <int> WINDOW_BITS[params[b"server_max_window_bits"]])
        answer += b"; server_max_window_bits=%d" % server_bits
    if can_cap:
        client_bits = WINDOW_BITS.get(params[b"client_max_window_bits"], MAX_WINDOW_BITS)
        client_bits = min(client_bits, <int> OUR_WINDOW_BITS)
        answer += b"; client_max_window_bits=%d" % client_bits
    return answer, Deflate(client_bits, server_bits, takeover)


utf8_build()
fastsio_mask_select()
