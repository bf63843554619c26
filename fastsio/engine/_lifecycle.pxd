"""The state machine of one session: packet types and times in, verdicts out."""
from fastsio._codec cimport EioType
from fastsio.engine._wheel cimport Timed
from fastsio.options cimport Options


cpdef enum State:
    OPENING = 0     # admitted, the handshake is not answered yet
    LIVE = 1
    LINGERING = 2   # closed; a polling client has still to be told with its next GET
    CLOSED = 3


cpdef enum LinkKind:
    POLLING = 0
    WEBSOCKET = 1


cpdef enum Verdict:
    IGNORE = 0
    DELIVER = 1         # a message for the floor above
    ANSWER_PONG = 2     # Engine.IO 3: the client pinged
    ANSWER_PROBE = 3    # the probing WebSocket works: say so
    SWITCH = 4          # the probing WebSocket takes over
    REFUSE_LINK = 5     # the probing WebSocket misbehaved: close it, the session goes on
    PEER_CLOSED = 6
    VIOLATION = 7


cpdef enum Due:
    NOTHING = 0
    SEND_PING = 1
    PING_TIMEOUT = 2
    PROBE_TIMEOUT = 3
    JOIN_TIMEOUT = 4
    LINGER_TIMEOUT = 5


cdef class Lifecycle(Timed):
    cdef readonly int version           # Engine.IO revision: 3 or 4
    cdef readonly State state
    cdef readonly LinkKind kind                  # the transport in use
    cdef readonly bint held                      # it is not read: its silence says nothing
    cdef readonly bint probing                   # a WebSocket has been probed and may take over
    # heartbeat
    cdef bint _awaiting_pong
    cdef bint _heard                    # any packet since the last ping (4) or since the last look (3)
    cdef bint _extended                 # an unanswered ping has been given its one extension
    # when what is due, NEVER if not
    cdef double _beat_due
    cdef double _held_since
    cdef double _probe_due
    cdef double _join_due
    cdef double _linger_due
    cpdef void open(self, LinkKind kind, bint must_join, double now, Options options) noexcept
    cpdef Verdict on_packet(self, EioType type, double now, Options options) noexcept
    cpdef Verdict on_probe_packet(self, EioType type) noexcept
    cpdef void begin_probe(self, double now, Options options) noexcept
    cpdef void end_probe(self) noexcept
    cpdef void switch(self) noexcept
    cpdef void joined(self) noexcept
    cpdef void hold(self, bint held, double now) noexcept
    cpdef void linger(self, double now, Options options) noexcept
    cpdef Due on_time(self, double now, Options options) noexcept
    cpdef double next_due(self) noexcept
    cdef Due _on_beat(self, double now, Options options) noexcept
    cdef bint _is_excused(self, double now, Options options) noexcept
    cdef Due _dead(self) noexcept
    cdef void _rest(self, double now, Options options) noexcept
