"""Which handler an event has."""


cpdef tuple find(object handlers, object classes, str namespace, object event)
cdef tuple with_arguments(tuple found, str sid, list data)
