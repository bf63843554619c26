"""How long handlers take, by event."""

cdef enum:
    COUNT = 15                          # of bounds


cdef class Histogram:
    cdef long long[COUNT + 1] buckets
    cdef readonly long long count
    cdef readonly double total          # seconds
    cdef void record(self, double seconds) noexcept


cdef class Durations:
    cdef dict _events                   # event -> Histogram
    cpdef int record(self, object event, double seconds) except -1
