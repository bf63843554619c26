"""What the clients of a run ask for, when, and what is counted.

May import: `errors`, `plan`, and the compiled modules below in this folder. Every answer is compared with the only right one,
byte for byte; one that looks different is read as JSON before it is called wrong.
"""
import json
import os
import re

from fastsio.load.errors import LoadError
from fastsio.load.plan import NEEDS as _NEEDS

cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy

from fastsio.load._crowd cimport AWAY, MILLISECOND, READY, Client, Crowd, Slot, show
from fastsio.load._histogram cimport Histogram
from fastsio.load._links cimport now_ns
from fastsio.load._wire cimport DIGITS, NUMBERS, read_digits, write_digits

cdef enum:
    SPIN_NS = 100000     # a processor that sleeps for less comes back too late for a schedule
    SENDS_AT_ONCE = 256  # requests that a schedule may send before answers are looked at

cdef enum Kind:
    ECHO = 0
    ACK = 1
    BROADCAST = 2
    CONNECT = 3
    IDLE = 4

KINDS = ("echo", "ack", "broadcast", "connect", "idle")

cdef struct Round:
    uint64_t sent
    uint32_t sequence
    uint32_t missing  # clients that have not got it


@cython.final
@cython.no_gc_clear  # __dealloc__ needs the clients of the base
cdef class Load(Crowd):
    """One run: `assemble` the clients, `begin`, then `run` as often as wanted; `close` in the end.

    Errors: LoadError, with a hint, from everything that waits. After it the run is over.
    """

    cdef Round* rounds
    cdef char* text                      # the message that is sent over and over, with room for its head in front
    cdef size_t text_event, text_start   # where its event and its payload begin
    cdef bytes send_head, answer_head
    cdef Kind kind
    cdef bint running, measuring
    cdef uint32_t window, payload, wrap, scheduled_client
    cdef uint64_t begun, scheduled
    cdef double gap                      # ns between two messages of a schedule, 0 without one
    cdef bint may_spin
    cdef readonly uint64_t messages, sent, reordered
    cdef readonly uint64_t spun_ns       # of its CPU, what was spent on waiting awake
    cdef readonly Histogram latency, delay  # until the answer; behind the schedule when a message was sent

    def __cinit__(self, plan):
        cdef uint32_t i
        self.kind = <Kind> <int> KINDS.index(plan.kind)
        self.window = plan.window
        self.payload = plan.payload
        self.wrap = NUMBERS - NUMBERS % self.window
        self.gap = 1e9 / plan.rate if plan.rate is not None else 0.0
        self.may_spin = (os.cpu_count() or 1) > 1
        self.latency = Histogram()
        self.delay = Histogram()
        self.rounds = <Round*> calloc(self.window, sizeof(Round))
        if self.rounds == NULL:
            raise MemoryError
        self.prepare_text()
        if self.kind != CONNECT and self.kind != IDLE:
            for i in range(self.count):
                self.clients[i].slots = <Slot*> calloc(self.window, sizeof(Slot))
                if self.clients[i].slots == NULL:
                    raise MemoryError

    cdef int prepare_text(self) except -1:
        cdef bytes event = b'["' + self.plan.event.encode() + b'","'
        cdef uint32_t i
        self.send_head = b"42" + self.namespace
        self.answer_head = b"3" + self.namespace if self.kind == ACK else b"2" + self.namespace + event
        self.text_event = <size_t> len(self.send_head) + 16
        self.text_start = self.text_event + <size_t> len(event)
        self.frame_room += self.text_start
        self.text = <char*> malloc(self.text_start + self.payload + 2)
        self.frame = <char*> realloc(self.frame, self.frame_room)
        if self.text == NULL or self.frame == NULL:
            raise MemoryError
        memcpy(self.text + self.text_event, <const char*> event, <size_t> len(event))
        for i in range(self.payload):
            self.text[self.text_start + i] = c'a' + i % 26
        memcpy(self.text + self.text_start + self.payload, b'"]', 2)
        return 0

    def __dealloc__(self):
        cdef uint32_t i
        if self.clients != NULL:
            for i in range(self.count):
                free(self.clients[i].slots)
                self.clients[i].slots = NULL
        free(self.rounds)
        free(self.text)

    # --- what a run is made of

    def begin(self):
        """Send the first requests; with a rate, start its schedule."""
        cdef uint32_t i, w, _turn
        self.running = True
        self.begun = self.last_change = now_ns()
        if self.gap > 0:
            return
        if self.kind == BROADCAST:
            for w in range(self.window):
                self.send_round(w, now_ns())
        elif self.kind == ECHO or self.kind == ACK:
            for i in range(self.count):
                self.links.corked = &self.clients[i].link if self.corking else NULL
                for _turn in range(self.window):
                    self.send_request(&self.clients[i], now_ns())
                self.links.uncork()

    def measure(self, bint on):
        """Count messages and latencies from now on, or not any more."""
        self.measuring = on

    def run(self, double seconds):
        """Let everything go on for a time. Signal handlers run meanwhile.

        Raises:
            LoadError: a wrong answer, a lost client, or no answer for `patience` seconds.
        """
        cdef uint64_t time = now_ns(), begun = time, end = time + <uint64_t> (seconds * 1e9)
        cdef int64_t timeout
        while time < end:
            timeout = min(<int64_t> (end - time), 100 * MILLISECOND)
            if self.gap > 0 and self.running:
                timeout = min(timeout, self.send_due(time))
                if self.may_spin and timeout < SPIN_NS:
                    timeout = 0
            elif self.kind == CONNECT and self.running:
                self.open_more(self.count)
            begun = time
            if self.turn(timeout) == 0 and timeout == 0:
                self.spun_ns += now_ns() - begun
            time = now_ns()

    # --- what the crowd tells

    cdef int on_joined(self, Client* c) except -1:
        if self.kind != CONNECT:
            return 0
        if self.measuring:
            self.latency.record(now_ns() - c.born)
        return self.say_goodbye(c)

    cdef int on_left(self, Client* c) except -1:
        """A client that has left makes room for the next one."""
        self.answers += 1
        if self.measuring:
            self.messages += 1
        if self.gap > 0:
            return 0
        return self.open_client(c)

    cdef int on_event(self, Client* c, const char* data, size_t size) except -1:
        cdef int64_t number = -1
        cdef bytes packet
        if self.running:
            number = self.number_of(data, size)
            if number < 0 and size > 0 and data[0] == (c'3' if self.kind == ACK else c'2'):
                packet = data[:size]
                number = self.read_other(packet)
        if number < 0:
            self.others += 1
            return 0
        if self.kind == BROADCAST:
            return self.on_delivery(c, <uint32_t> number)
        return self.on_answer(c, <uint32_t> number)

    # --- answers

    cdef int64_t number_of(self, const char* data, size_t size) noexcept:
        """Give the number of a right answer, -1 for anything that does not look exactly like one."""
        cdef size_t head = <size_t> len(self.answer_head)
        cdef uint64_t id = 0
        cdef int64_t number
        cdef const char* payload
        if size < head + self.payload + 2 or memcmp(data, <const char*> self.answer_head, head) != 0:
            return -1
        if self.kind == ACK:
            while head < size and c'0' <= data[head] <= c'9' and id < NUMBERS:
                id = 10 * id + <uint64_t> (data[head] - c'0')
                head += 1
            if size < head + 2 or data[head] != c'[' or data[head + 1] != c'"':
                return -1
            head += 2
        if size != head + self.payload + 2:
            return -1
        payload = data + head
        if memcmp(payload + DIGITS, self.text + self.text_start + DIGITS, self.payload + 2 - DIGITS) != 0:
            return -1
        number = read_digits(payload)
        return number if number < self.wrap and (self.kind != ACK or <int64_t> id == number) else -1

    cdef int64_t read_other(self, bytes packet) except -2:
        """Read an answer that is spelled in another way; -1 when it is something else.

        Raises:
            LoadError: it is the awaited event, or an acknowledgement, with other data.
        """
        cdef bytes end = self.text[self.text_start + DIGITS:self.text_start + self.payload]
        found = re.match(rb"[23](/[^,]*,)?(\d*)(?=\[)", packet)
        try:
            values = json.loads(packet[found.end():]) if found else None
        except ValueError as exc:
            raise LoadError(f"not a Socket.IO packet: {show(packet, <size_t> len(packet))}") from exc
        if not values or (self.kind != ACK and values[0] != self.plan.event):
            return -1
        text = values[0 if self.kind == ACK else 1] if len(values) > (self.kind != ACK) else None
        if isinstance(text, str) and text[:DIGITS].isdecimal() and text[DIGITS:].encode() == end:
            if self.kind != ACK or int(found[2] or -1) == int(text[:DIGITS]):
                return int(text[:DIGITS])
        raise LoadError(f"wrong answer: {show(packet, <size_t> len(packet))}", _NEEDS[self.plan.kind].format(self.plan.event))

    # --- requests: each slot of a client's window has one in flight

    cdef int send_text(self, Client* c, uint32_t sequence) except -1:
        """Send the event with its number in the payload, and before its name when an acknowledgement is wanted."""
        cdef size_t size = <size_t> len(self.send_head)
        cdef size_t at = self.text_event
        cdef uint32_t id = sequence
        write_digits(self.text + self.text_start, sequence)
        if self.kind == ACK:
            while True:
                at -= 1
                self.text[at] = <char> (c'0' + id % 10)
                id //= 10
                if id == 0:
                    break
        at -= size
        memcpy(self.text + at, <const char*> self.send_head, size)
        self.sent += 1
        return self.send_packet(c, self.text + at, self.text_start - at + self.payload + 2)

    cdef int send_request(self, Client* c, uint64_t due) except -1:
        """Send the next request of a client whose slot for it is free; `due` is when its time begins."""
        cdef Slot* slot = &c.slots[c.next % self.window]
        slot.sequence = c.next
        slot.sent = due
        c.next = (c.next + 1) % self.wrap
        self.in_flight += 1
        return self.send_text(c, slot.sequence)

    cdef int on_answer(self, Client* c, uint32_t sequence) except -1:
        cdef Slot* slot = &c.slots[sequence % self.window]
        if slot.sent == 0 or slot.sequence != sequence:
            raise LoadError(f"the server answers a request that nobody made, or twice: number {sequence}")
        self.count_one(c, sequence, slot.sent)
        slot.sent = 0
        self.in_flight -= 1
        if self.gap > 0:
            return 0
        slot.sequence = (sequence + self.window) % self.wrap
        slot.sent = now_ns()
        self.in_flight += 1
        return self.send_text(c, slot.sequence)

    cdef int count_one(self, Client* c, uint32_t sequence, uint64_t since) except -1:
        cdef uint32_t ahead = (sequence + self.wrap - c.last) % self.wrap
        self.answers += 1
        if self.measuring:
            self.messages += 1
            self.reordered += ahead > self.wrap // 2
            self.latency.record(now_ns() - since)
        c.last = sequence
        return 0

    # --- broadcast: a round is over when everybody has it

    cdef int send_round(self, uint32_t sequence, uint64_t due) except -1:
        cdef Round* round = &self.rounds[sequence % self.window]
        round.sent = due
        round.sequence = sequence
        round.missing = self.count - <uint32_t> self.plan.slow_clients
        self.clients[0].next = (sequence + 1) % self.wrap
        self.in_flight += 1
        return self.send_text(&self.clients[0], sequence)

    cdef int on_delivery(self, Client* c, uint32_t sequence) except -1:
        cdef Round* round = &self.rounds[sequence % self.window]
        cdef Slot* slot = &c.slots[sequence % self.window]
        if round.sequence != sequence or round.missing == 0:
            raise LoadError(f"the server delivers a broadcast that is not under way: number {sequence}")
        if slot.sent != 0 and slot.sequence == sequence:
            raise LoadError(f"the server delivers a broadcast twice to one client: number {sequence}")
        slot.sequence = sequence
        slot.sent = 1
        self.count_one(c, sequence, round.sent)
        round.missing -= 1
        if round.missing > 0:
            return 0
        self.in_flight -= 1
        if self.gap > 0:
            return 0
        return self.send_round((sequence + self.window) % self.wrap, now_ns())

    # --- a schedule: messages at a rate, timed from when they should have been sent

    cdef int64_t send_due(self, uint64_t time) except -1:
        """Send what is due by now; give the ns until the next message is."""
        cdef uint64_t due = self.begun + <uint64_t> (<double> self.scheduled * self.gap)
        cdef int sends = 0
        while due <= time:
            if sends == SENDS_AT_ONCE or not self.send_scheduled(due):
                return 0 if sends == SENDS_AT_ONCE else MILLISECOND  # all windows are full: answers come first
            if self.measuring:
                self.delay.record(time - due)
            sends += 1
            self.scheduled += 1
            due = self.begun + <uint64_t> (<double> self.scheduled * self.gap)
        return <int64_t> (due - time)

    cdef bint send_scheduled(self, uint64_t due) except -1:
        """Send one message for a client that may have one more in flight; False when there is none."""
        cdef uint32_t _turn
        cdef Client* c
        if self.kind == BROADCAST:
            if self.rounds[self.clients[0].next % self.window].missing > 0:
                return False
            self.send_round(self.clients[0].next, due)
            return True
        if self.kind == IDLE:
            return True
        for _turn in range(self.count):
            c = &self.clients[self.scheduled_client]
            self.scheduled_client = (self.scheduled_client + 1) % self.count
            if self.kind == CONNECT and c.state == AWAY:
                self.open_client(c)
                c.born = due
                return True
            if c.state == READY and self.kind != CONNECT and c.slots[c.next % self.window].sent == 0:
                self.send_request(c, due)
                return True
        return False

    # --- what to say when it does not go on

    cdef object standstill(self):
        return self.silence(self.plan.patience)

    def silence(self, double for_seconds):
        """Explain that nothing came for some seconds, as a LoadError."""
        cdef uint32_t i, missing = 0
        seconds = f"{for_seconds:g} s"
        if self.pending > 0 and self.in_flight == 0:
            text = f"nothing went on for {seconds}: {self.ready:,} clients are connected, others wait: {self.waits()}"
            return LoadError(text)
        needs = _NEEDS[self.plan.kind].format(self.plan.event)
        if self.answers == 0:
            return LoadError(f"nobody answered the event {self.plan.event!r} for {seconds}", needs)
        if self.kind == BROADCAST:
            for i in range(self.window):
                missing = max(missing, self.rounds[i].missing)
            return LoadError(f"{missing:,} of {self.count:,} clients waited {seconds} for a broadcast", needs)
        return LoadError(f"no answer for {seconds}, after {self.answers:,} answers; {self.in_flight:,} are owed")
