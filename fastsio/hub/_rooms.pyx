"""Membership: who is in which namespace and room, and the one fan-out loop.

May import: the engine floor. Never encodes and never hears of frames.
A member is in two rooms without any table: everybody's (None) and the one that bears its sid.
"""
cimport cython
from cpython.dict cimport PyDict_Keys, PyDict_Values

from fastsio.engine._lifecycle cimport LIVE
from fastsio.engine._outbox cimport DROPPABLE, RELIABLE, Prepared
from fastsio.engine._session cimport Session

from fastsio.errors import TooManyAcksError, TooManyRoomsError


@cython.final
cdef class Member:
    """One client in one namespace."""

    def __init__(self, str sid, str namespace, str eio_sid, Session session=None):
        self.sid = sid
        self.namespace = namespace
        self.eio_sid = eio_sid
        self.session = session
        self._in_own_room = True
        self.state = PENDING

    @property
    def label(self):
        """The sid as logs may show it: that of a revision 3 client is also the secret of its connection."""
        return self.sid if self.session is None or self.session.version == 4 else self.sid[:6]

    @property
    def is_pending(self):
        return self.state == PENDING

    @property
    def is_connected(self):
        return self.state == CONNECTED

    @property
    def is_leaving(self):
        return self.state == LEAVING

    @property
    def is_gone(self):
        return self.state == GONE

    def set_connected(self):
        """Its connect handler agreed: what was held back goes out, in order."""
        self.connected()

    def set_leaving(self):
        self.state = LEAVING

    def send(self, Prepared message not None):
        """Owe one message to this member."""
        self.deliver(message)

    def hold(self, send):
        """Call `send` once the connect handler has agreed; never when it refuses."""
        if self._held is None:
            self._begin_to_hold()
        if self.session is None or self._has_room():
            self._held.append(send)

    cpdef int check_acks(self) except -1:
        """See that one more ack may be waited for.

        Raises:
            TooManyAcksError: there are `max_pending_acks`.
        """
        if self.callbacks is not None and self.session is not None:
            if len(self.callbacks) >= self.session.options.max_pending_acks > 0:
                raise TooManyAcksError(self.session.options.max_pending_acks)
        return 0

    def add_callback(self, callback):
        """Remember whom to tell of an ack; give the id to ask for. Raises TooManyAcksError."""
        self.check_acks()
        if self.callbacks is None:
            self.callbacks = {}
        self.last_id += 1
        self.callbacks[self.last_id] = callback
        if self.session is not None and self.session.held:
            self.session.hold_reading(False)    # the answer lies behind what is not read
        return self.last_id

    def take_callback(self, id):
        """Give the callable that waits for an ack, None when nobody does."""
        return None if self.callbacks is None else self.callbacks.pop(id, None)

    def room_names(self):
        """Give the rooms it is in, its own first."""
        cdef list names = [self.sid] if self._in_own_room else []
        if self._rooms is not None:
            names.extend(self._rooms)
        return names

    cdef bint is_in(self, room) except -1:
        """Tell whether it is in a room, its own included."""
        return self._in_own_room if room == self.sid else self._rooms is not None and room in self._rooms

    cdef int deliver(self, Prepared message) except -1:
        """Send `message`, or hold it back while the connect handler runs."""
        if self.session is None:
            return 0
        if self.state == PENDING and self._held is None:
            self._begin_to_hold()
        if self.state == PENDING:
            if self._has_room():
                self._held.append(message)
        elif self.state != GONE:
            self.session.send(message)
        return 0

    cdef int _begin_to_hold(self) except -1:
        cdef list held = []     # first: to make a list may run a finalizer, and that may send to this member, or end it
        if self._held is None:
            self._held = held
        return 0

    cdef bint _has_room(self) except -1:
        """Tell whether one more may be held back. If not, the client is put out: its connect handler takes too long."""
        cdef Py_ssize_t size = 0, packets = 0
        if self.session.state > LIVE or self.session._overflowing:
            return False    # it will never hear of it
        if len(self._held) < self.session.options.max_send_packets:
            return True
        for message in self._held:
            if isinstance(message, Prepared):
                size += (<Prepared> message).size
                packets += (<Prepared> message).packets
            else:
                packets += 1
        self.session._overflow(size, packets)
        return False

    cdef int connected(self) except -1:
        cdef list held = self._held
        self._held = None
        if self.state == GONE:
            return 0
        self.state = CONNECTED
        if held is not None:
            for message in held:
                if isinstance(message, Prepared):
                    self.session.send(<Prepared> message)
                else:
                    message()
        return 0


@cython.final
cdef class Hall:
    def __cinit__(self):
        self.members = {}
        self.rooms = {}

    def room(self, name):
        """Give {sid: Member} of a room; the table itself for None, a copy for a sid."""
        if name is None:
            return self.members
        member = self.members.get(name)
        if member is not None:
            return {name: member} if (<Member> member)._in_own_room else {}
        return self.rooms.get(name, {})

    def room_names(self):
        """Give the names of all rooms, everybody's (None) and the members' own included."""
        return [None, *[sid for sid, member in self.members.items() if (<Member> member)._in_own_room], *self.rooms]


@cython.final
cdef class Rooms:
    """The two tables: namespace and room to members, member to rooms."""

    def __cinit__(self):
        self.halls = {}

    cdef Member find(self, str namespace, object sid):
        cdef Hall hall = self.halls.get(namespace)
        return None if hall is None else hall.members.get(sid)

    def member(self, namespace, sid):
        """Give the Member, None when there is no such sid in the namespace."""
        hall = self.halls.get(namespace)
        return None if hall is None else (<Hall> hall).members.get(sid)

    cpdef int add(self, Member member) except -1:
        """Let a member into its namespace."""
        hall = self.halls.get(member.namespace)
        if hall is None:
            hall = self.halls[member.namespace] = Hall()
        (<Hall> hall).members[member.sid] = member
        if self.observer is not None:
            self.observer.member_added(member)
        return 0

    cpdef int remove(self, Member member) except -1:
        """Take a member out of everything. Empty rooms and namespaces vanish."""
        cdef Hall hall = self.halls.get(member.namespace)
        cdef bint has_left = member.state == LEAVING
        member.state = GONE
        member._held = None
        member.callbacks = None
        if hall is None or hall.members.pop(member.sid, None) is None:
            return 0
        if member._rooms is not None:
            for room in PyDict_Keys(member._rooms):
                self.leave(member, room)
        if not hall.members:
            self.halls.pop(member.namespace, None)
        if self.observer is not None:
            self.observer.member_removed(member, has_left)
        return 0

    cpdef int enter(self, Member member, room) except -1:
        """Put a member into a room.

        Raises:
            ValueError: the room bears the sid of another client.
            TooManyRoomsError: it is in `max_rooms` already.
        """
        cdef Hall hall = self.halls[member.namespace]
        if room is None:
            return 0
        if room in hall.members and room != member.sid:
            raise ValueError("cannot enter a sid room")
        if member.is_in(room):
            return 0
        if room == member.sid:
            member._in_own_room = True
        else:
            if member._rooms is not None and member.session is not None:
                limit = member.session.options.max_rooms
                if len(member._rooms) >= limit > 0:
                    raise TooManyRoomsError(limit)
            members = hall.rooms.get(room)
            if members is None:
                members = hall.rooms[room] = {}
            members[member.sid] = member
            if member._rooms is None:
                member._rooms = {}
            member._rooms[room] = None
        if self.observer is not None:
            self.observer.room_entered(member, room)
        return 0

    cpdef int leave(self, Member member, room) except -1:
        """Take a member out of a room; silent when it is not there."""
        cdef Hall hall = self.halls.get(member.namespace)
        if self.observer is not None and member.is_in(room):
            self.observer.room_left(member, room)
        if room == member.sid:
            member._in_own_room = False
            return 0
        if hall is None or member._rooms is None or room not in member._rooms:
            return 0
        del member._rooms[room]
        if not member._rooms:
            member._rooms = None
        members = hall.rooms.get(room)
        if members is not None:
            members.pop(member.sid, None)
            if not members:
                hall.rooms.pop(room, None)
        return 0

    cpdef int put(self, object namespace, object sid, object room) except -1:
        """Put a client into a room, as `enter` does.

        Raises:
            ValueError: the namespace has no clients.
            KeyError: there is no such client.
        """
        hall = self.halls.get(namespace)
        if hall is None:
            raise ValueError("sid is not connected to requested namespace")
        member = (<Hall> hall).members.get(sid)
        if member is None:
            raise KeyError(sid)
        return self.enter(<Member> member, room)

    def close(self, namespace, room):
        """Take everybody out of a room.

        Raises:
            ValueError: the room bears the sid of a client.
        """
        cdef Hall hall = self.halls.get(namespace)
        if hall is None:
            return
        if room in hall.members:
            raise ValueError("cannot close a sid room")
        for member in list(hall.rooms.get(room, {}).values()):
            self.leave(member, room)

    def send(self, Prepared message not None, namespace, room, skip):
        """Owe an event to everybody in `room`; give how many that are."""
        if message.manner == RELIABLE:
            message.manner = DROPPABLE
        return self.broadcast(message, namespace, room, skip)

    def targets(self, namespace, room, skip):
        """Give the members that an emit to `room` reaches, each once, as a list."""
        cdef Hall hall = self.halls.get(namespace)
        if hall is None:
            return []
        names = room if isinstance(room, (list, tuple, set, frozenset)) else [room]
        found = {}
        for name in names:
            found.update(hall.room(name))
        return [member for sid, member in found.items() if skip is None or sid not in skip]

    cdef Py_ssize_t broadcast(self, Prepared message, str namespace, object room, object skip) except -1:
        """Owe `message` to each member once, in the order they came.

        Shape: `room` is None for everybody, a name, or a list, tuple or set of names; `skip` a set of sids or None.
        A logger's handlers may run in here, and finalizers: who is in the room is asked once, before the first is owed anything.
        """
        cdef Hall hall = self.halls.get(namespace)
        if hall is None:
            return 0
        if room is None:
            return self._to_all(hall.members, message, skip)
        if isinstance(room, (list, tuple, set, frozenset)):
            return self._to_union(hall, room, message, skip)
        member = hall.members.get(room)
        if member is not None:
            if not (<Member> member)._in_own_room or (skip is not None and room in skip):
                return 0
            (<Member> member).deliver(message)
            return 1
        members = hall.rooms.get(room)
        return 0 if members is None else self._to_all(members, message, skip)

    cdef Py_ssize_t _to_all(self, dict members, Prepared message, object skip) except -1:
        cdef Py_ssize_t count = 0
        for member in PyDict_Values(members):
            if skip is None or (<Member> member).sid not in skip:
                (<Member> member).deliver(message)
                count += 1
        return count

    cdef Py_ssize_t _to_union(self, Hall hall, object rooms, Prepared message, object skip) except -1:
        cdef dict union = {}
        for name in rooms:
            union.update(hall.room(name))
        return self._to_all(union, message, skip)
