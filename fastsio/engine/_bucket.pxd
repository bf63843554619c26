"""A token bucket: so much a second on average, and so much at once."""


cdef class Bucket:
    cdef double _tokens
    cdef double _last                   # when they were counted, in monotonic seconds
    cpdef bint take(self, double amount, double rate, double burst, double now) noexcept
    cdef bint is_full(self, double rate, double burst, double now) noexcept
