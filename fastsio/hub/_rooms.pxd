"""Membership: who is in which namespace and room, and the one fan-out loop."""
from fastsio.engine._outbox cimport Prepared
from fastsio.engine._session cimport Session


cdef enum MemberState:
    PENDING = 0         # its connect handler runs; what it is sent is held back
    CONNECTED = 1
    LEAVING = 2         # its disconnect handler runs; it still receives
    GONE = 3


cdef class Member:
    """One client in one namespace."""
    cdef readonly str sid
    cdef readonly str namespace
    cdef readonly str eio_sid
    cdef readonly Session session       # None for members that tests make up
    cdef MemberState state
    cdef dict _rooms                    # rooms it entered, in order; None when it entered none
    cdef bint _in_own_room              # the room that bears its sid
    cdef list _held                     # messages, or what sends them, that wait for the end of PENDING
    cdef public dict callbacks          # ack id -> callable; None when there are none
    cdef readonly long long last_id     # ack ids count from 1
    cpdef int check_acks(self) except -1
    cdef bint is_in(self, room) except -1
    cdef int deliver(self, Prepared message) except -1
    cdef int _begin_to_hold(self) except -1
    cdef bint _has_room(self) except -1
    cdef int connected(self) except -1


cdef class Hall:
    """One namespace: its members, and the rooms they entered."""
    cdef readonly dict members          # sid -> Member
    cdef readonly dict rooms            # room -> {sid: Member}


cdef class Rooms:
    cdef readonly dict halls            # namespace -> Hall
    cdef public object observer         # hears of what happens to members (admin/observer.py); None, as a rule
    cdef Member find(self, str namespace, object sid)
    cpdef int add(self, Member member) except -1
    cpdef int remove(self, Member member) except -1
    cpdef int enter(self, Member member, object room) except -1
    cpdef int put(self, object namespace, object sid, object room) except -1
    cpdef int leave(self, Member member, object room) except -1
    cdef Py_ssize_t broadcast(self, Prepared message, str namespace, object room, object skip) except -1
    cdef Py_ssize_t _to_all(self, dict members, Prepared message, object skip) except -1
    cdef Py_ssize_t _to_union(self, Hall hall, object rooms, Prepared message, object skip) except -1
