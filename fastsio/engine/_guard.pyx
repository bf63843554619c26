"""Who may open a session: how many there are, how many from one address, and how fast.

May import: `_bucket`, `options`. Never answers and never logs; `_admission` does. Remembers an address only while it has
sessions, or has made handshakes faster than it may for ever.
"""
cimport cython

from fastsio.engine._bucket cimport Bucket
from fastsio.options cimport Options

# Addresses whose handshakes are remembered at most; then those that have been quiet are forgotten, or all.
cdef Py_ssize_t MAX_ADDRESSES = 65_536


@cython.final
cdef class Guard:
    """Counts the sessions of each peer address."""

    def __cinit__(self):
        self._buckets = {}
        self._counts = {}

    cdef str refusal(self, Options options, Py_ssize_t sessions, str address, double now):
        """Give the sentence that turns a handshake away, None when it may go on. A refused one costs a token, too."""
        if self.is_draining:
            return "The server is shutting down"
        if options.max_loop_lag > 0.0 and self.lag > options.max_loop_lag:
            return f"The server is {self.lag:.2f} s behind, more than {options.max_loop_lag:g} s (max_loop_lag)"
        if sessions >= options.max_sessions:
            return f"The server has {sessions} sessions, as many as it may have (max_sessions)"
        if options.max_sessions_per_address and self._counts.get(address, 0) >= options.max_sessions_per_address:
            return (
                f"{options.max_sessions_per_address} sessions are open from this address, "
                "as many as there may be (max_sessions_per_address)"
            )
        if options.handshake_rate > 0.0 and not self._bucket(options, address, now).take(
            1.0, options.handshake_rate, options.handshake_burst, now
        ):
            return f"More than {options.handshake_rate:g} handshakes a second come from this address (handshake_rate)"
        return None

    cdef Bucket _bucket(self, Options options, str address, double now):
        cdef Bucket bucket = self._buckets.get(address)
        if bucket is None:
            if len(self._buckets) >= MAX_ADDRESSES:
                self._forget(options, now)
            bucket = self._buckets[address] = Bucket()
        return bucket

    cdef int _forget(self, Options options, double now) except -1:
        """Make room: keep the addresses that are still held back."""
        cdef Bucket bucket
        kept = {}
        for address, bucket in self._buckets.items():
            if not bucket.is_full(options.handshake_rate, options.handshake_burst, now):
                kept[address] = bucket
        self._buckets = kept if len(kept) < MAX_ADDRESSES // 2 else {}

    cdef int entered(self, str address) except -1:
        """A session of that address has been opened."""
        self._counts[address] = self._counts.get(address, 0) + 1
        return 0

    cpdef int left(self, str address) except -1:
        """One has ended."""
        count = self._counts.get(address, 0) - 1
        if count > 0:
            self._counts[address] = count
        else:
            self._counts.pop(address, None)
        return 0
