"""Sockets that the loop sees as one descriptor: their listeners, their transports, and who uses those."""
from fastsio.engine._session cimport Link
from fastsio.engine.registry cimport Registry
from fastsio.net._sockets cimport SystemEvent, SystemPeer

# Sockets that are served before the loop goes on.
cdef enum:
    MAX_READY = 256


cdef class Stream(Link):
    """A link over a stream of bytes. Whoever reads for it asks where to, and says how much came."""
    cdef unsigned char* room(self, Py_ssize_t* size) except NULL    # for the next read; valid until other code runs
    cdef int arrived(self, Py_ssize_t size) except -1               # so many bytes have been put there


cdef class Polled:
    cdef int fd                         # -1 when it is somebody else's, or closed
    cdef int _watched                   # what the poller watches for now
    cdef Poller _poller
    cdef int _watch(self, int wanted) except -1
    cdef int on_ready(self, int may) except -1
    cdef int on_failure(self, object error) except -1


cdef class PolledTransport(Polled):
    cdef Stream _stream
    cdef unsigned char[6] _ipv4         # of the peer, as `system_ipv4_name` puts it
    cdef bint _is_ipv4
    cdef tuple _ipv6                    # of the peer, as Python has it; else None
    cdef Listener _listener             # who has accepted it
    cdef bint _reads
    cdef bint _closing
    cdef bint _lost
    cdef bint _ends                     # nothing more is said once all is written
    cdef object _error                  # why it is lost
    cdef list _unsent                   # of bytes; None for none
    cdef Py_ssize_t _written            # bytes of the first of them that the kernel has
    cdef Py_ssize_t _size               # of all that it has not
    cdef object _socket                 # for whoever asked
    cdef tuple name(self, bint is_peer)
    cdef int detach(self) except -2
    cdef int _read(self) except -1
    cdef int _write_on(self) except -1
    cdef int _renew(self) except -1
    cdef int _lose(self, object error) except -1


cdef class Listener(Polled):
    cdef readonly list sockets
    cdef object _make                   # () -> Stream
    cdef tuple _name                    # (host, port) of an address with IPv4 that all its connections have, else None
    cdef int _spare                     # a descriptor to give away when there is no other
    cdef bint _has_complained
    cdef int _accept(self, int fd, const SystemPeer* peer) except -1
    cdef int _turn_away(self) except 1
    cdef int _rest(self, int error) except -1


cdef class Poller:
    cdef Registry _registry
    cdef object _loop
    cdef int _epoll
    cdef bint _is_turn
    cdef SystemEvent[MAX_READY] _events     # what the system said was ready
    cdef list _ready                    # whose, as long as they have not all been served; holds them: one may end another
    cdef Py_ssize_t _served             # of them
    cdef list _gone                     # transports whose streams have to hear that they are lost
    cdef object _settle_bound
    cdef int _look(self) except -1
    cdef int _serve(self) except -1
    cdef int _settle_later(self, PolledTransport transport) except -1
    cdef int _finish(self, PolledTransport transport) except -1
