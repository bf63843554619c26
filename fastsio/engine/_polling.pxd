"""The rules of long-polling: who waits, who is refused, what a response holds."""
from fastsio._http cimport Exchange
from fastsio.engine._session cimport Link, Session
from fastsio.engine.registry cimport Registry


cdef class PollingLink(Link):
    cdef readonly Exchange waiter       # the open GET
    cdef readonly Exchange poster       # the open POST
    cdef bint _held                     # its POST is not answered until handlers have caught up
    cdef tuple _later                   # how to go on with it then
    cdef int wait(self, Exchange exchange) except -1
    cdef int _answer(self, bytes body, bint is_binary) except -1


cdef PollingLink link_of(Session session)
cpdef object get(Registry registry, Session session, Exchange exchange)
cpdef bint post_begins(Registry registry, Session session, Exchange exchange) except *
cpdef object post(Registry registry, Session session, Exchange exchange, bytes body)
