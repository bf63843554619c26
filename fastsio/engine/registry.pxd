"""Types of what compiled code reads of a registry with every connection and every poll."""
from fastsio.engine._guard cimport Guard
from fastsio.engine._session cimport Flusher, Session, Traffic, new_session
from fastsio.engine._wheel cimport Wheel
from fastsio.options cimport Options


cdef class Registry:
    cdef readonly Options options
    cdef public object logger
    cdef readonly dict sessions         # sid -> Session
    cdef readonly dict ending           # sid -> Session
    cdef readonly long long opened
    cdef readonly long long closed
    cdef readonly object counters
    cdef readonly Traffic traffic
    cdef readonly Guard guard
    cdef public object new_sid
    cdef public object accept
    cdef public bint must_join
    # None until `attach_loop`
    cdef readonly object loop
    cdef readonly Flusher flusher
    cdef readonly Wheel wheel
    cdef readonly set tasks
    cdef readonly object watchdog       # None without the option
    cdef readonly object lag_meter      # None without the option
    cdef set _reported                  # kinds of refusals that were logged at ERROR
    cdef dict _log_rates                # kind of refusal -> LogRate
    cdef dict _ends                     # reason -> sessions
    cdef double _since                  # monotonic seconds
    cpdef int attach_loop(self) except -1
    cpdef Session create(self, object version, object request)
    cpdef int forget(self, Session session) except -1
    cpdef int settled(self, Session session) except -1
    cpdef Session find(self, str sid)
    cpdef int count_end(self, str reason) except -1
