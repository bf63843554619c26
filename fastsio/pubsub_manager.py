"""Emitting to a cluster from jobs and scripts without an event loop: a node that only speaks.

May import: `cluster`, `hub.manager`, `serial`. The base of emitters that applications write for their own
brokers: they give `_publish(message)`, and get python-socketio's dicts. Never serves clients.
"""

from collections.abc import Callable, Iterator
from typing import Any

from fastsio.cluster import messages
from fastsio.cluster.health import Direction, Health
from fastsio.cluster.identity import new_host_id, renew_when_forked
from fastsio.hub.manager import BaseManager
from fastsio.serial import DEFAULT_JSON, CustomJson, Json


class PubSubManager(BaseManager):
    """Publishes events and requests for the nodes that have the clients.

    Args:
        channel: name of the channel; the same on all nodes.
        write_only: kept for python-socketio's applications; this manager always is.
        logger: logger to use.
        json: module to write messages with.
    """

    name = "pubsub"

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
        where = f"{self.name}: channel {channel!r}"
        self._publishing = Direction(f"{where}: publishes", f"{where}: cannot publish", self._on_publishing)
        self._serializer: Json | CustomJson = DEFAULT_JSON if json is None else CustomJson(json)
        renew_when_forked(self)

    def set_server(self, server: Any) -> None:
        """Refuse: servers of fastsio are asyncio's.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"{type(self).__name__} is for jobs and scripts; a server needs Async{type(self).__name__}")

    def _after_fork(self) -> None:
        self.host_id = new_host_id()
        self.health.clear()
        self._publishing.clear()

    def _on_publishing(self, is_up: bool, cause: str) -> None:
        self.health.publishes = is_up
        self.health.cause = cause or self.health.cause

    # --- what a broker gives

    def _publish(self, data: dict[str, Any]) -> Any:
        """Publish one message on the channel. To be overridden."""
        raise NotImplementedError("This method must be implemented in a subclass.")

    def _listen(self) -> Iterator[Any]:
        """Kept for python-socketio's applications, which override it; nobody listens here."""
        raise NotImplementedError("This method must be implemented in a subclass.")

    # --- what the application asks

    def emit(
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
        """Publish an event for a client, a room, several rooms, or everybody in a namespace.

        Raises:
            TypeError: the data have no JSON form.
            RuntimeError: there is a callback; nobody here could hear of the acknowledgement.
        """
        room = room if to is None else to
        if callback is not None:
            raise RuntimeError("Callbacks can only be issued from the context of a server.")
        if kwargs.get("ignore_queue") or (isinstance(room, (list, tuple, set, frozenset)) and not room):
            return
        args = messages.arguments(data)
        is_binary = messages.holds_binary(args)
        self._publish(messages.emit(self.host_id, event, args, is_binary, (namespace or "/", room, skip_sid)))

    def can_disconnect(self, sid: str, namespace: str) -> None:
        """Ask the nodes to disconnect a client."""
        self._publish(messages.disconnect(self.host_id, sid, namespace))

    def disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        """Ask the nodes to disconnect a client."""
        if not kwargs.get("ignore_queue"):
            self._publish(messages.disconnect(self.host_id, sid, namespace))

    def enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        self._publish(messages.room_change(self.host_id, "enter_room", sid, room, namespace))

    def leave_room(self, sid: str, namespace: str, room: Any) -> None:
        self._publish(messages.room_change(self.host_id, "leave_room", sid, room, namespace))

    def close_room(self, room: Any, namespace: str | None = None) -> None:
        self._publish(messages.close_room(self.host_id, room, namespace))
