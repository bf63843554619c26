"""Handlers as a class: each method `on_<event>` is the handler of that event in one namespace.

May import: `base_namespace`, `hub.dispatch`, `borrowed`.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastsio import borrowed
from fastsio.base_namespace import BaseServerNamespace
from fastsio.hub._handlers import LIFECYCLE_EVENTS
from fastsio.hub.dispatch import call, call_lifecycle


class AsyncNamespace(BaseServerNamespace):
    """Base of class-based namespaces for asyncio.

    Args:
        namespace: the namespace, "/" when None.
    """

    def is_asyncio_based(self) -> bool:
        return True

    async def trigger_event(self, event: str, *args: Any) -> Any:
        """Call the method for an event; None when there is none. Override to dispatch otherwise."""
        handler = getattr(self, "on_" + (event or ""), None)
        if handler is None:
            return None
        if event in LIFECYCLE_EVENTS:
            return await call_lifecycle(handler, args)
        return await call(handler, args)

    async def emit(
        self,
        event: str,
        data: Any = None,
        to: Any = None,
        room: Any = None,
        skip_sid: Any = None,
        namespace: str | None = None,
        callback: Callable[..., Any] | None = None,
        ignore_queue: bool = False,
        *,
        volatile: bool = False,
        latest: Any = None,
    ) -> None:
        """As `AsyncServer.emit`, in this namespace."""
        return await self.server.emit(
            event,
            data=data,
            to=to,
            room=room,
            skip_sid=skip_sid,
            namespace=namespace or self.namespace,
            callback=callback,
            ignore_queue=ignore_queue,
            **({"volatile": volatile, "latest": latest} if volatile or latest is not None else {}),
        )

    def buffered(self, sid: str, namespace: str | None = None) -> tuple[int, int]:
        """As `AsyncServer.buffered`, in this namespace."""
        size, packets = self.server.buffered(sid, namespace=namespace or self.namespace)
        return size, packets

    async def send(
        self,
        data: Any,
        to: Any = None,
        room: Any = None,
        skip_sid: Any = None,
        namespace: str | None = None,
        callback: Callable[..., Any] | None = None,
        ignore_queue: bool = False,
    ) -> None:
        """As `AsyncServer.send`, in this namespace."""
        return await self.server.send(
            data,
            to=to,
            room=room,
            skip_sid=skip_sid,
            namespace=namespace or self.namespace,
            callback=callback,
            ignore_queue=ignore_queue,
        )

    async def call(
        self,
        event: str,
        data: Any = None,
        to: Any = None,
        sid: str | None = None,
        namespace: str | None = None,
        timeout: float | None = None,
        ignore_queue: bool = False,
    ) -> Any:
        """As `AsyncServer.call`, in this namespace; waits for ever unless `timeout` is given."""
        return await self.server.call(
            event,
            data=data,
            to=to,
            sid=sid,
            namespace=namespace or self.namespace,
            timeout=timeout,
            ignore_queue=ignore_queue,
        )

    async def enter_room(self, sid: str, room: Any, namespace: str | None = None) -> None:
        return await self.server.enter_room(sid, room, namespace=namespace or self.namespace)

    async def leave_room(self, sid: str, room: Any, namespace: str | None = None) -> None:
        return await self.server.leave_room(sid, room, namespace=namespace or self.namespace)

    async def close_room(self, room: Any, namespace: str | None = None) -> None:
        return await self.server.close_room(room, namespace=namespace or self.namespace)

    async def get_session(self, sid: str, namespace: str | None = None) -> dict[str, Any]:
        return await self.server.get_session(sid, namespace=namespace or self.namespace)

    async def save_session(self, sid: str, session: dict[str, Any], namespace: str | None = None) -> None:
        return await self.server.save_session(sid, session, namespace=namespace or self.namespace)

    def session(self, sid: str, namespace: str | None = None) -> AbstractAsyncContextManager[dict[str, Any]]:
        session: AbstractAsyncContextManager[dict[str, Any]] = self.server.session(
            sid, namespace=namespace or self.namespace
        )
        return session

    async def disconnect(self, sid: str, namespace: str | None = None) -> None:
        return await self.server.disconnect(sid, namespace=namespace or self.namespace)


def __getattr__(name: str) -> Any:
    # python-socketio keeps the namespace class of its clients here.
    if name != "AsyncClientNamespace":
        raise AttributeError(f"module 'fastsio.async_namespace' has no attribute {name!r}")
    return borrowed.attribute("socketio.async_namespace", name)
