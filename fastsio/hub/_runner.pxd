"""Runs handlers at once, each as if in an asyncio task of its own."""

# Whether counts of references tell who keeps something: not without the interpreter's lock.
cdef bint CAN_COUNT


cdef class Rest:
    """What is left of something awaitable; stands in for it where it is awaited."""
    cdef object _iterator
    # what its first step waits for, to be given again
    cdef bint _has_given
    cdef object _given
    cdef bint _blocks                   # it is a future that waits for its task
    cdef object _error                  # raised where it waits when it goes on


cdef class Spare:
    """A task that stands in for others."""
    cdef object task
    cdef object context                 # the one that it runs in
    cdef object wake                    # the future that it waits for
    cdef object outer                   # the task that was current before it
    cdef bint has_begun
    cdef object result                  # of a step that was all
    cdef Py_ssize_t references          # to the task, before it was lent out
    cdef object name                    # of the task, as asyncio gave it
    # what it goes on with
    cdef Rest first
    cdef object rest
    cdef object error
    cdef int finish(self) except -1


cdef class Runner:
    cdef readonly object loop
    cdef Spare _spare
    cdef Spare enter(self)
    cdef object _swap(self, object task)
    cdef int leave(self, Spare spare) except -1
    cdef int done(self, Spare spare) except -1
    cdef object hand_over(self, Spare spare, Rest first, object rest)
    cdef int fail(self, Spare spare, object error) except -1


cdef Rest first_step(object awaitable, Spare spare)
