"""How a handler is called. Its arity is read from its signature, once.

May import: nothing of ours. Never touches bytes.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any


async def call(handler: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a plain or coroutine handler; whatever can be awaited is awaited."""
    result = handler(*args)
    return await result if inspect.isawaitable(result) else result


async def call_lifecycle(handler: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a connect or disconnect handler with as many of `args` as it takes: older forms take one less."""
    return await call(handler, args[: positional_capacity(handler)])


def positional_capacity(handler: Callable[..., Any]) -> int | None:
    """Give how many positional arguments a callable takes; None for any number, or when nobody can tell."""
    try:
        return _capacity(getattr(handler, "__func__", handler), hasattr(handler, "__func__"))
    except TypeError:  # not hashable
        return _capacity.__wrapped__(handler, False)


@functools.lru_cache(maxsize=1024)
def _capacity(function: Callable[..., Any], is_method: bool) -> int | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in kinds for parameter in parameters) - is_method


async def acknowledge(server: Any, callback: Callable[..., Any], data: list[Any]) -> None:
    """Tell a callback of the ack it waited for."""
    try:
        await call(callback, tuple(data))
    except Exception:
        server.logger.exception("an acknowledgement callback raised")


async def acknowledge_by_manager(server: Any, sid: str, id: int, data: list[Any]) -> None:
    """Let the manager tell who waits for an ack: its class has its own way."""
    try:
        await server.manager.trigger_callback(sid, id, data)
    except Exception:
        server.logger.exception("an acknowledgement callback raised")
