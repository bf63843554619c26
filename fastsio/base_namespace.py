"""What every class-based namespace is, asyncio or not.

May import: `borrowed`, for the namespaces of clients.
"""

from typing import Any

from fastsio import borrowed


class BaseNamespace:
    """Handlers as a class.

    Args:
        namespace: the namespace, "/" when None.
    """

    def __init__(self, namespace: str | None = None) -> None:
        self.namespace = namespace or "/"

    def is_asyncio_based(self) -> bool:
        return False


class BaseServerNamespace(BaseNamespace):
    """Handlers of a server as a class."""

    def __init__(self, namespace: str | None = None) -> None:
        super().__init__(namespace)
        self.server: Any = None

    def _set_server(self, server: Any) -> None:
        self.server = server

    def rooms(self, sid: str, namespace: str | None = None) -> list[Any]:
        """As the server's `rooms`, in this namespace."""
        rooms: list[Any] = self.server.rooms(sid, namespace=namespace or self.namespace)
        return rooms


def __getattr__(name: str) -> Any:
    if name != "BaseClientNamespace":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return borrowed.attribute("socketio.base_namespace", name)
