"""Header only: have the processor fetch memory that is asked for soon, while it does something else.

May import: nothing of ours. A fetch changes nothing, and of an address that is not there it does nothing.
"""

cdef extern from *:
    """
    #if defined(__GNUC__)
    /* The empty statement is an effect: GCC leaves out calls of functions that have none, and a fetch is none. */
    #define fastsio_fetch(at) do { __builtin_prefetch(at); __asm__ volatile (""); } while (0)
    #else
    #define fastsio_fetch(at) ((void) (at))
    #endif
    """
    void fetch "fastsio_fetch"(const void* at) noexcept nogil


cdef enum:
    CACHE_LINE = 64     # bytes that are fetched at once


cdef inline void fetch_lines(const void* at, Py_ssize_t size) noexcept nogil:
    """Have the first `size` bytes fetched."""
    cdef const char* line = <const char*> at - <size_t> at % CACHE_LINE
    while line < <const char*> at + size:
        fetch(line)
        line += CACHE_LINE
