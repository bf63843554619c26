"""The default JSON of a server."""
from fastsio._bytes cimport View


cdef class Json:
    cdef object _other              # does the work instead, when an application has replaced the module for all servers
    cdef bytes dump(self, object value)
    cdef Py_ssize_t size_of_texts(self, object value) noexcept
    cdef object load(self, View text)

cdef bint is_plain(str text) noexcept
cdef int write_texts(list texts, char* at) noexcept
