"""How clients join namespaces and leave them: which handlers hear of it, and what their outcome means.

May import: the engine floor, `_http`, `_handlers`, `_hub`, `_rooms`, `dispatch`, `manager`, `views`. Knows servers and peers by
what they can do; never touches bytes. A manager that an application has not replaced is not asked: what it would do is
done, and a connect handler that ends in its first step is answered by its peer without any of the coroutines here.
"""
cimport cython
from cpython.dict cimport PyDict_Next
from cpython.ref cimport Py_REFCNT, PyObject

from fastsio._dicts cimport DICTS_HAVE_VERSIONS, dict_version
from fastsio._http cimport Request, environ as make_environ
from fastsio.engine._session cimport Session
from fastsio.hub._handlers cimport find
from fastsio.hub._hub cimport Hub
from fastsio.hub._rooms cimport Member
from fastsio.hub._runner cimport CAN_COUNT

import asyncio
from inspect import isawaitable
from types import FunctionType, MethodType

from fastsio.engine import reasons
from fastsio.hub.dispatch import positional_capacity
from fastsio.hub.manager import LIFE, AsyncManager
from fastsio.hub.views import Environs

REJECTED = "Connection rejected by server"
REFUSED = "Connection refused by server"
UNABLE = "Unable to connect"

cdef object CancelledError = asyncio.CancelledError
# What holds an environ when its handler has not kept it: its session and `forget`; and what is in it: the environ and `forget`.
cdef Py_ssize_t OWN_REFERENCES = 2


# A plain manager's methods, as long as nobody patches the class.
cdef dict ORIGINALS = {name: getattr(AsyncManager, name) for name in LIFE}


cpdef bint is_plain(object manager) except -1:
    """Tell whether a manager is python-socketio's simplest, with nothing about it replaced."""
    cdef dict own = manager.__dict__
    if type(manager) is not AsyncManager:
        return False
    for name in LIFE:
        if name in own or getattr(AsyncManager, name) is not ORIGINALS[name]:
            return False
    return True


# --- joining


async def connect(server, peer, str namespace not None, auth):
    """Make a pending member for a peer, run the connect handler, and welcome or refuse it.

    A client that leaves meanwhile is welcomed all the same: its disconnect handler then follows, as it must.
    """
    cdef Member member
    cdef bint at_once
    if not peer.session.is_live:
        return
    member = await _pre_connect(server, peer, namespace)
    if member is None:
        return
    try:
        at_once = _lets_in_at_once(server, namespace)
        if at_once:
            await _welcome(server, peer, member)
        await settle(server, peer, member, _asked(peer.hub, member, auth), at_once)
    finally:
        if member.is_pending:   # the manager or a packet class failed, or the task was cancelled: nobody else ends this
            await _remove(server, peer, member)


async def settle(server, peer, Member member not None, outcome, bint at_once):
    """Wait for what a connect handler makes of a pending member, and welcome or refuse it."""
    try:
        error = await _judged(server, member, outcome, at_once)
        if error is not None:
            await _refuse(server, peer, member, error, at_once)
        elif not at_once:
            if is_plain(server._manager):
                _welcome_here(peer, member)
            else:
                await _welcome(server, peer, member)
    finally:
        if member.is_pending:
            await _remove(server, peer, member)


async def fail(server, peer, Member member not None, error):
    """Raise what kept a member from being welcomed, and take it out of every table."""
    try:
        raise error
    finally:
        if member.is_pending:
            await _remove(server, peer, member)


async def _pre_connect(server, peer, str namespace):
    """Give the pending member that a manager makes; None when there is none to be had."""
    sid = await server.manager.pre_connect(peer.session.sid, namespace)
    member = server.manager._rooms.member(namespace, sid)
    if member is None:
        peer.send_refusal(namespace, {"message": UNABLE})
    elif peer.session.is_live:
        peer.join(member)
        return member
    else:
        await _remove(server, peer, member)
    return None


cdef bint _lets_in_at_once(object server, str namespace) except -1:
    """`always_connect` opens every namespace but those whose clients must be looked at first: admins."""
    return server.always_connect and namespace not in server._guarded


cdef int _welcome_here(object peer, Member member) except -1:
    if not member.is_gone:
        peer.send_welcome(member)
        member.connected()
    return 0


async def _welcome(server, peer, Member member):
    """Tell the client that it is in; what was held back for it follows."""
    if member.is_gone:
        return
    peer.send_welcome(member)
    try:
        await server.manager.connect(member.sid, member.namespace)
    except BaseException:
        peer.send_disconnect(member)
        raise


async def _refuse(server, peer, Member member, error, bint at_once):
    if at_once:
        peer.send_disconnect(member)
    await _remove(server, peer, member)
    if not at_once:
        peer.send_refusal(member.namespace, error)


async def _remove(server, peer, Member member):
    """Take a member out of every table, whatever the manager thinks of it."""
    try:
        await server.manager.disconnect(member.sid, member.namespace, ignore_queue=True)
    finally:
        if peer is not None:
            peer.forget(member)


async def _judged(server, Member member, outcome, bint at_once):
    """Give None when the connect handler agrees, or there is none; else the error for the client."""
    try:
        return {"message": REJECTED} if await outcome is False else None
    except CancelledError:
        return None     # as python-socketio: a cancelled handler has returned nothing
    except ConnectionRefusedError:
        return {"message": REFUSED}
    except Exception as exc:
        error = getattr(exc, "error_args", None)
        if type(exc).__name__ == "ConnectionRefusedError" and isinstance(error, dict):
            return error or {"message": REJECTED}
        server.logger.exception(
            "the connect handler of namespace %s raised; the client is refused", member.namespace
        )
        return None if at_once else {"message": REJECTED}


# --- what may become of asking a connect handler, for `settle` to wait for


async def _asked(Hub hub, Member member, auth):
    cdef Shown shown = Shown()
    result = call_connect(hub, member, auth, shown)
    if result is not None and isawaitable(result):
        result = await result
    shown.forget()
    return result


async def answered_later(rest, Shown shown not None):
    """The handler waits for something, and goes on as `rest`."""
    result = await rest
    shown.forget()
    return result


async def returned(result):
    return result


async def raised(error):
    raise error


cdef object call_connect(Hub hub, Member member, object auth, Shown shown):
    """Call the connect handler of a namespace; None when there is none."""
    cdef tuple found
    if hub.is_trigger_hooked:
        environ = shown.take(hub.server, member)
        return hub.server._trigger_event("connect", member.namespace, member.sid, environ, auth or None)
    found = find(hub.handlers, hub.classes, member.namespace, "connect")
    if found is None:
        return None
    environ = shown.take(hub.server, member)
    if not <tuple> found[1]:
        return _called(found, (member.sid, environ, auth or None))
    return _called(found, (*(<tuple> found[1]), member.sid, environ, auth or None))


@cython.final
@cython.freelist(8)
cdef class Shown:
    """The environ that a connect handler was shown: let go of when nobody has kept or changed it.

    Most are never asked for again, and can be made again.
    """

    cdef object take(self, object server, Member member):
        """Give the environ of a client; note how it is when it was made for this."""
        cdef Session session = member.session
        cdef object environs = server.environ
        if session is None or session.environ is not None:
            return environs[member.eio_sid]
        if type(environs) is Environs and not environs._added and environs._registry is session.registry and (
            type(session.request) is Request
        ):
            session.environ = environ = make_environ(session.request)   # as it would do
        else:
            environ = environs[member.eio_sid]
        if type(environ) is dict and session.environ is environ:
            self._note(session, environ)
        return environ

    cdef int _note(self, Session session, dict environ) except -1:
        cdef object scope = environ.get("asgi.scope")
        cdef object state = scope.get("state") if type(scope) is dict else None
        self._session = session
        self._environ = environ
        self._has_scope = type(scope) is dict
        self._has_state = type(state) is dict
        if DICTS_HAVE_VERSIONS:
            self._versions[0] = dict_version(environ)
            self._versions[1] = dict_version(scope) if self._has_scope else 0
            self._versions[2] = dict_version(state) if self._has_state else 0
        else:
            self._copies = (
                environ.copy(), scope.copy() if self._has_scope else None, state.copy() if self._has_state else None
            )
        return 0

    cdef int forget(self) except -1:
        """The handler has returned: let go of the environ, unless the application has taken it up."""
        cdef object environ = self._environ, scope, state
        cdef Session session = self._session
        self._environ = None
        if not CAN_COUNT or environ is None or session.environ is not environ:
            return 0
        if not self._is_untouched(0, environ, OWN_REFERENCES):
            return 0
        # What is in it is held by its copy, too.
        scope = (<dict> environ).get("asgi.scope")
        if self._has_scope:
            if not self._is_untouched(1, scope, OWN_REFERENCES if DICTS_HAVE_VERSIONS else OWN_REFERENCES + 1):
                return 0
            state = (<dict> scope).get("state")
            if self._has_state and not self._is_untouched(
                2, state, OWN_REFERENCES if DICTS_HAVE_VERSIONS else OWN_REFERENCES + 1
            ):
                return 0
        session.environ = None
        return 0

    cdef bint _is_untouched(self, int which, object table, Py_ssize_t references) except -1:
        """Tell whether a dict is what it was, and held by nobody else."""
        if Py_REFCNT(table) > references:
            return False
        if DICTS_HAVE_VERSIONS:
            return self._versions[which] == dict_version(table)
        return _is_same(<dict> table, <dict> self._copies[which])


cdef bint holds_same(object now, object before) except -1:
    """Tell whether two tables are equal; quickly, when they hold the very same."""
    return (type(now) is dict and type(before) is dict and _is_same(now, before)) or now == before


cdef bint _is_same(dict now, dict before) except -1:
    """Tell whether a dict holds what a copy of it held: the very same keys and values in the same order."""
    cdef Py_ssize_t at = 0, at_before = 0
    cdef PyObject* key
    cdef PyObject* value
    cdef PyObject* key_before
    cdef PyObject* value_before
    if len(now) != len(before):
        return False
    while PyDict_Next(now, &at, &key, &value):
        PyDict_Next(before, &at_before, &key_before, &value_before)
        if key is not key_before or value is not value_before:
            return False
    return True


cdef object _call(object server, str event, Member member, tuple args):
    """Call a connect or disconnect handler with as many arguments as it takes; `not_handled` when there is none."""
    cdef tuple found
    if server._is_trigger_hooked:
        return server._trigger_event(event, member.namespace, member.sid, *args)
    found = find(server.handlers, server.namespace_handlers, member.namespace, event)
    if found is None:
        return server.not_handled
    return _called(found, (*(<tuple> found[1]), member.sid, *args))


cdef object _called(tuple found, tuple args):
    """Call a handler with as many arguments as it takes."""
    cdef Py_ssize_t capacity = _capacity_of(found[0])
    return found[0](*args) if capacity >= len(args) else found[0](*args[:capacity])


# Function -> how many positional arguments it takes. Bounded.
cdef dict _capacities = {}
cdef Py_ssize_t MAX_CAPACITIES = 1024
cdef Py_ssize_t ANY_NUMBER = 2 ** 30


cdef Py_ssize_t _capacity_of(object handler) except -1:
    """As `positional_capacity`; ANY_NUMBER, or nearly, for any number."""
    cdef bint is_method = type(handler) is MethodType
    cdef object function = handler.__func__ if is_method else handler
    if type(function) is not FunctionType:
        return _number_of(positional_capacity(handler))
    capacity = _capacities.get(function)
    if capacity is None:
        if len(_capacities) >= MAX_CAPACITIES:
            _capacities.clear()
        capacity = _capacities[function] = _number_of(positional_capacity(function))
    return max(<Py_ssize_t> capacity - is_method, 0)


cdef Py_ssize_t _number_of(object capacity) except -1:
    return ANY_NUMBER if capacity is None else capacity


# --- leaving


async def leave(server, peer, Member member not None):
    """The client left a namespace by itself."""
    await _say_farewell(server, peer, member, reasons.CLIENT_DISCONNECT)


async def kick(server, peer, Member member not None):
    """The application puts a client out of a namespace; the connection stays. `peer` is None for a made-up client."""
    if member.is_connected:
        server.manager.pre_disconnect(member.sid, namespace=member.namespace)
        try:
            if peer is not None:
                peer.send_disconnect(member)
        finally:
            await _say_farewell(server, peer, member, reasons.SERVER_DISCONNECT)


async def close(server, peer, list members not None, str reason):
    """The session has ended: tell the handlers of each namespace, after connect handlers that still run."""
    cdef Member member
    try:
        while _has_pending(members):
            if not await peer.inline_done():
                break
        for member in members:
            await _end(server, peer, member, reason)
    finally:
        server._forget_session(peer.session)


cdef bint _has_pending(list members) except -1:
    cdef Member member
    for member in members:
        if member.is_pending:
            return True
    return False


async def _end(server, peer, Member member, str reason):
    """End one member with its session. What fails here must not keep the others' handlers from running."""
    try:
        if member.is_connected:
            await _say_farewell(server, peer, member, reason)
        elif member.is_pending:     # a manager that has let nobody in
            await _remove(server, peer, member)
    except Exception:
        server.logger.exception("a client could not be taken out of namespace %s", member.namespace)


async def _say_farewell(server, peer, Member member, str reason):
    """Run the disconnect handler once, then take the member out of every table, whatever the handler did."""
    if not member.is_leaving:
        _mark_leaving(server, member)
    observer = server.manager._rooms.observer
    if observer is not None:
        observer.member_leaves(member, reason)
    try:
        result = _call(server, "disconnect", member, (reason,))
        if result is not None and isawaitable(result):
            await result
    except CancelledError:
        pass    # the handler's own affair: the client is taken out of the tables all the same
    except Exception:
        server.logger.exception("the disconnect handler of namespace %s raised", member.namespace)
    finally:
        await _remove(server, peer, member)


cdef int _mark_leaving(object server, Member member) except -1:
    """Tell the manager that a member leaves; it does so whatever the manager thinks of it."""
    try:
        server.manager.pre_disconnect(member.sid, namespace=member.namespace)
    except Exception:
        server.logger.exception("the manager failed when a client left namespace %s", member.namespace)
    member.set_leaving()
    return 0
