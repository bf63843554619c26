"""Latencies, counted in buckets that are never wider than a 128th of what they hold, as HdrHistogram does it.

May import: nothing. Never: drops, samples or averages what it is given; below 128 ns and for `max_us` it is exact.
"""
cimport cython
from libc.stdint cimport uint64_t
from libc.string cimport memset

# The middle of a bucket stands for all of it, so a percentile is off by half a step at most.
PRECISION = 0.5 / STEPS


cdef extern from *:
    """
    #define leading_zeros(x) __builtin_clzll(x)
    """
    int leading_zeros(uint64_t x) nogil


cdef inline Py_ssize_t bucket_of(uint64_t ns) noexcept nogil:
    if ns < STEPS:
        return <Py_ssize_t> ns
    cdef int shift = 63 - leading_zeros(ns) - 7
    cdef Py_ssize_t bucket = (shift + 1) * STEPS + <Py_ssize_t> ((ns >> shift) & (STEPS - 1))
    return bucket if bucket < BUCKETS else BUCKETS - 1


cdef double middle_us(Py_ssize_t bucket) noexcept nogil:
    if bucket < STEPS:
        return bucket / 1e3
    cdef int shift = <int> (bucket // STEPS) - 1
    cdef uint64_t start = <uint64_t> (STEPS + bucket % STEPS) << shift
    return (<double> start + <double> (<uint64_t> 1 << shift) / 2) / 1e3


@cython.final
cdef class Histogram:
    """How often each latency occurred. In nanoseconds, out microseconds."""

    def __cinit__(self):
        self.clear()

    def clear(self):
        """Forget everything."""
        memset(self.buckets, 0, sizeof(self.buckets))
        self.count = self.total = self.most = 0
        self.least = ~(<uint64_t> 0)

    cdef void record(self, uint64_t ns) noexcept:
        self.buckets[bucket_of(ns)] += 1
        self.count += 1
        self.total += ns
        if ns > self.most:
            self.most = ns
        if ns < self.least:
            self.least = ns

    def add(self, uint64_t ns):
        """Count one latency."""
        self.record(ns)

    @property
    def mean_us(self):
        """The average, exact; 0.0 when nothing was counted."""
        return self.total / 1e3 / self.count if self.count else 0.0

    @property
    def max_us(self):
        """The slowest of all, exact."""
        return self.most / 1e3

    @property
    def min_us(self):
        """The fastest of all, exact; 0.0 when nothing was counted."""
        return self.least / 1e3 if self.count else 0.0

    def percentile(self, double share):
        """Give the latency in us that `share` (0 to 1) of all did not exceed, within PRECISION; 0.0 when empty."""
        cdef uint64_t seen = 0
        cdef Py_ssize_t bucket
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"a share of {share} is not between 0 and 1")
        if self.count == 0:
            return 0.0
        cdef double wanted = share * <double> self.count
        for bucket in range(BUCKETS):
            seen += self.buckets[bucket]
            if seen > 0 and <double> seen >= wanted:
                return max(self.min_us, min(middle_us(bucket), self.max_us))
        return self.max_us

    def steps(self):
        """List what was counted as pairs of microseconds and count, shortest first; empty buckets left out."""
        cdef Py_ssize_t bucket
        return [(middle_us(bucket), self.buckets[bucket]) for bucket in range(BUCKETS) if self.buckets[bucket]]
