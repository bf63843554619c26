"""The manager of one node in a cluster: rooms here, and a channel to everybody else.

May import: `cluster`, `hub`, `serial`. The base of managers that applications write for their own brokers:
they give `_publish(message)` and `_listen()`, and get python-socketio's dicts. Never knows a particular broker.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from fastsio.cluster import messages, reading
from fastsio.cluster.answers import Answers
from fastsio.cluster.health import Health
from fastsio.cluster.identity import new_host_id, renew_when_forked
from fastsio.cluster.messages import CallbackOwner
from fastsio.cluster.reading import MalformedError, Message, Target
from fastsio.cluster.sequences import Sequences
from fastsio.hub import dispatch
from fastsio.hub._hub import Hub
from fastsio.hub.manager import EVENT, AsyncManager
from fastsio.serial import DEFAULT_JSON, CustomJson, Json

# Pause before a `_listen()` that raised is called again.
LISTEN_AGAIN_AFTER = 1.0


class _FinishedJson:
    """Stands in for a serializer where the JSON is there already."""

    def encode(self, text: bytes) -> tuple[bytes, None]:
        return text, None


class AsyncPubSubManager(AsyncManager):
    """A manager that shares events with other processes over a channel.

    Args:
        channel: name of the channel; the same on all nodes.
        write_only: only emit. Such a manager needs no server: scripts use it to reach clients of the servers.
        logger: logger to use instead of the server's.
        json: module to write and read messages with; a server's own takes its place.
    """

    name = "asyncpubsub"

    def __init__(
        self, channel: str = "socketio", write_only: bool = False, logger: Any = None, json: Any = None
    ) -> None:
        super().__init__()
        self.channel = channel
        self.write_only = write_only
        self.host_id = new_host_id()
        self.logger = logger
        if json is not None:
            self.json = json
        self.health = Health()
        self._own_serializer: Json | CustomJson = DEFAULT_JSON if json is None else CustomJson(json)
        self._answers = Answers()
        self._sequences = Sequences()
        self._finished_hub: Hub | None = None
        self._errands: set[asyncio.Task[Any]] = set()
        renew_when_forked(self)

    # --- what a broker gives

    async def _publish(self, data: dict[str, Any]) -> Any:
        """Publish one message on the channel. To be overridden."""
        raise NotImplementedError("This method must be implemented in a subclass.")

    def _listen(self) -> AsyncIterator[dict[str, Any] | str | bytes]:
        """Yield what comes over the channel: dicts, or JSON as text or bytes. To be overridden."""
        raise NotImplementedError("This method must be implemented in a subclass.")

    # --- life

    def set_server(self, server: Any) -> None:
        super().set_server(server)
        self._finished_hub = None

    def initialize(self) -> None:
        super().initialize()
        if not self.write_only:
            self.thread = self.server.start_background_task(self._thread)
        self._get_logger().info("%s backend initialized.", self.name)

    def _after_fork(self) -> None:
        self.host_id = new_host_id()

    @property
    def _serializer(self) -> Any:
        return self._own_serializer if self.server is None else self.server._json

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
            return await super().emit(event, data, namespace or "/", room=room, skip_sid=skip_sid, callback=callback)
        namespace = namespace or "/"
        if isinstance(room, (list, tuple, set, frozenset)) and not room:
            return None  # nobody (defect 15); python-socketio nodes would take it for everybody
        owner = None if callback is None else self._expect(room, namespace, callback)
        args = messages.arguments(data)
        text, attachments = self._serializer.encode(args)
        finished = None if attachments else text
        message = self._prepare(event, args, finished, (namespace, room, skip_sid), owner)
        if self.server is not None:
            local = None if owner is None else partial(self._return_callback, self.host_id, False, owner)
            self._deliver(event, args, finished, Target(namespace, room or None, _skips(skip_sid)), local)
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

    async def _answer(self, room: Any, id: Any, args: list[Any]) -> None:
        """Call what waits for an acknowledgement from the cluster."""
        waiting = self._answers.take(room, id)
        if waiting is None:
            return await self.trigger_callback(room, id, args)
        await dispatch.call(waiting, tuple(args))

    def _forget_callback(self, callback: Callable[..., Any]) -> None:
        self._answers.forget(callback)

    def _is_here(self, sid: str, namespace: str) -> bool:
        return self.is_connected(sid, namespace) or self.is_pre_connected(sid, namespace)

    # --- what comes over the channel

    async def _thread(self) -> None:
        """Take what comes over the channel, until cancelled."""
        while True:
            try:
                async for batch in self._batches():
                    await self._receive(batch)
                self._get_logger().error("pubsub listen() exited unexpectedly")
                return
            except asyncio.CancelledError:
                return
            except Exception:
                self._get_logger().exception("Unexpected Error in pubsub listening thread")
                await asyncio.sleep(LISTEN_AGAIN_AFTER)

    async def _batches(self) -> AsyncIterator[Sequence[Any]]:
        """Yield what comes over the channel, as many messages at a time as are there."""
        async for message in self._listen():
            yield (message,)

    async def _receive(self, batch: Sequence[Any]) -> None:
        """Act upon messages; whatever one is, the next one is taken."""
        loads = None if messages.is_default(self._serializer) else self.json.loads
        own = messages.ending(self.host_id)
        for raw in batch:
            if type(raw) is bytes and own in raw[-messages.ENDING_SPAN :]:
                continue  # what we said ourselves is not even read
            message = reading.read(raw, loads)
            if message is None:
                self.health.malformed += 1
                continue
            try:
                more = self._act(message)
                if more is not None:
                    await more
            except MalformedError as exc:
                self.health.malformed += 1
                self._get_logger().debug("a message of the cluster was ignored: %s", exc)
            except Exception:
                self._get_logger().exception("Handler error in pubsub listening thread")

    def _act(self, message: Message) -> Awaitable[None] | None:
        """Do what a message says; give what of it has to be awaited."""
        if message.method == "callback":
            if message.host_id == self.host_id:
                self._start(self._answer(*reading.answer(message)))
            return None
        if message.host_id == self.host_id:
            return None
        if message.method == "heartbeat":
            self._sequences.has_reached(message.host_id, message.seq)
            self.health.missed = self._sequences.missed
            return None
        if not self._sequences.is_new(message.host_id, message.seq):
            self.health.duplicates = self._sequences.duplicates
            return None
        self.health.missed = self._sequences.missed
        action = _ACTIONS.get(message.method)
        if action is None:
            return None
        self.health.received += 1
        return action(self, message)

    def _on_emit(self, message: Message) -> None:
        target = reading.target(message)
        if not self._has_members(target.namespace, target.room):
            return
        event: Any = reading.event(message)
        owner = reading.callback_owner(message)
        callback = None
        if owner is not None:
            callback = partial(self._return_callback, message.host_id, message.binary_acks is True, owner)
        hub = self._hub_for_finished() if callback is None else None
        text = None if hub is None else reading.packet_arguments(message)
        if hub is None or text is None:
            self._emit(event, reading.data(message), *target, callback)
        else:
            self._send_finished(hub, event, text, target)

    def _has_members(self, namespace: str, room: Any) -> bool:
        hall = self._rooms.halls.get(namespace)
        if hall is None:
            return False
        if isinstance(room, (list, tuple, set, frozenset)):
            return any(name is None or name in hall.members or name in hall.rooms for name in room)
        return room is None or room in hall.members or room in hall.rooms

    def _deliver(
        self, event: Any, args: list[Any], text: bytes | None, target: Target, callback: Callable[..., Any] | None
    ) -> None:
        """Owe an event of ours to clients here; `text` is the JSON of its arguments, when they are not binary."""
        hub = self._hub_for_finished() if callback is None else None
        if hub is None or text is None:
            self._emit(event, messages.emitted(args), *target, callback)
        elif self._has_members(target.namespace, target.room):
            self._send_finished(hub, event, text, target)

    def _send_finished(self, hub: Hub, event: Any, text: bytes, target: Target) -> None:
        packet = hub.encode(EVENT, target.namespace, None, messages.ready_text(event, text))
        self._rooms.send(packet, target.namespace, target.room, target.skip)

    def _hub_for_finished(self) -> Hub | None:
        """Give the hub that takes finished JSON; None when packets of this server are made in another way."""
        server = self.server
        if server._packer is not None or server._hub.tap is not None or self._rooms.observer is not None:
            return None
        if not messages.is_default(server._json):
            return None
        if self._finished_hub is None:
            self._finished_hub = Hub(server, self._rooms, _FinishedJson())
        return self._finished_hub

    async def _return_callback(self, host_id: str, takes_binary: bool, owner: CallbackOwner, *args: Any) -> None:
        """A client here has acknowledged an event: tell the node that asked."""
        if host_id == self.host_id:
            await self._answer(owner.room, owner.id, list(args))
        else:
            await self._publish(messages.callback(host_id, owner, args, takes_binary))

    async def _on_disconnect(self, message: Message) -> None:
        sid, namespace = reading.client(message)
        if self._is_here(sid, namespace):
            self._start(self.server.disconnect(sid=sid, namespace=namespace, ignore_queue=True))
            await asyncio.sleep(0)  # its first step, which takes the client out, comes before the next message

    async def _on_enter_room(self, message: Message) -> None:
        sid, namespace = reading.client(message)
        if self._is_here(sid, namespace):
            await super().enter_room(sid, namespace, reading.room(message))

    async def _on_leave_room(self, message: Message) -> None:
        sid, namespace = reading.client(message)
        if self._is_here(sid, namespace):
            await super().leave_room(sid, namespace, reading.room(message))

    async def _on_close_room(self, message: Message) -> None:
        target = reading.target(message)
        if not isinstance(target.room, (list, tuple, set, frozenset)):
            await super().close_room(target.room, target.namespace)

    def _start(self, errand: Coroutine[Any, Any, Any]) -> None:
        """Run what an application's handler may hold up, so that the next message need not wait for it."""
        task = asyncio.get_running_loop().create_task(self._run(errand))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _run(self, errand: Coroutine[Any, Any, Any]) -> None:
        try:
            await errand
        except Exception:
            self._get_logger().exception("Handler error in pubsub listening thread")


def _skips(skip_sid: Any) -> set[Any] | None:
    if not skip_sid:
        return None
    return {skip_sid} if isinstance(skip_sid, str) else set(skip_sid)


_ACTIONS: dict[str, Callable[[AsyncPubSubManager, Message], Coroutine[Any, Any, None] | None]] = {
    "emit": AsyncPubSubManager._on_emit,
    "disconnect": AsyncPubSubManager._on_disconnect,
    "enter_room": AsyncPubSubManager._on_enter_room,
    "leave_room": AsyncPubSubManager._on_leave_room,
    "close_room": AsyncPubSubManager._on_close_room,
}
