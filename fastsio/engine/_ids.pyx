"""Ids of sessions and of members, made of random bytes that are drawn for many of them at once.

May import: `_bytes`, `_json`. Random bytes are used once, and wiped then; a forked process draws its own.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII
from libc.string cimport memcpy, memset

from fastsio._bytes cimport write_base64
from fastsio._json cimport is_plain

import json
import os

cdef extern from "Python.h":
    object PyObject_GenericGetDict(object owner, void* context)

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
    if _left == 0:
        _fill()
    _left -= ID_BYTES
    write_base64(ALPHABET, &_pool[_left], ID_BYTES, <unsigned char*> text)
    memset(&_pool[_left], 0, ID_BYTES)
    return PyUnicode_DecodeASCII(text, ID_SIZE, NULL)


@cython.final
cdef class IdMaker:
    """Gives the ids of an Engine.IO server: those of its `generate_id` when an application has replaced that, on whatever level.

    Args:
        server: the Engine.IO server.
        original: its `generate_id` as it is in the class, where it does what `generate_sid` does.
    """

    def __init__(self, server, original):
        self._server = server
        self._original = original

    def __call__(self):
        server = self._server
        if type(server).generate_id is self._original and "generate_id" not in <dict> PyObject_GenericGetDict(server, NULL):
            return generate_sid()
        sid = server.generate_id()
        if not isinstance(sid, str):
            raise TypeError(f"generate_id() of the application gave {sid!r}; an id is a str")
        return sid


cdef int _fill() except -1:
    """Draw new bytes. Other threads may run meanwhile: whoever comes last fills the pool anew, and nothing is used twice."""
    global _left
    cdef bytes drawn = os.urandom(POOL_SIZE)
    memcpy(_pool, PyBytes_AS_STRING(drawn), POOL_SIZE)
    _left = POOL_SIZE
    return 0


cdef bytes json_object(str sid, bint is_whole):
    """Give a JSON object whose only field is the sid, without the brace at its end unless it is the whole.

    The sid may be whatever an application made up.
    """
    cdef Py_ssize_t size = 0
    cdef const char* text
    cdef bytes result
    cdef char* at
    if not is_plain(sid):
        return (json.dumps({"sid": sid}, separators=(",", ":"))[:None if is_whole else -1]).encode()
    text = PyUnicode_AsUTF8AndSize(sid, &size)
    result = PyBytes_FromStringAndSize(NULL, 9 + size + is_whole)
    at = PyBytes_AS_STRING(result)
    memcpy(at, b'{"sid":"', 8)
    memcpy(at + 8, text, size)
    at[8 + size] = c'"'
    if is_whole:
        at[9 + size] = c"}"
    return result


def _forget():
    """A child must not give the ids that its parent will."""
    global _left
    _left = 0
    memset(_pool, 0, POOL_SIZE)


if hasattr(os, "register_at_fork"):     # Windows does not fork
    os.register_at_fork(after_in_child=_forget)
