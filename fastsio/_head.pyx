"""The head of an ordinary HTTP/1.1 request: checked in one pass, and read where it lies.

May import: `_bytes`. Never decides what an unusual head means, nor whether it is an error: a general parser does.
Source: RFC 9112 2.2, 3 and 5, without anything that it only tolerates.
"""
from libc.stdint cimport uint64_t
from libc.string cimport memchr, memcmp, memcpy

from fastsio._bytes cimport View, view_bytes

# Digits of a content length that are read; longer ones are unusual.
cdef Py_ssize_t MAX_LENGTH_DIGITS = 15

# Byte -> whether it may stand in a name: the letters, digits and signs of a token (RFC 9110 5.6.2).
cdef unsigned char[256] TOKEN


cdef void _fill_token() noexcept:
    cdef int i
    for i in range(256):
        TOKEN[i] = (
            c"a" <= i <= c"z" or c"A" <= i <= c"Z" or c"0" <= i <= c"9"
            or (i != 0 and memchr(b"!#$%&'*+-.^_`|~", i, 15) != NULL)
        )


_fill_token()


cdef Py_ssize_t find_head_end(View data) noexcept nogil:
    """Give the size of the request head at the beginning of `data`, its empty line included; -1 when it goes on."""
    cdef const unsigned char* at = data.data
    cdef const unsigned char* end = data.data + data.size
    while True:
        at = <const unsigned char*> memchr(at, c"\n", end - at) if at < end else NULL
        if at == NULL or end - at < 3:
            return -1
        if at[1] == c"\r" and at[2] == c"\n" and at > data.data and at[-1] == c"\r":
            return at + 3 - data.data
        at += 1


cdef bint read_head(View data, Head* head) noexcept nogil:
    """Read a whole head, its empty line included. False: it is unusual, or malformed.

    Shape: what `head` points to is borrowed from `data`.
    """
    cdef View rest = data
    cdef View name
    cdef View value
    cdef bint has_length = False, has_upgrade = False, has_type = False, has_key = False, has_version = False
    head.content_length = 0
    head.closes = head.wants_upgrade = head.is_websocket = head.is_version_13 = False
    head.is_forwarded = head.crosses_origins = head.is_octets = False
    head.websocket_key.data, head.websocket_key.size = data.data, 0
    if not _read_request_line(&rest, head) or rest.size < 2:
        return False
    rest.size -= 2      # the empty line
    head.fields = rest
    while rest.size:
        if not next_field(&rest, &name, &value) or not _is_plain(name, value):
            return False
        if is_name(name, b"content-length", 14):
            if has_length or not _read_length(value, &head.content_length):
                return False
            has_length = True
        elif is_name(name, b"connection", 10):
            head.closes |= _names(value, b"close", 5)
            head.wants_upgrade |= _names(value, b"upgrade", 7)
        elif is_name(name, b"upgrade", 7):
            if has_upgrade:
                return False
            has_upgrade = True
            head.is_websocket = is_name(value, b"websocket", 9)
        elif is_name(name, b"content-type", 12):
            if has_type:
                return False
            has_type = True
            head.is_octets = is_exactly(value, b"application/octet-stream", 24)
        elif is_name(name, b"sec-websocket-key", 17):
            if has_key:
                return False
            has_key = True
            head.websocket_key = value
        elif is_name(name, b"sec-websocket-version", 21):
            if has_version:
                return False
            has_version = True
            head.is_version_13 = is_exactly(value, b"13", 2)
        elif is_name(name, b"origin", 6) or is_name(name, b"access-control-request-headers", 30):
            head.crosses_origins = True
        elif is_name(name, b"transfer-encoding", 17) or is_name(name, b"expect", 6):
            return False
        elif name.size > 12 and is_name(_first(name, 12), b"x-forwarded-", 12):
            head.is_forwarded = True
    return True


cdef bint _read_request_line(View* rest, Head* head) noexcept nogil:
    cdef const unsigned char* at = rest.data
    cdef const unsigned char* end = <const unsigned char*> memchr(at, c"\n", rest.size)
    cdef const unsigned char* space = <const unsigned char*> memchr(at, c" ", rest.size)
    cdef const unsigned char* target
    if end == NULL or space == NULL or space > end:
        return False
    head.method.data, head.method.size = at, space - at
    if not (
        is_exactly(head.method, b"GET", 3) or is_exactly(head.method, b"POST", 4) or is_exactly(head.method, b"OPTIONS", 7)
    ):
        return False
    target = at = space + 1
    head.query.size = -1
    while 0x21 <= at[0] <= 0x7E:    # stops at the line end at the latest
        if head.query.size < 0:
            if at[0] == c"%":
                return False
            if at[0] == c"?":
                head.path.data, head.path.size = target, at - target
                head.query.data, head.query.size = at + 1, 0
        if at[0] == c"#":
            return False
        at += 1
    if head.query.size < 0:
        head.path.data, head.path.size = target, at - target
        head.query.data, head.query.size = at, 0
    else:
        head.query.size = at - head.query.data
    if head.path.size == 0 or target[0] != c"/" or end - at != 10 or memcmp(at, b" HTTP/1.1\r", 10) != 0:
        return False
    rest.size -= end + 1 - rest.data
    rest.data = end + 1
    return True


cdef bint next_field(View* fields, View* name, View* value) noexcept nogil:
    """Take the next header line; the value comes without the blanks around it. False: it is not one."""
    cdef const unsigned char* line = fields.data
    cdef const unsigned char* end
    cdef const unsigned char* colon
    end = <const unsigned char*> memchr(line, c"\n", fields.size)
    if end == NULL or end == line or end[-1] != c"\r":
        return False
    colon = <const unsigned char*> memchr(line, c":", end - line)
    if colon == NULL:
        return False
    name.data, name.size = line, colon - line
    value.data, value.size = colon + 1, end - 1 - (colon + 1)
    while value.size and (value.data[0] == c" " or value.data[0] == c"\t"):
        value.data += 1
        value.size -= 1
    while value.size and (value.data[value.size - 1] == c" " or value.data[value.size - 1] == c"\t"):
        value.size -= 1
    fields.size -= end + 1 - line
    fields.data = end + 1
    return True


cdef bint _is_plain(View name, View value) noexcept nogil:
    """Tell whether a name is a token, and a value free of controls."""
    cdef Py_ssize_t i
    cdef unsigned char character
    if name.size == 0:
        return False
    for i in range(name.size):
        if not TOKEN[name.data[i]]:
            return False
    i = 0
    while value.size - i >= 8 and not _may_hold_control(value.data + i):
        i += 8
    for i in range(i, value.size):
        character = value.data[i]
        if (character < 0x20 and character != c"\t") or character == 0x7F:
            return False
    return True


# Eight bytes of the same value, and the highest bit of each.
cdef uint64_t ONES = 0x0101010101010101
cdef uint64_t HIGH = 0x8080808080808080


cdef inline bint _may_hold_control(const unsigned char* eight) noexcept nogil:
    """Tell whether one of eight bytes is below 0x20, a tab included, or 0x7F."""
    cdef uint64_t word, deleted
    memcpy(&word, eight, 8)
    deleted = word ^ (ONES * 0x7F)
    return ((((word - ONES * 0x20) & ~word) | ((deleted - ONES) & ~deleted)) & HIGH) != 0


cdef bint is_name(View name, const char* lowered, Py_ssize_t size) noexcept nogil:
    """Compare without regard to case; `lowered` is `size` characters in lower case."""
    cdef Py_ssize_t i
    cdef unsigned char character
    if name.size != size:
        return False
    for i in range(size):
        character = name.data[i]
        if c"A" <= character <= c"Z":
            character |= 0x20
        if character != <unsigned char> lowered[i]:
            return False
    return True


cdef inline bint is_exactly(View text, const char* other, Py_ssize_t size) noexcept nogil:
    return text.size == size and memcmp(text.data, other, size) == 0


cdef inline View _first(View text, Py_ssize_t size) noexcept nogil:
    text.size = size
    return text


cdef bint _names(View value, const char* lowered, Py_ssize_t size) noexcept nogil:
    """Tell whether a list, as in "keep-alive, Upgrade", has a member."""
    cdef View word
    cdef Py_ssize_t start = 0, at
    for at in range(value.size + 1):
        if at < value.size and value.data[at] != c",":
            continue
        word.data, word.size = value.data + start, at - start
        while word.size and (word.data[0] == c" " or word.data[0] == c"\t"):
            word.data += 1
            word.size -= 1
        while word.size and (word.data[word.size - 1] == c" " or word.data[word.size - 1] == c"\t"):
            word.size -= 1
        if is_name(word, lowered, size):
            return True
        start = at + 1
    return False


cdef bint _read_length(View value, Py_ssize_t* length) noexcept nogil:
    cdef Py_ssize_t i
    if value.size == 0 or value.size > MAX_LENGTH_DIGITS:
        return False
    length[0] = 0
    for i in range(value.size):
        if not c"0" <= value.data[i] <= c"9":
            return False
        length[0] = length[0] * 10 + value.data[i] - c"0"
    return True


def peek(bytes data not None):
    """Return what `read_head` makes of a head that ends with its empty line, None when it is unusual. For tests.

    The result is (method, path, query, content length, closes, wants an upgrade, to a WebSocket, fields).
    """
    cdef View whole, name, value, rest
    cdef Head head
    whole.data, whole.size = <const unsigned char*> data, len(data)
    if find_head_end(whole) != whole.size or not read_head(whole, &head):
        return None
    cdef list fields = []
    rest = head.fields
    while next_field(&rest, &name, &value):
        fields.append((view_bytes(name), view_bytes(value)))
    return (
        view_bytes(head.method), view_bytes(head.path), view_bytes(head.query), head.content_length, head.closes,
        head.wants_upgrade, head.is_websocket, fields,
    )
