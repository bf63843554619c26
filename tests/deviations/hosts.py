"""Answers of the aiohttp host that differ on purpose from python-socketio's aiohttp mode: name -> a change of the answer.

May import: the shape, the applications of the hosts' tests. An answer is [status, headers, body].
"""

from typing import Any
from unittest.mock import ANY

from deviations import Deviation
from deviations.decisions import SUITE_TRANSPORT
from hosts.app import ORIGIN

OK_IS_SMALL = "The official suites expect `ok`, in small letters, for a POST."


def lowered(answer: list[Any]) -> list[Any]:
    return [*answer[:2], answer[2].lower()]


def refused(answer: list[Any]) -> list[Any]:
    credentials = {"access-control-allow-credentials": "true", "content-type": "text/plain"}
    return [400, credentials, '"Invalid transport"']


def with_cors(answer: list[Any]) -> list[Any]:
    cors = {"access-control-allow-credentials": "true", "access-control-allow-origin": ORIGIN}
    return [answer[0], cors | answer[1], answer[2]]


HOSTS: dict[str, Deviation] = {
    "post": Deviation(lowered, OK_IS_SMALL),
    "post an event": Deviation(lowered, OK_IS_SMALL),
    "post binary": Deviation(lowered, OK_IS_SMALL),
    "no transport": Deviation(refused, SUITE_TRANSPORT),
    "handshake of a websocket": Deviation(
        with_cors, "A WebSocket handshake has the CORS headers of every answer, on every wire."
    ),
    "environ REMOTE_PORT": Deviation(lambda _: ANY, "The peer's true address, instead of a constant."),
}
