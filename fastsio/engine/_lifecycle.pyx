"""The state machine of one session: open, heartbeat, upgrade, close. Packet types and times in, verdicts out.

May import: `_codec` (types), `_wheel` (the base class), `options`. Never sees bytes, sockets, loops or clocks.
Source: Engine.IO protocol 4 and 3, "Handshake", "Heartbeat", "Upgrade". One deadline of each kind per session; it
survives a change of transport.
"""
from fastsio._codec cimport (
    CLOSE, EioType, MESSAGE, PING, PING_PROBE, PONG, UPGRADE,
)
from fastsio.engine._wheel cimport NEVER, Timed
from fastsio.options cimport Options


cdef class Lifecycle(Timed):
    """State of one session, without anything that could send."""

    def __cinit__(self, *args):
        self.version = 4
        self.state = OPENING
        self._beat_due = self._probe_due = self._join_due = self._linger_due = NEVER

    def __init__(self, int version):
        self.version = version

    cpdef void open(self, LinkKind kind, bint must_join, double now, Options options) noexcept:
        """The handshake is answered. `must_join`: a namespace has to be joined within `connect_timeout`."""
        self.state = LIVE
        self.kind = kind
        if must_join:
            self._join_due = now + options.connect_timeout
        self._rest(now, options)

    cpdef Verdict on_packet(self, EioType type, double now, Options options) noexcept:
        """Judge a packet that came over the transport in use."""
        if self.state != LIVE:
            return IGNORE
        if type == MESSAGE:
            self._heard = True
            return DELIVER
        if type == PING or type == PING_PROBE:
            if self.version != 3:
                return VIOLATION    # Engine.IO 4: only the server pings
            self._rest(now, options)
            return ANSWER_PONG
        if type == PONG:
            if self.version == 4 and self._awaiting_pong:
                self._rest(now, options)
            return IGNORE
        if type == CLOSE:
            return PEER_CLOSED
        return IGNORE

    cpdef Verdict on_probe_packet(self, EioType type) noexcept:
        """Judge a packet that came over the WebSocket that wants to take over."""
        if self.state != LIVE:
            return REFUSE_LINK
        if type == PING_PROBE:
            self.probing = True
            return ANSWER_PROBE
        if type == UPGRADE and self.probing:
            return SWITCH
        return REFUSE_LINK

    cpdef void begin_probe(self, double now, Options options) noexcept:
        self._probe_due = now + options.upgrade_timeout

    cpdef void end_probe(self) noexcept:
        """The probing WebSocket is gone; polling goes on as if it had never been."""
        self.probing = False
        self._probe_due = NEVER

    cpdef void switch(self) noexcept:
        self.end_probe()
        self.kind = WEBSOCKET

    cpdef void joined(self) noexcept:
        """A namespace was joined; the deadline for that is gone for good."""
        self._join_due = NEVER

    cpdef void hold(self, bint held, double now) noexcept:
        """Its packets wait in the network because its handlers are behind, or do so no longer."""
        self.held = held
        self._held_since = now
        self._heard = True      # what it says of itself may lie behind much else
        self._extended = False

    cpdef void linger(self, double now, Options options) noexcept:
        """Closed, but the client of a polling session has still to hear of it."""
        self.state = LINGERING
        self.probing = False
        self._beat_due = self._probe_due = self._join_due = NEVER
        self._linger_due = now + options.linger_timeout

    cpdef Due on_time(self, double now, Options options) noexcept:
        """Say one thing that is due at `now`; the caller acts and asks again until it is NOTHING."""
        if self._linger_due <= now:
            self._linger_due = NEVER
            return LINGER_TIMEOUT
        if self._probe_due <= now:
            self._probe_due = NEVER
            return PROBE_TIMEOUT
        if self._join_due <= now:
            self._join_due = NEVER
            return JOIN_TIMEOUT
        if self._beat_due <= now:
            return self._on_beat(now, options)
        return NOTHING

    cpdef double next_due(self) noexcept:
        return min(min(self._beat_due, self._probe_due), min(self._join_due, self._linger_due))

    cdef Due _on_beat(self, double now, Options options) noexcept:
        if self.version == 3:
            if not self._heard and not self._is_excused(now, options):
                return self._dead()
            self._rest(now, options)
            return NOTHING
        if not self._awaiting_pong:
            self._awaiting_pong = True
            self._heard = self._extended = False
            self._beat_due = now + options.ping_timeout
            return SEND_PING
        if self._is_excused(now, options) or (self._heard and not self._extended):
            # Data came after the ping: the client lives, its pong may be queued behind. Once per ping.
            self._extended = True
            self._beat_due = now + options.ping_timeout
            return NOTHING
        return self._dead()

    cdef bint _is_excused(self, double now, Options options) noexcept:
        """It is not read, so whether it is still there cannot be known; but not for ever."""
        return self.held and now - self._held_since < options.hold_timeout

    cdef Due _dead(self) noexcept:
        self._beat_due = NEVER
        return PING_TIMEOUT

    cdef void _rest(self, double now, Options options) noexcept:
        """The peer is known to live: start the wait for its next sign of life."""
        self._awaiting_pong = False
        self._heard = False
        self._beat_due = now + options.ping_interval
        if self.version == 3:
            self._beat_due += options.ping_timeout
