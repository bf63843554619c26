"""Ids of sessions and of members."""


cpdef str generate_sid()
