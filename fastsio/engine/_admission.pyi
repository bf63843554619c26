from typing import Any

from fastsio._http import Exchange
from fastsio.engine._session import Session
from fastsio.engine.registry import Registry

MAX_LOGGED: int
UNSUPPORTED: str

def admit(registry: Registry, exchange: Exchange) -> Session | None: ...
def cookie_headers(cookie: Any, sid: str) -> list[tuple[bytes, bytes]]: ...
