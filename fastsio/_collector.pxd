"""Header only: keep Python's garbage collector away for a moment.

May import: nothing of ours. It runs where objects are made (Python 3.11; later ones, where Python code goes on), and in it
run finalizers of the application: `__del__`, or the `finally` of a coroutine that nobody waits for. They may do whatever
a handler may, so it must not be in between what belongs together. Each hold is let go of in a `finally`.
"""

cdef extern from "Python.h":
    # Gives whether it was on, so that a hold in a hold, or the application's own `gc.disable`, stays one. Another thread that
    # switches it off in that moment, or forks, finds it on afterwards, or off in the child: nothing in here waits for threads.
    bint hold_collector "PyGC_Disable"() noexcept
    int _enable "PyGC_Enable"() noexcept


cdef inline void release_collector(bint was_on) noexcept:
    if was_on:
        _enable()
