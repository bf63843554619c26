"""How a handler is called, and what its outcome means for the client.

May import: the reasons of the engine. Knows servers, peers and members by what they can do; never touches bytes.
A handler's arity is read from its signature, once.
"""

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

from fastsio.engine import reasons

REJECTED = "Connection rejected by server"
REFUSED = "Connection refused by server"
UNABLE = "Unable to connect"


# --- how it is called


async def call(handler: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a plain or coroutine handler; whatever can be awaited is awaited."""
    result = handler(*args)
    return await result if inspect.isawaitable(result) else result


async def call_lifecycle(handler: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a connect or disconnect handler with as many of `args` as it takes: older forms take one less."""
    return await call(handler, args[: positional_capacity(handler)])


def positional_capacity(handler: Callable[..., Any]) -> int | None:
    """Give how many positional arguments a callable takes; None for any number, or when nobody can tell."""
    try:
        return _capacity(getattr(handler, "__func__", handler), hasattr(handler, "__func__"))
    except TypeError:  # not hashable
        return _capacity.__wrapped__(handler, False)


@functools.lru_cache(maxsize=1024)
def _capacity(function: Callable[..., Any], is_method: bool) -> int | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in kinds for parameter in parameters) - is_method


async def acknowledge(server: Any, callback: Callable[..., Any], data: list[Any]) -> None:
    """Tell a callback of the ack it waited for."""
    try:
        await call(callback, tuple(data))
    except Exception:
        server.logger.exception("an acknowledgement callback raised")


async def acknowledge_by_manager(server: Any, sid: str, id: int, data: list[Any]) -> None:
    """Let the manager tell who waits for an ack: its class has its own way."""
    try:
        await server.manager.trigger_callback(sid, id, data)
    except Exception:
        server.logger.exception("an acknowledgement callback raised")


# --- joining


async def connect(server: Any, peer: Any, namespace: str, auth: Any) -> None:
    """Make a pending member for a peer, run the connect handler, and welcome or refuse it.

    A client that leaves meanwhile is welcomed all the same: its disconnect handler then follows, as it must.
    """
    member = await _pre_connect(server, peer, namespace)
    if member is None:
        return
    try:
        await _decide(server, peer, member, auth)
    finally:
        if member.is_pending:  # the manager or a packet class failed, or the task was cancelled: nobody else ends this
            await _remove(server, peer, member)


async def _decide(server: Any, peer: Any, member: Any, auth: Any) -> None:
    """Run the connect handler of a pending member, and welcome or refuse the client."""
    at_once = _lets_in_at_once(server, member.namespace)
    if at_once:
        await _welcome(server, peer, member)
    try:
        error = await _ask(server, member, auth)
    except Exception:
        server.logger.exception("the connect handler of namespace %s raised; the client is refused", member.namespace)
        error = {"message": REJECTED} if not at_once else None
    if error is not None:
        await _refuse(server, peer, member, error)
    elif not at_once:
        await _welcome(server, peer, member)


def _lets_in_at_once(server: Any, namespace: str) -> bool:
    """`always_connect` opens every namespace but those whose clients must be looked at first: admins."""
    return server.always_connect and namespace not in server._guarded


async def _pre_connect(server: Any, peer: Any, namespace: str) -> Any:
    """Give the pending member of a peer in a namespace that the server accepts; None when there is none to be had."""
    if not peer.session.is_live:
        return None
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


async def _welcome(server: Any, peer: Any, member: Any) -> None:
    """Tell the client that it is in; what was held back for it follows."""
    if member.is_gone:
        return
    peer.send_welcome(member)
    try:
        await server.manager.connect(member.sid, member.namespace)
    except BaseException:
        peer.send_disconnect(member)
        raise


async def _refuse(server: Any, peer: Any, member: Any, error: dict[str, Any]) -> None:
    at_once = _lets_in_at_once(server, member.namespace)
    if at_once:
        peer.send_disconnect(member)
    await _remove(server, peer, member)
    if not at_once:
        peer.send_refusal(member.namespace, error)


async def _remove(server: Any, peer: Any, member: Any) -> None:
    """Take a member out of every table, whatever the manager thinks of it."""
    try:
        await server.manager.disconnect(member.sid, member.namespace, ignore_queue=True)
    finally:
        if peer is not None:
            peer.forget(member)


async def _ask(server: Any, member: Any, auth: Any) -> dict[str, Any] | None:
    """Give None when the connect handler agrees, or there is none; else the error for the client."""
    if not server._has_connect_handler(member.namespace):
        return None
    environ = server.get_environ(member.sid, member.namespace)
    try:
        result = await server._trigger_event("connect", member.namespace, member.sid, environ, auth or None)
    except asyncio.CancelledError:
        return None  # as python-socketio: a cancelled handler has returned nothing
    except ConnectionRefusedError:
        return {"message": REFUSED}
    except Exception as exc:
        error = getattr(exc, "error_args", None)
        if type(exc).__name__ == "ConnectionRefusedError" and isinstance(error, dict):
            return error or {"message": REJECTED}
        raise
    return {"message": REJECTED} if result is False else None


# --- leaving


async def leave(server: Any, peer: Any, member: Any) -> None:
    """The client left a namespace by itself."""
    await _say_farewell(server, peer, member, reasons.CLIENT_DISCONNECT)


async def kick(server: Any, peer: Any, member: Any) -> None:
    """The application puts a client out of a namespace; the connection stays. `peer` is None for a made-up client."""
    if member.is_connected:
        server.manager.pre_disconnect(member.sid, namespace=member.namespace)
        try:
            if peer is not None:
                peer.send_disconnect(member)
        finally:
            await _say_farewell(server, peer, member, reasons.SERVER_DISCONNECT)


async def close(server: Any, peer: Any, members: list[Any], reason: str) -> None:
    """The session has ended: tell the handlers of each namespace, after connect handlers that still run."""
    try:
        while any(member.is_pending for member in members) and await peer.inline_done():
            pass
        for member in members:
            await _end(server, peer, member, reason)
    finally:
        server._forget_session(peer.session)


async def _end(server: Any, peer: Any, member: Any, reason: str) -> None:
    """End one member with its session. What fails here must not keep the others' handlers from running."""
    try:
        if member.is_connected:
            await _say_farewell(server, peer, member, reason)
        elif member.is_pending:  # a manager that has let nobody in
            await _remove(server, peer, member)
    except Exception:
        server.logger.exception("a client could not be taken out of namespace %s", member.namespace)


async def _say_farewell(server: Any, peer: Any, member: Any, reason: str) -> None:
    """Run the disconnect handler once, then take the member out of every table, whatever the handler did."""
    if not member.is_leaving:
        _mark_leaving(server, member)
    if (observer := server.manager._rooms.observer) is not None:
        observer.member_leaves(member, reason)
    try:
        await server._trigger_event("disconnect", member.namespace, member.sid, reason)
    except asyncio.CancelledError:
        pass  # the handler's own affair: the client is taken out of the tables all the same
    except Exception:
        server.logger.exception("the disconnect handler of namespace %s raised", member.namespace)
    finally:
        await _remove(server, peer, member)


def _mark_leaving(server: Any, member: Any) -> None:
    """Tell the manager that a member leaves; it does so whatever the manager thinks of it."""
    try:
        server.manager.pre_disconnect(member.sid, namespace=member.namespace)
    except Exception:
        server.logger.exception("the manager failed when a client left namespace %s", member.namespace)
    member.set_leaving()
