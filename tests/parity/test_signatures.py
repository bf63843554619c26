"""Every public name of python-socketio's and python-engineio's servers against ours: there, callable the same way.

May import: the table of deviations. Same parameters (more only as keywords, or at the end with a default), the same
coroutine nature, the same ancestors.
"""

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from deviations.signatures import SIGNATURES

PACKAGES = {"socketio": "fastsio", "engineio": "fastsio.engineio"}
# Modules that applications import by path (contract 1.3), and what they take from them.
MODULES: dict[str, tuple[str, ...]] = {
    "socketio": (
        "ASGIApp",
        "AsyncAioPikaManager",
        "AsyncManager",
        "AsyncNamespace",
        "AsyncRedisManager",
        "AsyncServer",
    ),
    "socketio.asgi": ("ASGIApp",),
    "socketio.async_admin": ("EventBuffer", "InstrumentedAsyncServer"),
    "socketio.async_aiopika_manager": ("AsyncAioPikaManager",),
    "socketio.async_manager": ("AsyncManager",),
    "socketio.async_namespace": ("AsyncNamespace",),
    "socketio.async_pubsub_manager": ("AsyncPubSubManager",),
    "socketio.async_redis_manager": ("AsyncRedisManager",),
    "socketio.async_server": ("AsyncServer",),
    "socketio.base_manager": ("BaseManager",),
    "socketio.base_namespace": ("BaseNamespace", "BaseServerNamespace"),
    "socketio.base_server": ("BaseServer",),
    "socketio.exceptions": (
        "BadNamespaceError",
        "ConnectionError",
        "ConnectionRefusedError",
        "DisconnectedError",
        "SocketIOError",
        "TimeoutError",
    ),
    "socketio.msgpack_packet": ("MsgPackPacket",),
    "socketio.packet": ("Packet",),
    "socketio.redis_manager": ("parse_redis_sentinel_url",),
    "engineio": ("ASGIApp", "AsyncServer"),
    "engineio.async_drivers.aiohttp": (),
    "engineio.async_drivers.asgi": ("ASGIApp",),
    "engineio.async_server": ("AsyncServer",),
    "engineio.async_socket": ("AsyncSocket",),
    "engineio.base_server": ("BaseServer",),
    "engineio.exceptions": (
        "ConnectionError",
        "ContentTooLongError",
        "EngineIOError",
        "QueueEmpty",
        "SocketIsClosedError",
        "UnknownPacketError",
    ),
    "engineio.json": ("dumps", "loads"),
    "engineio.packet": ("Packet",),
    "engineio.payload": ("Payload",),
    "engineio.static_files": ("get_static_file",),
}
# Names with an underscore that applications call, override or replace (contract 5).
PRIVATE = {
    "socketio.async_server.AsyncServer": (
        "_engineio_server_class",
        "_handle_eio_connect",
        "_handle_eio_message",
        "_send_eio_packet",
        "_send_packet",
        "_trigger_event",
    ),
    "socketio.async_namespace.AsyncNamespace": ("_set_server",),
    "socketio.async_pubsub_manager.AsyncPubSubManager": ("_listen", "_publish", "_thread"),
    "engineio.async_socket.AsyncSocket": ("_send_ping", "_websocket_handler"),
}


def named(package: str, path: str) -> Any:
    """Give what a dotted path below a package means; AttributeError or ImportError when there is no such thing."""
    parts = path.split(".")
    for size in range(len(parts), -1, -1):
        try:
            found = importlib.import_module(".".join([package, *parts[:size]]))
        except ModuleNotFoundError:
            continue
        for name in parts[size:]:
            found = inspect.getattr_static(found, name) if inspect.isclass(found) else getattr(found, name)
        return found
    raise ImportError(path)


def theirs(path: str) -> Any:
    package, _, rest = path.partition(".")
    return named(package, rest) if rest else importlib.import_module(package)


def ours(path: str) -> Any:
    package, _, rest = path.partition(".")
    return named(PACKAGES[package], rest) if rest else importlib.import_module(PACKAGES[package])


def members(cls: type) -> Iterator[str]:
    """Give the public methods and class attributes that a class and its ancestors define."""
    for name in sorted(set(dir(cls)) - set(dir(Exception if issubclass(cls, Exception) else object))):
        if not name.startswith("_"):
            yield name


def paths() -> Iterator[str]:
    """Give the path of everything that is compared; the members of a class where it is at home."""
    for module, names in MODULES.items():
        yield module
        for name in names:
            path = f"{module}.{name}"
            yield path
            if "." in module and inspect.isclass(found := theirs(path)):
                yield from (f"{path}.{member}" for member in (*members(found), *PRIVATE.get(path, ())))


@pytest.mark.parametrize("path", list(paths()))
def test_same(path: str):
    reference = theirs(path)
    try:
        problems = list(differences(reference, ours(path)))
    except (ImportError, AttributeError) as error:
        problems = [f"missing: {error}"]
    entry = SIGNATURES.get(path)
    assert problems == ([] if entry is None else entry.becomes)


def test_entries_are_compared():
    assert set(SIGNATURES) <= set(paths())


def differences(reference: Any, found: Any) -> Iterator[str]:
    """Say how a module, class, function, property or constant of ours is not what the reference's is."""
    reference, found = unwrapped(reference), unwrapped(found)
    if inspect.isclass(reference):
        yield from differences_of_classes(reference, found)
    elif inspect.isfunction(reference):
        if inspect.iscoroutinefunction(reference) != inspect.iscoroutinefunction(found):
            yield f"coroutine function: {inspect.iscoroutinefunction(found)}"
        yield from differences_of_parameters(reference, found)
    elif not callable(reference) and callable(found):
        yield "callable"


def unwrapped(thing: Any) -> Any:
    return thing.__func__ if isinstance(thing, (staticmethod, classmethod)) else thing


def differences_of_classes(reference: type, found: Any) -> Iterator[str]:
    if not inspect.isclass(found):
        yield f"not a class: {type(found).__name__} {getattr(found, '__name__', '')}"
        return
    ancestors = {cls.__name__ for cls in found.__mro__}
    if missing := [cls.__name__ for cls in reference.__mro__[1:] if cls.__name__ not in ancestors]:
        yield f"not a subclass of {missing}"
    if reference.__init__ is not object.__init__ and "__init__" in reference.__dict__:
        yield from differences_of_parameters(reference.__init__, found.__init__)


def differences_of_parameters(reference: Any, found: Any) -> Iterator[str]:
    """Compare names, order, kinds and defaults."""
    wanted, given = parameters_of(reference), parameters_of(found)
    order = [parameter.name for parameter in given if parameter.name in {one.name for one in wanted}]
    if order != [parameter.name for parameter in wanted]:
        yield f"parameters: {', '.join(str(parameter).partition(':')[0] for parameter in given)}"
        return
    by_name = {parameter.name: parameter for parameter in given}
    for parameter in wanted:
        mine = by_name[parameter.name]
        if mine.kind is not parameter.kind or not same_default(mine.default, parameter.default):
            yield f"{mine.name}: {mine.kind.description}, default {mine.default!r}"
    yield from additions(wanted, given)


def parameters_of(function: Any) -> list[inspect.Parameter]:
    """Give the parameters; what `*args` and `**kwargs` are called is nobody's concern."""
    names = {inspect.Parameter.VAR_POSITIONAL: "args", inspect.Parameter.VAR_KEYWORD: "kwargs"}
    parameters = inspect.signature(function).parameters.values()
    return [parameter.replace(name=names.get(parameter.kind, parameter.name)) for parameter in parameters]


def additions(wanted: list[inspect.Parameter], given: list[inspect.Parameter]) -> Iterator[str]:
    """Say which parameters the reference has not, and that a caller of the reference would stumble over."""
    names = [parameter.name for parameter in wanted]
    positional = [one.name for one in wanted if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    for index, parameter in enumerate(given):
        if parameter.name in names or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if parameter.kind is not parameter.KEYWORD_ONLY and index < len(positional):
            yield f"{parameter.name} comes before {positional[-1]}"
        elif parameter.default is parameter.empty:
            yield f"{parameter.name} has no default"


def same_default(mine: Any, reference: Any) -> bool:
    return mine is reference or mine == reference
