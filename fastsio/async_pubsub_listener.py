"""What a node of a cluster hears, and does about it for the clients it has.

May import: `cluster`, `hub`, `serial`. The half of `AsyncPubSubManager` that acts upon messages; the manager has the
half that says them. Never knows a particular broker.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from fastsio.cluster import messages, reading
from fastsio.cluster.answers import Answers
from fastsio.cluster.complaints import Complaints
from fastsio.cluster.health import Health
from fastsio.cluster.identity import leave_to_parent, new_host_id, renew_when_forked
from fastsio.cluster.messages import CallbackOwner
from fastsio.cluster.reading import MalformedError, Message, Target
from fastsio.cluster.sequences import Sequences
from fastsio.hub import dispatch
from fastsio.hub._hub import Hub
from fastsio.hub.manager import EVENT, AsyncManager
from fastsio.serial import DEFAULT_JSON, CustomJson, Json

# Pause before a `_listen()` that raised is called again.
LISTEN_AGAIN_AFTER = 1.0
# Seconds that messages which came together are acted upon before others have their turn.
SLICE = 0.005


class _FinishedJson:
    """Stands in for a serializer where the JSON is there already."""

    def encode(self, text: bytes) -> tuple[bytes, None]:
        return text, None


class AsyncPubSubListener(AsyncManager):
    """A manager that does what others ask for over a channel."""

    name = "asyncpubsub"

    def __init__(self, json: Any = None) -> None:
        super().__init__()
        self.host_id = new_host_id()
        if json is not None:
            self.json = json
        self.health = Health()
        self._own_serializer: Json | CustomJson = DEFAULT_JSON if json is None else CustomJson(json)
        self._answers = Answers()
        self._sequences = Sequences()
        self._complaints = Complaints()
        self._hears_itself = False
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

    def _after_fork(self) -> None:
        """Be a node of its own in the child: what was heard, asked and counted is the parent's."""
        leave_to_parent(self._errands, self._answers)
        self.host_id = new_host_id()
        self.health.clear()
        self._answers = Answers()
        self._sequences = Sequences()
        self._errands = set()

    @property
    def _serializer(self) -> Any:
        return self._own_serializer if self.server is None else self.server._json

    # --- from the channel to an action

    async def _thread(self) -> None:
        """Take what comes over the channel, until cancelled."""
        while True:
            try:
                async with aclosing(self._batches()) as batches:
                    async for batch in batches:
                        await self._receive(batch)
                self._get_logger().error("pubsub listen() exited unexpectedly")
                return
            except asyncio.CancelledError:
                return
            except Exception:
                self._get_logger().exception("Unexpected Error in pubsub listening thread")
                await asyncio.sleep(LISTEN_AGAIN_AFTER)

    async def _batches(self) -> AsyncGenerator[Sequence[Any], None]:
        """Yield what comes over the channel, as many messages at a time as are there."""
        async for message in self._listen():
            yield (message,)

    async def _receive(self, batch: Sequence[Any]) -> None:
        """Act upon messages; whatever one is, the next one is taken."""
        loads = None if messages.is_default(self._serializer) else self.json.loads
        own = messages.ending(self.host_id)
        began = time.monotonic()
        for raw in batch:
            if type(raw) is bytes and own in raw[-messages.ENDING_SPAN :]:
                self._hears_itself = True
                continue  # what we said ourselves is not even read
            message = reading.read(raw, loads)
            if message is None:
                self.health.malformed += 1
                continue
            await self._act_safely(message)
            if time.monotonic() - began > SLICE:
                await asyncio.sleep(0)
                began = time.monotonic()

    async def _act_safely(self, message: Message) -> None:
        try:
            more = self._act(message)
            if more is not None:
                await more
        except MalformedError as exc:
            self.health.malformed += 1
            self._get_logger().debug("a message of the cluster was ignored: %s", exc)
        except Exception:
            self._complaints.log(self._get_logger(), "Handler error in pubsub listening thread")

    def _act(self, message: Message) -> Awaitable[None] | None:
        """Do what a message says; give what of it has to be awaited."""
        if message.method == "callback":
            if message.host_id == self.host_id:
                self._start(self._answer(*reading.answer(message)))
            return None
        if message.host_id == self.host_id:
            self._hears_itself = True
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

    def _is_here(self, sid: str, namespace: str) -> bool:
        return self.is_connected(sid, namespace) or self.is_pre_connected(sid, namespace)

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
        self.server._hub.emitted += 1
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

    async def _answer(self, room: Any, id: Any, args: list[Any]) -> None:
        """Call what waits for an acknowledgement from the cluster."""
        waiting = self._answers.take(room, id)
        if waiting is not None:
            await dispatch.call(waiting, tuple(args))
        elif not isinstance(room, list):
            await self.trigger_callback(room, id, args)

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
            await super().enter_room(sid, namespace, reading.one_room(message))

    async def _on_leave_room(self, message: Message) -> None:
        sid, namespace = reading.client(message)
        if self._is_here(sid, namespace):
            await super().leave_room(sid, namespace, reading.one_room(message))

    async def _on_close_room(self, message: Message) -> None:
        target = reading.target(message)
        await super().close_room(reading.one_room(message), target.namespace)

    def _start(self, errand: Awaitable[Any]) -> None:
        """Run what an application's handler may hold up, so that the next message need not wait for it."""
        task = asyncio.get_running_loop().create_task(self._run(errand))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _run(self, errand: Awaitable[Any]) -> None:
        try:
            await errand
        except Exception:
            self._complaints.log(self._get_logger(), "Handler error in pubsub listening thread")


_ACTIONS: dict[str, Callable[[AsyncPubSubListener, Message], Coroutine[Any, Any, None] | None]] = {
    "emit": AsyncPubSubListener._on_emit,
    "disconnect": AsyncPubSubListener._on_disconnect,
    "enter_room": AsyncPubSubListener._on_enter_room,
    "leave_room": AsyncPubSubListener._on_leave_room,
    "close_room": AsyncPubSubListener._on_close_room,
}
