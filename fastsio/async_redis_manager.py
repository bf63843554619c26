"""A cluster over Redis or Valkey.

May import: `async_broker_manager`, `cluster.link`, `redis_manager`. The redis package, imported when it is first needed,
makes the connections; `link` speaks over them.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from fastsio.async_broker_manager import AsyncBrokerManager
from fastsio.cluster import link
from fastsio.cluster.identity import leave_to_parent
from fastsio.redis_manager import check_client, client_options, load_driver, open_client, parse_redis_sentinel_url

__all__ = ["AsyncRedisManager", "parse_redis_sentinel_url"]

# Seconds for finding Redis, which may need several sentinels, connecting, and asking to be told.
SUBSCRIBE_TIMEOUT = 10.0


class AsyncRedisManager(AsyncBrokerManager):
    """Shares events with other processes over a Redis or Valkey channel.

    Args:
        url: ``redis://``, ``rediss://``, ``valkey://``, ``valkeys://``, ``unix://`` or ``redis+sentinel://``.
        channel: name of the channel; the same on all nodes.
        write_only: only emit; such a manager needs no server.
        logger: logger to use instead of the server's.
        json: module to write and read messages with; a server's own takes its place.
        redis_options: options for the client of the redis package.

    Attributes:
        redis: the client, once connected.
        pubsub: its subscription.

    Example:
        sio = fastsio.AsyncServer(client_manager=fastsio.AsyncRedisManager("redis://"))
    """

    name = "aioredis"

    def __init__(
        self,
        url: str = "redis://localhost:6379/0",
        channel: str = "socketio",
        write_only: bool = False,
        logger: Any = None,
        json: Any = None,
        redis_options: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(channel=channel, write_only=write_only, logger=logger, json=json)
        self.redis_url = url
        self.redis_options = redis_options or {}
        self.connected = False
        self.redis: Any = None
        self.pubsub: Any = None
        self._subscription: Any = None
        self._publisher: link.Publisher | None = None
        self._publishing_connection: tuple[Any, Any] | None = None
        self._opening = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def _check(self) -> None:
        if not self._is_overridden("_redis_connect", AsyncRedisManager._redis_connect):
            check_client(self._open_client(), self.redis_options)

    def _open_client(self) -> Any:
        driver = load_driver(self.redis_url, ".asyncio")
        options = client_options(driver, self.redis_url, None, self.redis_options)
        return open_client(driver, self.redis_url, options, self.channel)

    def _redis_connect(self) -> None:
        """Make `redis` and `pubsub`, which connect when first used. Applications may override it."""
        self.redis = self._open_client()
        self.pubsub = self.redis.pubsub(ignore_subscribe_messages=True)
        self.connected = True

    async def _connect(self) -> None:
        """Have a client of this loop; after a failure a new one, since an application may compute its address anew."""
        loop = asyncio.get_running_loop()
        if self.connected and self._loop is loop:
            return
        old, old_loop, self._loop = self.redis, self._loop, loop
        if old_loop is not loop:
            self._publisher = self._publishing_connection = None
            self._opening = asyncio.Lock()
        self._redis_connect()
        if self._subscription is not None:
            self.pubsub = self._subscription
        if old is not None and old is not self.redis and old_loop is loop:
            await self._let_go(old, False)

    # --- outwards

    async def _send(self, payloads: list[bytes]) -> None:
        publisher = None
        try:
            await self._connect()
            publisher = await self._open_publisher()
            if publisher is not None:
                await publisher.publish(payloads)
                return
            pipeline = self.redis.pipeline(transaction=False)
            for payload in payloads:
                pipeline.publish(self.channel, payload)
            await pipeline.execute()
        except BaseException:
            self.connected = False
            if publisher is None or (publisher.is_closed and publisher is self._publisher):
                await self._close_publishing_connection()
            raise

    async def _open_publisher(self) -> link.Publisher | None:
        """Give what publishes over a connection kept for it; None when the package has to do it."""
        async with self._opening:
            if self._publisher is not None and self._publisher.is_closed:  # idle for longer than Redis allows
                await self._close_publishing_connection()
            if self._publishing_connection is None:
                connection = await _take_connection(self.redis.connection_pool)
                self._publishing_connection = self.redis, connection
                found = link.streams(connection)
                if found is not None:
                    publisher = link.Publisher(*found, self.channel)
                    await publisher.greet()
                    self._publisher = publisher
            return self._publisher

    async def _close_publishing_connection(self) -> None:
        kept, self._publishing_connection, self._publisher = self._publishing_connection, None, None
        if kept is None:
            return
        client, connection = kept
        link.abort(connection)
        try:
            await connection.disconnect(nowait=True)
            await client.connection_pool.release(connection)
        except Exception as exc:
            self._get_logger().debug("a broken connection was closed: %r", exc)

    # --- inwards

    def _batches(self) -> AsyncGenerator[Sequence[Any], None]:
        own = {"_listen": AsyncRedisManager._listen}
        own["_redis_listen_with_retries"] = AsyncRedisManager._redis_listen_with_retries
        if any(self._is_overridden(name, method) for name, method in own.items()):
            return super()._batches()
        return self._listen_with_retries()

    async def _listen(self) -> AsyncIterator[Any]:
        """Yield what is published. Applications may override it."""
        names = (self.channel, self.channel.encode())  # text when redis_options say decode_responses
        async for message in self._redis_listen_with_retries():
            if message["channel"] in names and message["type"] == "message" and "data" in message:
                yield message["data"]

    async def _redis_listen_with_retries(self) -> AsyncIterator[dict[str, Any]]:
        """Yield messages as the redis package gives them. Applications may override it."""
        async for batch in self._listen_with_retries():
            for payload in batch:
                yield {"type": "message", "pattern": None, "channel": self.channel.encode(), "data": payload}

    async def _subscribe_and_read(self) -> AsyncGenerator[Sequence[Any], None]:
        await self._connect()
        self._subscription = self.pubsub
        async with asyncio.timeout(SUBSCRIBE_TIMEOUT):
            await self.pubsub.subscribe(self.channel)
        self._asked()
        found = link.streams(self._subscription.connection)
        if found is not None:
            async for batch in link.subscription(found[0], self.channel, self._subscribed):
                yield batch
            return
        self._subscribed()
        async for message in self._subscription.listen():
            if message["type"] == "message":
                yield (message["data"],)

    async def _unsubscribe(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is None:
            return
        self.connected = False  # the next one is made anew
        link.abort(subscription.connection)
        try:
            await subscription.aclose()
        except Exception as exc:
            self._get_logger().debug("a broken subscription was closed: %r", exc)

    async def _close_publisher(self) -> None:
        self.connected = False
        await self._close_publishing_connection()
        client, self.redis = self.redis, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await self._let_go(client, True)

    async def _let_go(self, client: Any, wholly: bool) -> None:
        """Close the connections of a client, those to sentinels too; unless `wholly`, not those that are in use."""
        pool = client.connection_pool
        sentinels = getattr(getattr(pool, "sentinel_manager", None), "sentinels", ())
        try:
            await pool.disconnect(inuse_connections=wholly)
            for sentinel in sentinels:
                await sentinel.connection_pool.disconnect()
        except Exception as exc:
            self._get_logger().debug("a broken connection was closed: %r", exc)

    def _after_fork(self) -> None:
        super()._after_fork()
        self.connected = False
        leave_to_parent(self.redis, self.pubsub, self._subscription, self._publisher, self._publishing_connection)
        self.redis = self.pubsub = self._subscription = self._publisher = self._publishing_connection = None


async def _take_connection(pool: Any) -> Any:
    """Give a connection for ourselves."""
    try:
        return await pool.get_connection()
    except TypeError:  # before redis-py 5.3
        return await pool.get_connection("PUBLISH")
