"""One Socket.IO client: a session plus the namespaces it has joined.

May import: the engine floor, `_codec`, `_hub`, `_rooms`, `_runner`, `_joining`, `dispatch`.
Never knows which transport carries it.
Handlers that python-socketio runs in the read path (connect, disconnect, and all of them without `async_handlers`) make
later packets of the client wait here; acks never wait, since a handler may be waiting for one.
"""
cimport cython
from cpython.dict cimport PyDict_Values

import asyncio
from contextvars import copy_context
from inspect import isawaitable
from types import CoroutineType
from urllib.parse import parse_qsl

from fastsio._bytes cimport View, view_bytes, view_of
from fastsio._codec cimport ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, MESSAGE, PacketDecoder, SioMessage, sio_head
from fastsio._json cimport is_plain
from fastsio.engine._ids cimport json_object
from fastsio.engine._lifecycle cimport LIVE
from fastsio.engine._outbox cimport Prepared
from fastsio.engine._session cimport Arrivals, Session, Sink
from fastsio.engine._wheel cimport monotonic
from fastsio.engine.registry cimport Registry
from fastsio.hub._handlers cimport find
from fastsio.hub._hub cimport Hub
from fastsio.hub._joining cimport Shown, call_connect, holds_same
from fastsio.hub._rooms cimport CONNECTED, GONE, Member
from fastsio.hub._runner cimport Rest, Runner, Spare, first_step
from fastsio.options cimport Options

from fastsio.errors import ProtocolError, too_many_waiting
from fastsio.hub import _joining, dispatch

cdef object Task = asyncio.Task
cdef object CancelledError = asyncio.CancelledError


@cython.final
@cython.freelist(64)
cdef class Call:
    """One event on its way through its handler."""


@cython.final
cdef class Door:
    """Gives each new session of a server its peer: what a registry asks before a handshake is answered.

    As long as the application has put no Engine.IO handlers of its own there; else they are asked.

    Args:
        server: whose sessions they are.
        handlers: of its Engine.IO server, as they are without the application's.
    """

    cdef object _server
    cdef dict _handlers

    def __init__(self, server, dict handlers not None):
        self._server = server
        self._handlers = handlers

    def __call__(self, Session session not None):
        cdef object server = self._server
        cdef Hub hub = server._hub_of_manager
        if hub is None:
            hub = server._hub
        if hub.are_events_hooked or not holds_same(server.eio.handlers, self._handlers):
            return server.eio._accept(session)
        if not server.manager_initialized:
            server._initialize_manager()
        session.sink = Peer(hub, session)
        return None


@cython.final
cdef class Peer(Sink):
    """Takes the messages of one session; joins it to namespaces."""

    def __init__(self, Hub hub not None, Session session not None):
        self.hub = hub
        self.session = session
        self.members = {}
        if hub.packer is not None:
            self._reader = hub.packer.reader(session.options.max_attachments, session.options.max_binary_packet)
        else:
            self._decoder = PacketDecoder(
                hub.serializer, session.options.max_attachments, session.options.max_binary_packet
            )

    # --- the seam to the engine

    cpdef int on_open(self) except -1:
        """Engine.IO 3 clients are joined to "/" unasked (Socket.IO protocol 4, "Connecting")."""
        if self.session.version == 3:
            return self._join("/", None)
        return 0

    cdef int on_text(self, View text) except -1:
        cdef SioMessage message
        # Held here: reading runs code of the application (a `json` module), which may end the session.
        cdef PacketDecoder decoder = self._decoder
        if decoder is None:
            return 0 if self._reader is None else self._feed(view_bytes(text).decode(), text.size)
        try:
            message = decoder.feed_text_view(text)
        except ProtocolError as error:
            return self._refuse(error)
        return 0 if self._decoder is None else self._came(message, text.size)

    cdef int on_binary(self, bytes data) except -1:
        cdef SioMessage message
        cdef PacketDecoder decoder = self._decoder
        if decoder is None:
            return 0 if self._reader is None else self._feed(data, len(data))
        message = decoder.feed_binary_bytes(data)
        return self._came(message, len(data))

    cdef int _feed(self, object raw, Py_ssize_t size) except -1:
        cdef SioMessage message
        try:
            message = self._reader.feed(raw)
        except ProtocolError as error:
            return self._refuse(error)
        return 0 if self._reader is None else self._came(message, size)

    cdef int _refuse(self, object error) except -1:
        """An event that no handler may have is dropped; anything else that cannot be read ends the session."""
        if error.code != "SIO_BAD_EVENT":
            raise error
        self._begun_bytes = 0
        self.hub.server.logger.warning("an event of client %s was ignored: %s", self.session.sid[:6], error)
        return 0

    def feed(self, data):
        """Take one Engine.IO message that did not come through the session; ignored after its end.

        It is str or bytes; for a packet class of the application also what python-engineio makes of JSON.

        Raises:
            ProtocolError: it cannot be read.
        """
        cdef bytes owner
        if isinstance(data, str):
            owner = data.encode("utf-8", "replace")
            self.on_text(view_of(owner))
        elif isinstance(data, (bytes, bytearray)):
            self.on_binary(bytes(data))
        elif self._reader is not None:
            self._feed(data, 0)
        elif self._decoder is not None:
            raise ProtocolError("SIO_BAD_TYPE", f"a message that is {type(data).__name__}, neither text nor bytes")

    cdef int on_upgraded(self) except -1:
        if self.hub.rooms.observer is not None:
            self.hub.rooms.observer.upgraded(list(self.members.values()))
        return 0

    cdef int on_close(self, str reason) except -1:
        """The session has ended: each namespace it was in hears of it, in the order they were joined."""
        self._waiting = None
        self._decoder = None
        self._reader = None
        cdef list members = PyDict_Values(self.members)
        if not self._close_quietly(members):
            self.session.registry.spawn(_joining.close(self.hub.server, self, members, reason))
        return 0

    cdef bint _close_quietly(self, list members) except -1:
        """End members of which nobody is to hear. False, and nothing is done, when somebody is."""
        cdef Hub hub = self.hub
        cdef Member member
        if hub.is_trigger_hooked or not hub.manager_is_plain or hub.rooms.observer is not None:
            return False
        for member in members:
            if member.state != CONNECTED or find(hub.handlers, hub.classes, member.namespace, "disconnect") is not None:
                return False
        for member in members:
            hub.rooms.remove(member)
        self.members.clear()
        self._root = None
        (<Registry> self.session.registry).settled(self.session)
        return True

    cdef bint is_busy(self) except -1:
        return self._busy or self._running != 0 or self._waiting is not None or self._put_off != 0

    async def inline_done(self):
        """Wait for the handler that runs inline, whatever its outcome; tell whether one did."""
        if self._inline is None:
            return False
        await asyncio.wait({self._inline})
        return True

    # --- what came

    cdef int _came(self, SioMessage message, Py_ssize_t size) except -1:
        """Take a packet whose last `size` bytes have come; None while attachments of it are due."""
        cdef Arrivals arrivals
        size += self._begun_bytes
        self._begun_bytes = size if message is None else 0
        if message is None:
            return 0
        message.size = size
        arrivals = self.session.flusher.arrivals
        if not arrivals.is_reading:
            return self._take(message)
        self._put_off += 1
        return arrivals.put(self, message, size)

    cdef Py_ssize_t on_turn(self, object message) except -1:
        cdef Py_ssize_t size = (<SioMessage> message).size
        self._put_off -= 1
        if self.session.state == LIVE:      # else it was closed from this side meanwhile
            self._attempt(None, <SioMessage> message)
        return size

    cdef bint _attempt(self, object context, SioMessage message) except -1:
        """Take a packet that came earlier, in its own context if it has one. False: it has ended the session."""
        try:
            if context is None:
                self._take(message)
            else:
                context.run(self._handle_later, message)
        except ProtocolError as error:
            self.session.violate(error)
        except Exception as exc:
            self.session.fault(exc)
        return self.session.state == LIVE

    cdef int _take(self, SioMessage message) except -1:
        if not self._busy and self._waiting is None or message.type == ACK:
            return self._handle(message)
        return self._wait(message)

    cdef int _wait(self, SioMessage message) except -1:
        if not self._waiting:
            self._waiting = []
        self._waiting_bytes += message.size
        if (
            len(self._waiting) >= self.session.options.max_waiting_packets
            or self._waiting_bytes > self.session.options.max_waiting_bytes
        ):
            raise too_many_waiting(self.session.options, self._waiting_bytes)
        self._waiting.append((copy_context(), message))
        if not self.session.held and self._is_far_behind(1) and not self._is_asked():
            self.session.hold_reading(True)
        return 0

    cdef bint _is_far_behind(self, Py_ssize_t share) except -1:
        """Tell whether more waits for handlers than a share of what may before the client is not read any more."""
        cdef Options options = self.session.options
        return self._waiting is not None and (
            len(self._waiting) * share >= options.pause_at_packets or self._waiting_bytes * share >= options.pause_at_bytes
        )

    cdef bint _is_asked(self) except -1:
        """Tell whether the client owes an acknowledgement: a handler may be waiting for it, so it has to be read."""
        cdef Member member
        for member in self.members.values():
            if member.callbacks:
                return True
        return False

    cdef int _handle(self, SioMessage message) except -1:
        cdef Member member
        if self.session.version == 3 and "?" in message.namespace and message.type != CONNECT:
            message.namespace = message.namespace.partition("?")[0]
        if message.type == CONNECT:
            return self._on_connect(message)
        member = self._member_of(message)
        if member is None:
            return self._misplaced(message)
        if message.type == EVENT:
            return self._on_event(member, message)
        if message.type == ACK:
            return self._on_ack(member, message)
        if message.type == DISCONNECT:
            return self._on_disconnect(member)
        self.hub.server.logger.warning("a packet of type %s from client %s was ignored", message.type, member.sid)
        return 0

    cdef Member _member_of(self, SioMessage message):
        cdef Member member = self._root
        if member is None or message.namespace != "/":
            member = self.members.get(message.namespace)
        return None if member is None or member.state != CONNECTED else member

    cdef int _misplaced(self, SioMessage message) except -1:
        """A packet for a namespace that the client is not in: an ordinary race if it ever asked for it."""
        if message.namespace in self.members or (self._left is not None and message.namespace in self._left):
            return 0
        raise ProtocolError("SIO_NOT_JOINED", f"a packet for namespace {message.namespace[:64]!r}, which was never joined")

    # --- joining and leaving

    cdef int _on_connect(self, SioMessage message) except -1:
        cdef str namespace = message.namespace
        auth = message.data
        if "?" in namespace:
            namespace, _, query = namespace.partition("?")
            if self.session.version == 3 and auth is None:
                auth = dict(parse_qsl(query, keep_blank_values=True))
        if namespace in self.members:
            if self.session.version == 3 and namespace == "/":
                return 0    # joined unasked; some old clients ask all the same
            raise ProtocolError("SIO_DOUBLE_CONNECT", f"a second CONNECT for namespace {namespace[:64]!r}")
        return self._join(namespace, auth)

    def _join(self, str namespace, auth):
        limit = self.session.options.max_namespaces
        if len(self.members) + (0 if self._left is None else len(self._left)) >= limit:
            raise ProtocolError("SIO_TOO_MANY_NAMESPACES", f"more than {limit} namespaces asked for (max_namespaces)")
        if namespace not in self.hub.handlers and not self.hub.server._accepts_namespace(namespace):
            self.send_refusal(namespace, {"message": "Invalid namespace"})
            return 0
        if self.hub.manager_is_plain and not self.hub.server.always_connect:
            self._start_connect(namespace, auth)
        else:
            self._start_inline(_joining.connect(self.hub.server, self, namespace, auth))
        return 0

    cdef int _start_connect(self, str namespace, object auth) except -1:
        """As `_joining.connect` below a plain manager; a coroutine is made only where the handler waits, or refuses."""
        cdef Runner runner = self.hub.runner_of(self.session.flusher.loop)
        cdef Spare spare = runner.enter()
        cdef tuple left = None
        error = None
        self._busy = True
        try:
            left = self._let_in(namespace, auth, spare)
        except BaseException as exc:
            error = exc
        return self._inline_began(runner, spare, left, error)

    cdef tuple _let_in(self, str namespace, object auth, Spare spare):
        """Ask the connect handler, and welcome the client when it agrees at once.

        Else give what the handler waits for, and the coroutine that goes on from there.
        """
        cdef object server = self.hub.server
        cdef Member member = self._new_member(namespace) if self.session.state == LIVE else None
        cdef Shown shown
        cdef Rest first
        if member is None:
            return None
        shown = Shown.__new__(Shown)
        try:
            result = call_connect(self.hub, member, auth, shown)
            if result is not None and (type(result) is CoroutineType or isawaitable(result)):
                first = first_step(result, spare)
                if first is not None:
                    return first, _joining.settle(server, self, member, _joining.answered_later(first, shown), False)
                result, spare.result = spare.result, None
            shown.forget()
        except BaseException as exc:
            return _begun(_joining.settle(server, self, member, _joining.raised(exc), False), spare)
        if result is False or not self.hub.manager_is_plain:
            return _begun(_joining.settle(server, self, member, _joining.returned(result), False), spare)
        try:
            if member.state != GONE:
                self.send_welcome(member)
                member.connected()
        except BaseException as exc:
            return _begun(_joining.fail(server, self, member, exc), spare)
        return None

    cdef Member _new_member(self, str namespace):
        """Make a pending member of a namespace; None when there is one."""
        cdef Member member
        cdef str sid
        if namespace in self.members:
            self.send_refusal(namespace, {"message": _joining.UNABLE})
            return None
        if self.session.version == 3:
            sid = self.hub.server._manager._new_sid(self.session, namespace)
        else:
            sid = (<Registry> self.session.registry).new_sid()
        member = Member(sid, namespace, self.session.sid, self.session)
        self.hub.rooms.add(member)
        self.join(member)
        return member

    cpdef int join(self, Member member) except -1:
        """Take a pending member of a namespace for one's own."""
        self.members[member.namespace] = member
        if member.namespace == "/":
            self._root = member
        if self._left is not None:
            self._left.discard(member.namespace)
        return 0

    cpdef int send_welcome(self, Member member) except -1:
        """Tell the client that it has joined."""
        cdef Hub hub = self.hub
        self.session.joined()
        if self.session.version == 3:
            hub.post(self.session, CONNECT, member.namespace, None, None)
        elif hub.tap is None and hub.packer is None and hub._json is not None and hub._json._other is None and (
            is_plain(member.sid)
        ):
            # What `post` makes of such a dict, without the dict.
            self.session.send(Prepared.text(
                MESSAGE, sio_head(CONNECT, -1, member.namespace, None), json_object(member.sid, True)
            ))
        else:
            hub.post(self.session, CONNECT, member.namespace, None, {"sid": member.sid})
        return 0

    def send_refusal(self, str namespace, error):
        if self.session.version == 3:
            error = error.get("data", error["message"])
        self._note_left(namespace)
        self.hub.post(self.session, CONNECT_ERROR, namespace, None, error)

    def send_disconnect(self, Member member not None):
        """Tell the client that it is out of a namespace."""
        self.hub.post(self.session, DISCONNECT, member.namespace, None, None)

    def forget(self, Member member not None):
        self._forget(member)

    cdef int _forget(self, Member member) except -1:
        self.hub.rooms.remove(member)
        if self.members.get(member.namespace) is member:
            del self.members[member.namespace]
            self._note_left(member.namespace)
        if self._root is member:
            self._root = None
        return 0

    def _note_left(self, str namespace):
        if self._left is None:
            self._left = set()
        self._left.add(namespace)

    cdef int _on_disconnect(self, Member member) except -1:
        return self._start_inline(_joining.leave(self.hub.server, self, member))

    # --- events

    cdef int _on_event(self, Member member, SioMessage message) except -1:
        cdef list data = message.data
        if data is None:
            return 0    # an event without a name is for nobody
        self.hub.received += 1
        if self.hub.lines.wanted():
            self.hub.server.logger.info('received event "%s" from %s [%s]', data[0], member.label, member.namespace)
        if self.hub.rooms.observer is not None:
            self.hub.rooms.observer.event_received(member, data)
        cdef tuple found = self.hub.find_call(member.namespace, member.sid, data)
        if found is None:
            return 0
        cdef Call call = Call.__new__(Call)
        call.member = member
        call.handler, call.args = found
        call.id = message.id
        call.event = data[0]
        if self.hub.durations is not None:
            call.begun = monotonic()
        if not self.hub.async_handlers:
            return self._start_inline(self._run(call, None))
        return self._start_call(call)

    cdef int _start_call(self, Call call) except -1:
        """Run a handler up to where it waits for something; when it does, a task goes on with it."""
        cdef Runner runner = self.hub.runner_of(self.session.flusher.loop)
        cdef Spare spare = runner.enter()
        cdef Rest first = None
        error = None
        try:
            value = call.handler(*call.args)
            if value is None or not (type(value) is CoroutineType or isawaitable(value)):
                self._acknowledge(call, value)
            else:
                first = first_step(value, spare)
                if first is None:
                    value, spare.result = spare.result, None
                    self._acknowledge(call, value)
        except CancelledError:
            error = self._acknowledge_cancelled(call)
        except BaseException as exc:
            self.hub.failed += 1
            error = _explained(exc, call)
        runner.leave(spare)
        if first is not None:
            return self._wait_for(call, runner, spare, first)
        if self.hub.durations is not None:
            self._time(call)
        if error is not None:
            runner.fail(spare, error)
        else:
            runner.done(spare)
        return 0    # what it left for its own client goes out with what the others of this turn leave

    cdef int _wait_for(self, Call call, Runner runner, Spare spare, Rest first) except -1:
        """A handler waits for something: hold its task, since the loop itself would not."""
        if self._calls is None:
            self._calls = set()
        self._calls.add(call)
        self._running += 1
        if self._running >= self.hub.max_running and self._waiting is None:
            self._waiting = []  # further events wait until handlers are done
        call.task = runner.hand_over(spare, first, self._run(call, first))
        return 0

    async def _run(self, Call call, rest):
        """Run a handler, or the rest of one, and send its ack. An exception surfaces through the task."""
        try:
            result = call.handler(*call.args) if rest is None else await rest
            if rest is None and result is not None and isawaitable(result):
                result = await result
            self._acknowledge(call, result)
        except CancelledError:
            error = self._acknowledge_cancelled(call)
            if error is not None:
                raise error
        except Exception as exc:
            self.hub.failed += 1
            raise _explained(exc, call)
        finally:
            if self.hub.durations is not None:
                self._time(call)
            if rest is not None:
                self._running -= 1
                self._calls.discard(call)
                call.task = None
            self._handler_done()

    cdef int _time(self, Call call) except -1:
        """Count how long a handler took; not one that began before handlers were timed."""
        return self.hub.durations.record(call.event, monotonic() - call.begun) if call.begun > 0.0 else 0

    cdef int _acknowledge(self, Call call, object result) except -1:
        if call.id is not None and result is not self.hub.not_handled:
            self._send_ack(call, result)
        return 0

    cdef object _acknowledge_cancelled(self, Call call):
        """A handler that was cancelled has returned nothing; give what goes wrong in saying so."""
        try:
            self._acknowledge(call, None)
        except Exception as exc:
            return exc
        return None

    cdef int _send_ack(self, Call call, object result) except -1:
        cdef list data
        if result is None:
            data = []
        elif isinstance(result, tuple):
            data = list(result)
        else:
            data = [result]
        return self.hub.post(self.session, ACK, call.member.namespace, call.id, data)

    cdef int _handler_done(self) except -1:
        if self._running == 0 and self.session.dirty:
            # The last that ran: what they left for their own client goes out without another loop turn.
            self.session.flush()
        if self._waiting is not None and not self._busy and self._running < self.hub.max_running:
            self._resume()
        return 0

    cdef int _on_ack(self, Member member, SioMessage message) except -1:
        if self.hub.lines.wanted():
            self.hub.server.logger.info("received ack from %s [%s]", member.label, member.namespace)
        if self.hub.manager_takes_acks:
            self._start(dispatch.acknowledge_by_manager(self.hub.server, member.sid, message.id, message.data))
            return 0
        callback = member.take_callback(message.id)
        if callback is None:
            self.hub.server.logger.warning("Unknown callback received, ignoring.")
        else:
            self._start(dispatch.acknowledge(self.hub.server, callback, message.data))
        return 0

    # --- handlers that make later packets wait

    cdef object _start(self, coroutine):
        return self._hold(Task(coroutine, loop=self.session.flusher.loop))

    cdef object _hold(self, task):
        if self._tasks is None:
            self._tasks = set()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    cdef int _start_inline(self, coroutine) except -1:
        cdef Runner runner = self.hub.runner_of(self.session.flusher.loop)
        cdef Spare spare = runner.enter()
        cdef tuple left = None
        error = None
        self._busy = True
        try:
            left = _begun(coroutine, spare)
        except BaseException as exc:
            error = exc
        return self._inline_began(runner, spare, left, error)

    cdef int _inline_began(self, Runner runner, Spare spare, tuple left, object error) except -1:
        """The first step is done; `left` is what is waited for and what goes on then, None when that was all."""
        runner.leave(spare)
        if left is not None:
            self._inline = self._hold(runner.hand_over(spare, left[0], self._run_inline(left[1])))
            return 0
        self._busy = False
        if error is not None:
            runner.fail(spare, error)
        else:
            runner.done(spare)
        return 0 if self._waiting is None else self._resume()

    async def _run_inline(self, rest):
        try:
            await rest
        finally:
            self._busy = False
            self._inline = None
            if self.session.dirty:
                self.session.flush()
            self._resume()

    def _handle_later(self, SioMessage message not None):
        self._handle(message)

    cdef int _resume(self) except -1:
        """Take what had to wait, until something makes it wait again."""
        self._take_waiting()
        if self.session.held and not self._is_far_behind(2):
            self.session.hold_reading(False)
        return 0

    cdef int _take_waiting(self) except -1:
        cdef list waiting = self._waiting
        cdef Py_ssize_t count = 0
        self._waiting = None
        while waiting is not None and count < len(waiting):
            if self._busy or self._waiting is not None:
                self._waiting = waiting[count:] + (self._waiting or [])
                return 0
            context, message = waiting[count]
            count += 1
            self._waiting_bytes -= (<SioMessage> message).size
            # In the context that it came in, not in that of the handler which it waited for.
            if not self._attempt(context, message):
                return 0
        return 0


cdef tuple _begun(object coroutine, Spare spare):
    """Take the first step of a coroutine; give what it waits for and what goes on then, None when that was all."""
    cdef Rest first = first_step(coroutine, spare)
    return None if first is None else (first, first)


cdef object _explained(object error, Call call):
    """Say in an exception which event it was raised for."""
    if isinstance(error, Exception):
        where = f"event {call.event!r} of client {call.member.label} in namespace {call.member.namespace}"
        error.add_note(f"raised for {where}")
    return error
