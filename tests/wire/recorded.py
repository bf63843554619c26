"""The recorded conversations, as they were and as this server is meant to answer them.

May import: the table of deviations. Reads `tests/vectors`; never opens a socket.
"""

import copy
import json
from typing import Any

from deviations.wire import HTTP, HTTP_RULES, SESSIONS
from wire.live import TESTS

Json = dict[str, Any]


def load(name: str) -> dict[str, Json]:
    """Give the vectors of a file by their ids."""
    with open(TESTS / "vectors" / f"{name}.json", encoding="utf-8") as file:
        return {vector["id"]: vector for vector in json.load(file)["vectors"]}


def expected_exchange(vector: Json) -> list[Json]:
    """Give the steps of an HTTP exchange with this server's answers: the rules first, then the vector's own entry."""
    steps = copy.deepcopy(vector["steps"])
    entry = HTTP.get(vector["id"])
    own = {} if entry is None else entry.becomes
    for index, step in enumerate(steps):
        for rule in HTTP_RULES:
            _merge(step["response"], rule(step["request"], step["response"]) or {})
        _merge(step["response"], own.get(index, {}))
    return steps


def _merge(response: Json, change: Json) -> None:
    if change.get("silent") or change.get("ended"):
        response.clear()
    headers = response.get("headers", {}) | change.get("headers", {})
    response.update({name: value for name, value in change.items() if value is not False})
    if "status" in response:
        response["headers"] = {name: value for name, value in headers.items() if value is not None}


def expected_session(vector: Json, wire: str) -> list[Json]:
    """Give the steps of a WebSocket session with this server's answers."""
    steps = list(vector["steps"])
    if (deviation := SESSIONS.get(vector["id"])) is not None:
        start, steps_here = deviation.becomes
        steps[start:] = steps_here
    return [_without_no_code(step) for step in steps] if wire == "asgi" else steps


def _without_no_code(step: Json) -> Json:
    """An ASGI server cannot send a close frame without a code; it sends 1000."""
    return {"server": {"close": 1000}} if step == {"server": {"close": 1005}} else step
