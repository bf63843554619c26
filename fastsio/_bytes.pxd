"""Header only: a view into memory that somebody else owns, and loads that cannot run past its end.

May import: nothing of ours. Never allocates, never raises, never keeps a view.
"""
from libc.stdint cimport uint16_t, uint64_t


cdef struct View:
    # `size` bytes starting at `data`. Who keeps them alive, and until when, stands in the docstring of each
    # function that takes or gives a View.
    const unsigned char* data
    Py_ssize_t size


cdef inline View view_of(bytes owner):
    """Borrow the contents of `owner`; valid while the caller holds `owner`."""
    cdef View view
    view.data = <const unsigned char*> (<const char*> owner)
    view.size = len(owner)
    return view


cdef inline void view_skip(View* view, Py_ssize_t count) noexcept nogil:
    """Drop the first `count` bytes; the caller has checked that there are as many."""
    view.data += count
    view.size -= count


cdef inline bytes view_bytes(View view):
    """Copy into an owned `bytes`."""
    return (<const char*> view.data)[:view.size]


cdef inline uint16_t load_u16(const unsigned char* at) noexcept nogil:
    return (<uint16_t> at[0] << 8) | at[1]


cdef inline uint64_t load_u64(const unsigned char* at) noexcept nogil:
    cdef uint64_t value = 0
    cdef int i
    for i in range(8):
        value = (value << 8) | at[i]
    return value


cdef inline void store_u16(unsigned char* at, uint16_t value) noexcept nogil:
    at[0] = <unsigned char> (value >> 8)
    at[1] = <unsigned char> (value & 0xFF)


cdef inline void store_u64(unsigned char* at, uint64_t value) noexcept nogil:
    cdef int i
    for i in range(7, -1, -1):
        at[i] = <unsigned char> (value & 0xFF)
        value >>= 8
