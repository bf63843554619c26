"""The default JSON of a server."""

cdef class Json:
    cdef object _other              # does the work instead, when an application has replaced the module for all servers
    cdef bytes dump(self, object value)
    cdef object load(self, bytes data)
