"""What all peers of one server share: its tables, its serializer, its handlers; and the road of an emit.

May import: the engine floor, `_codec`, `_json`, `_rooms`, `_handlers`, `_runner`.
Never knows which transport carries what it makes.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcpy

from fastsio._codec cimport BINARY_EVENT, EVENT, MESSAGE, SioType, sio_head
from fastsio._json cimport Json, write_texts
from fastsio.engine._outbox cimport DROPPABLE, LATEST, VOLATILE, Manner, Prepared
from fastsio.engine._session cimport Lines, Session
from fastsio.hub._durations cimport Durations
from fastsio.hub._handlers cimport find, with_arguments
from fastsio.hub._rooms cimport Member, Rooms
from fastsio.hub._runner cimport Runner

# Event handlers of one client that may run at once; further events wait.
MAX_RUNNING = 256

cdef tuple COLLECTIONS = (list, tuple, set, frozenset)  # of rooms


@cython.final
cdef class Hub:
    """What all peers of one server share.

    Args:
        server: whose handlers are called.
        rooms: the tables of its manager.
        serializer: writes and reads the JSON of packets.
        packer: writes and reads whole packets instead (see `packers`); None for text packets.
    """

    def __init__(self, server, Rooms rooms not None, serializer, packer=None):
        self.server = server
        self.rooms = rooms
        self.serializer = serializer
        self._json = serializer if type(serializer) is Json else None
        self.packer = packer
        self.max_running = MAX_RUNNING
        self.watch()

    def watch(self):
        """Look again at what the application may replace in its server, so that no message has to."""
        server = self.server
        self.handlers = server.handlers
        self.classes = server.namespace_handlers
        self.not_handled = server.not_handled
        self.async_handlers = server.async_handlers
        self.is_trigger_hooked = server._is_trigger_hooked
        self.are_events_hooked = server._are_events_hooked
        self.lines = Lines(server.logger)
        if bool(server.time_handlers) != (self.durations is not None):
            self.durations = Durations() if server.time_handlers else None

    cdef Runner runner_of(self, object loop):
        """What runs handlers on a loop: the one that serves this server."""
        if self._runner is None or self._runner.loop is not loop:
            self._runner = Runner(loop)
        return self._runner

    cdef tuple find_call(self, str namespace, str sid, list data):
        """What to call for an event packet, and with which arguments; None when nobody handles it."""
        cdef tuple found
        if self.is_trigger_hooked:
            found = (self.server._trigger_event, (data[0], namespace))
        else:
            found = find(self.handlers, self.classes, namespace, data[0])
        return None if found is None else with_arguments(found, sid, data)

    # --- emitting

    def emit(self, event, data, to, room, skip_sid, namespace, callback, ignore_queue, is_volatile=False, latest=None):
        """Emit as `AsyncServer.emit` says; give what has to be awaited for it, None when nothing has."""
        namespace = namespace or "/"
        if to is None or (not to and not isinstance(to, COLLECTIONS)):
            to = room
        if self.lines.wanted():
            self.server.logger.info('emitting event "%s" to %s [%s]', event, to or "all", namespace)
        if is_volatile or latest is not None:
            return self._emit_loosely(event, data, to, skip_sid, namespace, callback, ignore_queue, is_volatile, latest)
        if self.manager_emits:
            return self.server.manager.emit(
                event, data, namespace, room=to, skip_sid=skip_sid, callback=callback, ignore_queue=ignore_queue
            )
        self.owe(event, data, namespace, to, skip_sid, callback)
        return None

    def _emit_loosely(self, event, data, to, skip_sid, namespace, callback, ignore_queue, is_volatile, latest):
        """Emit an event that not every client has to get. Managers of a cluster treat it so for clients of this process."""
        if is_volatile and latest is not None:
            raise ValueError(f"volatile=True and latest={latest!r}: an event is one or the other")
        if callback is not None:
            raise ValueError("an event that may be dropped cannot ask for an acknowledgement")
        if self.manager_emits:
            return self.server.manager.emit(
                event, data, namespace, room=to, skip_sid=skip_sid, ignore_queue=ignore_queue,
                **{"volatile": is_volatile, "latest": latest},
            )
        self.owe_loosely(event, data, namespace, to, skip_sid, is_volatile, latest)
        return None

    def owe_loosely(self, event, data, namespace, room, skip_sid, is_volatile, latest):
        """As `owe`, an event that is dropped for clients that are behind, or of which only the latest of a key counts."""
        hash(latest)    # what cannot be a key is refused before anybody is owed anything
        self.owe(event, data, namespace, room, skip_sid, None, VOLATILE if is_volatile else LATEST, (namespace, event, latest))

    cpdef int owe(
        self, object event, object data, object namespace, object room, object skip_sid, object callback,
        Manner manner=DROPPABLE, object key=None,
    ) except -1:
        """Owe an event to each client here that it is for, as `AsyncManager.emit` says; `key` is that of LATEST."""
        cdef Prepared message
        self.emitted += 1
        cdef Py_ssize_t count
        cdef list packet
        if namespace not in self.rooms.halls:
            return 0
        if data is None:
            packet = [event]
        elif isinstance(data, tuple):
            packet = [event, *data]
        else:
            packet = [event, data]
        skip = None if not skip_sid else {skip_sid} if isinstance(skip_sid, str) else set(skip_sid)
        if room is not None and not room and not isinstance(room, COLLECTIONS):
            room = None
        if self.tap is not None or callback is not None:
            count = self._owe_with_callback(namespace, room, skip, packet, callback)
        else:
            message = self.encode(EVENT, namespace, None, packet)
            message.manner = manner
            message.key = key
            count = self.rooms.broadcast(message, namespace, room, skip)
        if self.rooms.observer is not None:
            self.rooms.observer.event_sent(packet, namespace, room, skip, count)
        return 0

    cdef Py_ssize_t _owe_with_callback(self, str namespace, object room, object skip, list packet, object callback) except -1:
        """Owe to one client after the other: each has an ack id of its own, or the application sends by itself."""
        cdef list members = self.rooms.targets(namespace, room, skip)
        cdef Member member
        if callback is not None:
            for member in members:
                member.check_acks()     # before anybody is sent anything
        if self.tap is not None:
            self.tap.emit(members, namespace, packet, callback)
            return len(members)
        for member in members:
            member.deliver(self.encode(EVENT, namespace, member.add_callback(callback), packet))
        return len(members)

    # --- encoding

    cpdef int post(self, Session session, int type, str namespace, object id, object data) except -1:
        """Owe one packet to one session."""
        if self.tap is not None:
            self.tap.send(session.sid, type, namespace, id, data)
            return 0
        return session.send(self.encode(type, namespace, id, data))

    cpdef Prepared encode(self, int type, str namespace, object id, object data):
        """Encode one Socket.IO packet; `data` None means none. Raises what the serializer raises."""
        cdef bytes text
        cdef Py_ssize_t size
        if self.packer is not None:
            return self._pack(self.packer.encode(type, namespace, id, data))
        if data is None:
            return Prepared.text(MESSAGE, sio_head(<SioType> type, -1, namespace, id), b"")
        if self._json is not None:
            size = self._json.size_of_texts(data)
            if size:
                return self._encode_texts(sio_head(<SioType> type, -1, namespace, id), data, size)
            text = self._json.dump(data)
            if text is not None:
                return Prepared.text(MESSAGE, sio_head(<SioType> type, -1, namespace, id), text)
        text, attachments = self.serializer.encode(data)
        if not attachments:
            return Prepared.text(MESSAGE, sio_head(<SioType> type, -1, namespace, id), text)
        return Prepared.with_attachments(
            sio_head(<SioType> (type + BINARY_EVENT - EVENT), len(attachments), namespace, id), text, attachments
        )

    cdef Prepared _encode_texts(self, bytes head, list texts, Py_ssize_t size):
        """Write a list of plain strings, the most frequent kind of event, where it will stand."""
        cdef char* at
        cdef Prepared message = Prepared.blank(MESSAGE, PyBytes_GET_SIZE(head) + size, &at)
        memcpy(at, PyBytes_AS_STRING(head), PyBytes_GET_SIZE(head))
        write_texts(texts, at + PyBytes_GET_SIZE(head))
        return message

    cdef Prepared _pack(self, object packed):
        """What a packer wrote: bytes, text, or a list of text and attachments."""
        if isinstance(packed, bytes):
            return Prepared.binary(packed)
        if isinstance(packed, str):
            return Prepared.text(MESSAGE, packed.encode("utf-8", "replace"), b"")
        text, *attachments = packed
        return Prepared.with_attachments(text.encode("utf-8", "replace"), b"", [bytes(data) for data in attachments])
