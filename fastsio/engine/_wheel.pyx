"""Deadlines of many objects, looked after by one coarse sweep.

May import: nothing of ours. The clock of the house is here; whoever decides anything gets the time as an argument.
A deadline that moves later costs nothing: the object is looked at when its old bucket comes, and put into a new one.
"""
cimport cython
from libc.math cimport INFINITY

import heapq

cdef extern from "_system.h" nogil:
    double system_monotonic()

NEVER = INFINITY

# Seconds that one bucket spans. Deadlines are kept no finer than this.
cdef double TICK = 0.01
# A sweep that comes this many seconds late tells of a blocked loop, not of dead clients.
cdef double STALL = 0.5
# Buckets that one sweep looks at, at most, so as not to wake for those that are empty by now.
cdef int MAX_SKIPPED = 256
# Seconds that a blocked loop gets to read what arrived meanwhile before deadlines are judged.
cdef double STALL_GRACE = 0.25


# Seconds that tests have let pass.
cdef double _skipped = 0.0


cdef double monotonic() noexcept nogil:
    return system_monotonic() + _skipped


def skip_time(double seconds):
    """Let time pass for every deadline of the process. For tests, whose loop has to agree."""
    global _skipped
    _skipped += seconds


cdef class Timed:
    """Something with a deadline. Subclasses override `on_deadline` and may set a new one there."""

    def __cinit__(self):
        self.deadline = NEVER
        self._tick = -1

    cdef int on_deadline(self, double now) except -1:
        return 0


@cython.final
cdef class Wheel:
    """Buckets of `Timed` objects, 10 ms each, and one loop timer for the nearest of them."""

    def __init__(self, loop):
        self._loop = loop
        self._timer = None
        self._timer_due = NEVER
        self._buckets = {}
        self._known = [None] * 8
        self._ticks = []
        self._was_late = False

    cdef int schedule(self, Timed item, double deadline) except -1:
        """Call `item.on_deadline` not before `deadline`, and about one bucket later at most."""
        cdef long long tick
        cdef set bucket
        item.deadline = deadline
        if deadline == NEVER:
            return 0
        tick = <long long> (deadline / TICK) + 1
        if item._tick != -1 and item._tick <= tick:
            return 0    # it is looked at before that anyway
        self.drop(item)
        item._tick = tick
        bucket = self._bucket(tick)
        if bucket is None:
            self._buckets[tick] = {item}
            heapq.heappush(self._ticks, tick)
            self._arm(tick)
        else:
            bucket.add(item)
        return 0

    cdef set _bucket(self, long long tick):
        """Give the bucket of a tick; None when there is none. The same few are asked for again and again."""
        cdef int place = tick & 7
        cdef set bucket
        if self._known_ticks[place] == tick:
            return <set> self._known[place]
        bucket = self._buckets.get(tick)
        if bucket is not None:
            self._known_ticks[place] = tick
            self._known[place] = bucket
        return bucket

    cdef int _forget(self, long long tick) except -1:
        if self._known_ticks[tick & 7] == tick:
            self._known_ticks[tick & 7] = 0
            self._known[tick & 7] = None
        return 0

    cdef int drop(self, Timed item) except -1:
        """Forget `item` at once, so that nothing keeps it alive."""
        cdef set bucket
        if item._tick != -1:
            bucket = self._bucket(item._tick)
            if bucket is not None:
                bucket.discard(item)
            item._tick = -1
        return 0

    cdef int _arm(self, long long tick) except -1:
        cdef double due = tick * TICK
        if due >= self._timer_due:
            return 0
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._loop.call_later(max(0.0, due - monotonic()), self._sweep)
        return 0

    def _sweep(self):
        cdef double now = monotonic()
        cdef bint late = now - self._timer_due > STALL
        cdef int skipped = 0    # buckets, among them those that are not due but empty by now
        self._timer = None
        self._timer_due = NEVER
        if late and not self._was_late:
            # What clients sent during the stall lies in the sockets: read first, judge afterwards.
            self._was_late = True
            self._timer_due = now + STALL_GRACE
            self._timer = self._loop.call_later(STALL_GRACE, self._sweep)
            return
        self._was_late = False
        while self._ticks and (self._ticks[0] * TICK <= now or (skipped < MAX_SKIPPED and not self._buckets[self._ticks[0]])):
            skipped += 1
            self._visit(heapq.heappop(self._ticks), now)
        if self._ticks:
            self._arm(self._ticks[0])

    cdef int _visit(self, long long tick, double now) except -1:
        cdef Timed item
        self._forget(tick)
        for item in self._buckets.pop(tick):
            if item._tick != tick:
                continue
            item._tick = -1
            if item.deadline > now:
                self.schedule(item, item.deadline)
                continue
            try:
                item.on_deadline(now)
            except Exception as exc:
                self._loop.call_exception_handler({"message": "a deadline could not be handled", "exception": exc})
        return 0

    def stop(self):
        """Forget every deadline."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._timer_due = NEVER
        self._buckets.clear()
        for tick in self._known_ticks:
            self._forget(tick)
        self._ticks.clear()
