from typing import final

@final
class Guard:
    is_draining: bool
    lag: float
    def left(self, address: str) -> int: ...
