"""A cluster over RabbitMQ.

May import: `async_broker_manager`, `cluster`. The aio_pika package is imported when a manager is made.
"""

import asyncio
import importlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlparse

from fastsio.async_broker_manager import AsyncBrokerManager
from fastsio.cluster.identity import leave_to_parent
from fastsio.cluster.outgoing import PartlySentError

SCHEMES = ("amqp", "amqps")
CONNECT_TIMEOUT = 5.0
SUBSCRIBE_TIMEOUT = 10.0
QUEUE_EXPIRES_MS = 300_000
PREFETCH = 100


class AsyncAioPikaManager(AsyncBrokerManager):
    """Shares events with other processes over a RabbitMQ fanout exchange.

    Args:
        url: of the broker.
        channel: name of the exchange; the same on all nodes.
        write_only: only emit; such a manager needs no server.
        logger: logger to use instead of the server's.
        json: module to write and read messages with; a server's own takes its place.

    Raises:
        RuntimeError: aio_pika is not installed.
    """

    name = "asyncaiopika"

    def __init__(
        self,
        url: str = "amqp://guest:guest@localhost:5672//",
        channel: str = "socketio",
        write_only: bool = False,
        logger: Any = None,
        json: Any = None,
    ) -> None:
        try:
            self._aio_pika: Any = importlib.import_module("aio_pika")
        except ImportError:
            raise RuntimeError(
                'aio_pika package is not installed (Run "pip install aio_pika" in your virtualenv).'
            ) from None
        super().__init__(channel=channel, write_only=write_only, logger=logger, json=json)
        self.url = url
        self.publisher_connection: Any = None
        self.publisher_channel: Any = None
        self.publisher_exchange: Any = None
        self._publisher_loop: asyncio.AbstractEventLoop | None = None
        self._opening = asyncio.Lock()
        self._listener_connection: Any = None

    # --- the steps of a connection, which applications may override

    async def _connection(self) -> Any:
        return await self._aio_pika.connect(self.url, timeout=CONNECT_TIMEOUT)

    async def _channel(self, connection: Any) -> Any:
        return await connection.channel()

    async def _exchange(self, channel: Any) -> Any:
        return await channel.declare_exchange(self.channel, self._aio_pika.ExchangeType.FANOUT)

    async def _queue(self, channel: Any, exchange: Any) -> Any:
        queue = await channel.declare_queue(durable=False, arguments={"x-expires": QUEUE_EXPIRES_MS})
        await queue.bind(exchange)
        return queue

    # --- outwards

    def _check(self) -> None:
        try:
            parts = urlparse(self.url)
            is_address = parts.scheme in SCHEMES and parts.port != 0
        except ValueError:  # the port is no number
            is_address = False
        if not is_address and not self._is_overridden("_connection", AsyncAioPikaManager._connection):
            raise ValueError("AsyncAioPikaManager: not the URL of a broker, such as amqp://user:password@host:5672//")

    async def _send(self, payloads: list[bytes]) -> None:
        taken = 0
        try:
            await self._connect_publisher()
            for payload in payloads:
                mode = self._aio_pika.DeliveryMode.PERSISTENT
                message = self._aio_pika.Message(body=payload, delivery_mode=mode)
                await self.publisher_exchange.publish(message, routing_key="*")
                taken += 1
        except BaseException as exc:
            had_connection = self.publisher_exchange is not None
            await self._close_publisher()
            if had_connection and isinstance(exc, Exception):
                raise PartlySentError(f"{type(exc).__name__}: {exc}", taken, True) from exc
            raise

    async def _connect_publisher(self) -> None:
        loop = asyncio.get_running_loop()
        if self._publisher_loop is not loop:
            self._publisher_loop, self._opening = loop, asyncio.Lock()
            self.publisher_exchange = None
        async with self._opening:
            if self.publisher_exchange is None:
                self.publisher_connection = await self._connection()
                self.publisher_channel = await self._channel(self.publisher_connection)
                self.publisher_exchange = await self._exchange(self.publisher_channel)

    async def _close_publisher(self) -> None:
        connection, self.publisher_connection = self.publisher_connection, None
        self.publisher_channel = self.publisher_exchange = None
        await self._close(connection)

    # --- inwards

    def _batches(self) -> AsyncGenerator[Sequence[Any], None]:
        is_overridden = self._is_overridden("_listen", AsyncAioPikaManager._listen)
        return super()._batches() if is_overridden else self._listen_with_retries()

    async def _listen(self) -> AsyncIterator[Any]:
        """Yield what is published. Applications may override it."""
        async for batch in self._listen_with_retries():
            for body in batch:
                yield body

    async def _subscribe_and_read(self) -> AsyncGenerator[Sequence[Any], None]:
        async with asyncio.timeout(SUBSCRIBE_TIMEOUT):
            self._listener_connection = await self._connection()
            channel = await self._channel(self._listener_connection)
            await channel.set_qos(prefetch_count=PREFETCH)
            queue = await self._queue(channel, await self._exchange(channel))
        self._asked()
        async with queue.iterator() as messages:
            self._subscribed()
            async for message in messages:
                async with message.process():
                    yield (message.body,)

    async def _unsubscribe(self) -> None:
        connection, self._listener_connection = self._listener_connection, None
        await self._close(connection)

    async def _close(self, connection: Any) -> None:
        """Close a connection that may be broken, or belong to a loop that is gone."""
        if connection is None:
            return
        try:
            async with asyncio.timeout(1.0):
                await connection.close()
        except Exception as exc:
            self._get_logger().debug("a broken connection was closed: %r", exc)

    def _after_fork(self) -> None:
        super()._after_fork()
        leave_to_parent(self.publisher_connection, self.publisher_channel, self.publisher_exchange)
        leave_to_parent(self._listener_connection)
        self.publisher_connection = self.publisher_channel = self.publisher_exchange = self._listener_connection = None
