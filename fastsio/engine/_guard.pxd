"""Who may open a session."""
from fastsio.engine._bucket cimport Bucket
from fastsio.options cimport Options


cdef class Guard:
    cdef dict _buckets                  # address -> Bucket of its handshakes
    cdef dict _counts                   # address -> sessions
    cdef public bint is_draining        # the server stops: nobody new
    cdef public double lag              # seconds that the event loop is late
    cdef str refusal(self, Options options, Py_ssize_t sessions, str address, double now)
    cdef Bucket _bucket(self, Options options, str address, double now)
    cdef int _forget(self, Options options, double now) except -1
    cdef int entered(self, str address) except -1
    cpdef int left(self, str address) except -1
