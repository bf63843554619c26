"""One Socket.IO client: a session plus the namespaces it has joined."""
from fastsio._bytes cimport View
from fastsio._codec cimport PacketDecoder, SioMessage
from fastsio.engine._session cimport Session, Sink
from fastsio.hub._hub cimport Hub
from fastsio.hub._rooms cimport Member
from fastsio.hub._runner cimport Rest, Runner, Spare


cdef class Call:
    """One event on its way through its handler."""
    cdef Member member
    cdef object handler
    cdef tuple args
    cdef object id                      # of the acknowledgement that is due; None for none
    cdef object event
    cdef object task
    cdef double begun                   # monotonic seconds, where handlers are timed


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
    cdef Py_ssize_t _begun_bytes        # of the packet whose attachments are still to come
    cdef Py_ssize_t _put_off            # packets that are taken when all sockets have been read
    cdef object _inline                 # the task that they wait for
    # event handlers that wait for something
    cdef Py_ssize_t _running
    cdef set _calls
    cdef set _tasks                     # others: inline handlers, acknowledgements
    cdef int _feed(self, object raw, Py_ssize_t size) except -1
    cdef int _refuse(self, object error) except -1
    cdef int _came(self, SioMessage message, Py_ssize_t size) except -1
    cdef int _take(self, SioMessage message) except -1
    cdef bint _attempt(self, object context, SioMessage message) except -1
    cdef int _wait(self, SioMessage message) except -1
    cdef int _handle(self, SioMessage message) except -1
    cdef int _on_connect(self, SioMessage message) except -1
    cdef int _on_disconnect(self, Member member) except -1
    cdef int _on_event(self, Member member, SioMessage message) except -1
    cdef int _on_ack(self, Member member, SioMessage message) except -1
    cdef Member _member_of(self, SioMessage message)
    cdef int _misplaced(self, SioMessage message) except -1
    cdef object _start(self, object coroutine)
    cdef object _hold(self, object task)
    cdef int _resume(self) except -1
    cdef int _time(self, Call call) except -1
    cdef int _take_waiting(self) except -1
    cdef bint _is_far_behind(self, Py_ssize_t share) except -1
    cdef bint _is_asked(self) except -1
    cpdef int join(self, Member member) except -1
    cpdef int send_welcome(self, Member member) except -1
    cdef bint _close_quietly(self, list members) except -1
    cdef int _start_connect(self, str namespace, object auth) except -1
    cdef tuple _let_in(self, str namespace, object auth, Spare spare)
    cdef Member _new_member(self, str namespace)
    cdef int _start_inline(self, object coroutine) except -1
    cdef int _inline_began(self, Runner runner, Spare spare, tuple left, object error) except -1
    cdef int _start_call(self, Call call) except -1
    cdef int _send_ack(self, Call call, object result) except -1
    cdef int _wait_for(self, Call call, Runner runner, Spare spare, Rest first) except -1
    cdef int _acknowledge(self, Call call, object result) except -1
    cdef object _acknowledge_cancelled(self, Call call)
    cdef int _handler_done(self) except -1
    cdef int _forget(self, Member member) except -1
