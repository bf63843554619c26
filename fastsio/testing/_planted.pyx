"""Faults made on purpose, by which a test sees that the sanitizers would see ours. Built only for them.

May import: nothing of ours.
"""
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.limits cimport INT_MAX
from libc.stdlib cimport free, malloc


def read_past_the_end(int size):
    """Read the byte behind a block of the heap."""
    cdef unsigned char* block = <unsigned char*> malloc(size)
    cdef unsigned char found = block[size]
    free(block)
    return found


def read_what_was_freed(int size):
    cdef unsigned char* block = <unsigned char*> malloc(size)
    block[0] = 1
    free(block)
    return block[0]


def read_past_bytes(bytes data not None, int at):
    """Read a byte behind a Python object: unseen unless Python's objects come from malloc."""
    cdef const unsigned char* start = data
    return start[at]


def overflow(int add):
    """Add to the largest int."""
    cdef int most = INT_MAX
    return most + add


def take_for_a_tuple(items not None):
    """Take the first item of something that is no tuple: only an assert sees that."""
    return <object> PyTuple_GET_ITEM(items, 0)
