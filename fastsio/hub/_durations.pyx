"""How long handlers take, by event: counts in buckets, as Prometheus has them.

May import: nothing of ours. Never looks at a clock, and never keeps a single duration.
"""
cimport cython
from libc.string cimport memset

# Upper ends of the buckets, in seconds; one more bucket has no end.
BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
# Events that are told apart; clients choose their names, so there must be an end to it.
MAX_EVENTS = 100
OTHERS = "another"

cdef double[COUNT] _bounds
for _place, _bound in enumerate(BOUNDS):
    _bounds[_place] = _bound


@cython.final
cdef class Histogram:
    """The durations of one event's handlers."""

    def __cinit__(self):
        memset(self.buckets, 0, sizeof(self.buckets))

    cdef void record(self, double seconds) noexcept:
        cdef Py_ssize_t place = 0
        while place < COUNT and seconds > _bounds[place]:
            place += 1
        self.buckets[place] += 1
        self.count += 1
        self.total += seconds

    def report(self):
        """Give ``count``, ``seconds`` together, and ``buckets``: how many took at most so long, by upper end in seconds."""
        cdef Py_ssize_t place
        cdef long long seen = 0
        found = {}
        for place in range(COUNT):
            seen += self.buckets[place]
            found[BOUNDS[place]] = seen
        return {"count": self.count, "seconds": self.total, "buckets": found}


@cython.final
cdef class Durations:
    """The histograms of one server's events."""

    def __cinit__(self):
        self._events = {}

    cpdef int record(self, object event, double seconds) except -1:
        """Count that a handler of `event` took so long."""
        cdef Histogram histogram = self._events.get(event)
        if histogram is None:
            if len(self._events) >= MAX_EVENTS:
                event = OTHERS
            histogram = self._events.setdefault(event, Histogram())
        histogram.record(seconds)
        return 0

    def report(self):
        """Give what `Histogram.report` gives for each event, by its name."""
        return {str(event): histogram.report() for event, histogram in sorted(self._events.items(), key=str)}
