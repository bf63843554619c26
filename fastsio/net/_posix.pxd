"""Header only: what is asked of the kernel directly, past the loop. Everything here needs the sockets of POSIX.

May import: nothing of ours. Never keeps a descriptor.
"""
from cpython.unicode cimport PyUnicode_DecodeASCII


cdef extern from "<sys/socket.h>" nogil:
    ctypedef unsigned int socklen_t
    struct sockaddr:
        unsigned short sa_family
    ssize_t c_send "send"(int fd, const void* data, size_t size, int flags)
    int getpeername(int fd, sockaddr* name, socklen_t* size)
    int getsockname(int fd, sockaddr* name, socklen_t* size)
    int setsockopt(int fd, int level, int option, const void* value, socklen_t size)
    int AF_INET
    int MSG_NOSIGNAL
    int MSG_DONTWAIT

cdef extern from "<netinet/in.h>" nogil:
    struct sockaddr_in:
        unsigned short sin_port     # these two lie in memory as they came over the network
        unsigned int sin_addr

cdef extern from "<netinet/tcp.h>" nogil:
    """
    #ifndef TCP_USER_TIMEOUT
    #define TCP_USER_TIMEOUT -1
    #endif
    """
    int TCP_USER_TIMEOUT    # -1 where the system has none
    int IPPROTO_TCP


cdef inline void limit_silence(int fd, double seconds) noexcept:
    """Let the kernel give up a peer that does not acknowledge what was sent within `seconds` (RFC 5482); 0: its own time.

    What cannot be set is left: the socket may be of another family.
    """
    cdef unsigned int milliseconds = <unsigned int> (seconds * 1000)
    if seconds > 0.0 and TCP_USER_TIMEOUT >= 0:
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof(milliseconds))


cdef inline tuple ipv4_name(int fd, bint is_peer):
    """Give (host, port) of one end of a socket, None when it is not one of IPv4 or cannot be asked.

    The loop knows them too; asking it costs six times as much.
    """
    cdef unsigned char[128] storage     # as large as any address (RFC 3493, sockaddr_storage)
    cdef sockaddr* name = <sockaddr*> storage
    cdef sockaddr_in* address = <sockaddr_in*> storage
    cdef socklen_t size = sizeof(storage)
    cdef unsigned char* part
    cdef unsigned char* port = <unsigned char*> &address.sin_port
    cdef char[16] text
    cdef int at = 0, i
    if (getpeername(fd, name, &size) if is_peer else getsockname(fd, name, &size)) != 0 or name.sa_family != AF_INET:
        return None
    part = <unsigned char*> &address.sin_addr
    for i in range(4):
        if part[i] >= 100:
            text[at] = 48 + part[i] // 100
            at += 1
        if part[i] >= 10:
            text[at] = 48 + part[i] // 10 % 10
            at += 1
        text[at] = 48 + part[i] % 10
        text[at + 1] = c"."
        at += 2
    return PyUnicode_DecodeASCII(text, at - 1, NULL), (port[0] << 8) | port[1]
