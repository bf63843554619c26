"""A session with its transports, and the two seams around it: Sink above, Link below."""
from libc.stdint cimport uint64_t

from fastsio._bytes cimport View
from fastsio._codec cimport EioPacket
from fastsio.engine._bucket cimport Bucket
from fastsio.engine._lifecycle cimport Lifecycle
from fastsio.engine._outbox cimport Outbox, Prepared
from fastsio.engine._wheel cimport Timed, Wheel
from fastsio.options cimport Options


cdef class Sink:
    """What the floor above makes of a session's messages. Raises ProtocolError to end the session."""
    cpdef int on_open(self) except -1                   # the handshake is being answered
    cdef int on_text(self, View text) except -1         # borrowed
    cdef int on_binary(self, bytes data) except -1
    cdef Py_ssize_t on_turn(self, object message) except -1     # of what it has put off: see Arrivals
    cdef int on_upgraded(self) except -1                # WebSocket has taken over from polling
    cdef int on_close(self, str reason) except -1       # called once, last
    cdef bint is_busy(self) except -1                   # something of the application runs for it


cdef class Link(Timed):
    """One transport attached to a session. A wire may give it a deadline of its own."""
    cdef public Session session
    cdef public bint b64                # its client cannot take binary
    cdef public bint is_waiting         # polling: a GET is open
    cpdef int flush(self) except -1
    cpdef int write_now(self, Prepared message) except -1
    cpdef int finish(self, int code, Prepared farewell) except -1
    cpdef int abandon(self) except -1
    cpdef int hold(self, bint held) except -1
    cdef int read_on(self) except -1
    cpdef bint is_congested(self) except -1


cdef class Traffic:
    """What went through all sessions of one server. Bytes are those of packets: their type and their data."""
    cdef readonly long long packets_in
    cdef readonly long long bytes_in
    cdef readonly long long packets_out
    cdef readonly long long bytes_out
    cdef readonly long long dropped     # messages that a policy, or being volatile, cost a client
    cdef readonly long long replaced    # messages that a later one of the same key took the place of
    cdef readonly long long upgraded    # sessions that went from polling to WebSocket
    cdef readonly Py_ssize_t polling    # sessions whose transport in use is long-polling


cdef class Lines:
    cdef readonly object logger
    cdef dict _cache                    # level -> whether the logger wants it; the logger's own
    cdef uint64_t _quiet                # the version of it that did not want lines; 0 for none
    cdef bint wanted(self) except -1


cdef class Arrivals:
    cdef bint is_reading                # a socket is being read: what it brings is put off
    cdef Flusher _flusher
    cdef object _context                # the one that connections are made in
    cdef list _waiting                  # Sink, message, Sink, message, ...
    cdef Py_ssize_t _taken              # of them
    cdef Py_ssize_t _size               # bytes of what waits
    cdef list _unread                   # Links that brought more than they had time for
    cdef double _end                    # of their time in this turn, once some are taken early; else 0
    cdef bint _taking
    cdef bint _scheduled
    cdef bint _is_due                   # at the end of the turn that somebody has begun: see Flusher
    cdef object _run_bound
    cdef int note_context(self) except -1
    cdef bint _is_full(self) noexcept
    cdef int put(self, Sink sink, object message, Py_ssize_t size) except -1
    cdef int read_later(self, Link link) except -1
    cdef int settle(self) except -1
    cdef int _schedule(self) except -1
    cdef int _read_on(self, double end) except -1
    cdef int _take(self, double end) except -1


cdef class Flusher:
    cdef readonly object loop
    cdef readonly object logger
    cdef Arrivals arrivals
    cdef Lines _lines                   # for each packet
    cdef list _dirty
    cdef Py_ssize_t _owed               # bytes that sessions were given since the last flush
    cdef bint _scheduled
    cdef bint _is_turn
    cdef bint _is_due
    cdef object _run_bound
    cdef int begin_turn(self) except -1
    cdef int end_turn(self) except -1
    cdef int mark(self, Session session) except -1
    cdef int relieve(self) except -1
    cdef int _schedule(self) except -1
    cdef int _flush_slice(self) except -1


cdef class Session(Lifecycle):
    # what each message out asks for, together in memory: a broadcast asks it of thousands
    cdef bint dirty
    cdef readonly Options options
    cdef Outbox outbox                  # what it owes its client
    cdef Flusher flusher
    cdef Traffic traffic
    cdef public Link link               # the transport in use
    # floors around it
    cdef public Sink sink
    cdef public Link probe              # a WebSocket that wants to take over
    cdef Wheel wheel
    cdef object registry
    # who it is
    cdef readonly str sid
    cdef public object request          # the handshake request
    cdef public object jsonp            # index of a JSONP session, else None
    cdef public dict user_session       # what the application keeps with it
    cdef public object environ          # the handshake as a WSGI-like dict, once somebody asked
    cdef public object socket           # what applications see of it, once somebody asked
    cdef public bint is_behind          # it has been told of in the log: events for it are dropped
    cdef public bint is_settled         # its disconnect handlers have run
    cdef readonly str close_reason
    cdef readonly double opened_at      # monotonic seconds
    # what it may send
    cdef Bucket _events                 # once a rate is set
    cdef Bucket _bytes
    cdef Bucket _pings                  # once there was one
    cdef public str counted_as          # the address that the guard counts it under
    cdef bint _overflowing
    cdef int _belong_to(self, object registry, Options options, Flusher flusher, Wheel wheel, Traffic traffic) except -1
    cpdef int send_open(self, bytes rest) except -1
    cpdef int check_body(self, bytes body, bint is_binary) except -1
    cpdef Py_ssize_t receive_slice(self, Link link, bytes body, bint is_binary, Py_ssize_t start) except -1
    cpdef tuple take_body(self)
    cdef int send(self, Prepared message) except -1
    cdef Prepared take_only(self)
    cdef list take_owed(self)
    cdef int put_back(self, list items) except -1
    cdef int flush(self) except -1
    cdef bint may_ping(self, double now) except -1
    cdef int receive(self, Link link, EioPacket* packet, double now) except -1
    cdef int receive_frame(self, Link link, View message, bint is_binary, double now) except -1
    cpdef int close(self, str reason, int code=*, Prepared farewell=*) except -1
    cpdef int violate(self, object error, int code=*) except -1
    cdef int _leave(self) except -1
    cdef int _break_off(self, object error, int code=*) except -1
    cdef int lost(self, Link link) except -1
    cdef int _deliver(self, EioPacket* packet) except -1
    cdef int _receive_probe(self, Link link, EioPacket* packet, double now) except -1
    cdef int _refuse_probe(self) except -1
    cdef int _switch(self) except -1
    cdef int fault(self, exc) except -1
    cdef int _finish(self, Link link, int code, Prepared farewell) except -1
    cdef int _end(self) except -1
    cdef int _expire(self) except -1
    cdef int _act(self, int due, double now) except -1
    cdef int _log_sent(self, Prepared message) except -1
    cdef int _log_received(self, EioPacket* packet) except -1
    cdef bint _is_wanted(self, Prepared message) except -1
    cdef bint _replaces(self, Prepared message) except -1
    cdef bint _make_room(self, Prepared message) except -1
    cdef bint _keeps_pace(self, EioPacket* packet, double now) except -1
    cdef int hold_reading(self, bint held) except -1
    cdef int _overflow(self, Py_ssize_t size, Py_ssize_t packets) except -1
    cdef bint _can_say_goodbye(self) except -1


cpdef Session new_session(
    str sid, int version, object request, object registry, Options options, Flusher flusher, Wheel wheel, Traffic traffic
)
