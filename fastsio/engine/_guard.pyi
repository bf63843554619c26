from typing import final

@final
class Guard:
    is_draining: bool
    def left(self, address: str) -> int: ...
