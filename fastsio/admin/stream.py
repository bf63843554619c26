"""The admin namespace: who is told, and how much at most.

May import: `limits`. Never tells anybody who has not logged in: members whose login is being checked are not connected.
"""

import asyncio
import time
from collections import deque
from typing import Any

from fastsio.admin.limits import (
    CHANGES_PER_SECOND,
    CLUSTER_BACKLOG,
    EVENT_BYTES_PER_SECOND,
    EVENTS_PER_SECOND,
    LATE_DEPARTURES,
    LATE_DEPARTURES_PER_REPORT,
)

EVENT = 2  # type of a Socket.IO packet


class Budget:
    """So many messages and bytes in each second."""

    def __init__(self, messages: int, size: int) -> None:
        self._messages, self._size = messages, size
        self._ends = 0.0
        self._messages_left = self._size_left = 0

    def left(self) -> int:
        """Give how many messages may still be told in this second. The last one may be larger than what is left."""
        now = time.monotonic()
        if now >= self._ends:
            self._ends = now + 1
            self._messages_left, self._size_left = self._messages, self._size
        return self._messages_left if self._size_left > 0 else 0

    def spend(self, size: int) -> None:
        self._messages_left -= 1
        self._size_left -= size


class AdminStream:
    """Tells the admins of one server, or through its manager those of the whole cluster."""

    def __init__(self, server: Any, namespace: str) -> None:
        self._server = server
        self._namespace = namespace
        self.events = Budget(EVENTS_PER_SECOND, EVENT_BYTES_PER_SECOND)
        self.changes = Budget(CHANGES_PER_SECOND, 2**62)
        self.dropped = 0  # messages that admins should have heard of
        self._late: deque[tuple[str, tuple[Any, ...]]] = deque()
        self._published: deque[tuple[str, tuple[Any, ...]]] = deque()
        self._publisher: asyncio.Task[None] | None = None
        self.is_clustered = False

    def is_watched(self) -> bool:
        """Tell whether there may be an admin. Those of other processes cannot be seen from here."""
        return self.is_clustered or self._namespace in self._server.manager._rooms.halls

    # --- within limits

    def tell_event(self, name: str, *args: Any) -> bool:
        """Tell of an event that was received or sent; False when this second's budget is spent."""
        if not self.events.left():
            return False
        self.events.spend(self.tell(name, *args))
        return True

    def tell_change(self, name: str, *args: Any) -> None:
        """Tell of a socket or room. Beyond the budget it is dropped: a later announcement makes up for it."""
        if self.changes.left():
            self.changes.spend(self.tell(name, *args))
        else:
            self.dropped += 1

    def tell_departure(self, name: str, *args: Any) -> None:
        """As `tell_change`, for what no announcement makes up for: told with later reports when there are too many."""
        if self.changes.left() or len(self._late) >= LATE_DEPARTURES:
            self.tell_change(name, *args)
        else:
            self._late.append((name, args))

    def tell_late(self) -> None:
        for _ in range(min(len(self._late), LATE_DEPARTURES_PER_REPORT)):
            name, args = self._late.popleft()
            self.tell(name, *args)

    # --- telling

    def tell(self, name: str, *args: Any) -> int:
        """Tell every admin; give the bytes of it.

        Encoded at once, so that what handlers do to their arguments afterwards is not seen.
        """
        if self.is_clustered:
            self._publish(name, args)
            return 0
        hub, data = self._server._hub, [name, *args]
        hall = hub.rooms.halls.get(self._namespace)
        admins = [member for member in hall.members.values() if member.is_connected] if hall is not None else []
        try:
            if hub.tap is not None:
                hub.tap.emit(admins, self._namespace, data, None)
                return 0
            message = hub.encode(EVENT, self._namespace, None, data)
        except Exception:  # a serializer or a replaced method may raise anything, and clients choose what they send
            self.dropped += 1  # arguments that are fit for their own packets only
            return 0
        for member in admins:
            member.send(message)
        return int(message.size)

    def _publish(self, name: str, args: tuple[Any, ...]) -> None:
        """Tell through a manager whose `emit` reaches other processes too, and may take its time."""
        if len(self._published) >= CLUSTER_BACKLOG:
            self.dropped += 1
            return
        self._published.append((name, args))
        if self._publisher is None or self._publisher.done():
            self._publisher = self._server.start_background_task(self._publish_all)

    async def _publish_all(self) -> None:
        while self._published:
            name, args = self._published.popleft()
            try:
                await self._server.manager.emit(name, args, namespace=self._namespace)
            except Exception:
                self._server.logger.exception("the admin namespace could not be told of %s", name)
