"""HTTP/1.1 responses as the servers of Socket.IO send them: a length or chunks, and the headers that matter.

May import: nothing. Never: keeps anything between calls; the caller keeps what is not whole yet and comes again.
"""
from libc.string cimport memcmp, memmove, memset, strlen

cdef enum:
    HEAD_LIMIT = 65536  # bytes of status line and headers


cdef inline char lower(char c) noexcept nogil:
    return c + 32 if c'A' <= c <= c'Z' else c


cdef Py_ssize_t find(const char* data, size_t size, const char* what, size_t length) noexcept nogil:
    """Give where `what` begins, -1 when it does not occur."""
    cdef size_t i
    if size >= length:
        for i in range(size - length + 1):
            if data[i] == what[0] and memcmp(data + i, what, length) == 0:
                return <Py_ssize_t> i
    return -1


cdef const char* header(const char* head, size_t size, const char* name, size_t* length) noexcept nogil:
    """Find the value of a header, named in lower case, without the space around it; NULL when there is none."""
    cdef size_t name_size = strlen(name), i, at
    cdef Py_ssize_t line = find(head, size, "\r\n", 2), end
    while line >= 0:
        at = <size_t> line + 2
        end = find(head + at, size - at, "\r\n", 2)
        length[0] = (<size_t> end if end >= 0 else size - at)
        if length[0] > name_size and head[at + name_size] == c':':
            for i in range(name_size):
                if lower(head[at + i]) != name[i]:
                    break
            else:
                at += name_size + 1
                length[0] -= name_size + 1
                while length[0] > 0 and head[at] == c' ':
                    at += 1
                    length[0] -= 1
                while length[0] > 0 and head[at + length[0] - 1] == c' ':
                    length[0] -= 1
                return head + at
        line = <Py_ssize_t> at + end if end >= 0 else -1
    return NULL


cdef bint head_has(const Response* response, const char* name, const char* value) noexcept nogil:
    """Whether a header exists and contains `value`, in lower case; an empty `value` asks for the header alone."""
    cdef size_t length, size = strlen(value), i, at
    cdef const char* found = header(response.head, response.head_size, name, &length)
    if found == NULL or length < size:
        return False
    for at in range(length - size + 1):
        for i in range(size):
            if lower(found[at + i]) != value[i]:
                break
        else:
            return True
    return False


cdef ResponseStatus take_response(char* data, size_t size, Response* out) noexcept nogil:
    """Take the response that begins at `data`; when it is whole, its chunks are joined in place.

    Errors: RESPONSE_BAD for what is not HTTP, for a head over HEAD_LIMIT, and for a body without length or chunks.
    """
    cdef Py_ssize_t end = find(data, size, "\r\n\r\n", 4)
    cdef size_t length, start
    cdef const char* value
    memset(out, 0, sizeof(Response))
    if end < 0:
        return RESPONSE_BAD if size > HEAD_LIMIT or (size >= 5 and memcmp(data, "HTTP/", 5) != 0) else RESPONSE_PARTIAL
    if end < 12 or memcmp(data, "HTTP/1.", 7) != 0:
        return RESPONSE_BAD
    out.status = 100 * (data[9] - c'0') + 10 * (data[10] - c'0') + (data[11] - c'0')
    out.head = data
    out.head_size = <size_t> end
    out.closes = head_has(out, "connection", "close")
    start = <size_t> end + 4
    out.body = data + start
    if out.status == 101 or out.status == 204:
        out.whole = start
        return RESPONSE_WHOLE
    if head_has(out, "transfer-encoding", "chunked"):
        return join_chunks(data, start, size, out)
    value = header(data, out.head_size, "content-length", &length)
    if value == NULL or not read_number(value, length, 10, &out.size):
        return RESPONSE_BAD
    out.whole = start + out.size
    return RESPONSE_WHOLE if out.size <= size - start else RESPONSE_PARTIAL


cdef bint read_number(const char* at, size_t length, int base, size_t* out) noexcept nogil:
    """Read digits up to the first other character; False when there are none, or too many to be a length."""
    cdef size_t i
    cdef int digit
    out[0] = 0
    for i in range(length):
        digit = lower(at[i]) - c'0'
        if base == 16 and digit >= c'a' - c'0':
            digit -= c'a' - c'0' - 10
        if not 0 <= digit < base:
            return i > 0
        if out[0] >= <size_t> 1 << 40:
            return False
        out[0] = out[0] * <size_t> base + <size_t> digit
    return length > 0


cdef ResponseStatus join_chunks(char* data, size_t start, size_t size, Response* out) noexcept nogil:
    """Walk the chunks (RFC 9112 7.1) twice: to see whether all have come, and then to join them."""
    cdef size_t at, length = 1
    cdef Py_ssize_t line
    cdef int turn
    for turn in range(2):
        at = start
        out.size = 0
        while True:
            line = find(data + at, size - at, "\r\n", 2)
            if line < 0:
                return RESPONSE_PARTIAL
            if not read_number(data + at, <size_t> line, 16, &length):
                return RESPONSE_BAD
            at += <size_t> line + 2
            if length + 2 > size - at:
                return RESPONSE_PARTIAL
            if turn == 1:
                memmove(data + start + out.size, data + at, length)
                out.size += length
            at += length + 2
            if length == 0:
                break
    out.whole = at
    return RESPONSE_WHOLE
