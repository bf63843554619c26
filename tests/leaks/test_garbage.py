"""What belongs to a connection goes when the connection goes, without waiting for the garbage collector (T237)."""

import gc
import weakref
from collections import Counter
from collections.abc import Iterator

import pytest

from fastsio._http import Request
from fuzz.seeds import conversations
from fuzz.sessions import Conversation
from fuzz.source import Source
from fuzz.world import SteppedLoop
from native.conftest import Site

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
        opened += conversation.world.registry.opened
    del conversation
    gc.collect()
    names = Counter(type(item).__name__ for item in collected if type(item).__module__.startswith("fastsio"))
    assert opened > 100
    assert not PER_CONNECTION & set(names), names


# --- what the collector looks at


CLIENTS = 50
LOOKED_AT = {
    "websocket": {"NativeConnection", "Session", "Peer", "Member"},
    "polling": {"NativeConnection", "PollingLink", "Session", "Peer", "Member"},
}


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_the_collector_has_little_of_a_client_to_look_at(transport: str) -> None:
    """A full collection stops the loop for as long as it looks at everything: each object of 20,000 clients counts."""
    here = Site(SteppedLoop(), False)
    before = _tracked()
    if transport == "websocket":
        clients: list[object] = [here.websocket().joined() for _ in range(CLIENTS)]
    else:
        clients = [here.post(here.open(), "40") for _ in range(CLIENTS)]
    added = _tracked() - before
    assert {name for name, count in added.items() if count >= CLIENTS} == LOOKED_AT[transport], added
    del clients
    here.end()


def test_a_request_whose_host_leads_back_to_it_is_collected() -> None:
    """Middleware may keep an exception whose traceback has the request in one of its frames."""
    kept = _in_a_cycle()
    gc.collect()
    assert kept() is None


class Scope:
    """What a host knows of a request."""


def _in_a_cycle() -> "weakref.ref[Scope]":
    request, scope = Request("GET", "/socket.io/", b"", []), Scope()
    request.extras = lambda *_: {"request": request, "scope": scope}
    return weakref.ref(scope)


def _tracked() -> Counter[str]:
    gc.collect()
    return Counter(type(item).__name__ for item in gc.get_objects() if str(type(item)).startswith("<class 'fastsio"))
