from typing import Self, final

from fastsio.load._crowd import Crowd
from fastsio.load._histogram import Histogram
from fastsio.load.errors import LoadError
from fastsio.load.plan import Plan

KINDS: tuple[str, ...]

@final
class Load(Crowd):
    messages: int
    sent: int
    reordered: int
    spun_ns: int
    latency: Histogram
    delay: Histogram
    def __new__(cls, plan: Plan) -> Self: ...
    def begin(self) -> None: ...
    def measure(self, on: bool) -> None: ...
    def run(self, seconds: float) -> None: ...
    def silence(self, for_seconds: float) -> LoadError: ...
