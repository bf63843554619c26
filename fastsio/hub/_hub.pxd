"""What all peers of one server share."""
from fastsio._json cimport Json
from fastsio.engine._outbox cimport Manner, Prepared
from fastsio.engine._session cimport Lines, Session
from fastsio.hub._durations cimport Durations
from fastsio.hub._rooms cimport Rooms
from fastsio.hub._runner cimport Runner


cdef class Hub:
    cdef readonly object server
    cdef readonly Rooms rooms
    cdef readonly object serializer
    cdef Json _json                     # the same, when it is the default one
    cdef readonly object packer         # writes and reads whole packets; None when the codec does
    cdef public object tap              # takes what is sent, when the application has replaced the sending
    cdef public bint manager_takes_acks  # the manager does more with an ack than calling who waits for it
    cdef public bint manager_is_plain   # what it does when clients come and go may be done without it
    cdef public bint manager_emits      # the manager does more with an emit than owing it to clients here
    cdef public Py_ssize_t max_running
    cdef readonly long long received    # events of clients
    cdef public long long emitted       # events of the application
    cdef public long long failed        # handlers of events that raised
    cdef readonly Durations durations   # None unless handlers are timed
    # what `watch` has seen of the server
    cdef object handlers
    cdef object classes
    cdef object not_handled
    cdef bint async_handlers
    cdef bint is_trigger_hooked
    cdef bint are_events_hooked         # Engine.IO's, which the application has put handlers of its own for
    cdef Runner _runner
    cdef Lines lines                    # for each event
    cdef Runner runner_of(self, object loop)
    cdef tuple find_call(self, str namespace, str sid, list data)
    cpdef int post(self, Session session, int type, str namespace, object id, object data) except -1
    cpdef Prepared encode(self, int type, str namespace, object id, object data)
    cdef Prepared _encode_texts(self, bytes head, list texts, Py_ssize_t size)
    cdef Prepared _pack(self, object packed)
    cpdef int owe(
        self, object event, object data, object namespace, object room, object skip_sid, object callback,
        Manner manner=*, object key=*,
    ) except -1
    cdef Py_ssize_t _owe_with_callback(self, str namespace, object room, object skip, list packet, object callback) except -1
