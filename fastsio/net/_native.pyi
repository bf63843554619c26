from typing import Any

MAX_LENGTH: int

def route_of(config: Any) -> Any: ...

class NativeConnection:
    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None: ...
