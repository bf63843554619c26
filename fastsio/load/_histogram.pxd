"""Latencies in buckets, for whoever counts them."""
from libc.stdint cimport uint64_t

cdef enum:
    STEPS = 128  # linear steps in every power of two
    BUCKETS = 7424  # 58 of STEPS: all that 64 bits can hold

cdef class Histogram:
    cdef uint64_t buckets[BUCKETS]
    cdef readonly uint64_t count
    cdef uint64_t total, least, most
    cdef void record(self, uint64_t ns) noexcept
