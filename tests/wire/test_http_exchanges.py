"""The recorded HTTP exchanges, replayed against a live server.

May import: the conversation drivers. Source: Engine.IO protocols 3 and 4, recorded on the official server.
"""

import pytest

from deviations.wire import HTTP, HTTP_RULES
from wire.conftest import ServerFor
from wire.recorded import expected_exchange, load
from wire.replay import replay_http

VECTORS = load("http_exchanges")
# Steps that were recorded after the server's timers had run.
PAUSES = {"timeout/ping-eio4": {2: 0.6}}


@pytest.mark.parametrize("name", VECTORS)
async def test_exchange(name: str, wire: str, server_for: ServerFor):
    vector = VECTORS[name]
    steps = vector["steps"] if wire == "reference" else expected_exchange(vector)
    port = server_for(f"wire.engine_app:{vector['server_options']}").port
    assert await replay_http(port, steps, PAUSES.get(name)) == []


@pytest.mark.parametrize("name", HTTP)
def test_deviation_is_one(name: str):
    without = dict(VECTORS[name], id="")
    assert expected_exchange(VECTORS[name]) != expected_exchange(without)


@pytest.mark.parametrize("rule", HTTP_RULES, ids=lambda rule: rule.__name__)
def test_rule_is_used(rule):
    steps = [step for vector in VECTORS.values() for step in vector["steps"]]
    assert any(rule(step["request"], step["response"]) for step in steps)
