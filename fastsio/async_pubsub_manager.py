"""The manager of one node in a cluster: rooms here, and a channel to everybody else.

May import: `async_pubsub_listener`, `cluster`. The base of managers that applications write for their own brokers: they
give `_publish(message)` and `_listen()`, and get python-socketio's dicts. Never knows a particular broker.
What comes over the channel is `async_pubsub_listener`'s affair; here is what goes out.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from fastsio.async_pubsub_listener import AsyncPubSubListener
from fastsio.cluster import messages
from fastsio.cluster.messages import CallbackOwner
from fastsio.cluster.reading import Target
from fastsio.hub.manager import is_loose


class AsyncPubSubManager(AsyncPubSubListener):
    """A manager that shares events with other processes over a channel.

    Args:
        channel: name of the channel; the same on all nodes.
        write_only: only emit. Such a manager needs no server: scripts use it to reach clients of the servers.
        logger: logger to use instead of the server's.
        json: module to write and read messages with; a server's own takes its place.
    """

    def __init__(
        self, channel: str = "socketio", write_only: bool = False, logger: Any = None, json: Any = None
    ) -> None:
        super().__init__(json)
        self.channel = channel
        self.write_only = write_only
        self.logger = logger

    # --- life

    def initialize(self) -> None:
        super().initialize()
        if not self.write_only:
            self.thread = self.server.start_background_task(self._thread)
        self._get_logger().info("%s backend initialized.", self.name)

    # --- what the application asks

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str | None = None,
        room: Any = None,
        skip_sid: Any = None,
        callback: Callable[..., Any] | None = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        """Owe an event to clients here, then publish it for those on other nodes.

        Raises:
            TypeError: the data have no JSON form. Nobody has been sent anything then.
            EventTooLargeError: the broker could not carry it. Nobody has been sent anything then.
            RuntimeError: there is a callback, but no server that could hear of the acknowledgement.
            ValueError: there is a callback, but no room.
        """
        room = room if to is None else to
        if kwargs.get("ignore_queue"):
            return await super().emit(
                event, data, namespace or "/", room=room, skip_sid=skip_sid, callback=callback, **kwargs
            )
        namespace = namespace or "/"
        if isinstance(room, (list, tuple, set, frozenset)) and not room:
            return None  # nobody (defect 15); python-socketio nodes would take it for everybody
        args = messages.arguments(data)
        text, attachments = self._serializer.encode(args)
        finished = None if attachments else text
        owner = None if callback is None else self._expect(room, namespace, callback)
        try:
            message = self._prepare(event, args, finished, (namespace, room, skip_sid), owner)
            if is_loose(kwargs):  # on other nodes it is an ordinary event
                await super().emit(event, data, namespace, room=room, skip_sid=skip_sid, **kwargs)
            elif self.server is not None:
                local = None if owner is None else partial(self._return_callback, self.host_id, False, owner)
                self._deliver(event, args, finished, Target(namespace, room or None, _skips(skip_sid)), local)
        except BaseException:
            if owner is not None:
                self._answers.take(room, owner.id)
            raise
        await self._publish(message)

    def _expect(self, room: Any, namespace: str, callback: Callable[..., Any]) -> CallbackOwner:
        if self.server is None:
            raise RuntimeError("Callbacks can only be issued from the context of a server.")
        if room is None:
            raise ValueError("Cannot use callback without a room set.")
        return CallbackOwner(room, namespace, self._answers.expect(room, callback))

    def _prepare(
        self, event: Any, args: list[Any], text: bytes | None, target: tuple[str, Any, Any], owner: CallbackOwner | None
    ) -> Any:
        """Make an event ready for `_publish`, or refuse it; `text` is the JSON of `args`, None when they are binary."""
        return messages.emit(self.host_id, event, args, text is None, target, owner)

    async def can_disconnect(self, sid: str, namespace: str) -> bool:
        """Tell whether a client is connected here; otherwise ask other nodes to disconnect it, and give None."""
        if self._is_here(sid, namespace):
            return await super().can_disconnect(sid, namespace)
        await self._publish(messages.disconnect(self.host_id, sid, namespace))
        return None  # type: ignore[return-value]  # as python-socketio

    async def disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        """Disconnect a client, wherever it is; with `ignore_queue`, take one of this node out of the tables."""
        if kwargs.get("ignore_queue"):
            return await super().disconnect(sid, namespace)
        if self.server is not None:
            await self.server.disconnect(sid=sid, namespace=namespace or "/", ignore_queue=True)
        await self._publish(messages.disconnect(self.host_id, sid, namespace))

    async def enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        if self._is_here(sid, namespace) or eio_sid is not None:
            return await super().enter_room(sid, namespace, room, eio_sid=eio_sid)
        await self._publish(messages.room_change(self.host_id, "enter_room", sid, room, namespace))

    async def leave_room(self, sid: str, namespace: str, room: Any) -> None:
        if self._is_here(sid, namespace):
            return await super().leave_room(sid, namespace, room)
        await self._publish(messages.room_change(self.host_id, "leave_room", sid, room, namespace))

    async def close_room(self, room: Any, namespace: str | None = None) -> None:
        await super().close_room(room, namespace or "/")
        await self._publish(messages.close_room(self.host_id, room, namespace))

    def _forget_callback(self, callback: Callable[..., Any]) -> None:
        self._answers.forget(callback)


def _skips(skip_sid: Any) -> set[Any] | None:
    if not skip_sid:
        return None
    return {skip_sid} if isinstance(skip_sid, str) else set(skip_sid)
