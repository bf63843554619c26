"""Deadlines of many objects, looked after by one coarse sweep."""

cdef double NEVER

cdef double monotonic() noexcept nogil


cdef class Timed:
    cdef double deadline        # seconds of `monotonic`, NEVER when there is none
    cdef long long _tick        # the bucket it waits in, -1 when in none
    cdef object __weakref__
    cdef int on_deadline(self, double now) except -1


cdef class Wheel:
    cdef object _loop
    cdef object _timer
    cdef double _timer_due
    cdef dict _buckets          # tick -> set of Timed
    cdef list _ticks            # heap of the keys of _buckets
    cdef long long[8] _known_ticks      # of the buckets that were asked for last
    cdef list _known                    # and those
    cdef bint _was_late
    cdef int schedule(self, Timed item, double deadline) except -1
    cdef set _bucket(self, long long tick)
    cdef int _forget(self, long long tick) except -1
    cdef int drop(self, Timed item) except -1
    cdef int _arm(self, long long tick) except -1
    cdef int _visit(self, long long tick, double now) except -1
