"""Header only: a view into memory that somebody else owns, loads that cannot run past its end, and base64 outwards.

May import: nothing of ours. Never allocates, never raises, never keeps a view.
"""
from libc.stdint cimport uint16_t, uint32_t, uint64_t


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


cdef inline Py_ssize_t base64_size(Py_ssize_t size) noexcept nogil:
    return (size + 2) // 3 * 4


cdef inline void write_base64(
    const char* alphabet, const unsigned char* data, Py_ssize_t size, unsigned char* out
) noexcept nogil:
    """Write the base64 of `size` bytes: `base64_size(size)` characters of an alphabet of 64, padded (RFC 4648 4)."""
    cdef uint32_t bits
    while size >= 3:
        bits = <uint32_t> data[0] << 16 | <uint32_t> data[1] << 8 | data[2]
        put_base64_text(alphabet, bits, out)
        data += 3
        size -= 3
        out += 4
    if size:
        bits = <uint32_t> data[0] << 16 | (<uint32_t> data[1] << 8 if size == 2 else 0)
        put_base64_text(alphabet, bits, out)
        out[3] = c"="
        if size == 1:
            out[2] = c"="


cdef inline void put_base64_text(const char* alphabet, uint32_t bits, unsigned char* out) noexcept nogil:
    out[0] = alphabet[bits >> 18]
    out[1] = alphabet[bits >> 12 & 63]
    out[2] = alphabet[bits >> 6 & 63]
    out[3] = alphabet[bits & 63]
