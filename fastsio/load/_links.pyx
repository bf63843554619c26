"""TCP connections of a load generator: opening, sending, receiving and waiting, with TLS or without.

May import: `errors`. Never knows what the bytes mean. A link is a struct of its owner's, which calls `close` before it
goes. Each `send` is a send(2) of its own, as from independent callers: a server is never handed batches that no real
client would make.
"""
import errno
import os
import socket
import ssl

from fastsio.load.errors import LoadError

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.memoryview cimport PyMemoryView_FromMemory
from cpython.buffer cimport PyBUF_WRITE
from cpython.ref cimport Py_INCREF, Py_DECREF
from libc.errno cimport EAGAIN, ECONNRESET, EINPROGRESS, EINTR, EPIPE
from libc.errno cimport errno as c_errno
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove

cdef extern from "_poll.h" nogil:
    int poller_open(poller* p)
    void poller_close(poller* p)
    int poller_add(poller* p, int fd, int want, uint64_t tag)
    int poller_set(poller* p, int fd, int want, uint64_t tag)
    void poller_remove(poller* p, int fd)
    int poller_wait(poller* p, int64_t timeout_ns, event* out)

cdef extern from "_socket.h" nogil:
    int socket_open(const char* address, size_t size, int receive_buffer)
    int socket_bind_loopback(int fd, unsigned int turn)
    int socket_connect(int fd, const char* address, size_t size)
    int socket_error(int fd)
    Py_ssize_t socket_send(int fd, const char* data, size_t size)
    Py_ssize_t socket_receive(int fd, char* room, size_t size)
    size_t socket_address(int family, const char* host, int port, unsigned int scope, char* out)

cdef extern from "unistd.h" nogil:
    int close_fd "close"(int fd)


cdef char* grow(char* memory, size_t size) except NULL:
    cdef char* grown = <char*> realloc(memory, size)
    if grown == NULL:
        raise MemoryError(f"{size} bytes")
    return grown


def resolve(host, port):
    """Give the first address of a host as (family, text, scope), IPv4 before IPv6 where it has both.

    Raises:
        LoadError: nobody knows the name.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as exc:
        raise LoadError(f"no address for the host {host!r}: {exc.strerror}", "Check the name in the URL.") from exc
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    family, _, _, _, address = found[0]
    return family, address[0].partition("%")[0], address[3] if family == socket.AF_INET6 else 0


@cython.final
cdef class Links:
    """What all links of one run share: where they go, the poller, and the room that is received into."""

    def __cinit__(self, host, int port, tls_context, bint many_sources):
        cdef char packed[128]
        cdef size_t size
        if poller_open(&self.waiting) < 0:
            raise OSError(c_errno, os.strerror(c_errno))
        family, text, scope = resolve(host, port)
        text = text.encode()
        size = socket_address(family, text, port, scope, packed)
        if size == 0:
            raise LoadError(f"no way to reach {host} over address family {family}")
        self.address = packed[:size]
        self.family = family
        self.host_name = host
        self.tls_context = tls_context
        self.many_sources = many_sources and text.startswith(b"127.")
        self.view = PyMemoryView_FromMemory(self.room, ROOM, PyBUF_WRITE) if tls_context is not None else None

    def __dealloc__(self):
        poller_close(&self.waiting)

    cdef int open(self, Link* link, uint32_t turn, bint slow) except -1:
        """Begin to connect. `turn` chooses among the source addresses of loopback, where one would not be enough:
        28,000 ports each, and TIME_WAIT keeps those of closed connections for a minute.
        """
        cdef const char* address = self.address
        cdef size_t size = len(self.address)
        cdef int fd = socket_open(address, size, 4096 if slow else 0)
        if fd < 0:
            raise LoadError(f"no socket: {os.strerror(c_errno)}", hint_for(c_errno))
        link.fd = fd
        link.state = LINK_TCP
        link.want = WANT_IN | WANT_OUT
        link.tag += <uint64_t> 1 << 48
        link.kept_size = link.out_size = link.out_sent = 0
        if self.many_sources and socket_bind_loopback(fd, turn % SOURCE_ADDRESSES) < 0:
            raise LoadError(f"cannot bind 127.0.0.{2 + turn % SOURCE_ADDRESSES}: {os.strerror(c_errno)}")
        if socket_connect(fd, address, size) < 0 and c_errno != EINPROGRESS:
            raise refusal(self.host_name, c_errno)
        if poller_add(&self.waiting, fd, link.want, link.tag) < 0:
            raise OSError(c_errno, os.strerror(c_errno))
        return 0

    cdef int opened(self, Link* link) except -1:
        """Go on with connecting when the poller says so: 1 when the link is open, 0 when there is more to wait for."""
        cdef int number
        if link.state == LINK_TCP:
            number = socket_error(link.fd)
            if number != 0:
                raise refusal(self.host_name, number)
            if self.tls_context is None:
                link.state = LINK_OPEN
                self.watch(link, WANT_IN)
                return 1
            link.state = LINK_TLS
            plain = socket.socket(fileno=link.fd)
            secure = self.tls_context.wrap_socket(
                plain, server_hostname=self.host_name, do_handshake_on_connect=False, suppress_ragged_eofs=True
            )
            Py_INCREF(secure)
            link.tls = <void*> secure
        return self.shake_hands(link)

    cdef int shake_hands(self, Link* link) except -1:
        try:
            (<object> link.tls).do_handshake()
        except ssl.SSLWantReadError:
            self.watch(link, WANT_IN)
            return 0
        except ssl.SSLWantWriteError:
            self.watch(link, WANT_IN | WANT_OUT)
            return 0
        except ssl.SSLCertVerificationError as exc:
            raise LoadError(
                f"the certificate of {self.host_name} was not accepted: {exc.verify_message}",
                "Use --insecure when it is your own server with a certificate of its own.",
            ) from exc
        except OSError as exc:
            raise LoadError(
                f"no TLS handshake with {self.host_name}: {exc}", "Does this port speak TLS? Try http:// instead."
            ) from exc
        link.state = LINK_OPEN
        self.watch(link, WANT_IN)
        return 1

    # --- sending

    cdef Py_ssize_t write(self, Link* link, const char* data, size_t size) except -2:
        """Give what the kernel took, 0 when it takes nothing now, -1 when the connection is gone."""
        cdef Py_ssize_t sent
        if link.tls == NULL:
            sent = socket_send(link.fd, data, size)
            if sent < 0:
                if c_errno == EAGAIN or c_errno == EINTR:
                    return 0
                if c_errno == EPIPE or c_errno == ECONNRESET:
                    return -1
                raise OSError(c_errno, os.strerror(c_errno))
        else:
            try:
                sent = (<object> link.tls).send(PyBytes_FromStringAndSize(data, <Py_ssize_t> size))
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return 0
            except OSError:
                return -1
        self.bytes_out += <uint64_t> sent
        return sent

    cdef int send(self, Link* link, const char* data, size_t size) except -1:
        """Send, or keep what cannot be sent now. To a connection that is gone nothing is sent; reading will tell."""
        cdef Py_ssize_t sent = 0
        cdef size_t rest
        if link.out_size == 0 and link != self.corked:
            sent = self.write(link, data, size)
            if sent < 0 or <size_t> sent == size:
                return 0
        rest = size - <size_t> sent
        if link.out_size + rest > link.out_room:
            link.out = grow(link.out, 2 * (link.out_size + rest))
            link.out_room = 2 * (link.out_size + rest)
        memcpy(link.out + link.out_size, data + sent, rest)
        link.out_size += rest
        return 0 if link == self.corked else self.watch(link, link.want | WANT_OUT)

    cdef int uncork(self) except -1:
        """Send what the corked link, if it is still there, has collected."""
        cdef Link* link = self.corked
        self.corked = NULL
        if link == NULL or link.state != LINK_OPEN or link.out_size == 0:
            return 0
        self.send_rest(link)
        return self.watch(link, link.want | WANT_OUT) if link.out_size > 0 else 0

    cdef int send_rest(self, Link* link) except -1:
        cdef Py_ssize_t sent = self.write(link, link.out + link.out_sent, link.out_size - link.out_sent)
        if sent > 0:
            link.out_sent += <size_t> sent
        if sent >= 0 and link.out_sent < link.out_size:
            return 0
        link.out_size = link.out_sent = 0
        return self.watch(link, link.want & ~WANT_OUT)

    # --- receiving

    cdef Py_ssize_t receive(self, Link* link, char** data) except -2:
        """Read once and give all there is now, what was kept included; 0 when the other side is gone, -1 when nothing came.

        Lifetime: held by the links until the next `receive`, or by the link until `keep`.
        """
        cdef Py_ssize_t got
        if link.kept_size == 0:
            got = self.read(link, self.room, ROOM)
            data[0] = self.room
            return got
        if link.kept_room - link.kept_size < <size_t> (ROOM // 4):
            link.kept = grow(link.kept, link.kept_size + ROOM)
            link.kept_room = link.kept_size + ROOM
        got = self.read(link, link.kept + link.kept_size, link.kept_room - link.kept_size)
        data[0] = link.kept
        return got + <Py_ssize_t> link.kept_size if got > 0 else got

    cdef Py_ssize_t read(self, Link* link, char* room, size_t size) except -2:
        cdef Py_ssize_t got
        if link.tls == NULL:
            got = socket_receive(link.fd, room, size)
            if got < 0:
                if c_errno == EAGAIN or c_errno == EINTR:
                    return -1
                if c_errno != ECONNRESET and c_errno != EPIPE:
                    raise OSError(c_errno, os.strerror(c_errno))
                got = 0
        else:
            size = min(size, <size_t> ROOM)
            try:
                if room == self.room:
                    got = (<object> link.tls).recv_into(self.view, size)
                else:
                    got = (<object> link.tls).recv_into(PyMemoryView_FromMemory(room, <Py_ssize_t> size, PyBUF_WRITE))
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return -1
            except OSError:
                got = 0
        self.bytes_in += <uint64_t> got
        return got

    cdef int keep(self, Link* link, const char* data, size_t size, size_t wanted) except -1:
        """Keep the unfinished end of what `receive` gave; `wanted` is how long it will be when whole, 0 if unknown."""
        cdef size_t room = max(size, wanted)
        if room > link.kept_room and size > 0:
            if link.kept_size > 0 and link.kept <= data <= link.kept + link.kept_room:
                memmove(link.kept, data, size)  # it is in the memory that grows
                data = NULL
            link.kept = grow(link.kept, room)
            link.kept_room = room
        if size > 0 and data != NULL:
            memmove(link.kept, data, size)
        link.kept_size = size
        if size == 0 and link.kept_room > <size_t> (ROOM // 4):
            free(link.kept)
            link.kept = NULL
            link.kept_room = 0
        return 0

    cdef bint has_more(self, Link* link) except -1:
        """Whether TLS holds bytes that no poller will speak of."""
        return link.tls != NULL and (<object> link.tls).pending() > 0

    # --- waiting and ending

    cdef int watch(self, Link* link, int want) except -1:
        if want == link.want:
            return 0
        link.want = want
        if poller_set(&self.waiting, link.fd, want, link.tag) < 0:
            raise OSError(c_errno, os.strerror(c_errno))
        return 0

    cdef void close(self, Link* link) noexcept:
        """End a link, if there is one; it can be opened again. Frees what it kept."""
        if link == self.corked:
            self.corked = NULL
        if link.state != LINK_NONE:
            poller_remove(&self.waiting, link.fd)
            if link.tls != NULL:
                (<object> link.tls).close()
                Py_DECREF(<object> link.tls)
                link.tls = NULL
            else:
                close_fd(link.fd)
        link.state = LINK_NONE
        link.kept_size = link.out_size = link.out_sent = 0
        free(link.kept)
        free(link.out)
        link.kept = link.out = NULL
        link.kept_room = link.out_room = 0

    cdef int wait(self, int64_t timeout_ns) except -1:
        """Give how many `events` there are, after `timeout_ns` at the latest."""
        cdef int count
        with nogil:
            count = poller_wait(&self.waiting, timeout_ns, self.events)
        if count < 0:
            raise OSError(c_errno, os.strerror(c_errno))
        return count


cdef object refusal(str host, int number):
    return LoadError(f"cannot connect to {host}: {os.strerror(number)}", hint_for(number))


cdef str hint_for(int number):
    if number == errno.ECONNREFUSED:
        return "Nobody listens there: is the server running, and is this its port?"
    if number in (errno.EMFILE, errno.ENFILE):
        return "Every client is an open file: raise the limit (ulimit -n) or ask for fewer --clients."
    if number == errno.EADDRNOTAVAIL:
        return "The ports of this machine are used up: closed connections keep theirs for a minute."
    if number in (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "Check the address, and whether a firewall stands between."
    return ""
