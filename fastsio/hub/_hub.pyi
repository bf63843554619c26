from collections.abc import Awaitable, Callable
from typing import Any, Final, final

from fastsio.engine._outbox import Prepared
from fastsio.engine._session import Session
from fastsio.hub._durations import Durations
from fastsio.hub._rooms import Rooms

MAX_RUNNING: Final[int]

@final
class Hub:
    @property
    def server(self) -> Any: ...
    @property
    def rooms(self) -> Rooms: ...
    @property
    def serializer(self) -> Any: ...
    @property
    def packer(self) -> Any: ...
    tap: Any
    manager_takes_acks: bool
    manager_is_plain: bool
    manager_emits: bool
    max_running: int
    @property
    def durations(self) -> Durations | None: ...
    @property
    def received(self) -> int: ...
    emitted: int
    failed: int
    def __init__(self, server: Any, rooms: Rooms, serializer: Any, packer: Any = None) -> None: ...
    def watch(self) -> None: ...
    def emit(
        self,
        event: Any,
        data: Any,
        to: Any,
        room: Any,
        skip_sid: Any,
        namespace: str | None,
        callback: Callable[..., Any] | None,
        ignore_queue: bool,
        is_volatile: bool = False,
        latest: Any = None,
    ) -> Awaitable[None] | None: ...
    def owe(
        self,
        event: Any,
        data: Any,
        namespace: str,
        room: Any,
        skip_sid: Any,
        callback: Callable[..., Any] | None,
        manner: int = ...,
        key: Any = None,
    ) -> int: ...
    def owe_loosely(
        self, event: Any, data: Any, namespace: str, room: Any, skip_sid: Any, is_volatile: bool, latest: Any
    ) -> None: ...
    def post(self, session: Session, type: int, namespace: str, id: int | None, data: Any) -> int: ...
    def encode(self, type: int, namespace: str, id: int | None, data: Any) -> Prepared: ...
