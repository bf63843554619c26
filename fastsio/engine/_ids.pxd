"""Ids of sessions and of members."""


cpdef str generate_sid()
cdef bytes json_object(str sid, bint is_whole)


cdef class IdMaker:
    cdef object _server
    cdef object _original
