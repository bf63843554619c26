"""Messages encoded once and shaped lazily (`Prepared`), and what a session owes its client (`Outbox`).

May import: `_bytes`, `_codec`, `_frames`. Never knows who receives, and never writes to anybody.
A text message is built as a finished WebSocket frame at once, since that is what most recipients need and since its
packet, a view into the frame, is what every other shape is made of.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcpy

from fastsio._bytes cimport View, view_bytes, view_of
from fastsio._collector cimport hold_collector, release_collector
from fastsio._codec cimport (
    CLOSE, EioType, MESSAGE, NOOP, PING, PONG, base64_packet, v3_binary_item, v3_text_item,
)
from fastsio._frames cimport OP_BINARY, OP_TEXT, build_frame, frame_header


@cython.final
@cython.freelist(64)
@cython.no_gc    # bytes, and a key that knows nothing of it
cdef class Prepared:
    """One outgoing message: a text packet, binary packets, or a text packet with its attachments.

    Immutable once published, so any number of outboxes may hold it. Each shape is made at most once.
    """

    @staticmethod
    cdef Prepared blank(EioType type, Py_ssize_t size, char** data):
        """Build a text packet of `type` whose `size` bytes of data the caller writes at once, at `data`.

        Allocates: the frame and the Prepared.
        """
        cdef Prepared self = Prepared.__new__(Prepared)
        cdef unsigned char header[10]
        cdef int header_size = frame_header(header, OP_TEXT, size + 1, False)
        cdef bytes frame = PyBytes_FromStringAndSize(NULL, header_size + 1 + size)
        cdef char* at = PyBytes_AS_STRING(frame)
        memcpy(at, header, header_size)
        at[header_size] = 48 + <int> type   # the type digit, "0" is 48
        data[0] = at + header_size + 1
        self._frame = frame
        self._offset = header_size
        self._attachments = ()
        self.size = size + 1
        self.packets = 1
        return self

    @staticmethod
    cdef Prepared text(EioType type, bytes head, bytes tail):
        """Build a text packet of `type` whose data are `head` + `tail`."""
        cdef char* at
        cdef Prepared self = Prepared.blank(type, PyBytes_GET_SIZE(head) + PyBytes_GET_SIZE(tail), &at)
        memcpy(at, PyBytes_AS_STRING(head), PyBytes_GET_SIZE(head))
        memcpy(at + PyBytes_GET_SIZE(head), PyBytes_AS_STRING(tail), PyBytes_GET_SIZE(tail))
        return self

    @staticmethod
    cdef Prepared binary(bytes data):
        """Build one binary message."""
        cdef Prepared self = Prepared.__new__(Prepared)
        self._frame = None
        self._attachments = (data,)
        self.size = PyBytes_GET_SIZE(data) + 1
        self.packets = 1
        return self

    @staticmethod
    cdef Prepared with_attachments(bytes head, bytes tail, list attachments):
        """Build a text message and the binary messages that must follow it at once."""
        cdef Prepared self = Prepared.text(MESSAGE, head, tail)
        self._attachments = tuple(attachments)
        self.packets += len(attachments)
        for data in attachments:
            self.size += len(data) + 1
        return self

    cdef View packet(self):
        """The text packet, type digit first: a view held by this object."""
        cdef View view = view_of(self._frame)
        view.data += self._offset
        view.size -= self._offset
        return view

    cdef list described(self):
        """The packets of the message for a log: (type, text), a binary one without its bytes."""
        cdef list packets = [(MESSAGE, "<binary>")] * len(self._attachments)
        if self._frame is None:
            return packets
        text = view_bytes(self.packet()).decode()
        return [(int(text[0]), text[1:]), *packets]

    cdef bint has_binary(self) noexcept:
        return self._attachments is not None and len(self._attachments) != 0

    cdef bytes ws(self, int version, bint b64):
        """Every frame of the message, ready for a WebSocket of that revision."""
        if not self._attachments:
            return self._frame
        if b64:
            if self._ws_b64 is None:
                self._ws_b64 = self._join_frames(OP_TEXT, self._base64_attachments(4))
            # Only the prefix differs for revision 3, and such clients are rare enough not to be kept a shape.
            return self._ws_b64 if version == 4 else self._join_frames(OP_TEXT, self._base64_attachments(3))
        if version == 4:
            if self._ws_v4 is None:
                self._ws_v4 = self._join_frames(OP_BINARY, self._attachments)
            return self._ws_v4
        if self._ws_v3 is None:
            self._ws_v3 = self._join_frames(OP_BINARY, [b"\x04" + data for data in self._attachments])
        return self._ws_v3

    cdef bytes ws_deflated(self, int version, bint b64, int window_bits, object deflate):
        """As `ws`, each message compressed.

        No context is taken over, so one compression serves all recipients that agreed on the same window.
        """
        cdef tuple key = (version, b64, window_bits)
        if self._ws_deflated is None:
            self._ws_deflated = {}
        frames = self._ws_deflated.get(key)
        if frames is None:
            frames = self._ws_deflated[key] = self._deflate(version, b64, deflate)
        return frames

    cdef bytes _deflate(self, int version, bint b64, object deflate):
        if b64:
            return b"".join([deflate(OP_TEXT, text) for text in self._texts(version)])
        cdef list frames = [] if self._frame is None else [deflate(OP_TEXT, view_bytes(self.packet()))]
        for data in self._attachments:
            frames.append(deflate(OP_BINARY, data if version == 4 else b"\x04" + data))
        return b"".join(frames)

    cdef bytes polling(self, int version, bint b64):
        """The message as a piece of a polling body: text for revision 4, items for revision 3.

        A revision 3 message with attachments gives binary items unless `b64`.
        """
        if version == 4:
            if self._polling_v4 is None:
                self._polling_v4 = b"\x1e".join(self._texts(4))
            return self._polling_v4
        if b64 or not self._attachments:
            if self._polling_v3_b64 is None:
                self._polling_v3_b64 = b"".join([v3_text_item(view_of(<bytes> text)) for text in self._texts(3)])
            return self._polling_v3_b64
        return self.polling_v3_binary()

    cdef bytes polling_v3_binary(self):
        """The message as items of a revision 3 binary body."""
        cdef list items = []
        cdef bytes packet       # holds what the view points into
        if self._polling_v3 is None:
            if self._frame is not None:
                items.append(v3_binary_item(self.packet(), False))
            for data in self._attachments:
                packet = b"\x04" + data
                items.append(v3_binary_item(view_of(packet), True))
            self._polling_v3 = b"".join(items)
        return self._polling_v3

    cpdef list events(self, int version, bint b64):
        """The message as ASGI `websocket.send` events. Shared: whoever gets them must not change them."""
        if b64:
            return self._make_events([text.decode() for text in self._texts(version)])
        if version == 4:
            if self._events_v4 is None:
                self._events_v4 = self._make_events(self._bodies(b""))
            return self._events_v4
        if self._events_v3 is None:
            self._events_v3 = self._make_events(self._bodies(b"\x04"))
        return self._events_v3

    cdef list _bodies(self, bytes prefix):
        cdef list bodies = []
        if self._frame is not None:
            bodies.append(view_bytes(self.packet()).decode())
        bodies.extend([prefix + data for data in self._attachments])
        return bodies

    cdef list _make_events(self, list bodies):
        return [
            {"type": "websocket.send", "text": body} if isinstance(body, str)
            else {"type": "websocket.send", "bytes": body}
            for body in bodies
        ]

    cdef list _texts(self, int version):
        cdef list texts = [] if self._frame is None else [view_bytes(self.packet())]
        texts.extend(self._base64_attachments(version))
        return texts

    cdef list _base64_attachments(self, int version):
        cdef bytes prefix = b"b" if version == 4 else b"b4"
        return [base64_packet(prefix, data) for data in self._attachments]

    cdef bytes _join_frames(self, int opcode, object bodies):
        cdef list frames = [] if self._frame is None else [self._frame]
        for body in bodies:
            frames.append(build_frame(OP_TEXT if opcode == OP_TEXT else OP_BINARY, body))
        return b"".join(frames)


@cython.final
@cython.no_gc    # what it holds does not lead back to it
cdef class Outbox:
    """What one session owes its client, in order. Counts bytes and packets; the session judges them."""

    cdef int push(self, Prepared message) except -1:
        cdef dict keyed = self._keyed   # held: an application's key may do anything while its hash is made
        if self._only is None and self._items is None:
            self._only = message
        else:
            self._listed().append(message)
        self._loose += message.manner != RELIABLE
        self.size += message.size
        self.packets += message.packets
        if keyed is not None and message.manner == LATEST:
            keyed[message.key] = len(self._items) - 1
        return 0

    cdef list _listed(self):
        """Everything that is owed, as a list from now on. No finalizer gets in between, which might send, too."""
        cdef bint was_on
        if self._items is None:
            was_on = hold_collector()
            try:
                self._items = [] if self._only is None else [self._only]
                self._only = None
            finally:
                release_collector(was_on)
        return self._items

    cdef Prepared take_only(self):
        """Take everything when that is one message; else nothing, and give None."""
        cdef Prepared only = self._only
        if only is not None:
            self._only = None
            self.size = self.packets = self._loose = 0
        return only

    cdef list take(self):
        """Take everything."""
        cdef list items = self._listed()
        self._items = None
        self.size = self.packets = self._loose = self._firm = 0
        self._keyed = None
        return items

    cdef int put_back(self, list items) except -1:
        """Owe again what was taken and could not be written, in front of what came meanwhile. Keeps the list."""
        cdef Prepared message
        for message in items:
            self.size += message.size
            self.packets += message.packets
            self._loose += message.manner != RELIABLE
        items.extend(self._listed())
        self._items = items
        self._firm = 0
        self._keyed = None
        return 0

    cdef int clear(self) except -1:
        self.take()
        return 0

    cdef bint replace(self, Prepared message, Py_ssize_t size, Py_ssize_t packets) except -1:
        """Put a message in the place of the waiting one that has its key.

        False: there is none, or it is larger, and then more than `size` bytes or `packets` would wait.
        """
        cdef Prepared old
        cdef dict keyed
        if self.packets == 0:
            return False
        keyed = self._places()
        place = keyed.get(message.key)
        if place is None or self._keyed is not keyed:   # what waited has been taken while keys were looked at
            return False
        old = <Prepared> self._items[place]
        if message.size > old.size and self.size + message.size - old.size > size:
            return False
        if message.packets > old.packets and self.packets + message.packets - old.packets > packets:
            return False
        self._items[place] = message
        self.size += message.size - old.size
        self.packets += message.packets - old.packets
        return True

    cdef dict _places(self):
        cdef dict keyed = self._keyed
        cdef list loose
        cdef Prepared message
        cdef Py_ssize_t firm, at
        cdef bint was_on
        if keyed is None:
            was_on = hold_collector()
            try:
                keyed = {}
                self._pass_firm()
                firm = self._firm
                loose = self._items[firm:]
                self._keyed = keyed
            finally:
                release_collector(was_on)
            # From here on keys are looked at, which may do anything: whoever takes or drops does away with `_keyed`.
            try:
                for at in range(len(loose) - 1, -1, -1):
                    message = <Prepared> loose[at]
                    if message.manner == LATEST and message.key not in keyed:
                        keyed[message.key] = firm + at
            except BaseException:
                self._keyed = None      # it knows only some of them
                raise
        return keyed

    cdef Py_ssize_t drop_oldest(self, Py_ssize_t size, Py_ssize_t packets) except -1:
        """Drop the oldest events that may be dropped until no more than `size` bytes in `packets` wait; give how many.

        Whole messages only: a text goes with its attachments.
        """
        cdef list kept, gone = []
        cdef Prepared message
        cdef Py_ssize_t at
        cdef bint was_on
        if self._loose == 0 or (self.size <= size and self.packets <= packets):
            return 0
        was_on = hold_collector()   # a finalizer might send
        try:
            kept = []
            self._pass_firm()
            at = self._firm
            while self._loose and at < len(self._items) and (self.size > size or self.packets > packets):
                message = <Prepared> self._items[at]
                at += 1
                if message.manner == RELIABLE:
                    kept.append(message)
                    continue
                gone.append(message)        # let go of when all else is done: an application's key goes with it
                self.size -= message.size
                self.packets -= message.packets
                self._loose -= 1
            self._items[self._firm:at] = kept
            self._firm += len(kept)
            self._keyed = None
        finally:
            release_collector(was_on)
        return len(gone)

    cdef int _pass_firm(self) except -1:
        """Find the first item that may be dropped. Each is looked at once: thousands of others may stand before it."""
        cdef list items = self._listed()
        while self._firm < len(items) and (<Prepared> items[self._firm]).manner == RELIABLE:
            self._firm += 1
        return 0

    cdef bytes take_payload(self, int version, bint b64, Py_ssize_t limit, bint* is_binary):
        """Take as many messages as a polling body of `limit` bytes holds, at least one, as that body.

        `is_binary` tells whether the body is a revision 3 binary payload (application/octet-stream).
        """
        cdef list taken = self._take_up_to(limit)
        cdef list pieces = []
        cdef Prepared message
        is_binary[0] = False
        if version == 4:
            for message in taken:
                pieces.append(message.polling(4, b64))
            return b"\x1e".join(pieces)
        if not b64:
            for message in taken:
                is_binary[0] |= message.has_binary()
        for message in taken:
            pieces.append(message.polling_v3_binary() if is_binary[0] else message.polling(3, b64))
        return b"".join(pieces)

    cdef list _take_up_to(self, Py_ssize_t limit):
        cdef Py_ssize_t size = 0, count = 0
        cdef list taken = self.take()
        cdef Prepared message
        for message in taken:
            if count and size + message.size > limit:
                break
            size += message.size
            count += 1
        if count < len(taken):
            self.put_back(taken[count:])
            del taken[count:]
        return taken


PING_PACKET = Prepared.text(PING, b"", b"")
PONG_PACKET = Prepared.text(PONG, b"", b"")
PONG_PROBE_PACKET = Prepared.text(PONG, b"probe", b"")
NOOP_PACKET = Prepared.text(NOOP, b"", b"")
CLOSE_PACKET = Prepared.text(CLOSE, b"", b"")
