"""What belongs to a connection goes when the connection goes, without waiting for the garbage collector (T237)."""

import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from fuzz.seeds import conversations
from fuzz.sessions import Conversation
from fuzz.source import Source

PER_CONNECTION = {
    "Session",
    "Outbox",
    "Peer",
    "Member",
    "NativeConnection",
    "NativeExchange",
    "FrameReader",
    "PollingLink",
}


@pytest.fixture
def collected() -> Iterator[list[object]]:
    """What the collector would have had to free, from here on."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.threat("T237", "T250")
def test_connections_need_no_garbage_collector(collected: list[object]) -> None:
    opened = 0
    for seed in conversations():
        conversation = Conversation(Source(seed))
        conversation.run()
        opened += conversation.world.registry.counters["sessions_opened"]
    del conversation
    gc.collect()
    names = Counter(type(item).__name__ for item in collected if type(item).__module__.startswith("fastsio"))
    assert opened > 100
    assert not PER_CONNECTION & set(names), names
