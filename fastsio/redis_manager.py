"""Emitting to a cluster over Redis or Valkey from jobs and scripts without an event loop.

May import: `pubsub_manager`. Home of what a Redis URL means, for the asyncio manager too.
"""

import importlib
from typing import Any
from urllib.parse import urlparse

from fastsio.cluster import messages
from fastsio.errors import EventTooLargeError
from fastsio.pubsub_manager import PubSubManager

# URL scheme, without "+sentinel" -> packages that serve it, in order of preference.
DRIVERS = {
    "redis": ("redis",),
    "rediss": ("redis",),
    "valkey": ("valkey",),
    "valkeys": ("valkey",),
    "unix": ("redis", "valkey"),
}
SENTINEL_SCHEMES = ("redis+sentinel", "valkey+sentinel")
CONNECT_TIMEOUT = 5.0
# A Redis that says nothing for this long, to an emitter without a loop that waits for its answer.
ANSWER_TIMEOUT = 10.0
# A sentinel that says nothing for this long: the next one is asked.
SENTINEL_TIMEOUT = 1.0


def parse_redis_sentinel_url(url: str) -> tuple[list[tuple[str, int]], str | None, dict[str, Any]]:
    """Give (sentinels, name of the service, connection options) of a sentinel URL.

    The form is ``redis+sentinel://[user][:password]@host1:port1,host2:port2/db/service``.

    Raises:
        ValueError: it is no such URL, or a host has no port.
    """
    parts = urlparse(url)
    if parts.scheme not in SENTINEL_SCHEMES:
        raise ValueError("Invalid Redis Sentinel URL")
    sentinels = []
    for address in parts.netloc.rpartition("@")[2].split(","):
        host, _, port = address.rpartition(":")
        if not host:
            raise ValueError(f"Invalid Redis Sentinel URL: {address!r} has no port")
        sentinels.append((host, int(port)))
    options: dict[str, Any] = {}
    if parts.username:
        options["username"] = parts.username
    if parts.password:
        options["password"] = parts.password
    _, _, path = parts.path.partition("/")
    db, _, service = path.partition("/")
    if db:
        options["db"] = int(db)
    return sentinels, service.partition("/")[0] or None, options


def load_driver(url: str, suffix: str = "") -> Any:
    """Give the package that serves a URL; `suffix` names a module in it.

    Raises:
        ValueError: the scheme is unknown.
        RuntimeError: the package is not installed.
    """
    scheme = urlparse(url).scheme.partition("+")[0].lower()
    if scheme not in DRIVERS:
        raise ValueError(f"Unsupported Redis URL scheme: {scheme}")
    for package in DRIVERS[scheme]:
        try:
            return importlib.import_module(package + suffix)
        except ImportError:
            continue
    package = DRIVERS[scheme][0]
    hint = f'(Run "pip install {package}" in your virtualenv)'
    raise RuntimeError(f"{package.capitalize()} package is not installed {hint}.")


def client_options(driver: Any, url: str, answer_timeout: float | None, options: dict[str, Any]) -> dict[str, Any]:
    """Give the options for a client: limits of time, and no attempts of its own, since those are a manager's affair.

    Args:
        answer_timeout: seconds that a connection may be silent; None for one that waits for events.
        options: the application's, which come before ours.
    """
    package = driver.__name__.partition(".")[0]
    never = importlib.import_module(f"{package}.backoff").NoBackoff()
    ours: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "socket_timeout": answer_timeout,
        "retry": importlib.import_module(f"{driver.__name__}.retry").Retry(never, 0),
    }
    if urlparse(url).scheme != "unix":
        ours["socket_keepalive"] = True
    return {**ours, **options}


def open_client(driver: Any, url: str, options: dict[str, Any], channel: str) -> Any:
    """Give a client for a URL, sentinel URLs included; it connects when first used."""
    if urlparse(url).scheme not in SENTINEL_SCHEMES:
        return driver.Redis.from_url(url, **options)
    sentinels, service, from_url = parse_redis_sentinel_url(url)
    options = {**options, "sentinel_kwargs": _sentinel_options(options)}
    sentinel = driver.sentinel.Sentinel(sentinels, **{**options, **from_url})
    return sentinel.master_for(service or channel)


def _sentinel_options(options: dict[str, Any]) -> dict[str, Any]:
    """Give the options for asking sentinels, of which some may be dead: quickly, and each once."""
    timeouts = {"socket_connect_timeout": SENTINEL_TIMEOUT, "socket_timeout": SENTINEL_TIMEOUT}
    return {**timeouts, "retry": options["retry"], **options.get("sentinel_kwargs", {})}


def check_client(client: Any, options: dict[str, Any]) -> None:
    """Make a connection object, without connecting: the package looks at options no earlier.

    Raises:
        ValueError: an option, in `options` or in the URL, is none, or has a value that is not accepted.
    """
    try:
        client.connection_pool.make_connection()
    except Exception as exc:
        raise ValueError(f"redis_options {sorted(options)}, or those in the URL, are not accepted: {exc}") from exc


class RedisManager(PubSubManager):
    """Emits to the clients of a cluster over Redis or Valkey.

    Args:
        url: ``redis://``, ``rediss://``, ``valkey://``, ``valkeys://``, ``unix://`` or ``redis+sentinel://``.
        channel: name of the channel; the same on all nodes.
        write_only: kept for python-socketio's applications.
        logger: logger to use.
        json: module to write messages with.
        redis_options: options for the client of the redis package.

    Example:
        fastsio.RedisManager("redis://", write_only=True).emit("done", {"job": 7}, room="user-1")
    """

    name = "redis"
    max_message_size: int = 16 * 1024 * 1024

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

    def _redis_connect(self) -> None:
        driver = load_driver(self.redis_url)
        options = client_options(driver, self.redis_url, ANSWER_TIMEOUT, self.redis_options)
        if self.redis is None:
            check_client(open_client(driver, self.redis_url, options, self.channel), self.redis_options)
        self.redis = open_client(driver, self.redis_url, options, self.channel)
        self.pubsub = self.redis.pubsub(ignore_subscribe_messages=True)
        self.connected = True

    def _publish(self, data: dict[str, Any]) -> Any:
        """Publish one message; tried twice, then counted as dropped and logged, as python-socketio has it.

        Raises:
            EventTooLargeError: Redis would disconnect its subscribers over it.
            RuntimeError: the package for the URL is not installed.
            ValueError: the URL or `redis_options` are wrong.
        """
        payload = messages.encode(data, self._serializer)
        if len(payload) > self.max_message_size:
            self.health.refused += 1
            raise EventTooLargeError(str(data.get("event")), len(payload), self.max_message_size)
        for is_last in (False, True):
            try:
                if not self.connected:
                    self._redis_connect()
                result = self.redis.publish(self.channel, payload)
            except (ValueError, RuntimeError):
                raise  # the URL or the installation is wrong: no attempt will succeed
            except Exception as exc:
                self.connected = False
                if is_last:
                    self.health.dropped += 1
                    self._publishing.down(self._get_logger(), exc)
            else:
                self.health.published += 1
                self._publishing.up(self._get_logger())
                return result
        return None

    def _after_fork(self) -> None:
        super()._after_fork()
        self.connected = False
        self.redis = self.pubsub = None
