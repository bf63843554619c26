"""What the managers for Redis and RabbitMQ share: staying in touch with a broker that comes and goes.

May import: `async_pubsub_manager`, `cluster`, `errors`. Never knows a particular broker.
A node publishes a heartbeat and must hear something, itself at least; a subscription that stays silent is made again.
"""

import asyncio
import inspect
import random
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from fastsio.async_pubsub_manager import AsyncPubSubManager
from fastsio.cluster import messages
from fastsio.cluster.health import LONGEST_DELAY, Direction, Health
from fastsio.cluster.identity import leave_to_parent
from fastsio.cluster.messages import CallbackOwner
from fastsio.cluster.outgoing import Outgoing
from fastsio.errors import EventTooLargeError

# A node that cannot subscribe for this long publishes what waits all the same.
LONGEST_HOLD = 10.0
# Seconds that the loop may be behind before its own lateness is taken off a subscription's silence.
LATE = 0.5


class AsyncBrokerManager(AsyncPubSubManager):
    """A manager whose broker may go away at any time.

    Attributes:
        health: both directions and counters.
        health_changed: called with `health` whenever a direction comes up or goes down.
        heartbeat_interval: seconds between heartbeats; None for none.
        deaf_after: seconds without anything heard after which the subscription is made again; at least two heartbeats.
        max_message_size: bytes of a message that is accepted; half of what Redis lets a subscriber owe by default.
    """

    heartbeat_interval: float | None = 5.0
    deaf_after: float = 10.0
    max_message_size: int = 16 * 1024 * 1024
    health_changed: Callable[[Health], Any] | None = None

    def __init__(
        self, channel: str = "socketio", write_only: bool = False, logger: Any = None, json: Any = None
    ) -> None:
        super().__init__(channel=channel, write_only=write_only, logger=logger, json=json)
        where = f"{self.name}: channel {channel!r}"
        self._publishing = Direction(f"{where}: publishes", f"{where}: cannot publish", self._on_publishing)
        self._hearing = Direction(f"{where}: hears", f"{where}: does not hear", self._on_hearing)
        self._outgoing = Outgoing(self._send, self._others_hear, self._publishing, self.health, self._get_logger)
        self._seq = 0
        self._heard = self._heard_itself = time.monotonic()
        self._listens = self._is_watched = self._is_checked = False
        self._greeting: asyncio.Task[None] | None = None

    # --- what a broker gives

    def _check(self) -> None:
        """Look at what no later attempt could mend. To be overridden.

        Raises:
            RuntimeError: a package is not installed.
            ValueError: an address or an option is wrong.
        """

    async def _send(self, payloads: list[bytes]) -> None:
        """Publish messages, in order. To be overridden; raises whatever went wrong."""
        raise NotImplementedError

    async def _subscribe_and_read(self) -> AsyncGenerator[Sequence[Any], None]:
        """Subscribe, call `_asked` and, once that is confirmed, `_subscribed`; yield what comes, batch by batch.

        To be overridden; raises what went wrong.
        """
        raise NotImplementedError
        yield

    async def _unsubscribe(self) -> None:
        """Give up the subscription, which may be broken. Whoever reads from it is woken up. To be overridden."""
        raise NotImplementedError

    async def _close_publisher(self) -> None:
        """Give up what messages are published with. To be overridden."""
        raise NotImplementedError

    # --- outwards

    async def _publish(self, data: dict[str, Any] | bytes) -> Any:
        """Take a message for the broker. A server's is sent when the loop turns; a write-only manager waits for it.

        An event comes as finished JSON, unless an application overrides this and may want to change it.
        """
        self._ensure_possible()
        payload = data if isinstance(data, bytes) else self._encode(data)
        if isinstance(data, bytes) or data["method"] != "callback":  # whose host_id is its addressee
            self._seq += 1
            payload = messages.number(payload, self._seq)
        self._outgoing.put(payload)
        if self.write_only or self._outgoing.is_high:
            await self._outgoing.settled()

    def _prepare(
        self, event: Any, args: list[Any], text: bytes | None, target: tuple[str, Any, Any], owner: CallbackOwner | None
    ) -> Any:
        if self._is_overridden("_publish", AsyncBrokerManager._publish):
            return super()._prepare(event, args, text, target, owner)
        self._ensure_possible()
        if text is not None and owner is None and messages.is_default(self._serializer):
            payload = messages.finished(self.host_id, event, text, target)
            if payload is not None:
                return self._fitting(event, payload)
        return self._encode(super()._prepare(event, args, text, target, owner), text)

    def _encode(self, message: dict[str, Any], data: bytes | None = None) -> bytes:
        return self._fitting(message.get("event"), messages.encode(message, self._serializer, data))

    def _fitting(self, event: Any, payload: bytes) -> bytes:
        if len(payload) > self.max_message_size:
            self.health.refused += 1
            raise EventTooLargeError(str(event), len(payload), self.max_message_size)
        return payload

    def _ensure_possible(self) -> None:
        """Raise to whoever asks first what would otherwise look like a broker that is away for ever."""
        if not self._is_checked:
            self._check()
            self._is_checked = True

    def _is_overridden(self, name: str, original: Any) -> bool:
        return getattr(type(self), name) is not original or name in vars(self)

    # --- inwards

    async def _listen_with_retries(self) -> AsyncGenerator[Sequence[Any], None]:
        """Yield what comes, batch by batch, over one subscription after another."""
        while True:
            try:
                async with aclosing(self._subscribe_and_read()) as batches:
                    async for batch in batches:
                        yield batch
                raise ConnectionError("the subscription ended")
            except Exception as exc:
                self._hearing.down(self._get_logger(), exc)
            finally:
                self._is_watched = False
                await self._unsubscribe()
            await asyncio.sleep(self._hearing.delay())
            self.health.reconnects += 1

    def _asked(self) -> None:
        """The broker was asked to tell us: from now on silence is noticed."""
        self._heard = self._heard_itself = time.monotonic()
        self._is_watched = True

    def _subscribed(self) -> None:
        """The broker says that it will tell us; it hears when something comes."""
        self._heard = time.monotonic()
        self._greet()

    def _greet(self) -> None:
        if self._greeting is None or self._greeting.done():
            self._greeting = asyncio.get_running_loop().create_task(self._hear_ourselves())

    async def _hear_ourselves(self) -> None:
        """Say a heartbeat, past all that waits, since what waits may be waiting for us to hear.

        It bears no number: that would tell others to wait no longer for what it overtakes.
        """
        try:
            async with asyncio.timeout(self.deaf_after):
                await self._send([self._encode(messages.heartbeat(self.host_id))])
        except Exception as exc:
            self._get_logger().debug("a heartbeat was not published: %r", exc)

    async def _others_hear(self) -> None:
        """After a failure, wait until the broker is back and other nodes have had time to subscribe again.

        What waits would be lost on them otherwise. Only when we were cut off from hearing too: else they were not.
        """
        if not self._listens:
            return
        try:
            async with asyncio.timeout(LONGEST_HOLD):
                while not self._hearing.is_up:
                    await asyncio.sleep(0.05)
                # It may have come back while we waited to publish again.
                await asyncio.sleep(max(0.0, self._hearing.up_since + LONGEST_DELAY + 0.5 - time.monotonic()))
        except TimeoutError:
            pass  # perhaps it may publish but not subscribe

    async def _receive(self, batch: Sequence[Any]) -> None:
        self._heard = time.monotonic()
        if self._hearing.is_up is not True:
            self._hearing.up(self._get_logger())
        await super()._receive(batch)

    async def _thread(self) -> None:
        self._listens = True
        beating = asyncio.get_running_loop().create_task(self._keep_hearing())
        try:
            await super()._thread()
        finally:
            beating.cancel()

    async def _keep_hearing(self) -> None:
        """Say heartbeats; give up a subscription over which nothing comes."""
        interval = self.heartbeat_interval
        said = time.monotonic()
        while interval is not None:
            pause = min(1.0, interval, self.deaf_after / 4) * random.uniform(0.5, 1.0)
            asked = time.monotonic()
            await asyncio.sleep(pause)
            now = time.monotonic()
            if now - asked - pause > LATE:  # the loop was held up: what came meanwhile has not been read
                self._heard = self._heard_itself = now
            await self._notice_silence(now, max(self.deaf_after, 2 * interval))
            if now - said >= interval:
                said = now
                self._say_heartbeat()

    async def _notice_silence(self, now: float, limit: float) -> None:
        """Begin again when nothing comes, or when what we say does not come back though it is taken."""
        if self._hears_itself or not (self._is_watched and self._publishing.is_up):
            self._hears_itself, self._heard_itself = False, now
        silence, own_silence = now - self._heard, now - self._heard_itself
        if not self._is_watched or own_silence <= limit >= silence:
            return
        self._is_watched = False
        if silence > limit:
            error = ConnectionError(f"deaf: nothing came for {silence:.1f} s, not even its own words")
        else:
            reason = "what it says does not come back, though others are heard; is it said to a replica?"
            error = ConnectionError(f"deaf to itself for {own_silence:.1f} s: {reason}")
            await self._close_publisher()
        self._hearing.down(self._get_logger(), error)
        await self._unsubscribe()

    def _say_heartbeat(self) -> None:
        """Say that we are here, and how far we have come; not when something else is being said anyway."""
        if not len(self._outgoing):
            self._outgoing.put(messages.number(self._encode(messages.heartbeat(self.host_id)), self._seq))
        elif not self._publishing.is_up:
            self._greet()

    # --- health

    def _on_publishing(self, is_up: bool, cause: str) -> None:
        self.health.publishes = is_up
        self._health_changed(cause)

    def _on_hearing(self, is_up: bool, cause: str) -> None:
        self.health.hears = is_up
        self._health_changed(cause)

    def _health_changed(self, cause: str) -> None:
        self.health.since = time.monotonic()
        self.health.cause = cause or self.health.cause
        if self.health_changed is not None:
            try:
                told = self.health_changed(self.health)
                if inspect.isawaitable(told):
                    self._start(told)
            except Exception:
                self._get_logger().exception("health_changed raised")

    # --- life

    def initialize(self) -> None:
        """Begin to listen.

        Raises:
            RuntimeError, ValueError: a package is missing, or an address or option is wrong.
        """
        self._ensure_possible()
        super().initialize()

    def _after_fork(self) -> None:
        super()._after_fork()
        self._seq = 0
        self._listens = self._is_watched = False
        leave_to_parent(self._outgoing.task, self._greeting, getattr(self, "thread", None))
        self._greeting = None
        self._outgoing.clear()
        self._publishing.clear()
        self._hearing.clear()

    async def close(self, timeout: float = 2.0) -> None:
        """Send what waits, for at most `timeout` seconds, and let go of the broker."""
        try:
            async with asyncio.timeout(timeout):
                await self._outgoing.settled()
        except TimeoutError:
            pass
        tasks = getattr(self, "thread", None), self._greeting, self._outgoing.task
        loop = asyncio.get_running_loop()
        running = {task for task in tasks if task is not None and task.get_loop() is loop}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        await self._close_publisher()
