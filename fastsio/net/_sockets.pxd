"""Header only: what is asked of the kernel directly, past the loop. Where a system has no such thing, `_system.h` knows.

May import: nothing of ours. Never keeps a descriptor.
"""
from cpython.unicode cimport PyUnicode_DecodeASCII


cdef extern from "_system.h" nogil:
    const bint SYSTEM_WRITES_DIRECTLY
    Py_ssize_t system_send(int fd, const void* data, size_t size)
    bint system_ipv4_name(int fd, bint is_peer, unsigned char* address)
    void system_tune(int fd, double seconds)
    void system_keep_memory(int largest, int kept)

    const bint SYSTEM_POLLS
    const int SYSTEM_READABLE
    const int SYSTEM_WRITABLE
    ctypedef struct SystemEvent:
        pass
    int system_poller()
    int system_watch(int poller, int fd, int so_far, int wanted, void* whose)
    int system_ready(int poller, SystemEvent* events, int most)
    void* system_whose(const SystemEvent* event)
    int system_may(const SystemEvent* event)
    const int SYSTEM_IPV4
    const int SYSTEM_IPV6
    ctypedef struct SystemPeer:
        int family
        unsigned char[6] ipv4
        unsigned char[16] ipv6
        unsigned int port
        unsigned int scope
    int system_accept(int fd, SystemPeer* peer)
    Py_ssize_t system_receive(int fd, void* data, size_t size)
    void system_end(int fd)
    void system_close(int fd)


cdef inline tuple ipv4_name(int fd, bint is_peer):
    """Give (host, port) of one end of a socket, None when it is not one of IPv4 or cannot be asked.

    The loop knows them too; asking it costs six times as much.
    """
    cdef unsigned char[6] address
    return name_of_ipv4(address) if system_ipv4_name(fd, is_peer, address) else None


cdef inline tuple name_of_ipv4(const unsigned char* address):
    """Give (host, port) of an address as `system_ipv4_name` puts it."""
    cdef unsigned char part
    cdef char[16] text
    cdef int at = 0, i
    for i in range(4):
        part = address[i]
        if part >= 100:
            text[at] = 48 + part // 100
            at += 1
        if part >= 10:
            text[at] = 48 + part // 10 % 10
            at += 1
        text[at] = 48 + part % 10
        text[at + 1] = c"."
        at += 2
    return PyUnicode_DecodeASCII(text, at - 1, NULL), (address[4] << 8) | address[5]
