"""Ids of sessions and of members, made of random bytes that are drawn for many of them at once.

May import: nothing of ours. Bytes are used once, and wiped then; a forked process draws its own.
"""
from cpython.bytes cimport PyBytes_AS_STRING
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.string cimport memcpy, memset

import json
import os

cdef enum:
    ID_SIZE = 20        # characters, each of six random bits. The id is a secret and a Socket.IO room name
    ID_BYTES = 15
    POOL_SIZE = 960     # bytes of 64 ids

cdef const char* ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

cdef unsigned char[POOL_SIZE] _pool
cdef Py_ssize_t _left = 0       # bytes of it that have not been used, at its beginning


cpdef str generate_sid():
    """Give 20 URL-safe characters that nobody can guess."""
    global _left
    cdef char[ID_SIZE] text
    cdef const unsigned char* three
    cdef int i
    if _left == 0:
        _fill()
    _left -= ID_BYTES
    for i in range(ID_SIZE // 4):
        three = &_pool[_left + 3 * i]
        text[4 * i] = ALPHABET[three[0] >> 2]
        text[4 * i + 1] = ALPHABET[(three[0] & 3) << 4 | three[1] >> 4]
        text[4 * i + 2] = ALPHABET[(three[1] & 15) << 2 | three[2] >> 6]
        text[4 * i + 3] = ALPHABET[three[2] & 63]
    memset(&_pool[_left], 0, ID_BYTES)
    return PyUnicode_DecodeASCII(text, ID_SIZE, NULL)


cdef int _fill() except -1:
    """Draw new bytes. Other threads may run meanwhile: whoever comes last fills the pool anew, and nothing is used twice."""
    global _left
    cdef bytes drawn = os.urandom(POOL_SIZE)
    memcpy(_pool, PyBytes_AS_STRING(drawn), POOL_SIZE)
    _left = POOL_SIZE
    return 0


cdef bint is_plain(str sid) except -1:
    """Tell whether an id is letters, digits, hyphens and underscores, which JSON leaves as they are."""
    cdef Py_UCS4 character
    for character in sid:
        if not (c"a" <= character <= c"z" or c"A" <= character <= c"Z" or c"0" <= character <= c"9" or character in "-_"):
            return False
    return True


cdef bytes json_object(str sid):
    """Give a JSON object whose only field is the sid, without the brace at its end. It may be whatever an application made up."""
    return f'{{"sid":"{sid}"'.encode() if is_plain(sid) else ('{"sid":' + json.dumps(sid)).encode()


def _forget():
    """A child must not give the ids that its parent will."""
    global _left
    _left = 0
    memset(_pool, 0, POOL_SIZE)


if hasattr(os, "register_at_fork"):     # Windows does not fork
    os.register_at_fork(after_in_child=_forget)
