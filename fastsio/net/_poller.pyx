"""Sockets of the server's own: watched by one epoll that the loop sees as a single descriptor.

What a loop does for each connection (a handle, a transport, their places in its tables) is two fifths of what a connection
costs, and for each read it makes two calls into Python. Here it is asked once for all sockets that are ready, and what they
brought is handled before it goes on. TLS, other kinds of sockets and other systems stay with the loop.

May import: the engine floor, `net._sockets`. Knows neither HTTP nor frames.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport EAGAIN, EINTR, EMFILE, ENFILE
from libc.string cimport memcpy

from fastsio.engine._session cimport Arrivals, Flusher, Link
from fastsio.engine._wheel cimport monotonic
from fastsio.engine.registry cimport Registry
from fastsio.net._sockets cimport (
    SYSTEM_IPV4, SYSTEM_IPV6, SYSTEM_POLLS, SYSTEM_READABLE, SYSTEM_WRITABLE, SystemPeer, ipv4_name,
    name_of_ipv4, system_accept, system_close, system_end, system_may, system_poller, system_ready, system_receive,
    system_send, system_watch, system_whose,
)

import logging
import os
import socket
from asyncio.trsock import TransportSocket

from fastsio.net.loops import is_fallback

logger = logging.getLogger("fastsio.server")

# Connections that are accepted before the loop goes on.
cdef int MAX_ACCEPTED = 64
# Seconds of one turn after which sockets that are ready wait for the next. That is looked at after so many of them; after
# each when some have brought more than can wait.
cdef double TURN_SLICE = 0.010
cdef enum:
    TURN_CHECK = 8
# Times that one socket is read while there is more than there is room for.
cdef int MAX_READS = 4
# The address of all interfaces.
cdef str ANY_IPV4 = "0.0.0.0"
# Seconds after which accepting is tried again when the system refused.
cdef double REST = 1.0


def can_poll():
    """Tell whether this system has what a Poller needs, and the environment does not ask to do without."""
    return SYSTEM_POLLS and not is_fallback()


cdef class Stream(Link):
    """See the declaration. A subclass has `connection_made`, `connection_lost` and the rest of a protocol, too."""

    cdef unsigned char* room(self, Py_ssize_t* size) except NULL:
        raise NotImplementedError

    cdef int arrived(self, Py_ssize_t size) except -1:
        raise NotImplementedError


cdef class Polled:
    """One descriptor that a poller watches. The poller keeps it alive while it does."""

    def __cinit__(self):
        self.fd = -1

    cdef int _watch(self, int wanted) except -1:
        """Be told of that from now on; 0: of nothing."""
        cdef int so_far = self._watched, error
        if wanted == so_far:
            return 0
        if self._poller._epoll >= 0:
            error = system_watch(self._poller._epoll, self.fd, so_far, wanted, <void*> self)
            if error and wanted:
                raise OSError(error, os.strerror(error))
        self._watched = wanted
        if not so_far:
            Py_INCREF(self)
        elif not wanted:
            Py_DECREF(self)
        return 0

    cdef int on_ready(self, int may) except -1:
        return 0

    cdef int on_failure(self, object error) except -1:
        """An exception that nobody was there for."""
        return 0


@cython.final
cdef class PolledTransport(Polled):
    """What the loop's transports are to a protocol, for one accepted socket of a poller.

    Whatever is written is written now if the kernel takes it (`fd` is there for that), so `write` is for the rest: the
    stream is told at once to pause, and to go on when all of it has left.
    """

    # --- what has come

    cdef int on_ready(self, int may) except -1:
        if may & SYSTEM_WRITABLE and self._size:
            self._write_on()
        if may & SYSTEM_READABLE:
            if self._reads:
                self._read()
            else:
                self._renew()   # it has been paused since
        return 0

    cdef int on_failure(self, object error) except -1:
        return self._lose(error)

    cdef int _read(self) except -1:
        cdef Stream stream = self._stream       # held: what it does with a message may end it
        cdef Py_ssize_t size, came
        cdef int count = 0
        cdef bint is_more = True
        while is_more and self._reads:
            count += 1
            came = system_receive(self.fd, stream.room(&size), size)
            is_more = came == size and count < MAX_READS
            if came > 0:
                stream.arrived(came)
            elif count > 1:
                return 0        # the next turn sees it again: what came before it is answered first
            elif came == 0:
                self._reads = False
                self._renew()
                if not stream.eof_received():
                    self.close()
            elif came != -EAGAIN and came != -EINTR:
                self._lose(OSError(-came, os.strerror(-came)))
        return 0

    def pause_reading(self):
        self._reads = False     # the poller is told when something comes: most go on before that

    def resume_reading(self):
        if not self._closing:
            self._reads = True
            self._renew()

    # --- what goes out

    def write(self, bytes data not None):
        """Keep what the kernel does not take now, in its order."""
        if not data:
            return
        if self._lost:
            if self._stream is not None:
                self._stream.pause_writing()    # this is lost: nothing may come after it
            return
        if self._unsent is None:
            self._unsent = []
        self._unsent.append(data)
        self._size += len(data)
        if self._size == len(data):
            self._stream.pause_writing()
            self._renew()

    cdef int _write_on(self) except -1:
        cdef Stream stream = self._stream
        cdef bytes data
        cdef Py_ssize_t left, sent
        while self._size:
            data = <bytes> self._unsent[0]
            left = PyBytes_GET_SIZE(data) - self._written
            sent = system_send(self.fd, PyBytes_AS_STRING(data) + self._written, left)
            if sent < 0:
                return self._lose(None)
            self._size -= sent
            if sent < left:
                self._written += sent
                return 0
            self._written = 0
            del self._unsent[0]
        self._unsent = None
        self._renew()
        if self._ends:
            system_end(self.fd)
        stream.resume_writing()
        if self._closing and not self._size:
            self._lose(None)
        return 0

    def get_write_buffer_size(self):
        return self._size

    def can_write_eof(self):
        return True

    def write_eof(self):
        self._ends = True
        if not self._size and not self._lost:
            system_end(self.fd)

    # --- its end

    def close(self):
        """Close once everything is written."""
        if self._closing:
            return
        self._closing = True
        self._reads = False
        if self._size:
            self._renew()
        else:
            self._lose(None)

    def abort(self):
        """Close now."""
        self._lose(None)

    cdef int _lose(self, object error) except -1:
        if self._lost:
            return 0
        self._lost = self._closing = True
        self._reads = False
        self._error = error
        self._unsent = None
        self._size = self._written = 0
        self._watch(0)
        return self._poller._settle_later(self)

    cdef int detach(self) except -2:
        """Give the descriptor away: from now on it is somebody else's."""
        cdef int fd = self.fd
        if self._socket is not None:
            self._socket.detach()
        self._reads = False
        self._watch(0)
        self._lost = self._closing = True
        self._stream = None
        self.fd = -1
        return fd

    cdef int _renew(self) except -1:
        """Have the poller watch for what is of interest now."""
        if self._lost:
            return 0
        try:
            return self._watch((SYSTEM_READABLE if self._reads else 0) | (SYSTEM_WRITABLE if self._size else 0))
        except OSError as error:
            return self._lose(error)

    # --- what is known of it

    cdef tuple name(self, bint is_peer):
        """(host, port) of one end, None for one that has none. The peer's is known even when it is gone."""
        if is_peer:
            return name_of_ipv4(self._ipv4) if self._is_ipv4 else self._ipv6
        return self._listener._name or ipv4_name(self.fd, False)

    def get_extra_info(self, str name, default=None):
        """As of any transport: its "socket", "peername" and "sockname"; of what else there is, `default`."""
        if name == "peername" and (self._is_ipv4 or self._ipv6 is not None):
            return self.name(True)
        if self.fd < 0 or name not in ("socket", "peername", "sockname"):
            return default
        if self._socket is None:
            self._socket = socket.socket(fileno=self.fd)
        if name == "socket":
            return TransportSocket(self._socket)
        try:
            return self._socket.getpeername() if name == "peername" else self._socket.getsockname()
        except OSError:
            return default


cdef tuple ipv6_name(const SystemPeer* peer):
    """Give (host, port); an address of one link bears the interface, as everywhere in Python."""
    cdef str host = socket.inet_ntop(socket.AF_INET6, (<const char*> peer.ipv6)[:16])
    if peer.scope:
        host = f"{host}%{_interface(peer.scope)}"
    return host, peer.port


cdef str _interface(unsigned int scope):
    try:
        return socket.if_indextoname(scope)
    except OSError:
        return str(scope)


cdef int _spare_descriptor():
    """Give a descriptor of no use but to be given away; -1 when there is none."""
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


@cython.final
cdef class Listener(Polled):
    """Accepts connections. To uvicorn it is one of its servers."""

    cdef int on_ready(self, int may) except -1:
        cdef SystemPeer peer
        cdef int fd
        for _ in range(MAX_ACCEPTED):
            if self.fd < 0:
                return 0
            fd = system_accept(self.fd, &peer)
            if fd >= 0:
                self._accept(fd, &peer)
                continue
            if fd == -EMFILE or fd == -ENFILE:
                fd = self._turn_away()
            if fd == -EAGAIN:
                return 0
            if fd != -EINTR:
                return self._rest(-fd)
        return 0

    cdef int _accept(self, int fd, const SystemPeer* peer) except -1:
        cdef PolledTransport transport = PolledTransport()
        transport._poller = self._poller
        transport._listener = self
        transport.fd = fd
        transport._is_ipv4 = peer.family == SYSTEM_IPV4
        if transport._is_ipv4:
            memcpy(transport._ipv4, peer.ipv4, sizeof(peer.ipv4))
        try:
            if peer.family == SYSTEM_IPV6:
                transport._ipv6 = ipv6_name(peer)
            transport._stream = self._make()
            transport._reads = True
            transport._stream.connection_made(transport)
            transport._renew()
        except Exception as error:
            self._poller._report("a connection could not be accepted", error, transport._stream)
            if transport._stream is None:
                system_close(fd)
            else:
                transport._lose(error)
        return 0

    cdef int _turn_away(self) except 1:
        """There are no descriptors left: hang up on whoever comes, rather than let them wait.

        Give an error as `system_accept` does, EINTR when there may be more of them.
        """
        cdef SystemPeer peer
        cdef int fd
        if self._spare < 0:
            return -EMFILE
        system_close(self._spare)
        fd = system_accept(self.fd, &peer)
        if fd >= 0:
            system_close(fd)
        self._spare = _spare_descriptor()
        return fd if fd < 0 else -EINTR

    cdef int _rest(self, int error) except -1:
        """The system does not let us: try again in a while."""
        if not self._has_complained:
            self._has_complained = True
            logger.error(
                "connections cannot be accepted: %s; tried again every %g s. (this is said once)", os.strerror(error), REST
            )
        self._watch(0)
        self._poller._loop.call_later(REST, self._go_on)
        return 0

    def _go_on(self):
        if self.fd >= 0:
            if self._spare < 0:
                self._spare = _spare_descriptor()
            try:
                self._watch(SYSTEM_READABLE)
            except OSError:
                self._poller._loop.call_later(REST, self._go_on)

    def close(self):
        """Accept no more. Connections that were accepted go on."""
        if self.fd < 0:
            return
        self._watch(0)
        self.fd = -1
        for sock in self.sockets:
            sock.close()
        if self._spare >= 0:
            system_close(self._spare)
            self._spare = -1

    async def wait_closed(self):
        """There is nothing to wait for: who waits for the connections has them himself."""


@cython.final
cdef class Poller:
    """Watches the sockets of one server on a loop.

    Args:
        registry: of the server, whose turns these are.
        loop: watches the poller; any that has `add_reader`.

    Raises:
        OSError: the system has no descriptor for it.
    """

    def __cinit__(self):
        self._epoll = -1

    def __init__(self, Registry registry not None, loop):
        self._registry = registry
        self._loop = loop
        self._ready = []
        self._gone = []
        self._settle_bound = self._settle
        registry.attach_loop()
        self._epoll = system_poller()
        if self._epoll < 0:
            raise OSError("there is no descriptor for a poller")
        loop.add_reader(self._epoll, self._turn)

    def listen(self, sock, make):
        """Accept the connections of a listening socket, which is the listener's from now on.

        Args:
            make: called without arguments for each connection: gives the Stream that it is for.
        """
        cdef Listener listener = Listener()
        sock.setblocking(False)
        listener._poller = self
        listener.fd = sock.fileno()
        listener.sockets = [sock]
        listener._make = make
        name = ipv4_name(listener.fd, False)
        listener._name = name if name is not None and name[0] != ANY_IPV4 else None
        listener._spare = _spare_descriptor()
        listener._watch(SYSTEM_READABLE)
        return listener

    def _turn(self):
        """Serve what is ready: all is read, then what came is handled, then what that left is written."""
        cdef Flusher flusher
        if self._epoll < 0:
            return
        if not self._ready:
            self._look()
        flusher = self._registry.flusher
        self._is_turn = True
        flusher.begin_turn()
        try:
            self._serve()
        finally:
            self._is_turn = False
            try:
                flusher.end_turn()
            finally:
                if self._gone:
                    self._settle()

    cdef int _look(self) except -1:
        """Ask the system for the sockets that are ready."""
        cdef list ready = []
        cdef int count = system_ready(self._epoll, self._events, MAX_READY), i
        for i in range(count):
            ready.append(<object> system_whose(&self._events[i]))
        self._ready = ready
        self._served = 0
        return 0

    cdef int _serve(self) except -1:
        """Serve those that are ready. Who is left when time is up comes first in the next turn: nobody is passed over.

        The loop comes back for them, since their sockets are as ready as before.
        """
        cdef Arrivals arrivals = self._registry.flusher.arrivals
        cdef double begun = monotonic()
        cdef Polled polled
        cdef int may
        while self._served < len(self._ready):
            polled = <Polled> self._ready[self._served]
            may = system_may(&self._events[self._served])
            self._served += 1       # first: a handler may run the loop, and that comes here
            if polled._watched & may:
                try:
                    polled.on_ready(may)
                except Exception as error:
                    self._report("a connection failed", error, polled)
                    polled.on_failure(error)
            if (self._served % TURN_CHECK == 0 or arrivals._end != 0.0) and monotonic() >= begun + TURN_SLICE:
                break
        if self._served >= len(self._ready):
            self._ready.clear()
        return 0

    def _report(self, str what, error, whose):
        self._loop.call_exception_handler({"message": what, "exception": error, "protocol": whose})

    cdef int _settle_later(self, PolledTransport transport) except -1:
        self._gone.append(transport)
        if not self._is_turn and len(self._gone) == 1 and not self._loop.is_closed():
            self._loop.call_soon(self._settle_bound)
        return 0

    def _settle(self):
        """Tell streams that their connections are lost. Only then are descriptors closed: others might be given the number."""
        cdef PolledTransport transport
        cdef Py_ssize_t count = len(self._gone)
        try:
            while count and self._gone:     # those that come meanwhile have a turn of their own
                count -= 1
                transport = <PolledTransport> self._gone.pop(0)
                self._finish(transport)
        finally:
            if self._gone and not self._loop.is_closed():
                self._loop.call_soon(self._settle_bound)

    cdef int _finish(self, PolledTransport transport) except -1:
        cdef Stream stream = transport._stream
        transport._stream = None
        try:
            if stream is not None:
                stream.connection_lost(transport._error)
        except Exception as error:
            self._report("a connection could not be ended", error, stream)
        finally:
            if transport._socket is not None:
                transport._socket.detach()
            system_close(transport.fd)
            transport.fd = -1
        return 0

    def close(self):
        """Watch nothing any more. Listeners and connections have been closed before."""
        if self._epoll < 0:
            return
        while self._gone:
            self._settle()
        if not self._loop.is_closed():
            self._loop.remove_reader(self._epoll)
        self._ready.clear()
        system_close(self._epoll)
        self._epoll = -1
