"""Many Socket.IO clients in one thread: how they connect, stay, and read and write packets, on either transport.

May import: `errors`, `refusals`, `tls`, and the compiled modules below in this folder. Never: shares code with the server, nor
knows what is asked of it (`_load`).
"""
import json
import re

from fastsio.load.errors import LoadError
from fastsio.load.refusals import refusal
from fastsio.load.tls import tls_context

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy, memset

from fastsio.load._links cimport (
    CLIENTS_PER_ADDRESS, GONE, LINK_NONE, LINK_OPEN, MESSAGE_LIMIT, WANT_IN, WANT_OUT, Link, Links, now_ns
)
from fastsio.load._response cimport (
    RESPONSE_BAD, RESPONSE_PARTIAL, Response, ResponseStatus, head_has, take_response
)
from fastsio.load._wire cimport (
    FRAME_HEAD, FRAME_MASKED, FRAME_PARTIAL, Frame, ReadStatus, next_mask, read_frame, write_frame
)

cdef enum:
    CONNECTS_AT_ONCE = 128  # handshakes under way while the crowd assembles

# RFC 6455 1.3: the key of its example, and the only right answer.
cdef bytes KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
cdef const char* ACCEPT = "s3pplmbitxaq9kygzzhzrbk+xoo="  # in lower case, as `head_has` compares

STATES = ("away", "TCP or TLS", "HTTP", "the open packet", "the answer to CONNECT", "ready", "leaving")


@cython.no_gc_clear  # __dealloc__ needs the links
cdef class Crowd:
    """The clients of one run; what they are for stands in the subclass.

    Errors: LoadError, with a hint, from everything that waits. After it the run is over.
    """

    def __cinit__(self, plan):
        target = plan.target
        self.plan = plan
        self.polling = plan.transport == "polling"
        self.passing = plan.kind == "connect"
        self.corking = plan.cork
        self.eio = plan.eio
        self.count = plan.clients
        self.masks = 0x9E3779B97F4A7C15 ^ now_ns()
        self.links = Links(target.host, target.port, tls_context(plan), self.passing or self.count > CLIENTS_PER_ADDRESS)
        self.clients = <Client*> calloc(self.count, sizeof(Client))
        self.namespace = b"" if plan.namespace == "/" else plan.namespace.encode() + b","
        self.connect_packet = b"40" + self.namespace + (plan.auth.encode() if self.eio == 4 else b"")
        self.requests_path = f"{target.path}?EIO={self.eio}&transport=".encode()
        self.requests_end = "".join(f"{line}\r\n" for line in (f"Host: {target.authority}", *plan.headers)).encode()
        self.upgrade = (
            b"GET " + self.requests_path + b"websocket HTTP/1.1\r\n" + self.requests_end
            + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
            + KEY + b"\r\n\r\n"
        )
        self.frame_room = plan.payload + len(self.connect_packet) + 4096 + FRAME_HEAD
        self.frame = <char*> malloc(self.frame_room)
        if self.clients == NULL or self.frame == NULL:
            raise MemoryError
        self.prepare_clients()

    cdef int prepare_clients(self) except -1:
        cdef uint32_t i, reading = self.count - <uint32_t> self.plan.slow_clients
        for i in range(self.count):
            self.clients[i].link.tag = i << 1
            self.clients[i].writer.tag = (i << 1) | 1
            self.clients[i].slow = i >= reading
        return 0

    def __dealloc__(self):
        cdef uint32_t i
        if self.clients != NULL:
            for i in range(self.count):
                self.links.close(&self.clients[i].link)
                self.links.close(&self.clients[i].writer)
                free(self.clients[i].waiting)
                free(self.clients[i].parts)
        free(self.clients)
        free(self.frame)

    def assemble(self, uint32_t count, on_turn=None):
        """Have `count` clients connected, at most `clients`; `on_turn` is called about ten times a second.

        Raises:
            LoadError: one was refused, or nothing went on for `patience` seconds.
        """
        cdef uint64_t look = now_ns()
        count = min(count, self.count)
        while self.ready < count:
            self.open_more(count)
            self.turn(100 * MILLISECOND)
            if on_turn is not None and now_ns() - look > <uint64_t> (100 * MILLISECOND):
                look = now_ns()
                on_turn()

    def close(self):
        """Drop all connections."""
        cdef uint32_t i
        for i in range(self.count):
            self.forget(&self.clients[i])

    @property
    def bytes_in(self):
        """Bytes received since the start, TLS not counted."""
        return self.links.bytes_in

    @property
    def bytes_out(self):
        """Bytes sent since the start, TLS not counted."""
        return self.links.bytes_out

    # --- the loop

    cdef int turn(self, int64_t timeout_ns) except -1:
        """Wait, and do what has come; give how many connections had something."""
        cdef int count = self.links.wait(timeout_ns), i, what
        cdef uint64_t tag, time
        cdef Client* c
        cdef Link* link
        for i in range(count):
            tag = self.links.events[i].tag
            what = self.links.events[i].what
            c = &self.clients[<uint32_t> tag >> 1]
            link = &c.writer if tag & 1 else &c.link
            if what & WANT_OUT and link.tag == tag and link.state != LINK_NONE:
                self.on_writable(c, link)
            elif link.state != LINK_OPEN and what & (WANT_IN | GONE) and link.tag == tag and link.state != LINK_NONE:
                self.on_writable(c, link)  # a TLS handshake reads, too
            if what & (WANT_IN | GONE) and link.tag == tag and link.state == LINK_OPEN:
                if c.slow and c.state == READY:
                    self.on_lost(c, "")
                else:
                    self.on_readable(c, link)
        time = now_ns()
        if time - self.last_look > <uint64_t> (100 * MILLISECOND):
            self.last_look = time
            PyErr_CheckSignals()
            self.look_after(time)
        return count

    cdef int look_after(self, uint64_t time) except -1:
        """What is done ten times a second: heartbeats of revision 3, and a look at whether anything goes on."""
        cdef uint32_t i
        cdef Client* c
        cdef uint64_t progress = self.answers + self.ready + self.slow_lost
        if progress != self.last_progress or self.in_flight + self.pending == 0 or self.last_change == 0:
            self.last_progress = progress
            self.last_change = time
        elif time - self.last_change > <uint64_t> (self.plan.patience * 1e9):
            raise self.standstill()
        if self.eio == 3:
            for i in range(self.count):
                c = &self.clients[i]
                if c.state == READY and c.next_ping <= time:
                    c.next_ping = time + self.ping_interval
                    self.send_packet(c, b"2", 1)
        return 0

    cdef int on_writable(self, Client* c, Link* link) except -1:
        if link.state == LINK_OPEN:
            if link.out_size > 0:
                self.links.send_rest(link)
            return 0
        if not self.links.opened(link):
            return 0
        if link == &c.writer:
            return self.post(c)
        c.state = UPGRADING if c.state == DIALING else c.state
        if self.polling:
            return self.get(c)
        return self.links.send(link, self.upgrade, len(self.upgrade))

    cdef int on_readable(self, Client* c, Link* link) except -1:
        cdef char* data = NULL
        cdef uint64_t tag = link.tag
        cdef Py_ssize_t got
        while True:
            got = self.links.receive(link, &data)
            if got == 0:
                return self.on_end(c, link)
            if got > 0:
                self.links.corked = link if self.corking else NULL
                self.consume(c, link, data, <size_t> got)
                self.links.uncork()
            if link.tag != tag or link.state == LINK_NONE or not self.links.has_more(link):
                return 0

    cdef int consume(self, Client* c, Link* link, char* data, size_t size) except -1:
        """Take all that is whole and keep the rest."""
        cdef uint64_t tag = link.tag
        cdef size_t taken, wanted = 0
        while size > 0:
            if self.polling or c.state == UPGRADING:
                taken = self.take_http(c, link, data, size, &wanted)
            else:
                taken = self.take_frame(c, data, size, &wanted)
            if link.tag != tag or link.state == LINK_NONE:
                return 0
            if taken == 0:
                break
            data += taken
            size -= taken
            wanted = 0
        if wanted > MESSAGE_LIMIT:
            raise LoadError(f"the server announces a message of {wanted:,} bytes; {MESSAGE_LIMIT:,} are the most")
        return self.links.keep(link, data, size, wanted)

    # --- opening and closing

    cdef int open_more(self, uint32_t limit) except -1:
        while self.opened < limit and self.pending < CONNECTS_AT_ONCE:
            self.open_client(&self.clients[self.opened])
        return 0

    cdef int open_client(self, Client* c) except -1:
        cdef uint32_t turn = self.turns if self.passing else self.turns // CLIENTS_PER_ADDRESS
        self.turns += 1
        c.born = now_ns()
        c.state = DIALING
        c.sid[0] = 0
        self.opened += 1
        self.pending += 1
        self.links.open(&c.link, turn, c.slow)
        return 0

    cdef int on_ready(self, Client* c) except -1:
        c.state = READY
        c.next_ping = now_ns() + self.ping_interval
        self.pending -= 1
        self.ready += 1
        if c.slow:
            self.links.watch(&c.link, 0)
        return self.on_joined(c)

    cdef int say_goodbye(self, Client* c) except -1:
        c.state = LEAVING
        if self.polling:
            return self.send_packet(c, b"1", 1)
        return self.send_frame(c, 8, b"\x03\xe8", 2)

    cdef int on_gone(self, Client* c) except -1:
        """A client that said goodbye has been let go."""
        self.forget(c)
        self.opened -= 1
        self.ready -= 1
        return self.on_left(c)

    cdef int forget(self, Client* c) noexcept:
        self.links.close(&c.link)
        self.links.close(&c.writer)
        c.state = AWAY
        c.posting = False
        c.waiting_size = c.parts_size = 0
        return 0

    cdef int on_end(self, Client* c, Link* link) except -1:
        """The other side closed a connection."""
        if link == &c.writer and not c.posting:
            self.links.close(link)
            return 0
        if c.state != LEAVING:
            return self.on_lost(c, "")
        if self.polling and link == &c.link:
            self.links.close(link)  # the POST of the goodbye has yet to be answered
            return 0
        return self.on_gone(c)

    cdef int on_lost(self, Client* c, str why) except -1:
        cdef str phase = STATES[c.state]
        if c.slow and c.state == READY:
            self.forget(c)
            self.slow_lost += 1
            self.ready -= 1
            return 0
        number = (c - self.clients) + 1
        when = "" if c.state == READY else f" while it waited for {phase}"
        raise LoadError(f"the server closed the connection of client {number:,} of {self.count:,}{when}{why}")

    # --- sending

    cdef int send_frame(self, Client* c, int opcode, const char* data, size_t size) except -1:
        if size + FRAME_HEAD > self.frame_room:
            raise LoadError(f"a message of {size:,} bytes does not fit")
        size = write_frame(self.frame, opcode, data, size, next_mask(&self.masks))
        return self.links.send(&c.link, self.frame, size)

    cdef int send_packet(self, Client* c, const char* data, size_t size) except -1:
        """Send one Engine.IO packet: as a frame, or in the next POST."""
        cdef bytes prefix
        if not self.polling:
            return self.send_frame(c, 1, data, size)
        if self.eio == 3:
            prefix = f"{size}:".encode()
            self.wait_for_post(c, prefix, len(prefix))
        elif c.waiting_size > 0:
            self.wait_for_post(c, b"\x1e", 1)
        self.wait_for_post(c, data, size)
        return self.post(c)

    cdef int wait_for_post(self, Client* c, const char* data, size_t size) except -1:
        cdef char* grown
        if c.waiting_size + size > c.waiting_room:
            grown = <char*> realloc(c.waiting, 2 * (c.waiting_size + size))
            if grown == NULL:
                raise MemoryError
            c.waiting = grown
            c.waiting_room = 2 * (c.waiting_size + size)
        memcpy(c.waiting + c.waiting_size, data, size)
        c.waiting_size += size
        return 0

    cdef int post(self, Client* c) except -1:
        """POST what waits, when nothing is being posted; opens the connection for it first."""
        cdef bytes head
        if c.writer.state == LINK_NONE:
            c.posting = False
            return self.links.open(&c.writer, self.turns // CLIENTS_PER_ADDRESS, False)
        if c.writer.state != LINK_OPEN or c.posting or c.waiting_size == 0:
            return 0
        head = (
            b"POST " + self.requests_path + b"polling&sid=" + <bytes> c.sid + b" HTTP/1.1\r\n" + self.requests_end
            + b"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %d\r\n\r\n" % c.waiting_size
        )
        head += c.waiting[:c.waiting_size]
        c.waiting_size = 0
        c.posting = True
        return self.links.send(&c.writer, head, len(head))

    cdef int get(self, Client* c) except -1:
        cdef bytes head = b"GET " + self.requests_path + b"polling"
        if self.eio == 3:
            head += b"&b64=1"  # text payloads only
        if c.sid[0]:
            head += b"&sid=" + <bytes> c.sid
        head += b" HTTP/1.1\r\n" + self.requests_end + b"\r\n"
        return self.links.send(&c.link, head, len(head))

    # --- receiving

    cdef size_t take_frame(self, Client* c, const char* data, size_t size, size_t* wanted) except? 0:
        cdef Frame frame
        cdef ReadStatus status = read_frame(data, size, &frame)
        if status == FRAME_PARTIAL:
            wanted[0] = frame.whole
            return 0
        if status == FRAME_MASKED:
            raise LoadError("the server masks its frames, which RFC 6455 forbids")
        self.on_frame(c, &frame)
        return frame.whole

    cdef int on_frame(self, Client* c, Frame* frame) except -1:
        cdef int opcode = frame.first & 15
        if frame.first & 0x70:
            raise LoadError(f"frame with first byte {frame.first:#04x}: an extension that nobody asked for")
        if opcode == 1 and frame.first & 0x80:
            return self.on_packet(c, frame.data, frame.size)
        if opcode <= 2:
            return self.on_fragment(c, opcode, frame)
        if opcode == 9:
            return self.send_frame(c, 10, frame.data, frame.size)
        if opcode == 10:
            return 0
        if opcode != 8:
            raise LoadError(f"frame with opcode {opcode}, which RFC 6455 does not know")
        if c.state == LEAVING:
            return self.on_gone(c)
        body = frame.data[:frame.size]
        code = f", close code {int.from_bytes(body[:2], 'big')} {body[2:].decode(errors='replace')}" if body else ""
        return self.on_lost(c, code.rstrip())

    cdef int on_fragment(self, Client* c, int opcode, Frame* frame) except -1:
        """Join a message that comes in several frames; binary messages are counted and not looked at."""
        cdef char* grown
        if opcode != 0:
            c.parts_size = 0
            c.parts_binary = opcode == 2
        if not c.parts_binary:
            if c.parts_size + frame.size > MESSAGE_LIMIT:
                raise LoadError(f"the server sends a message of more than {MESSAGE_LIMIT:,} bytes")
            if c.parts_size + frame.size > c.parts_room:
                grown = <char*> realloc(c.parts, 2 * (c.parts_size + frame.size))
                if grown == NULL:
                    raise MemoryError
                c.parts = grown
                c.parts_room = 2 * (c.parts_size + frame.size)
            memcpy(c.parts + c.parts_size, frame.data, frame.size)
            c.parts_size += frame.size
        if not frame.first & 0x80:
            return 0
        if c.parts_binary:
            self.others += 1
            return 0
        return self.on_packet(c, c.parts, c.parts_size)

    cdef size_t take_http(self, Client* c, Link* link, char* data, size_t size, size_t* wanted) except? 0:
        cdef Response response
        cdef ResponseStatus status = take_response(data, size, &response)
        if status == RESPONSE_BAD:
            raise LoadError(f"the server does not answer in HTTP: {show(data, size)}", "Is this its port?")
        if status == RESPONSE_PARTIAL:
            wanted[0] = response.whole
            return 0
        if not self.polling:
            self.on_upgrade(c, &response)
        elif response.status != 200:
            raise refusal(response.status, response.body[:response.size], self.plan)
        elif link == &c.writer:
            self.on_posted(c, &response)
        else:
            self.on_polled(c, &response)
        return response.whole

    cdef int on_upgrade(self, Client* c, Response* response) except -1:
        if response.status != 101:
            raise refusal(response.status, response.body[:response.size], self.plan)
        if not head_has(response, "sec-websocket-accept", ACCEPT):
            raise LoadError("the server accepts a WebSocket without the right Sec-WebSocket-Accept")
        if head_has(response, "sec-websocket-extensions", ""):
            raise LoadError("the server chose a WebSocket extension that nobody asked for")
        c.state = OPENING
        return 0

    cdef int on_posted(self, Client* c, Response* response) except -1:
        if response.size != 2 or (response.body[0] | 32) != c'o' or (response.body[1] | 32) != c'k':
            raise LoadError(f"a POST is answered with {show(response.body, response.size)}, not with ok")
        c.posting = False
        if c.state == LEAVING and c.waiting_size == 0:
            return self.on_gone(c)
        if response.closes:
            self.links.close(&c.writer)
        return self.post(c) if c.waiting_size > 0 else 0

    cdef int on_polled(self, Client* c, Response* response) except -1:
        cdef uint64_t tag = c.link.tag
        if c.state == UPGRADING:
            c.state = OPENING
        if self.eio == 3:
            self.take_payload_v3(c, response.body, response.size)
        else:
            self.take_payload_v4(c, response.body, response.size)
        if c.link.tag != tag or c.state == LEAVING or c.state == AWAY:
            return 0
        if response.closes:
            self.links.close(&c.link)
            return self.links.open(&c.link, self.turns // CLIENTS_PER_ADDRESS, c.slow)
        return self.get(c)

    cdef int take_payload_v4(self, Client* c, const char* data, size_t size) except -1:
        cdef const char* end
        cdef size_t length
        while size > 0:
            end = <const char*> memchr(data, 0x1e, size)
            length = <size_t> (end - data) if end != NULL else size
            self.on_packet(c, data, length)
            if end == NULL:
                return 0
            data += length + 1
            size -= length + 1
        return 0

    cdef int take_payload_v3(self, Client* c, const char* data, size_t size) except -1:
        """Packets with their lengths in front. Lengths count characters: texts beyond ASCII are not understood."""
        cdef size_t at = 0, length = 0
        while at < size:
            if c'0' <= data[at] <= c'9' and length <= MESSAGE_LIMIT:
                length = 10 * length + <size_t> (data[at] - c'0')
                at += 1
            elif data[at] == c':' and length <= size - at - 1:
                self.on_packet(c, data + at + 1, length)
                at += 1 + length
                length = 0
            else:
                raise LoadError(f"not a payload of Engine.IO 3: {show(data, size)}")
        return 0

    # --- Engine.IO, and the connecting part of Socket.IO

    cdef int on_packet(self, Client* c, const char* data, size_t size) except -1:
        if size == 0:
            raise LoadError("the server sends an empty packet")
        if data[0] == c'4':
            return self.on_message(c, data + 1, size - 1)
        if data[0] == c'2' and self.eio == 4:
            return self.send_packet(c, b"3", 1)
        if data[0] == c'0':
            return self.on_open(c, data + 1, size - 1)
        if data[0] == c'1':
            return self.on_gone(c) if c.state == LEAVING else self.on_lost(c, ": close packet")
        if data[0] != c'3' and data[0] != c'6':
            raise LoadError(f"not an Engine.IO packet: {show(data, size)}")
        return 0

    cdef int on_open(self, Client* c, const char* data, size_t size) except -1:
        """Take the session id. The first open packet of all is read as JSON, the others are searched."""
        cdef const char* end
        cdef size_t i, length = 0
        if self.ping_interval == 0:
            self.read_open(data[:size])
        for i in range(1, size - 7 if size > 7 else 1):
            if data[i] == c's' and memcmp(data + i - 1, b'"sid":"', 7) == 0:
                end = <const char*> memchr(data + i + 6, c'"', size - i - 6)
                length = <size_t> (end - data) - i - 6 if end != NULL else 0
                break
        if not 0 < length < SID_LIMIT:
            raise LoadError(f"not an open packet: {show(data, size)}")
        memcpy(c.sid, data + i + 6, length)
        c.sid[length] = 0
        c.state = JOINING
        if self.eio == 4:
            self.send_packet(c, self.connect_packet, <size_t> len(self.connect_packet))
        return 0

    cdef int read_open(self, bytes text) except -1:
        try:
            opened = json.loads(text)
            interval = float(opened.get("pingInterval", 25000)) / 1e3
            sid = opened["sid"]
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise LoadError(f"not an open packet: {show(text, <size_t> len(text))}") from exc
        if not isinstance(sid, str) or not re.fullmatch(r"[\w.~%-]+", sid):
            raise LoadError(f"the server gives a session id that no URL can hold: {sid!r}")
        self.ping_interval = <uint64_t> (max(0.1, interval) * 1e9)
        return 0

    cdef int on_message(self, Client* c, const char* data, size_t size) except -1:
        cdef char kind = data[0] if size > 0 else 0
        if size > 0 and data[size - 1] == c'\n':
            size -= 1  # Go's JSON encoder ends with one
        if kind == c'4':
            raise LoadError(
                f"the server refuses the client: {show(data, size)}",
                "If it wants a login, give it with --auth; if there is no such namespace, with --namespace.",
            )
        if kind == c'1':
            return self.on_lost(c, ": it disconnected the namespace")
        if kind == c'0' and c.state == JOINING:
            return self.on_connected(c, data[1:size])
        if c.state == READY:
            return self.on_event(c, data, size)
        self.others += 1
        return 0

    cdef int on_connected(self, Client* c, bytes rest) except -1:
        if self.eio == 3 and self.namespace and not rest.startswith(self.namespace[:-1]):
            return self.send_packet(c, self.connect_packet, len(self.connect_packet))
        if self.namespace and not (rest + b",").startswith(self.namespace):
            raise LoadError(f"the server answers CONNECT for another namespace: {rest!r}")
        return self.on_ready(c)

    cdef object waits(self):
        """Say how many clients wait for what, as text."""
        cdef uint32_t i
        cdef uint32_t counts[7]
        memset(counts, 0, sizeof(counts))
        for i in range(self.count):
            counts[<int> self.clients[i].state] += 1
        return ", ".join(f"{counts[i]:,} for {STATES[i]}" for i in range(1, 5) if counts[i])

    # --- what the subclass does

    cdef int on_joined(self, Client* c) except -1:
        """A client has become ready."""
        return 0

    cdef int on_left(self, Client* c) except -1:
        """A client that said goodbye is gone."""
        return 0

    cdef int on_event(self, Client* c, const char* data, size_t size) except -1:
        """A ready client is sent a Socket.IO packet: borrowed, without its Engine.IO type."""
        return 0

    cdef object standstill(self):
        """Say why nothing goes on, as an exception."""
        return LoadError("nothing goes on")


cdef str show(const char* data, size_t size):
    return repr(data[:min(size, <size_t> 200)].decode(errors="replace")) + (" ..." if size > 200 else "")
