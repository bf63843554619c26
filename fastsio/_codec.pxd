"""What sibling modules cimport from the codec: packet structs, decoders over views, encoders to bytes."""
cimport cython

from fastsio._bytes cimport View
from fastsio._json cimport Json


cdef enum Status:
    OK = 0
    EMPTY_PACKET = 1
    BAD_TYPE = 2
    BAD_LENGTH = 3
    BAD_UTF8 = 4
    BAD_BASE64 = 5
    TOO_MANY_PACKETS = 6
    BAD_ATTACHMENTS = 7
    BAD_ID = 8
    BAD_NAMESPACE = 9


cdef enum EioType:
    # Wire types 0 to 6, and the two probes, which have a type of their own so that a session never sees bytes.
    OPEN = 0
    CLOSE = 1
    PING = 2
    PONG = 3
    MESSAGE = 4
    UPGRADE = 5
    NOOP = 6
    PING_PROBE = 7
    PONG_PROBE = 8


cdef enum SioType:
    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


cdef struct EioPacket:
    EioType type
    bint is_binary      # the data are bytes, not text
    bint is_base64      # the data are still base64: bytes once `decode_base64` has been asked
    View data           # in the same memory as the input


cdef struct SioPacket:
    SioType type
    Py_ssize_t attachments  # announced attachments, -1 when none were announced
    View namespace      # size 0 when it is "/"
    View id             # ASCII digits, size 0 when there is none; leading zeros already cut
    View data           # JSON text, size 0 when there is none


# --- Engine.IO, inwards

cdef Status decode_packet_view(View message, int version, bint is_binary, EioPacket* out) noexcept nogil
cdef Py_ssize_t check_payload_view(View body, int version, bint is_binary, Py_ssize_t limit, Status* why) noexcept nogil
cdef Status next_packet_view(View* body, int version, bint is_binary, EioPacket* out) noexcept nogil
cdef bytes decode_base64(View text)

# --- Engine.IO, outwards

cdef Py_ssize_t utf16_length(const unsigned char* text, Py_ssize_t size) noexcept nogil
cdef bytes base64_packet(bytes prefix, bytes data)
cdef bytes v3_text_item(View packet)
cdef bytes v3_binary_item(View packet, bint is_binary)

# --- Socket.IO

cdef Status decode_sio(View text, SioPacket* out) noexcept nogil
cdef bytes sio_head(SioType type, Py_ssize_t attachments, str namespace, object id)
cdef object reconstruct(object data, list attachments, Py_ssize_t limit)


@cython.final
cdef class SioMessage:
    """One complete Socket.IO packet. BINARY_EVENT and BINARY_ACK have become EVENT and ACK."""
    cdef readonly int type
    cdef readonly str namespace
    cdef readonly object id         # int, or None
    cdef readonly object data       # None when the packet has none
    cdef Py_ssize_t size            # bytes that it came in, once its reader has noted them


@cython.final
cdef class PacketDecoder:
    # configuration
    cdef object _serializer
    cdef Json _json                 # the same, when it is the default one
    cdef Py_ssize_t _max_attachments
    cdef Py_ssize_t _max_binary
    # namespaces seen, as bytes -> str; bounded
    cdef dict _namespaces
    # the packet that waits for attachments
    cdef SioMessage _pending
    cdef list _attachments
    cdef Py_ssize_t _due            # attachments that `_pending` announced
    cdef Py_ssize_t _binary_size    # bytes of the attachments so far

    cdef SioMessage feed_text_view(self, View text)
    cdef SioMessage feed_binary_bytes(self, bytes data)
    cdef SioMessage _begin(self, SioPacket* packet)
    cdef SioMessage _complete(self)
    cdef int _reset(self) except -1
    cdef object _value_of(self, View text)
    cdef str _namespace_of(self, View name)


# --- errors

cdef object protocol_error(Status status)
