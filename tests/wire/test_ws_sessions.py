"""The recorded WebSocket sessions, replayed against a live server.

May import: the conversation drivers. Source: Engine.IO 3 and 4, Socket.IO protocols 4 and 5, recorded on the official
servers.
"""

import pytest

from deviations.wire import SESSIONS
from wire.conftest import ServerFor
from wire.recorded import expected_session, load
from wire.replay import replay_websocket

VECTORS = load("ws_sessions")


def application(server: str) -> tuple[str, str]:
    """Give the application of a recorded server, and the path that it was served under."""
    if server == "socket.io":
        return "wire.socketio_app:recorded", "/socket.io/"
    return f"wire.engine_app:{server}", "/engine.io/"


@pytest.mark.parametrize("name", VECTORS)
async def test_session(name: str, wire: str, server_for: ServerFor):
    vector = VECTORS[name]
    app, path = application(vector["server"])
    steps = vector["steps"] if wire == "reference" else expected_session(vector, wire)
    assert await replay_websocket(server_for(app).port, f"{path}?{vector['query']}", steps) == []


@pytest.mark.parametrize("name", SESSIONS)
def test_deviation_is_one(name: str):
    assert expected_session(VECTORS[name], "native") != VECTORS[name]["steps"]
