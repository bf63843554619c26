"""Header only: WebSocket frames as a client writes and reads them, and numbers inside of payloads.

May import: nothing. Never allocates, never raises. RFC 6455 only as far as a server may answer to a client that offers no
extension.
"""
cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef enum:
    DIGITS = 8           # every payload begins with its number, so that no answer can stand for another
    NUMBERS = 100000000  # as many as DIGITS can write
    FRAME_HEAD = 14      # the longest head: two bytes, a length of eight, a mask of four

cdef enum ReadStatus:
    FRAME_PARTIAL = 0
    FRAME_WHOLE = 1
    FRAME_MASKED = 2     # servers must not (RFC 6455 5.1)


cdef struct Frame:
    int first            # FIN, reserved bits and opcode
    const char* data
    size_t size
    size_t whole         # head and payload together; known as soon as the head is, else 0


@cython.overflowcheck(False)  # bits are meant to fall out
cdef inline uint32_t next_mask(uint64_t* state) noexcept nogil:
    """Masks that differ from frame to frame. Not secret: nobody's cache stands between a load generator and a server."""
    cdef uint64_t x = state[0]
    x ^= x << 13
    x ^= x >> 7
    x ^= x << 17
    state[0] = x
    return <uint32_t> (x >> 16)


cdef inline void apply_mask(char* data, size_t size, uint32_t mask) noexcept nogil:
    cdef uint64_t wide = (<uint64_t> mask << 32) | mask, word
    cdef size_t i = 0
    while i + 8 <= size:
        memcpy(&word, data + i, 8)
        word ^= wide
        memcpy(data + i, &word, 8)
        i += 8
    while i < size:
        data[i] = data[i] ^ <char> (mask >> (8 * (i & 3)))
        i += 1


cdef inline size_t write_frame(char* at, int opcode, const char* data, size_t size, uint32_t mask) noexcept nogil:
    """Write one final frame, masked, and give its length; `at` has room for FRAME_HEAD and `size`."""
    cdef size_t head = 2
    cdef int shift
    at[0] = <char> (0x80 | opcode)
    if size < 126:
        at[1] = <char> (0x80 | size)
    elif size < 65536:
        at[1] = <char> (0x80 | 126)
        at[2] = <char> (size >> 8)
        at[3] = <char> size
        head = 4
    else:
        at[1] = <char> (0x80 | 127)
        for shift in range(8):
            at[2 + shift] = <char> (<uint64_t> size >> (56 - 8 * shift))
        head = 10
    memcpy(at + head, &mask, 4)
    memcpy(at + head + 4, data, size)
    apply_mask(at + head + 4, size, mask)
    return head + 4 + size


cdef inline ReadStatus read_frame(const char* data, size_t size, Frame* out) noexcept nogil:
    """Look at the frame that begins at `data`, borrowed. `out.whole` says how much of it there will be, once known."""
    cdef const unsigned char* head = <const unsigned char*> data
    cdef size_t length, start = 2
    out.whole = 0
    if size < 2:
        return FRAME_PARTIAL
    out.first = head[0]
    if head[1] & 0x80:
        return FRAME_MASKED
    length = head[1]
    if length == 126:
        if size < 4:
            return FRAME_PARTIAL
        length = (<size_t> head[2] << 8) | head[3]
        start = 4
    elif length == 127:
        if size < 10:
            return FRAME_PARTIAL
        length = 0
        while start < 10:
            length = (length << 8) | head[start]
            start += 1
    out.data = data + start
    out.size = length
    out.whole = start + length if length < (<size_t> 1 << 62) else <size_t> 1 << 62
    return FRAME_WHOLE if size - start >= length else FRAME_PARTIAL


cdef inline void write_digits(char* at, uint32_t number) noexcept nogil:
    cdef int i = DIGITS - 1
    while i >= 0:
        at[i] = <char> (c'0' + number % 10)
        number //= 10
        i -= 1


cdef inline int64_t read_digits(const char* at) noexcept nogil:
    """Give the number in DIGITS digits, -1 when they are none."""
    cdef int64_t number = 0
    cdef int i
    for i in range(DIGITS):
        if not c'0' <= at[i] <= c'9':
            return -1
        number = number * 10 + (at[i] - c'0')
    return number
