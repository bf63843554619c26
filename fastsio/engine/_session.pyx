"""A session with its transports: acts on what the state machine says, delivers upwards, owes downwards.

May import: the rest of the engine floor, `_codec`, `errors`, `options`. Never touches a socket and knows no rooms.
Handlers above may call anything from inside a delivery: after each one the state is looked at again.
"""
cimport cython
from cpython.contextvars cimport PyContext_Copy, PyContext_CopyCurrent, PyContext_Enter, PyContext_Exit
from cpython.object cimport PyObject

import logging
from time import time

from fastsio._bytes cimport View, view_bytes, view_of, view_skip
from fastsio._cache cimport fetch_lines
from fastsio._collector cimport hold_collector, release_collector
from fastsio._dicts cimport DICTS_HAVE_VERSIONS, dict_version
from fastsio._codec cimport (
    BAD_TYPE, EMPTY_PACKET, MESSAGE, NOOP, OK, OPEN, PING, PING_PROBE, PONG, TOO_MANY_PACKETS, EioPacket, EioType,
    Status, check_payload_view, decode_base64,
    decode_packet_view, next_packet_view, protocol_error,
)
from fastsio.engine._bucket cimport Bucket
from fastsio.engine._ids cimport json_object
from fastsio.engine._lifecycle cimport (
    ANSWER_PONG, ANSWER_PROBE, CLOSED, DELIVER, JOIN_TIMEOUT, LINGERING, LIVE, NOTHING,
    PEER_CLOSED, PING_TIMEOUT, POLLING, PROBE_TIMEOUT, SEND_PING, SWITCH, VIOLATION, WEBSOCKET, Due,
    Verdict,
)
from fastsio.engine._outbox cimport (
    CLOSE_PACKET, DROPPABLE, LATEST, NOOP_PACKET, PING_PACKET, PONG_PACKET, PONG_PROBE_PACKET, RELIABLE, Outbox, Prepared,
)
from fastsio.engine._wheel cimport NEVER, Timed, Wheel, monotonic
from fastsio.options cimport Options

from fastsio.errors import ProtocolError
from fastsio.engine import reasons

# Seconds that one slice of a flush may hold the loop before other clients are served, and how often that is checked.
cdef double FLUSH_SLICE = 0.005
cdef enum:
    FLUSH_CHECK = 16

# How many bytes from the start of each a flush asks for: see `_fetch_ahead`.
cdef enum:
    HOT_OF_SESSION = 192
    HOT_OF_LINK = 128
    HOT_OF_OUTBOX = 96

# Bytes owed to clients at which a flush does not wait for the end of the loop turn.
cdef Py_ssize_t OWED_AT_ONCE = 262_144

# Messages, and their bytes on the wire, that are put off until all sockets of a turn are read: with more, the oldest are taken.
cdef Py_ssize_t MAX_ARRIVALS = 256
cdef Py_ssize_t MAX_ARRIVED = 262_144
# Seconds for which they may hold the loop before sockets are read again; before the one that is read has its next message
# taken; and after how many that is checked, the first few aside.
cdef double ARRIVALS_SLICE = 0.002
cdef double EARLY_SLICE = 0.000_25
cdef enum:
    ARRIVALS_CHECK = 8

# Packets of a polling body that are taken before other clients are served.
cdef int BODY_SLICE = 256

# The level of the lines for each packet, and what they call the types.
cdef object INFO = logging.INFO
PACKET_NAMES = ("OPEN", "CLOSE", "PING", "PONG", "MESSAGE", "UPGRADE", "NOOP")

# Close code that stands for "a close frame without code" (RFC 6455 7.4.1).
cdef int NO_CODE = 1005


cdef class Sink:
    """Takes what a client sends. The base class ignores everything."""

    cpdef int on_open(self) except -1:
        return 0

    cdef int on_text(self, View text) except -1:
        return 0

    cdef int on_binary(self, bytes data) except -1:
        return 0

    cdef Py_ssize_t on_turn(self, object message) except -1:
        """Take what was put off. Gives the bytes that it was put off with."""
        return 0

    cdef int on_upgraded(self) except -1:
        return 0

    cdef int on_close(self, str reason) except -1:
        return 0

    cdef bint is_busy(self) except -1:
        return False


cdef class MessageSink(Sink):
    """A sink for Python: subclasses define `message(data)` and `closed(reason)`.

    Allocates: one `str` or `bytes` per message.
    """

    cdef int on_text(self, View text) except -1:
        self.message(view_bytes(text).decode())
        return 0

    cdef int on_binary(self, bytes data) except -1:
        self.message(data)
        return 0

    cdef int on_close(self, str reason) except -1:
        self.closed(reason)
        return 0


cdef class Link(Timed):
    """One transport of a session. The wires subclass it."""

    cpdef int flush(self) except -1:
        """Write what the session owes, as far as the transport takes it now."""
        return 0

    cpdef int write_now(self, Prepared message) except -1:
        """Write past the outbox: answers to a probe."""
        return 0

    cpdef int finish(self, int code, Prepared farewell) except -1:
        """The session is done with this transport: write `farewell`, if any, and close with `code`."""
        return 0

    cpdef int abandon(self) except -1:
        """The client does not read: what the transport still holds for it need not be waited for."""
        return 0

    cpdef int hold(self, bint held) except -1:
        """Stop reading what the client sends, or go on: its handlers are behind. A transport that cannot ignores it."""
        return 0

    cdef int read_on(self) except -1:
        """Go on with what was read and not taken: see `Arrivals.read_later`."""
        return 0

    cpdef bint is_congested(self) except -1:
        """Tell whether the transport holds what the client has not taken."""
        return False

    @property
    def unsent(self):
        """Bytes that have left the outbox and wait in the transport; what the kernel holds is not known."""
        return 0

    def take_events(self, list events=None):
        """Take what the session owes as ASGI events, in order, behind `events`; nothing for a WebSocket that is only probing."""
        cdef Session session = self.session
        cdef Prepared message
        cdef bint was_on = hold_collector()     # what is taken is nowhere else until it is in the list
        try:
            events = [] if events is None else events
            if session is not None and session.link is self:
                for message in session.take_owed():
                    events.extend(message.events(session.version, self.b64))
        finally:
            release_collector(was_on)
        return events

    def receive(self, message):
        """Take one WebSocket message, str or bytes."""
        cdef Session session = self.session
        cdef bint is_binary = isinstance(message, bytes)
        cdef bytes data = message if is_binary else message.encode("utf-8", "surrogatepass")
        if session is not None:
            session.receive_frame(self, view_of(data), is_binary, monotonic())

    def disconnected(self):
        """The transport is gone, whoever closed it."""
        if self.session is not None:
            self.session.lost(self)


@cython.final
cdef class Traffic:
    """Counts what sessions take and give, for whoever reads it."""


@cython.final
cdef class Lines:
    """Whether a logger, as applications give them, wants a line at INFO for each packet or event: asked with each of them."""

    def __init__(self, logger):
        cache = getattr(logger, "_cache", None)
        self.logger = logger
        self._cache = cache if type(cache) is dict else None

    cdef bint wanted(self) except -1:
        if self._cache is not None:
            if DICTS_HAVE_VERSIONS and dict_version(self._cache) == self._quiet:
                return False    # as when it was asked last
            if self._cache.get(INFO) is False:
                self._quiet = dict_version(self._cache)
                return False
        if self.logger is None:
            return False
        asked = getattr(self.logger, "isEnabledFor", None)
        return asked is None or asked(INFO)


@cython.final
cdef class Arrivals:
    """Messages that sockets have brought in this turn of the loop, taken in their order once all sockets are read.

    Reading and handling are each about what a processor's caches hold: done by turns, the one drives out the other.
    They are taken in the context in which connections are made, whoever it is that reads or has them taken.
    """

    def __init__(self, Flusher flusher not None):
        self._flusher = flusher
        self._waiting = []
        self._unread = []
        self._run_bound = self._run

    cdef int note_context(self) except -1:
        """A connection is made: in the context that handlers will run in."""
        if self._context is None:
            self._context = PyContext_CopyCurrent()
        return 0

    cdef bint _is_full(self) noexcept:
        return len(self._waiting) - self._taken >= 2 * MAX_ARRIVALS or self._size >= MAX_ARRIVED

    cdef int put(self, Sink sink, object message, Py_ssize_t size) except -1:
        """Have `sink.on_turn(message)` called before the turn is over; at once for the oldest while too much waits."""
        cdef double now
        self._waiting.append(sink)
        self._waiting.append(message)
        self._size += size
        if self._is_full():
            now = monotonic()
            if self._end == 0.0:
                self._end = now + ARRIVALS_SLICE
            self._take(now + EARLY_SLICE)
        return self._schedule() if self._waiting and not self._scheduled else 0

    cdef int read_later(self, Link link) except -1:
        """Have `link.read_on()` called in a later turn: it brought more than it has time for in this one."""
        self._unread.append(link)
        return 0 if self._scheduled else self._schedule()

    cdef int settle(self) except -1:
        """Take all that waits: something comes that must not overtake it."""
        return self._take(NEVER) if self._waiting and not self._taking else 0

    cdef int _schedule(self) except -1:
        self._scheduled = True
        if self._flusher._is_turn:
            self._is_due = True
        else:
            self._flusher.loop.call_soon(self._run_bound)
        return 0

    def _run(self):
        cdef Flusher flusher = self._flusher
        cdef bint was_scheduled = flusher._scheduled
        cdef double end = self._end or monotonic() + ARRIVALS_SLICE
        self._scheduled = False
        flusher._scheduled = True   # what handlers leave is flushed here
        try:
            if self._unread:
                self._read_on(end)
            self._take(end)
        finally:
            self._end = 0.0
            flusher._scheduled = was_scheduled
            if (self._waiting or self._unread) and not self._scheduled:
                self._schedule()
            flusher._flush_slice()

    cdef int _read_on(self, double end) except -1:
        """Read what earlier turns have left, from one client at least: before messages are taken, in the same time."""
        cdef object context = PyContext_Copy(self._context)
        cdef Py_ssize_t size = len(self._unread), count = 0
        cdef Link link
        self._end = end
        PyContext_Enter(context)
        try:
            while self._unread and count < size and (count == 0 or monotonic() < end):
                link = <Link> self._unread.pop(0)
                count += 1
                link.read_on()
        finally:
            PyContext_Exit(context)
        return 0

    cdef int _take(self, double end) except -1:
        """Take messages until the time `end`, and until no more wait than may: one at least, for NEVER all.

        What they leave for one client goes in one write.
        """
        cdef bint was_reading = self.is_reading, was_taking = self._taking
        cdef object context = PyContext_Copy(self._context)
        cdef Py_ssize_t count = 0, size
        cdef Sink sink
        self.is_reading = False     # what a handler feeds to a client comes at once
        self._taking = True
        PyContext_Enter(context)
        try:
            while self._taken < len(self._waiting):
                sink, message = <Sink> self._waiting[self._taken], self._waiting[self._taken + 1]
                self._taken += 2        # first: a handler that runs the loop has the next ones taken
                size = sink.on_turn(message)
                self._size -= size
                count += 1
                if end == NEVER or self._is_full():
                    continue
                if (count % ARRIVALS_CHECK == 0 or count & (count - 1) == 0) and monotonic() >= end:
                    break
        finally:
            PyContext_Exit(context)
            self._taking = was_taking
            self.is_reading = was_reading
            del self._waiting[:self._taken]
            self._taken = 0
            if not self._waiting:
                self._size = 0
                self._end = 0.0
        return 0


cdef extern from "Python.h":
    PyObject* PyList_GET_ITEM(list items, Py_ssize_t at)    # borrowed


@cython.final
cdef class Flusher:
    """Flushes every session that was given something, once per loop turn, in slices.

    Knows whether the application wants a line for each packet.
    """

    def __init__(self, loop, logger=None):
        self.loop = loop
        self.logger = logger
        self._lines = Lines(logger)
        self._dirty = []
        self._run_bound = self._run
        self.arrivals = Arrivals(self)

    cdef int mark(self, Session session) except -1:
        session.dirty = True
        self._dirty.append(session)
        return self._schedule()

    cdef int relieve(self) except -1:
        """Flush before the turn is over when much is owed: memory that is written soon is still in the cache."""
        if self._owed > OWED_AT_ONCE:
            self._flush_slice()     # a callback that is scheduled already stays the only one
        return 0

    cdef int begin_turn(self) except -1:
        """Somebody reads many sockets, and calls `end_turn` when they are read: nothing has to be called by the loop then."""
        self._is_turn = True
        return 0

    cdef int end_turn(self) except -1:
        """Have what has come handled, and what is owed flushed."""
        cdef bint is_due = self._is_due
        self._is_turn = self._is_due = False
        if is_due:
            self._scheduled = False
        if self.arrivals._is_due:
            self.arrivals._is_due = False
            self.arrivals._run()
        elif is_due:
            self._flush_slice()
        return 0

    cdef int _schedule(self) except -1:
        if not self._scheduled:
            self._scheduled = True
            if self._is_turn:
                self._is_due = True
            else:
                self.loop.call_soon(self._run_bound)
        return 0

    def _run(self):
        self._scheduled = False
        self._flush_slice()

    cdef int _flush_slice(self) except -1:
        cdef list fresh = []    # first: to make a list may run a finalizer, and that may mark a session
        cdef list batch = self._dirty
        cdef Py_ssize_t count = 0, size = len(batch)
        cdef double end = monotonic() + FLUSH_SLICE if size > FLUSH_CHECK else NEVER
        cdef Session session
        self._dirty = fresh
        self._owed = 0
        try:
            while count < size:
                session = <Session> batch[count]
                batch[count] = None     # let go of it while it is in the cache
                count += 1
                _fetch_ahead(batch, count, size)
                if session.dirty:
                    session.flush()
                if count % FLUSH_CHECK == 0 and monotonic() > end:
                    break
        finally:    # an exception must not cost the others what they are owed: they would never be marked again
            if count < size:
                # In front of what was marked meanwhile; each session keeps its own order anyway.
                fresh = batch[count:]
                fresh.extend(self._dirty)
                self._dirty = fresh
                self._schedule()
        return 0


cdef void _fetch_ahead(list batch, Py_ssize_t at, Py_ssize_t size) noexcept:
    """Have the sessions from place `at` on come into the cache while the system writes for the one before.

    Of thousands of clients nothing is in there, and waiting for it costs more than all else that is done for each.
    """
    cdef PyObject* later
    if at + 1 < size:
        fetch_lines(PyList_GET_ITEM(batch, at + 1), HOT_OF_SESSION)
    if at < size:
        later = PyList_GET_ITEM(batch, at)
        fetch_lines(<PyObject*> (<Session> later).link, HOT_OF_LINK)
        fetch_lines(<PyObject*> (<Session> later).outbox, HOT_OF_OUTBOX)


cpdef Session new_session(
    str sid, int version, object request, object registry, Options options, Flusher flusher, Wheel wheel, Traffic traffic
):
    """As `Session(...)`, for a registry that knows what it has."""
    cdef Session session = Session.__new__(Session)
    session.sid = sid
    session.version = version
    session.request = request
    session._belong_to(registry, options, flusher, wheel, traffic)
    return session


@cython.final
cdef class Session(Lifecycle):
    """One Engine.IO connection. Made by the registry."""

    def __init__(self, str sid, int version, request, registry):
        self.sid = sid
        self.version = version
        self.request = request
        self._belong_to(registry, registry.options, registry.flusher, registry.wheel, registry.traffic)

    cdef int _belong_to(self, registry, Options options, Flusher flusher, Wheel wheel, Traffic traffic) except -1:
        self.registry = registry
        self.options = options
        self.flusher = flusher
        self.wheel = wheel
        self.traffic = traffic
        self.outbox = Outbox.__new__(Outbox)
        return 0

    # --- for Python

    @property
    def is_live(self):
        """The handshake is answered and nobody has closed it."""
        return self.state == LIVE

    @property
    def is_open(self):
        """Not closed; perhaps not yet answered."""
        return self.state <= LIVE

    @property
    def is_lingering(self):
        return self.state == LINGERING

    @property
    def transport(self):
        """Name of the transport in use."""
        return "websocket" if self.kind == WEBSOCKET else "polling"

    @property
    def backlog(self):
        """What the client is owed: (bytes, packets)."""
        return self.outbox.size, self.outbox.packets

    @property
    def is_busy(self):
        """Handlers run for it, or wait to."""
        return self.sink is not None and self.sink.is_busy()

    @property
    def buffered(self):
        """What waits for the client in this process: (bytes, packets); bytes of the transport's own count, too."""
        cdef Py_ssize_t unsent = 0 if self.link is None else self.link.unsent
        return self.outbox.size + unsent, self.outbox.packets

    @property
    def last_ping(self):
        """When the ping was sent that waits for its pong, in seconds since the epoch; None when none does."""
        if not self._awaiting_pong:
            return None
        return time() - (monotonic() - (self._beat_due - self.options.ping_timeout))

    @property
    def has_backlog(self):
        return self.outbox.packets != 0

    def start(self, Link link, bint is_websocket, bint must_join):
        """The handshake is being answered over `link`: the session lives. `send_open` is next."""
        self.link = link
        link.session = self
        self.opened_at = monotonic()
        self.open(WEBSOCKET if is_websocket else POLLING, must_join, self.opened_at, self.options)
        if not is_websocket:
            self.traffic.polling += 1
        self.wheel.schedule(self, self.next_due())

    def start_probe(self, Link link):
        """A WebSocket wants to take over; it has `upgrade_timeout` seconds."""
        self.probe = link
        link.session = self
        self.begin_probe(monotonic(), self.options)
        self.wheel.schedule(self, self.next_due())

    def send_message(self, data):
        """Queue one message, str or bytes."""
        if isinstance(data, bytes):
            self.send(Prepared.binary(data))
        else:
            self.send(Prepared.text(MESSAGE, b"", data.encode("utf-8", "replace")))

    cpdef int send_open(self, bytes rest) except -1:
        """Put the OPEN packet in front of everything that is owed; `rest` is what follows the sid in its JSON.

        The sink hears of the session only then: who sends much at once has it written, and nothing may come before OPEN.
        """
        cdef Sink sink      # held, here and below: what it calls may make the session let go of it
        cdef list waiting = self.outbox.take() if self.outbox.packets else None
        cdef Prepared message
        self.send(Prepared.text(OPEN, json_object(self.sid, False), rest))
        if waiting is not None:
            for message in waiting:
                self.outbox.push(message)
        sink = self.sink
        return 0 if sink is None else sink.on_open()

    def send_packet(self, int type, data):
        """Queue a packet of any type; `data` is str, bytes or None."""
        if isinstance(data, bytes):
            self.send(Prepared.binary(data))
        else:
            self.send(Prepared.text(<EioType> type, b"", (data or "").encode("utf-8", "replace")))

    def disconnect(self, str reason=reasons.SERVER_DISCONNECT):
        """Close from this side: tell the client, then close its transport."""
        self.close(reason, 1000, CLOSE_PACKET)

    cpdef int check_body(self, bytes body, bint is_binary) except -1:
        """Look through a whole polling body before any of it is believed.

        Raises:
            ProtocolError: framing, a type, base64 or UTF-8 is wrong, or there are more packets than `packet_limit`.
        """
        cdef Status why = OK
        limit = self.options.packet_limit()
        if check_payload_view(view_of(body), self.version, is_binary, limit, &why) < 0:
            if why == TOO_MANY_PACKETS:
                raise ProtocolError(
                    "EIO_TOO_MANY_PACKETS", f"a polling body of more than {limit} packets (Payload.max_decode_packets)"
                )
            raise protocol_error(why)
        return 0

    cpdef Py_ssize_t receive_slice(self, Link link, bytes body, bint is_binary, Py_ssize_t start) except -1:
        """Take the next packets of a checked body from byte `start` on; give the byte to go on from.

        A slice is 256 packets at most, so that no body holds the loop. Gives `len(body)` when all is taken or the
        session has ended.
        """
        cdef View rest = view_of(body)
        cdef EioPacket packet
        cdef double now = monotonic()
        cdef int count = 0
        view_skip(&rest, start)
        while rest.size and count < BODY_SLICE:
            if next_packet_view(&rest, self.version, is_binary, &packet) != OK:
                break
            self.receive(link, &packet, now)
            count += 1
            if self.state != LIVE or link is not self.link:
                return len(body)
        return len(body) - rest.size

    cpdef tuple take_body(self):
        """Take one poll response: (bytes, is_binary)."""
        cdef bint is_binary = False
        cdef Outbox outbox = self.outbox
        cdef Py_ssize_t size = outbox.size, packets = outbox.packets
        cdef bytes body
        cdef bint was_on = hold_collector()     # what a finalizer sends meanwhile would not be counted
        try:
            body = outbox.take_payload(self.version, self.link.b64, self.options.max_poll_response, &is_binary)
            self.traffic.bytes_out += size - outbox.size
            self.traffic.packets_out += packets - outbox.packets
        finally:
            release_collector(was_on)
        return body, is_binary

    def refuse_large_message(self):
        """A WebSocket message is longer than may be: close with 1009."""
        limit = self.options.max_http_buffer_size
        self.violate(ProtocolError("WS_TOO_LARGE", f"a message of more than {limit} bytes (max_http_buffer_size)"), 1009)

    def shut_down(self):
        """Close because the server stops; a client that is told so comes back."""
        self.flusher.arrivals.settle()
        self.close(reasons.SERVER_SHUTDOWN, 1001, CLOSE_PACKET if self._can_say_goodbye() else None)

    def owe(self, Prepared message):
        """Owe one more packet in a closing session."""
        self.outbox.push(message)

    def owe_close(self):
        """Owe the packet that tells the client of the end, unless more is owed than one response holds."""
        cdef bint fits = self.outbox.size <= self.options.max_poll_response
        if fits:
            self.outbox.push(CLOSE_PACKET)
        return fits

    def expire(self):
        """Forget a lingering session: its client knows, or never will."""
        self._expire()

    # --- outwards

    cdef int send(self, Prepared message) except -1:
        """Owe `message`. Written at the end of this loop turn; dropped when the session has ended."""
        if self.state > LIVE:
            return 0
        if message.manner > DROPPABLE and not self._is_wanted(message):
            return 0
        if self.outbox.size > self.options.max_send_buffer or self.outbox.packets > self.options.max_send_packets:
            if not self._make_room(message):
                return 0
        self.outbox.push(message)
        self.flusher._owed += message.size
        if not self.dirty:
            self.flusher.mark(self)
        return self._log_sent(message) if self.flusher._lines.wanted() else 0

    cdef bint _is_wanted(self, Prepared message) except -1:
        """Tell whether a volatile message, or one of which only the latest counts, has to be queued."""
        if message.manner == LATEST:
            return not self._replaces(message)
        cdef bint is_behind = self.link is not None and self.link.is_congested()
        if not is_behind and self.outbox.size > self.options.high_water:
            self.flush()    # what this turn has brought says nothing about the client: the network could not take it yet
            if self.state > LIVE:
                return False
            is_behind = self.outbox.size > self.options.high_water
        if is_behind:
            self.traffic.dropped += 1
        return not is_behind

    cdef bint _replaces(self, Prepared message) except -1:
        """Put a message in the place of the one of its key that waits. False: it has to be queued like others.

        One that makes too much of what waits is judged like others, too; to drop the newest would leave an old value there.
        """
        cdef Outbox outbox = self.outbox
        cdef Options options = self.options
        cdef Py_ssize_t size = outbox.size, packets = outbox.packets
        if not outbox.replace(message, 2 * options.max_send_buffer, 2 * options.max_send_packets):
            return False
        self.traffic.replaced += 1
        if options.slow_client_policy != "drop_newest" and (
            outbox.size > max(size, options.max_send_buffer) or outbox.packets > max(packets, options.max_send_packets)
        ):
            self._make_room(message)
        return True

    cdef bint _make_room(self, Prepared message) except -1:
        """The client is owed more than it may be: apply the policy. False: `message` is not to be queued."""
        cdef Options options = self.options
        cdef str policy = options.slow_client_policy
        if self.link is not None and not self.link.is_congested():
            self.flush()    # who sends much at once has left the network no time to take any of it
            if self.state > LIVE:
                return False
            if self.outbox.size <= options.max_send_buffer and self.outbox.packets <= options.max_send_packets:
                return True
        if policy == "drop_newest" and message.manner != RELIABLE:
            self.traffic.dropped += 1
            self.registry.report_dropping(self)
            return False
        if policy == "drop_oldest":
            # An eighth more than has to be, so that not every message has to make room.
            self.traffic.dropped += self.outbox.drop_oldest(
                options.max_send_buffer - options.max_send_buffer // 8, options.max_send_packets - options.max_send_packets // 8
            )
            self.registry.report_dropping(self)
        if policy != "disconnect" and self.outbox.size <= 2 * options.max_send_buffer and (
            self.outbox.packets <= 2 * options.max_send_packets
        ):
            return True     # acknowledgements and the like may go beyond the limit, but not for ever
        self._overflow(self.outbox.size, self.outbox.packets)
        return False

    cdef int _log_sent(self, Prepared message) except -1:
        for type, data in message.described():
            self.flusher.logger.info("%s: Sending packet %s data %s", self.sid[:6], PACKET_NAMES[type], data)
        return 0

    cdef int _log_received(self, EioPacket* packet) except -1:
        cdef bint is_text = not packet.is_binary
        data = view_bytes(packet.data).decode("utf-8", "replace") if is_text else "<binary>"
        name = PACKET_NAMES[packet.type if packet.type <= NOOP else PING if packet.type == PING_PROBE else PONG]
        self.flusher.logger.info("%s: Received packet %s data %s", self.sid[:6], name, data)
        return 0

    cdef Prepared take_only(self):
        """Take everything that is owed, to be written now, when it is one message; else nothing, and give None."""
        cdef Py_ssize_t size = self.outbox.size, packets = self.outbox.packets
        cdef Prepared only = self.outbox.take_only()
        if only is not None:
            self.traffic.bytes_out += size
            self.traffic.packets_out += packets
        return only

    cdef list take_owed(self):
        """Take everything that is owed, to be written now."""
        cdef Outbox outbox = self.outbox
        self.traffic.bytes_out += outbox.size
        self.traffic.packets_out += outbox.packets
        return outbox.take()

    cdef int put_back(self, list items) except -1:
        """Owe again what was taken and could not be written."""
        self.traffic.bytes_out += self.outbox.size
        self.traffic.packets_out += self.outbox.packets
        self.outbox.put_back(items)
        self.traffic.bytes_out -= self.outbox.size
        self.traffic.packets_out -= self.outbox.packets
        return 0

    cdef int _overflow(self, Py_ssize_t size, Py_ssize_t packets) except -1:
        # Closed in a later turn: whoever is sending may be in the middle of a broadcast.
        if not self._overflowing:
            self._overflowing = True
            self.flusher.loop.call_soon(self._close_slow, size, packets)
        return 0

    def _close_slow(self, size, packets):
        cdef Link link = self.link
        if self.state > LIVE:
            return      # closed meanwhile: whatever that was for, it was not this
        self.registry.report_slow(self, size, packets)
        self.outbox.clear()
        self.close(reasons.SLOW_CLIENT, NO_CODE)
        if link is not None:
            link.abandon()

    cdef int flush(self) except -1:
        """Write what is owed. A fault on the way ends this session and no other."""
        self.dirty = False
        if self.link is not None and self.outbox.packets:
            try:
                self.link.flush()
            except Exception as exc:
                self.outbox.clear()
                self.fault(exc)
        return 0

    cdef int fault(self, exc) except -1:
        """Something of ours failed for this session: say all about it, and end it."""
        self.registry.report_fault(self, exc)
        return self.close(reasons.TRANSPORT_ERROR)

    # --- inwards

    cdef int receive_frame(self, Link link, View message, bint is_binary, double now) except -1:
        """Take one WebSocket message. Shape: `message` is borrowed."""
        cdef EioPacket packet
        cdef Status status = decode_packet_view(message, self.version, is_binary, &packet)
        if status == OK:
            return self.receive(link, &packet, now)
        if is_binary and (status == EMPTY_PACKET or status == BAD_TYPE):
            return 0    # Engine.IO 3, "a binary frame of an unknown type is ignored"
        if link is self.probe:
            return self._refuse_probe()
        return self._break_off(protocol_error(status))

    cdef int receive(self, Link link, EioPacket* packet, double now) except -1:
        """Take one packet that came over `link`."""
        cdef Verdict verdict
        self.traffic.packets_in += 1
        self.traffic.bytes_in += packet.data.size + 1
        if link is not self.link:
            return self._receive_probe(link, packet, now) if link is self.probe else 0
        if self.flusher._lines.wanted():
            self._log_received(packet)
        verdict = self.on_packet(packet.type, now, self.options)
        if verdict == DELIVER:
            if self.options.max_events_per_second > 0.0 or self.options.max_bytes_per_second > 0.0:
                return self._deliver(packet) if self._keeps_pace(packet, now) else 0
            return self._deliver(packet)
        if verdict == ANSWER_PONG:
            return self.send(PONG_PACKET) if self.may_ping(now) else 0
        if verdict == PEER_CLOSED:
            return self._leave()
        if verdict == VIOLATION:
            return self._break_off(ProtocolError("EIO_BAD_TYPE", f"packet type {packet.type} is the server's to send"))
        if self.next_due() < self.deadline:     # a pong came: the next ping is due before this pong was
            return self.wheel.schedule(self, self.next_due())
        return 0

    cdef int _deliver(self, EioPacket* packet) except -1:
        cdef Sink sink = self.sink      # held: a handler may end the session, which lets go of it
        try:
            if packet.is_base64:
                sink.on_binary(decode_base64(packet.data))
            elif packet.is_binary:
                sink.on_binary(view_bytes(packet.data))
            else:
                sink.on_text(packet.data)
        except ProtocolError as error:
            self._break_off(error)
        except Exception as exc:
            self.flusher.arrivals.settle()
            self.fault(exc)     # nothing that a message sets off may reach the loop, or other clients
        return 0

    cdef bint _keeps_pace(self, EioPacket* packet, double now) except -1:
        """Tell whether a message is within the client's rates. One that is not is dropped, or ends the session."""
        cdef Options options = self.options
        if self._events is None:
            self._events, self._bytes = Bucket(), Bucket()
        if options.max_events_per_second > 0.0 and not self._events.take(
            1.0, options.max_events_per_second, options.max_events_per_second * options.rate_burst, now
        ):
            what, limit, option = "messages", options.max_events_per_second, "max_events_per_second"
        elif options.max_bytes_per_second > 0.0 and not self._bytes.take(
            packet.data.size + 1, options.max_bytes_per_second, options.max_bytes_per_second * options.rate_burst, now
        ):
            what, limit, option = "bytes", options.max_bytes_per_second, "max_bytes_per_second"
        else:
            return True
        error = ProtocolError("EIO_TOO_FAST", f"more than {limit:g} {what} a second ({option})")
        if options.rate_policy == "disconnect":
            self._break_off(error)
            return False
        # An event in one piece can be left out; an acknowledgement, a part of an event or a CONNECT is waited for.
        if packet.is_binary or packet.is_base64 or packet.data.size == 0 or packet.data.data[0] != c"2":
            return True
        self.registry.report_too_fast(self, error)
        return False

    cdef bint may_ping(self, double now) except -1:
        """Tell whether a ping of the client is to be answered, of Engine.IO 3 or of WebSocket; one too many ends the session."""
        cdef Options options = self.options
        if options.control_rate <= 0.0:
            return True
        if self._pings is None:
            self._pings = Bucket()
        if self._pings.take(1.0, options.control_rate, options.control_burst, now):
            return True
        self._break_off(
            ProtocolError("EIO_PING_FLOOD", f"more than {options.control_rate:g} pings a second (control_rate)"), 1008
        )
        return False

    cdef int hold_reading(self, bint held) except -1:
        """Read nothing more of the client until its handlers have caught up, or go on."""
        if held == self.held or self.state != LIVE:
            return 0
        self.hold(held, monotonic())
        if self.link is not None:
            self.link.hold(held)
        return 0

    cpdef int violate(self, object error, int code=1005) except -1:
        """The peer broke the protocol: say so in the log, and end the session."""
        self.registry.report_violation(self, error)
        return self.close(reasons.TRANSPORT_ERROR, code, CLOSE_PACKET if self._can_say_goodbye() else None)

    cdef int _break_off(self, object error, int code=NO_CODE) except -1:
        """As `violate`, for what has just been read: what came before it was right, and is handled."""
        cdef Session held = self        # what waits may end it
        held.flusher.arrivals.settle()
        return held.violate(error, code) if held.state <= LIVE else 0

    cdef int _leave(self) except -1:
        """The client says that it goes."""
        cdef Session held = self
        held.flusher.arrivals.settle()
        return held.close(reasons.CLIENT_DISCONNECT, NO_CODE, NOOP_PACKET if held.kind == POLLING else None)

    # --- upgrade

    cdef int _receive_probe(self, Link link, EioPacket* packet, double now) except -1:
        cdef Verdict verdict = self.on_probe_packet(packet.type)
        if verdict == ANSWER_PROBE:
            if not self.may_ping(now) or link.is_congested():
                return 0    # an answer is written past the outbox and its limits
            link.write_now(PONG_PROBE_PACKET)
            # Free a waiting poll, so that the client can stop polling and finish the upgrade.
            return self.link.write_now(NOOP_PACKET)
        if verdict == SWITCH:
            return self._switch()
        return self._refuse_probe()

    cdef int _refuse_probe(self) except -1:
        cdef Link link = self.probe
        self.probe = None
        self.end_probe()
        if link is not None:
            link.session = None
            link.finish(NO_CODE, None)
        return 0

    cdef int _switch(self) except -1:
        if self.held:
            self.link.hold(False)   # a POST that waits for handlers is answered before its transport goes
        self._finish(self.link, NO_CODE, NOOP_PACKET)
        if self.state != LIVE:
            return 0    # that failed, and whoever was told so has closed it
        self.link = self.probe
        self.probe = None
        self.switch()
        if self.held:
            self.link.hold(True)
        self.traffic.polling -= 1
        self.traffic.upgraded += 1
        self.flush()
        cdef Sink sink = self.sink
        return sink.on_upgraded() if self.state == LIVE else 0

    # --- the end

    cpdef int close(self, str reason, int code=1005, Prepared farewell=None) except -1:
        """End the session: both transports, then the sink, which hears `reason` once.

        A polling client that has no poll open hears of a `farewell` with its next one, within `linger_timeout`.
        """
        cdef Link link = self.link
        cdef Sink sink = self.sink
        cdef Session held = self        # the registry and the link, who have it, let go of it on the way
        cdef bint was_live = held.state == LIVE
        if self.state > LIVE:
            return 0
        self.close_reason = reason
        self.registry.count_end(reason)
        self._refuse_probe()
        if self.held and link is not None:
            link.hold(False)
        if was_live and farewell is CLOSE_PACKET and self.kind == POLLING and not link.is_waiting:
            self.linger(monotonic(), self.options)
            self.wheel.schedule(self, self.next_due())
        else:
            self._end()
            if link is not None:
                self._finish(link, code, farewell)
            self.outbox.clear()
        return sink.on_close(reason) if sink is not None else 0

    cdef int _finish(self, Link link, int code, Prepared farewell) except -1:
        try:
            link.finish(code, farewell)
        except Exception as exc:
            self.registry.report_fault(self, exc)
        link.session = None
        return 0

    cdef int lost(self, Link link) except -1:
        """The transport `link` is gone."""
        cdef Session held = self        # what waits may end it
        if link is held.probe:
            return held._refuse_probe()
        held.flusher.arrivals.settle()
        if link is held.link:
            held.link = None
            link.session = None
            return held.close(reasons.TRANSPORT_CLOSE)
        return 0

    cdef int _end(self) except -1:
        if self.kind == POLLING and (self.state == LIVE or self.state == LINGERING):
            self.traffic.polling -= 1
        self.state = CLOSED
        self.deadline = NEVER
        self.wheel.drop(self)
        self.registry.forget(self)
        return 0

    cdef int _expire(self) except -1:
        self._end()
        self.outbox.clear()
        if self.link is not None:
            self.link.session = None    # they hold each other
        return 0

    # --- deadlines

    cdef int on_deadline(self, double now) except -1:
        cdef Session held = self        # what waits may end it
        cdef Due due
        held.flusher.arrivals.settle()  # what has come is in time
        if held.state == CLOSED:
            return 0
        due = self.on_time(now, self.options)
        while due != NOTHING:
            self._act(due, now)
            if self.state == CLOSED:
                return 0
            due = self.on_time(now, self.options)
        return self.wheel.schedule(self, self.next_due())

    cdef int _act(self, int due, double now) except -1:
        if due == SEND_PING:
            return self.send(PING_PACKET)
        if due == PING_TIMEOUT:
            self.outbox.clear()
            return self.close(reasons.PING_TIMEOUT, 1000, CLOSE_PACKET if self._can_say_goodbye() else None)
        if due == PROBE_TIMEOUT:
            return self._refuse_probe()
        if due == JOIN_TIMEOUT:
            self.registry.report_unjoined(self)
            return self.close(reasons.CONNECT_TIMEOUT, NO_CODE, CLOSE_PACKET if self._can_say_goodbye() else None)
        return self._expire()

    cdef bint _can_say_goodbye(self) except -1:
        # Only to a poll that waits right now: a client that does not poll is gone.
        return self.kind == POLLING and self.link is not None and self.link.is_waiting
