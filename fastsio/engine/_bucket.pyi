from typing import final

@final
class Bucket:
    def take(self, amount: float, rate: float, burst: float, now: float) -> bool: ...
