"""TCP connections and the poller, for whoever knows what is said over them."""
from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef extern from "_poll.h" nogil:
    enum:
        WANT_IN
        WANT_OUT
        GONE
        EVENTS_AT_ONCE
    struct event:
        uint64_t tag
        int what
    struct poller:
        pass
    uint64_t now_ns()

cdef enum:
    ROOM = 262144              # bytes that one read may bring
    MESSAGE_LIMIT = 67108864   # bytes of one message from the server
    SOURCE_ADDRESSES = 200     # 127.0.0.2 and up
    CLIENTS_PER_ADDRESS = 20000

cdef enum LinkState:
    LINK_NONE = 0
    LINK_TCP = 1
    LINK_TLS = 2
    LINK_OPEN = 3

cdef struct Link:
    int fd
    LinkState state
    int want                   # what the poller waits for
    uint64_t tag               # whose it is; its upper 16 bits count how often it was opened
    char* kept                 # the unfinished end of what was received
    size_t kept_size, kept_room
    char* out                  # what the kernel has not taken yet
    size_t out_size, out_sent, out_room
    void* tls                  # a reference of its own to an ssl.SSLSocket, NULL without TLS

cdef class Links:
    cdef poller waiting
    cdef event events[EVENTS_AT_ONCE]
    cdef char room[ROOM]
    cdef readonly uint64_t bytes_in, bytes_out
    cdef object tls_context, host_name, view
    cdef bytes address
    cdef int family, receive_buffer
    cdef bint many_sources
    cdef Link* corked          # what is sent over it leaves at `uncork`, in one write
    cdef int open(self, Link* link, uint32_t turn, bint slow) except -1
    cdef int opened(self, Link* link) except -1
    cdef int shake_hands(self, Link* link) except -1
    cdef Py_ssize_t write(self, Link* link, const char* data, size_t size) except -2
    cdef Py_ssize_t read(self, Link* link, char* room, size_t size) except -2
    cdef int send(self, Link* link, const char* data, size_t size) except -1
    cdef int uncork(self) except -1
    cdef int send_rest(self, Link* link) except -1
    cdef Py_ssize_t receive(self, Link* link, char** data) except -2
    cdef int keep(self, Link* link, const char* data, size_t size, size_t wanted) except -1
    cdef bint has_more(self, Link* link) except -1
    cdef int watch(self, Link* link, int want) except -1
    cdef void close(self, Link* link) noexcept
    cdef int wait(self, int64_t timeout_ns) except -1
