"""Ids of sessions and of members."""


cpdef str generate_sid()
cdef bint is_plain(str sid) except -1
cdef bytes json_object(str sid, bint is_whole)
