"""fastsio under the names `socketio` and `engineio`, for libraries that import those: `install()` and `uninstall()`.

May import: `borrowed`, and each public module when it is asked for. Never changes a module of python-socketio.
One finder, first in `sys.meta_path`, answers for both: with modules of fastsio where it has them, else borrowed ones.
"""

import importlib
import importlib.util
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import fastsio
from fastsio import borrowed

HOMES = {"socketio": "fastsio", "engineio": "fastsio.engineio"}

# What the two packages export, and their modules: rooms of fastsio that they do not have stay unseen.
EXPORTS = {
    "socketio": (
        "ASGIApp AsyncAioPikaManager AsyncClient AsyncClientNamespace AsyncManager AsyncNamespace AsyncRedisManager"
        " AsyncServer AsyncSimpleClient Client ClientNamespace KafkaManager KombuManager Manager Middleware Namespace"
        " PubSubManager RedisManager Server SimpleClient WSGIApp ZmqManager get_tornado_handler"
    ).split(),
    "engineio": "ASGIApp AsyncClient AsyncServer Client Middleware Server WSGIApp get_tornado_handler".split(),
}
MODULES = {
    "socketio": (
        "admin asgi async_admin async_aiopika_manager async_client async_manager async_namespace async_pubsub_manager"
        " async_redis_manager async_server async_simple_client base_client base_manager base_namespace base_server"
        " client exceptions kafka_manager kombu_manager manager middleware msgpack_packet namespace packet"
        " pubsub_manager redis_manager server simple_client tornado zmq_manager"
    ).split(),
    "engineio": (
        "async_client async_drivers async_server async_socket base_client base_server base_socket client exceptions"
        " json middleware packet payload server socket static_files"
    ).split(),
}
# Homes that are not where the name says.
ELSEWHERE = {"engineio.async_drivers.asgi": "fastsio.engineio.asgi"}
# Fastsio's are for jobs and scripts: a synchronous Server, which is python-socketio's, needs python-socketio's managers.
OF_SYNCHRONOUS_SERVER = {"socketio.pubsub_manager", "socketio.redis_manager", "PubSubManager", "RedisManager"}

logger = logging.getLogger("fastsio")


@dataclass(frozen=True)
class Report:
    """What `install()` did.

    Attributes:
        replaced: modules of python-socketio and python-engineio that had been imported, and are hidden now.
        held: module -> its names that still are python-socketio's, because it imported them before.
        borrowed: version of the python-socketio that gives what fastsio lacks; None when it is not installed.
    """

    replaced: tuple[str, ...]
    held: dict[str, tuple[str, ...]]
    borrowed: str | None

    def __str__(self) -> str:
        lender = f"clients and the synchronous Server are python-socketio {self.borrowed}'s"
        if self.borrowed is None:
            lender = f"python-socketio is not installed, so there are no clients ({borrowed.INSTALL_HINT})"
        hidden = f"; {len(self.replaced)} modules imported earlier are hidden" if self.replaced else ""
        return f"socketio and engineio are fastsio {fastsio.__version__} now; {lender}{hidden}"


def install() -> Report:
    """Put fastsio in the place of `socketio` and `engineio`, with all their submodules, for later imports.

    Call it before anything imports those; who did already keeps what it has, and is named in a warning. Calling it
    again changes nothing.

    Example:
        import fastsio

        fastsio.install()

        import nicegui
    """
    global _alias
    if _alias is None:
        _alias = _Alias()
        logger.info("%s", _alias.report)
        if _alias.report.held:
            warnings.warn(_late(_alias.report.held), RuntimeWarning, stacklevel=2)
    return _alias.report


def uninstall() -> None:
    """Undo `install()`: later imports get python-socketio, as if nothing had been."""
    global _alias
    if _alias is not None:
        _alias.remove()
        _alias = None


def _late(held: dict[str, tuple[str, ...]]) -> str:
    holders = "; ".join(f"{module} ({', '.join(names)})" for module, names in sorted(held.items()))
    return (
        f"socketio was imported before fastsio.install(). These keep python-socketio's: {holders}. "
        "Call install() before they are imported, or start with: python -m fastsio patch -- python ..."
    )


class _Alias(borrowed.OwnFinder):
    """One installation: the finder, what it hid, and what it has to put back."""

    def __init__(self) -> None:
        self.hidden = {name: module for name, module in sys.modules.items() if _is_ours(name)}
        self.open_modules: dict[str, tuple[ModuleType, Any]] = {}
        self.report = Report(tuple(self.hidden), _holders(self.hidden), _version())
        for name in self.hidden:
            del sys.modules[name]
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Put everything back."""
        sys.meta_path.remove(self)
        for name in [name for name in sys.modules if _is_ours(name)]:
            self._unhang(name, sys.modules.pop(name))
        for module, fallback in reversed(self.open_modules.values()):
            _set_fallback(module, fallback)
        sys.modules.update(self.hidden)

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not _is_ours(fullname):
            return None
        if fullname in HOMES:
            return ModuleSpec(fullname, _Facade(self), is_package=True)
        return ModuleSpec(fullname, _HandOn(self))

    def module(self, name: str) -> ModuleType:
        """Give the module that stands for one of python-socketio's: fastsio's, else python-socketio's own."""
        home = _home(name)
        if home is None:
            return borrowed.module(name)
        module = importlib.import_module(home)
        if self in sys.meta_path and name not in self.open_modules:
            self._open(name, module)
        return module

    def _open(self, name: str, module: ModuleType) -> None:
        """Let a module of ours fall back on python-socketio's for what it lacks, for as long as we are installed."""
        own = vars(module).get("__getattr__")
        self.open_modules[name] = (module, own)
        _set_fallback(module, _fallback(name, own))

    def _unhang(self, name: str, module: ModuleType) -> None:
        """Take a borrowed module off a package of ours, where importing it has hung it."""
        parent, _, child = name.rpartition(".")
        package = sys.modules.get(_home(parent) or "") if parent and parent not in HOMES else None
        if package is not None and vars(package).get(child) is module and module.__name__.startswith(borrowed.PREFIX):
            delattr(package, child)


class _Facade(Loader):
    """Makes the module `socketio` or `engineio` itself: names are looked up in fastsio, then in python-socketio."""

    def __init__(self, alias: _Alias) -> None:
        self.alias = alias

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        own = importlib.import_module(HOMES[name])
        exported = [attr for attr in EXPORTS[name] if borrowed.is_installed() or attr in vars(own)]

        def find(attr: str) -> Any:
            if attr in MODULES[name]:
                return self.alias.module(f"{name}.{attr}")
            if attr in EXPORTS[name] and not _is_of_synchronous_server(attr):
                try:
                    return getattr(own, attr)
                except AttributeError:
                    pass
            return borrowed.attribute(name, attr)

        vars(module).update(
            __doc__=f"fastsio in the place of python-{name}; see `fastsio.install`.",
            __all__=exported,
            __getattr__=find,
            __dir__=lambda: sorted({*vars(module), *exported, *MODULES[name]}),
        )


class _HandOn(Loader):
    """Makes a submodule: not a module of its own, but the one that fastsio or python-socketio has."""

    def __init__(self, alias: _Alias) -> None:
        self.alias = alias

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = self.alias.module(module.__name__)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in HOMES


def _is_of_synchronous_server(name: str) -> bool:
    return name in OF_SYNCHRONOUS_SERVER and borrowed.is_installed()


def _home(name: str) -> str | None:
    """Give the name of fastsio's module for one of python-socketio's, None when fastsio has none."""
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    if _is_of_synchronous_server(name):
        return None
    package, _, rest = name.partition(".")
    if rest.partition(".")[0] not in MODULES[package]:
        return None
    home = f"{HOMES[package]}.{rest}"
    try:
        return home if importlib.util.find_spec(home) is not None else None
    except ModuleNotFoundError:
        return None


def _fallback(name: str, own: Callable[[str], Any] | None) -> Callable[[str], Any]:
    def find(attr: str) -> Any:
        if own is not None:
            try:
                return own(attr)
            except AttributeError:
                pass
        return borrowed.attribute(name, attr)

    return find


def _set_fallback(module: ModuleType, fallback: Callable[[str], Any] | None) -> None:
    if fallback is None:
        vars(module).pop("__getattr__", None)
    else:
        vars(module)["__getattr__"] = fallback


def _version() -> str | None:
    from importlib import metadata

    try:
        return metadata.version("python-socketio") if borrowed.is_installed() else None
    except metadata.PackageNotFoundError:
        return "of unknown version"


def _holders(hidden: dict[str, ModuleType]) -> dict[str, tuple[str, ...]]:
    """Give who holds modules, classes or instances of the modules that are being hidden."""
    held = {}
    for module_name, module in list(sys.modules.items()):
        if module_name in hidden or module_name.partition(".")[0] == "fastsio" or module_name == "__mp_main__":
            continue
        names = tuple(name for name, value in _contents(module) if _is_from(value, hidden))
        if names:
            held[module_name] = names
    return held


def _contents(module: Any) -> Iterator[tuple[str, Any]]:
    if issubclass(type(module), ModuleType):
        yield from list(vars(module).items())


def _is_from(value: Any, hidden: dict[str, ModuleType]) -> bool:
    if type(value) is ModuleType:
        return any(value is module for module in hidden.values())
    # Never isinstance(): it asks the value for its class, and a lazy stand-in would make its object now, or fail.
    kind = value if issubclass(type(value), type) else type(value)
    source = hidden.get(getattr(kind, "__module__", None) or "")
    return source is not None and vars(source).get(kind.__name__) is kind


_alias: _Alias | None = None
