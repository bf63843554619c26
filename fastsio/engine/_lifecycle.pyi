from enum import IntFlag

from fastsio.engine._wheel import Timed
from fastsio.options import Options

class State(IntFlag):
    OPENING = 0
    LIVE = 1
    LINGERING = 2
    CLOSED = 3

class LinkKind(IntFlag):
    POLLING = 0
    WEBSOCKET = 1

class Verdict(IntFlag):
    IGNORE = 0
    DELIVER = 1
    ANSWER_PONG = 2
    ANSWER_PROBE = 3
    SWITCH = 4
    REFUSE_LINK = 5
    PEER_CLOSED = 6
    VIOLATION = 7

class Due(IntFlag):
    NOTHING = 0
    SEND_PING = 1
    PING_TIMEOUT = 2
    PROBE_TIMEOUT = 3
    JOIN_TIMEOUT = 4
    LINGER_TIMEOUT = 5

class Lifecycle(Timed):
    @property
    def version(self) -> int: ...
    @property
    def state(self) -> int: ...
    @property
    def kind(self) -> int: ...
    @property
    def probing(self) -> bool: ...
    def __init__(self, version: int) -> None: ...
    def open(self, kind: LinkKind, must_join: bool, now: float, options: Options) -> None: ...
    def on_packet(self, type: int, now: float, options: Options) -> Verdict: ...
    def on_probe_packet(self, type: int) -> Verdict: ...
    def begin_probe(self, now: float, options: Options) -> None: ...
    def end_probe(self) -> None: ...
    def switch(self) -> None: ...
    def joined(self) -> None: ...
    def linger(self, now: float, options: Options) -> None: ...
    def on_time(self, now: float, options: Options) -> Due: ...
    def next_due(self) -> float: ...
