"""Header only: the number of a dict, by which one sees that it has not changed.

May import: nothing of ours. Where there is none (Python 3.14, FASTSIO_PLAIN to try that elsewhere), DICTS_HAVE_VERSIONS is 0.
"""
from libc.stdint cimport uint64_t


cdef extern from *:
    """
    /* Until Python 3.14 a dict has a number that no other dict has, and another after each change. */
    #ifndef DICTS_HAVE_VERSIONS
    #include <stdint.h>
    #if PY_VERSION_HEX < 0x030E0000 && !defined(FASTSIO_PLAIN)
    #define DICTS_HAVE_VERSIONS 1
    #ifdef __GNUC__
    #pragma GCC diagnostic push
    #pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    #endif
    static inline uint64_t dict_version(PyObject *dict) { return ((PyDictObject *) dict)->ma_version_tag; }
    #ifdef __GNUC__
    #pragma GCC diagnostic pop
    #endif
    #else
    #define DICTS_HAVE_VERSIONS 0
    static inline uint64_t dict_version(PyObject *dict) { (void) dict; return 0; }
    #endif
    #endif
    """
    const bint DICTS_HAVE_VERSIONS
    uint64_t dict_version(object table)
