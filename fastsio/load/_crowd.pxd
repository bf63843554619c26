"""The clients of one run, for whoever says what they are for (`_load`)."""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from fastsio.load._links cimport Link, Links
from fastsio.load._response cimport Response
from fastsio.load._wire cimport Frame

cdef enum:
    SID_LIMIT = 256   # characters
    MILLISECOND = 1000000  # in ns

cdef enum ClientState:
    AWAY = 0          # not connected, or not any more
    DIALING = 1       # TCP and TLS
    UPGRADING = 2     # the WebSocket handshake, or the first GET
    OPENING = 3       # waits for the open packet
    JOINING = 4       # waits for the answer to CONNECT
    READY = 5
    LEAVING = 6       # has said goodbye

cdef struct Slot:
    uint64_t sent     # when, or when it should have been by the schedule; 0 when nothing is in flight
    uint32_t sequence

cdef struct Client:
    Link link         # WebSocket, or the GETs
    Link writer       # the POSTs
    ClientState state
    bint slow         # does not read
    bint posting
    uint64_t born     # when it was opened, ns
    uint64_t next_ping
    char* waiting     # packets for the next POST
    size_t waiting_size, waiting_room
    char* parts       # fragments of one message
    size_t parts_size, parts_room
    bint parts_binary
    char sid[SID_LIMIT]
    # The subclass's: what was asked. It frees the slots.
    uint32_t next, last  # number that is sent next, that was answered last
    Slot* slots

cdef class Crowd:
    cdef Links links
    cdef object plan
    cdef Client* clients
    cdef uint32_t count
    cdef char* frame  # room for one frame
    cdef size_t frame_room
    cdef bytes connect_packet, upgrade, requests_path, requests_end, namespace
    cdef bint polling, passing, corking
    cdef int eio
    cdef uint32_t turns
    cdef uint64_t masks, ping_interval, last_look, last_progress, last_change
    cdef readonly uint32_t ready, opened, pending, slow_lost
    cdef readonly uint64_t others
    # What the subclass counts; while something is in flight and `answers` stand still, patience runs out.
    cdef readonly uint64_t answers
    cdef uint64_t in_flight

    cdef int prepare_clients(self) except -1
    cdef int turn(self, int64_t timeout_ns) except -1
    cdef int look_after(self, uint64_t time) except -1
    cdef int on_writable(self, Client* c, Link* link) except -1
    cdef int on_readable(self, Client* c, Link* link) except -1
    cdef int consume(self, Client* c, Link* link, char* data, size_t size) except -1
    cdef int open_more(self, uint32_t limit) except -1
    cdef int open_client(self, Client* c) except -1
    cdef int on_ready(self, Client* c) except -1
    cdef int say_goodbye(self, Client* c) except -1
    cdef int forget(self, Client* c) noexcept
    cdef int on_gone(self, Client* c) except -1
    cdef int on_end(self, Client* c, Link* link) except -1
    cdef int on_lost(self, Client* c, str why) except -1
    cdef int send_frame(self, Client* c, int opcode, const char* data, size_t size) except -1
    cdef int send_packet(self, Client* c, const char* data, size_t size) except -1
    cdef int wait_for_post(self, Client* c, const char* data, size_t size) except -1
    cdef int post(self, Client* c) except -1
    cdef int get(self, Client* c) except -1
    cdef size_t take_frame(self, Client* c, const char* data, size_t size, size_t* wanted) except? 0
    cdef int on_frame(self, Client* c, Frame* frame) except -1
    cdef int on_fragment(self, Client* c, int opcode, Frame* frame) except -1
    cdef size_t take_http(self, Client* c, Link* link, char* data, size_t size, size_t* wanted) except? 0
    cdef int on_upgrade(self, Client* c, Response* response) except -1
    cdef int on_posted(self, Client* c, Response* response) except -1
    cdef int on_polled(self, Client* c, Response* response) except -1
    cdef int take_payload_v4(self, Client* c, const char* data, size_t size) except -1
    cdef int take_payload_v3(self, Client* c, const char* data, size_t size) except -1
    cdef int on_packet(self, Client* c, const char* data, size_t size) except -1
    cdef int on_open(self, Client* c, const char* data, size_t size) except -1
    cdef int read_open(self, bytes text) except -1
    cdef int on_message(self, Client* c, const char* data, size_t size) except -1
    cdef int on_connected(self, Client* c, bytes rest) except -1
    cdef object waits(self)
    cdef int on_joined(self, Client* c) except -1
    cdef int on_left(self, Client* c) except -1
    cdef int on_event(self, Client* c, const char* data, size_t size) except -1
    cdef object standstill(self)

cdef str show(const char* data, size_t size)
