"""One Socket.IO client: a session plus the namespaces it has joined."""
from fastsio._bytes cimport View
from fastsio._codec cimport PacketDecoder, SioMessage, SioType
from fastsio.engine._outbox cimport Prepared
from fastsio.engine._session cimport Session, Sink
from fastsio.hub._rooms cimport Member, Rooms


cdef class Hub:
    """What all peers of one server share."""
    cdef readonly object server
    cdef readonly Rooms rooms
    cdef readonly object serializer
    cdef readonly object packer         # writes and reads whole packets; None when the codec does
    cdef public object tap              # takes what is sent, when the application has replaced the sending
    cdef public bint manager_takes_acks # the manager does more with an ack than calling who waits for it
    cdef public Py_ssize_t max_running
    cdef dict _log_cache                # level -> whether the server's logger wants it; the logger's own
    cdef bint logs_events(self) except -1
    cpdef int post(self, Session session, int type, str namespace, object id, object data) except -1
    cdef Prepared _pack(self, object packed)
    cpdef Prepared encode(self, int type, str namespace, object id, object data)


cdef class Peer(Sink):
    cdef readonly Hub hub
    cdef readonly Session session
    cdef readonly dict members          # namespace -> Member
    cdef Member _root                   # the member of "/", the usual one
    cdef PacketDecoder _decoder
    cdef object _reader                 # in its place when the hub has a packer
    cdef set _left                      # namespaces it asked for and is not in any more
    # what has to wait for a handler that runs inline
    cdef bint _busy
    cdef list _waiting
    cdef Py_ssize_t _waiting_bytes
    cdef object _inline                 # the task that they wait for
    # event handlers that run
    cdef Py_ssize_t _running
    cdef set _tasks
    cdef int _feed(self, object raw, Py_ssize_t size) except -1
    cdef int _refuse(self, object error) except -1
    cdef int _take(self, SioMessage message, Py_ssize_t size) except -1
    cdef int _wait(self, SioMessage message, Py_ssize_t size) except -1
    cdef int _handle(self, SioMessage message) except -1
    cdef int _on_connect(self, SioMessage message) except -1
    cdef int _on_disconnect(self, Member member) except -1
    cdef int _on_event(self, Member member, SioMessage message) except -1
    cdef int _on_ack(self, Member member, SioMessage message) except -1
    cdef Member _member_of(self, SioMessage message)
    cdef int _misplaced(self, SioMessage message) except -1
    cdef object _start(self, object coroutine)
    cdef int _start_inline(self, object coroutine) except -1
    cdef int _handler_done(self) except -1
    cdef int _forget(self, Member member) except -1
