"""A token bucket: so much a second on average, and so much at once.

May import: nothing of ours. Never looks at a clock: times are arguments.
"""
cimport cython


@cython.final
cdef class Bucket:
    """Starts full, on first use. Rate and burst are arguments, since options may change at any time."""

    def __cinit__(self):
        self._last = -1.0

    cpdef bint take(self, double amount, double rate, double burst, double now) noexcept:
        """Take `amount` tokens if there is one at least, going into debt for the rest. False: there is none.

        `rate` is tokens a second, `burst` how many there are at most. A single amount beyond `burst` therefore passes,
        and what follows it waits until the debt is paid.
        """
        if self._last < 0.0:
            self._tokens = burst
        else:
            self._tokens = min(burst, self._tokens + (now - self._last) * rate)
        self._last = now
        if self._tokens < 1.0:
            return False
        self._tokens -= amount
        return True

    cdef bint is_full(self, double rate, double burst, double now) noexcept:
        """Tell whether it is as good as a new one."""
        return self._last < 0.0 or self._tokens + (now - self._last) * rate >= burst
