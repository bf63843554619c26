"""How clients join namespaces and leave them: the parts that peers do without a coroutine."""
from libc.stdint cimport uint64_t

from fastsio.engine._session cimport Session
from fastsio.hub._hub cimport Hub
from fastsio.hub._rooms cimport Member


cdef class Shown:
    cdef Session _session
    cdef dict _environ                  # None when it is not to be let go of
    cdef bint _has_scope
    cdef bint _has_state
    # how they were: the environ, the scope in it, and the state in that
    cdef uint64_t[3] _versions
    cdef tuple _copies                  # where dicts have no versions
    cdef object take(self, object server, Member member)
    cdef int _note(self, Session session, dict environ) except -1
    cdef int forget(self) except -1
    cdef bint _is_untouched(self, int which, object table, Py_ssize_t references) except -1


cdef object call_connect(Hub hub, Member member, object auth, Shown shown)
cpdef bint is_plain(object manager) except -1
cdef bint holds_same(object now, object before) except -1
