"""The default JSON of a server, without a detour: what clients write is read in place, the rest by libraries.

May import: `_bytes`, `_runs.h`, `lenient`. Three readers, each stricter than the next: `read_value` below, which knows JSON
as it is written by programs and gives up on anything else; msgspec (exact big integers); `lenient`, so that semantics stay
those of the standard module. orjson writes.
"""
cimport cython
from cpython.dict cimport PyDict_SetItem
from cpython.float cimport PyFloat_FromDouble
from cpython.list cimport PyList_Append, PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_FromLongLong
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_1BYTE_DATA, PyUnicode_DecodeUTF8, PyUnicode_GET_LENGTH, PyUnicode_New
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcmp, memcpy

from fastsio._bytes cimport View, view_bytes, view_of

import msgspec.json
import orjson

from fastsio import lenient

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)

cdef extern from "_runs.h":
    Py_ssize_t fastsio_plain_run(const unsigned char* data, Py_ssize_t size) noexcept nogil
    Py_ssize_t fastsio_unescaped_run(const unsigned char* data, Py_ssize_t size) noexcept nogil

cdef object dumps = orjson.dumps
cdef object loads = msgspec.json.decode
cdef object Attachments = lenient.Attachments
cdef tuple REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

cdef enum:
    MAX_DEPTH = 64          # levels of lists and objects that are read here; keeps the C stack small
    MAX_DIGITS = 18         # of an integer that fits 64 bits whatever they are
    MAX_EXACT_DIGITS = 15   # of a decimal fraction that a division of two exact doubles gives correctly
    KEYS = 1024             # keys and event names that are remembered, a power of two
    MAX_KEY = 32            # bytes of one


cdef class Json:
    """The default serializer: fast, with the semantics of the standard `json`."""

    @property
    def is_replaced(self):
        """Whether another serializer does the work."""
        return self._other is not None

    def use(self, other):
        """Have another serializer do the work from now on, None to do it again."""
        self._other = other

    def encode(self, value):
        """Give the JSON of `value` as UTF-8, and its binary values in depth-first order; None or [] for none.

        Raises:
            TypeError: a value has no JSON form.
            ValueError, RecursionError: the value contains itself, or is nested too deeply.
        """
        if self._other is not None:
            return self._other.encode(value)
        try:
            return dumps(value), None
        except TypeError:   # binary, or what only the standard module writes
            pass
        attachments = Attachments()
        try:
            return dumps(value, attachments), attachments.found
        except TypeError:   # big integers, odd keys, lone surrogates; or really not JSON
            return lenient.encode(value)

    def decode(self, bytes data not None):
        """Read one JSON value from UTF-8.

        NaN and Infinity are accepted as the standard module does; a lone surrogate becomes U+FFFD.

        Raises:
            ValueError: not JSON, or an integer of more than `lenient.MAX_INTEGER_DIGITS` digits.
        """
        return self.load(view_of(data))

    cdef bytes dump(self, object value):
        """The JSON of `value` when it is the ordinary kind; None when `encode` has to be asked."""
        if self._other is not None:
            return None
        try:
            return dumps(value)
        except TypeError:
            return None

    cdef Py_ssize_t size_of_texts(self, object value) noexcept:
        """The bytes that `write_texts` needs, which is for lists of nothing but plain ASCII strings; 0 for all else."""
        cdef Py_ssize_t size = 1, i
        if self._other is not None or type(value) is not list or not PyList_GET_SIZE(value):
            return 0
        for i in range(PyList_GET_SIZE(value)):
            text = <object> PyList_GET_ITEM(value, i)
            if type(text) is not str or not is_plain(text):
                return 0
            size += PyUnicode_GET_LENGTH(text) + 3
        return size

    cdef object load(self, View text):
        """As `decode`; `text` is borrowed."""
        cdef Reading reading
        if self._other is not None:
            return self._other.decode(view_bytes(text))
        reading.at, reading.end, reading.has_failed = text.data, text.data + text.size, False
        value = read_value(&reading, 0)
        if not reading.has_failed and reading.at == reading.end:
            return value
        value = None    # before the same is made once more
        data = view_bytes(text)
        try:
            return loads(data)
        except REFUSED:
            return lenient.decode(data)


# --- writing a list of texts

cdef bint is_plain(str text) noexcept:
    """Tell whether a string is ASCII that stands in JSON as it is; `text` is not None."""
    cdef Py_ssize_t size = PyUnicode_GET_LENGTH(text)
    return PyUnicode_IS_COMPACT_ASCII(text) and fastsio_plain_run(<const unsigned char*> PyUnicode_1BYTE_DATA(text), size) == size


cdef int write_texts(list texts, char* at) noexcept:
    """Write a list for which `size_of_texts` gave a size; there is room for so many bytes."""
    cdef Py_ssize_t i, size
    at[0] = c"["
    at += 1
    for i in range(PyList_GET_SIZE(texts)):
        text = <object> PyList_GET_ITEM(texts, i)
        size = PyUnicode_GET_LENGTH(text)
        at[0] = c'"'
        memcpy(at + 1, PyUnicode_1BYTE_DATA(text), size)
        at[size + 1] = c'"'
        at[size + 2] = c","
        at += size + 3
    at[-1] = c"]"
    return 0


# --- reading in place
#
# What is read here is read right; everything else fails, without an exception: then msgspec reads the whole text. So
# nothing below decides what is JSON and what is not.

cdef struct Reading:
    const unsigned char* at
    const unsigned char* end
    bint has_failed


cdef inline object fail(Reading* text):
    text.has_failed = True
    text.at = text.end
    return None


cdef inline unsigned char peek(Reading* text) noexcept:
    """The first byte behind white space; 0 at the end, where no JSON text has it."""
    while text.at < text.end and text.at[0] <= c" " and text.at[0] in b" \t\r\n":
        text.at += 1
    return text.at[0] if text.at < text.end else 0


cdef object read_value(Reading* text, int depth):
    cdef unsigned char first = peek(text)
    if first == c'"':
        return read_text(text)
    if first == c"-" or c"0" <= first <= c"9":
        return read_number(text)
    if first == c"[" and depth < MAX_DEPTH:
        return read_list(text, depth + 1)
    if first == c"{" and depth < MAX_DEPTH:
        return read_object(text, depth + 1)
    return read_word(text)


cdef list read_list(Reading* text, int depth):
    cdef list items = []
    cdef unsigned char mark
    text.at += 1
    if peek(text) == c"]":
        text.at += 1
        return items
    # The name of an event is the first of the outermost list, and a key in the tables of handlers.
    PyList_Append(items, read_key(text) if depth == 1 and peek(text) == c'"' else read_value(text, depth))
    while not text.has_failed:
        mark = peek(text)
        text.at += 1
        if mark == c"]":
            break
        if mark != c",":
            fail(text)
            break
        PyList_Append(items, read_value(text, depth))
    return items


cdef dict read_object(Reading* text, int depth):
    cdef dict items = {}
    cdef unsigned char mark
    text.at += 1
    if peek(text) == c"}":
        text.at += 1
        return items
    while not text.has_failed:
        if peek(text) != c'"':
            fail(text)
            break
        key = read_key(text)
        if peek(text) != c":":
            fail(text)
            break
        text.at += 1
        PyDict_SetItem(items, key, read_value(text, depth))
        mark = peek(text)
        text.at += 1
        if mark == c"}":
            break
        if mark != c",":
            fail(text)
    return items


cdef object read_word(Reading* text):
    cdef Py_ssize_t size = text.end - text.at
    if size >= 4 and memcmp(text.at, b"true", 4) == 0:
        text.at += 4
        return True
    if size >= 5 and memcmp(text.at, b"false", 5) == 0:
        text.at += 5
        return False
    if size >= 4 and memcmp(text.at, b"null", 4) == 0:
        text.at += 4
        return None
    return fail(text)


# --- numbers

cdef double[16] POWERS = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
]


cdef inline Py_ssize_t read_digits(Reading* text, Py_ssize_t most, int64_t* value) noexcept:
    """Read digits, of which the first `most` go on with `value`; give how many there are."""
    cdef const unsigned char* begin = text.at
    while text.at < text.end and c"0" <= text.at[0] <= c"9":
        if text.at - begin < most:
            value[0] = value[0] * 10 + (text.at[0] - c"0")
        text.at += 1
    return text.at - begin


cdef object read_number(Reading* text):
    cdef const unsigned char* begin = text.at
    cdef int64_t value = 0
    cdef Py_ssize_t digits, decimals
    cdef bint is_negative = begin[0] == c"-"
    text.at += is_negative
    digits = read_digits(text, MAX_DIGITS, &value)
    if digits == 0 or (digits > 1 and begin[is_negative] == c"0"):
        return fail(text)
    if text.at < text.end and text.at[0] in b".eE":
        if text.at[0] == c"." and digits <= MAX_EXACT_DIGITS:
            text.at += 1
            decimals = read_digits(text, MAX_EXACT_DIGITS - digits, &value)
            if 0 < decimals <= MAX_EXACT_DIGITS - digits and not (text.at < text.end and text.at[0] in b"eE"):
                return PyFloat_FromDouble((-1.0 if is_negative else 1.0) * (<double> value / POWERS[decimals]))
        return read_by_library(text, begin, end_of_number(text))
    if digits > MAX_DIGITS:
        return read_by_library(text, begin, text.at)
    return PyLong_FromLongLong(-value if is_negative else value)


cdef const unsigned char* end_of_number(Reading* text) noexcept:
    cdef const unsigned char* at = text.at
    while at < text.end and (c"0" <= at[0] <= c"9" or at[0] in b"+-.eE"):
        at += 1
    return at


cdef object read_by_library(Reading* text, const unsigned char* begin, const unsigned char* end):
    """Have msgspec read one number or one text, and go on behind it."""
    cdef View token
    token.data, token.size = begin, end - begin
    text.at = end
    try:
        return loads(view_bytes(token))
    except REFUSED:
        return fail(text)


# --- texts

cdef object read_text(Reading* text):
    cdef const unsigned char* begin = text.at + 1
    cdef Py_ssize_t size = fastsio_plain_run(begin, text.end - begin)
    if begin + size < text.end and begin[size] == c'"':
        text.at = begin + size + 1
        return ascii_text(begin, size)
    return read_odd_text(text, size)


cdef inline str ascii_text(const unsigned char* data, Py_ssize_t size):
    text = PyUnicode_New(size, 0x7F)
    memcpy(PyUnicode_1BYTE_DATA(text), data, size)
    return text


cdef object read_odd_text(Reading* text, Py_ssize_t plain):
    """Read a text with other characters than ASCII, or with escapes, behind so many plain ones."""
    cdef const unsigned char* begin = text.at + 1
    cdef const unsigned char* at = begin + plain
    cdef bint is_escaped = False
    while True:
        at += fastsio_unescaped_run(at, text.end - at)
        if text.end - at < 2 and not (at < text.end and at[0] == c'"'):
            return fail(text)
        if at[0] == c'"':
            break
        if at[0] != c"\\":
            return fail(text)
        is_escaped = True
        at += 2
    if is_escaped:
        return read_by_library(text, text.at, at + 1)
    text.at = at + 1
    try:
        return PyUnicode_DecodeUTF8(<const char*> begin, at - begin, NULL)
    except UnicodeDecodeError:
        return fail(text)


# Keys that were met: clients write the same few again and again. A newer one takes the place of an older one.
cdef PyObject* _known[KEYS]


cdef object read_key(Reading* text):
    """Read a text of which there is probably one already, whose hash is known then."""
    cdef const unsigned char* begin = text.at + 1
    cdef Py_ssize_t size = fastsio_plain_run(begin, text.end - begin)
    cdef PyObject** place
    if size > MAX_KEY or begin + size >= text.end or begin[size] != c'"':
        return read_text(text)
    text.at = begin + size + 1
    place = &_known[hash_of(begin, size) & (KEYS - 1)]
    if place[0] != NULL:
        known = <str> place[0]
        if PyUnicode_GET_LENGTH(known) == size and memcmp(PyUnicode_1BYTE_DATA(known), begin, size) == 0:
            return known
    key = ascii_text(begin, size)
    Py_INCREF(key)
    Py_XDECREF(place[0])
    place[0] = <PyObject*> key
    return key


@cython.overflowcheck(False)
cdef inline uint64_t hash_of(const unsigned char* data, Py_ssize_t size) noexcept:
    """Spread short texts over the places. Who finds two of one place only makes them be read anew each time."""
    cdef uint64_t value = <uint64_t> size, word
    while size > 0:
        word = 0
        memcpy(&word, data, min(size, 8))
        value = (value ^ word) * <uint64_t> 0x9E3779B97F4A7C15
        value ^= value >> 32
        data += 8
        size -= 8
    return value
