"""Messages encoded once and shaped lazily, and what a session owes its client."""
from fastsio._bytes cimport View
from fastsio._codec cimport EioType


cdef enum Manner:
    # From DROPPABLE on, a policy may drop it when its client is too slow.
    RELIABLE = 0        # it is delivered, or the session ends
    DROPPABLE = 1       # an ordinary event
    LATEST = 2          # a newer one of the same key takes the place of one that still waits
    VOLATILE = 3        # dropped at once for a client that is behind


cdef class Prepared:
    # one text packet as a whole WebSocket frame, None when the message is binary only
    cdef bytes _frame
    cdef Py_ssize_t _offset             # where in _frame the Engine.IO packet begins
    # binary messages that follow it, each an Engine.IO packet of its own
    cdef tuple _attachments
    cdef readonly Py_ssize_t size       # bytes of data
    cdef readonly Py_ssize_t packets    # Engine.IO packets
    # how it may be treated
    cdef Manner manner
    cdef object key                     # of LATEST: equal ones replace each other
    # shapes, made when the first recipient needs them
    cdef bytes _ws_v4
    cdef bytes _ws_v3
    cdef bytes _ws_b64
    cdef dict _ws_deflated              # (revision, b64, window bits) -> frames
    cdef bytes _polling_v4
    cdef bytes _polling_v3
    cdef bytes _polling_v3_b64
    cdef list _events_v4
    cdef list _events_v3

    @staticmethod
    cdef Prepared blank(EioType type, Py_ssize_t size, char** data)

    @staticmethod
    cdef Prepared text(EioType type, bytes head, bytes tail)

    @staticmethod
    cdef Prepared binary(bytes data)

    @staticmethod
    cdef Prepared with_attachments(bytes head, bytes tail, list attachments)
    cdef View packet(self)
    cdef list described(self)
    cdef bint has_binary(self) noexcept
    cdef bytes ws(self, int version, bint b64)
    cdef bytes ws_deflated(self, int version, bint b64, int window_bits, object deflate)
    cdef bytes _deflate(self, int version, bint b64, object deflate)
    cdef bytes polling(self, int version, bint b64)
    cdef bytes polling_v3_binary(self)
    cpdef list events(self, int version, bint b64)
    cdef list _bodies(self, bytes prefix)
    cdef list _make_events(self, list bodies)
    cdef list _texts(self, int version)
    cdef list _base64_attachments(self, int version)
    cdef bytes _join_frames(self, int opcode, object bodies)


cdef class Outbox:
    cdef Prepared _only                 # what is owed when it is one message, as it mostly is: it needs no list
    cdef list _items                    # what is owed otherwise; None until then
    cdef Py_ssize_t _loose              # items that may be dropped
    cdef Py_ssize_t _firm               # so many items at the head of _items may not: nobody has to look at them again
    cdef dict _keyed                    # key of LATEST -> its place in _items; None until asked for
    cdef readonly Py_ssize_t size
    cdef readonly Py_ssize_t packets
    cdef int push(self, Prepared message) except -1
    cdef list _listed(self)
    cdef Prepared take_only(self)
    cdef list take(self)
    cdef bytes take_payload(self, int version, bint b64, Py_ssize_t limit, bint* is_binary)
    cdef int put_back(self, list items) except -1
    cdef int clear(self) except -1
    cdef bint replace(self, Prepared message, Py_ssize_t size, Py_ssize_t packets) except -1
    cdef dict _places(self)
    cdef int _pass_firm(self) except -1
    cdef Py_ssize_t drop_oldest(self, Py_ssize_t size, Py_ssize_t packets) except -1
    cdef list _take_up_to(self, Py_ssize_t limit)


cdef Prepared PING_PACKET
cdef Prepared PONG_PACKET
cdef Prepared PONG_PROBE_PACKET
cdef Prepared NOOP_PACKET
cdef Prepared CLOSE_PACKET
