"""How clients join namespaces and leave them: which handlers hear of it, and what their outcome means.

May import: the engine floor, `_handlers`, `_rooms`, `dispatch`, `manager`. Knows servers and peers by what they can do;
never touches bytes. A manager that an application has not replaced is not asked: what it would do is done.
"""
from cpython.dict cimport PyDict_Next
from cpython.ref cimport Py_REFCNT, PyObject

from fastsio.engine._session cimport Session
from fastsio.hub._handlers cimport find
from fastsio.hub._rooms cimport Member, Rooms

import asyncio
from inspect import isawaitable

from fastsio.engine import reasons
from fastsio.hub.dispatch import positional_capacity
from fastsio.hub.manager import AsyncManager

REJECTED = "Connection rejected by server"
REFUSED = "Connection refused by server"
UNABLE = "Unable to connect"

cdef object CancelledError = asyncio.CancelledError
# What an application may have put in the place of a manager's own, on the instance.
cdef tuple LIFE = ("pre_connect", "connect", "pre_disconnect", "disconnect", "sid_from_eio_sid", "basic_disconnect")


cdef bint is_plain(object manager) except -1:
    """Tell whether a manager is python-socketio's simplest, with nothing about it replaced."""
    cdef dict own = manager.__dict__
    if type(manager) is not AsyncManager:
        return False
    for name in LIFE:
        if name in own:
            return False
    return True


# --- joining


async def connect(server, peer, str namespace not None, auth):
    """Make a pending member for a peer, run the connect handler, and welcome or refuse it.

    A client that leaves meanwhile is welcomed all the same: its disconnect handler then follows, as it must.
    """
    cdef Member member
    cdef Session session = peer.session
    cdef bint at_once
    if not session.is_live:
        return
    if is_plain(server._manager):
        member = _new_member(server, peer, session, namespace)
    else:
        member = await _pre_connect(server, peer, namespace)
    if member is None:
        return
    try:
        at_once = _lets_in_at_once(server, namespace)
        if at_once:
            await _welcome(server, peer, member)
        error = await _ask(server, member, auth, at_once)
        if error is not None:
            await _refuse(server, peer, member, error, at_once)
        elif not at_once:
            if is_plain(server._manager):
                _welcome_here(peer, member)
            else:
                await _welcome(server, peer, member)
    finally:
        if member.is_pending:   # the manager or a packet class failed, or the task was cancelled: nobody else ends this
            await _remove(server, peer, member)


cdef Member _new_member(object server, object peer, Session session, str namespace):
    cdef Member member
    if namespace in peer.members:
        peer.send_refusal(namespace, {"message": UNABLE})
        return None
    member = Member(server._manager._new_sid(session, namespace), namespace, session.sid, session)
    (<Rooms> server._manager._rooms).add(member)
    peer.join(member)
    return member


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


async def _ask(server, Member member, auth, bint at_once):
    """Give None when the connect handler agrees, or there is none; else the error for the client."""
    try:
        if not server._has_connect_handler(member.namespace):
            return None
        is_first = member.session is not None and member.session.environ is None
        environ = server.environ[member.eio_sid]
        before = _shape_of(environ) if is_first else None
        result = _call(server, "connect", member, (environ, auth or None))
        if result is not None and isawaitable(result):
            result = await result
        if before is not None:
            _forget_environ(member.session, environ, before)
        return {"message": REJECTED} if result is False else None
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


# What holds an environ when its handler has not kept it: its session, and this module, twice. What is in it is held by it,
# by its copy and, once, by this module.
cdef Py_ssize_t OWN_REFERENCES = 3


cdef tuple _shape_of(dict environ):
    """What an environ and the scope in it hold, to see later whether anything was changed."""
    scope = environ.get("asgi.scope")
    if type(scope) is not dict:
        return (environ.copy(),)
    state = scope.get("state")
    return (environ.copy(), scope.copy(), state.copy() if type(state) is dict else None)


cdef int _forget_environ(Session session, dict environ, tuple before) except -1:
    """Let go of an environ that nobody has kept or changed: most are never asked for again, and can be made again."""
    cdef object scope = environ.get("asgi.scope")
    cdef object state
    if Py_REFCNT(environ) > OWN_REFERENCES or session.environ is not environ or not _is_same(environ, before[0]):
        return 0
    if len(before) > 1:
        state = scope.get("state")
        if Py_REFCNT(scope) > OWN_REFERENCES or not _is_same(scope, before[1]):
            return 0
        if before[2] is not None and (Py_REFCNT(state) > OWN_REFERENCES or not _is_same(state, before[2])):
            return 0
    session.environ = None
    return 0


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
    args = (*(<tuple> found[1]), member.sid, *args)
    return found[0](*args[:positional_capacity(found[0])])


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


def close_quietly(server, peer, list members not None):
    """End the members of a session of which nobody is to hear. False, and nothing is done, when somebody is."""
    cdef Member member
    cdef Rooms rooms
    if server._is_trigger_hooked or not is_plain(server._manager):
        return False
    rooms = server._manager._rooms
    if rooms.observer is not None:
        return False
    for member in members:
        if not member.is_connected or find(
            server.handlers, server.namespace_handlers, member.namespace, "disconnect"
        ) is not None:
            return False
    for member in members:
        peer.forget(member)
    server._forget_session(peer.session)
    return True


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
