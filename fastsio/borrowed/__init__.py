"""python-socketio's own modules, for the names that fastsio lacks: its clients, its synchronous server.

May import: `exceptions`, `engineio.exceptions`, `engineio.payload`. Loads nothing before it is asked to, and never
touches the names `socketio` and `engineio`: its modules are copies, `fastsio.borrowed.socketio` and
`fastsio.borrowed.engineio`.

Copies, because they have to work whoever owns the public names by now, and because they raise *fastsio's* exceptions:
`except exceptions.ConnectionError` around a client's `connect()` must hit, and only one class can be meant by that.
"""

import builtins
import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

PREFIX = __name__ + "."
PACKAGES = ("socketio", "engineio")
INSTALL_HINT = "pip install 'fastsio-engine[client]'"

# Submodules are found by the finder below only.
__path__[:] = []


class OwnFinder(MetaPathFinder):
    """Base of fastsio's finders, which are passed over in the search for the real python-socketio."""


def is_installed() -> bool:
    """Tell whether python-socketio is there to be borrowed from."""
    return all(_real_spec(package) is not None for package in PACKAGES)


def module(name: str) -> ModuleType:
    """Give the copy of a module, "socketio.client" for example.

    Raises:
        ImportError: python-socketio is not installed, or has no such module.
    """
    if not is_installed():
        raise ModuleNotFoundError(_hint(name), name=name)
    try:
        return importlib.import_module(PREFIX + name)
    except ModuleNotFoundError as exc:
        if exc.name != PREFIX + name:
            raise
        raise ModuleNotFoundError(f"No module named {name!r}", name=name) from None


def attribute(name: str, attr: str) -> Any:
    """Give what a module of python-socketio has under a name, for a module's `__getattr__`.

    Args:
        name: of the module.
        attr: that was asked for.

    Raises:
        AttributeError: it has no such attribute.
        ImportError: it is not installed.
    """
    if attr.startswith("__"):
        raise AttributeError(f"module {name!r} has no attribute {attr!r}")
    if is_installed():
        try:
            return getattr(module(name), attr)
        except AttributeError:
            raise AttributeError(f"module {name!r} has no attribute {attr!r}") from None
    raise ImportError(_hint(f"{name}.{attr}"), name=name)


def _hint(name: str) -> str:
    return f"{name} is python-socketio's, which is not installed: {INSTALL_HINT}"


def _real_spec(name: str, path: Sequence[str] | None = None) -> ModuleSpec | None:
    """Give where the rest of the interpreter would find a module, whatever is in `sys.modules`."""
    for finder in sys.meta_path:
        if isinstance(finder, OwnFinder):
            continue
        try:
            spec = finder.find_spec(name, path)
        except ImportError:
            return None
        if spec is not None:
            # A lone socketio.py is somebody's program.
            return spec if path is not None or spec.submodule_search_locations is not None else None
    return None


class _Finder(OwnFinder):
    """Finds `fastsio.borrowed.<name>` where `<name>` is."""

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        name = fullname.removeprefix(PREFIX)
        package, _, rest = name.partition(".")
        if name == fullname or package not in PACKAGES:
            return None
        real = _real_spec(name, _real_path(fullname.rpartition(".")[0]) if rest else None)
        if real is None:
            return None
        # A package's path stays empty, or the ordinary finders would find its modules before we do.
        is_package = real.submodule_search_locations is not None
        spec = ModuleSpec(fullname, _Copy(real), origin=real.origin, is_package=is_package)
        spec.has_location = real.has_location
        return spec


def _real_path(copy: str) -> list[str] | None:
    """Give where the modules of a package are that there is a copy of."""
    loader = getattr(sys.modules[copy].__spec__, "loader", None)
    return loader.real.submodule_search_locations if isinstance(loader, _Copy) else None


class _Copy(Loader):
    """Runs the code of a module in a copy whose imports of the two packages lead to copies again."""

    def __init__(self, real: ModuleSpec) -> None:
        self.real = real

    def exec_module(self, module: ModuleType) -> None:
        code = self.real.loader.get_code(self.real.name)  # type: ignore[union-attr]
        # Functions keep these builtins, so that imports inside of them are led the same way, whenever they run.
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import}
        exec(code, module.__dict__)
        _share(self.real.name, module)


def _import(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    package = name.partition(".")[0]
    if level or package not in PACKAGES:
        return builtins.__import__(name, globals, locals, fromlist, level)
    if fromlist:
        return builtins.__import__(PREFIX + name, globals, locals, fromlist, 0)
    importlib.import_module(PREFIX + name)
    return sys.modules[PREFIX + package]


def _share(name: str, module: ModuleType) -> None:
    """Let a copy have what must be one and the same in fastsio and in python-socketio."""
    from fastsio import exceptions
    from fastsio.engineio import exceptions as engineio_exceptions
    from fastsio.engineio import payload

    if name == "socketio.exceptions":
        vars(module).update(_exceptions(exceptions))
    elif name == "engineio.exceptions":
        vars(module).update(_exceptions(engineio_exceptions))
    elif name == "engineio.payload":
        # Applications assign the limit to the class that they can see.
        module.Payload.max_decode_packets = property(lambda self: payload.Payload.max_decode_packets)


def _exceptions(module: ModuleType) -> dict[str, type[Exception]]:
    return {name: value for name, value in vars(module).items() if isinstance(value, type)}


sys.meta_path.append(_Finder())
