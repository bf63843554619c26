from typing import Any, Final, final

@final
class Prepared:
    @property
    def size(self) -> int: ...
    @property
    def packets(self) -> int: ...
    def events(self, version: int, b64: bool) -> list[dict[str, Any]]: ...

@final
class Outbox:
    @property
    def size(self) -> int: ...
    @property
    def packets(self) -> int: ...

PING_PACKET: Final[Prepared]
PONG_PACKET: Final[Prepared]
PONG_PROBE_PACKET: Final[Prepared]
NOOP_PACKET: Final[Prepared]
CLOSE_PACKET: Final[Prepared]
