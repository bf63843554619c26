"""WebSocket frames against wsproto and the frame class of websockets, in one process: `python -m pytest bench/micro`.

May import: `fastsio._frames`, and the two libraries as baseline. Touches no socket. Each benchmark checks what it computed.
python-engineio has no frames of its own: these are what its hosts (uvicorn, simple-websocket) read and write them with.
"""

from typing import Any

import pytest
from websockets.frames import Frame, Opcode
from wsproto import ConnectionType
from wsproto.connection import Connection, ConnectionState
from wsproto.events import TextMessage

from fastsio import _frames

COUNT = 16
TEXT = "x" * 32
KEY = b"\x01\x02\x03\x04"
# As clients send them: masked, several in one read.
READ = (b"\x81" + bytes([0x80 | len(TEXT)]) + KEY + _frames.mask(TEXT.encode(), KEY)) * COUNT


class Wsproto:
    def __init__(self) -> None:
        self.connection = Connection(ConnectionType.SERVER)
        assert self.connection.state is ConnectionState.OPEN

    def read(self) -> list[str]:
        self.connection.receive_data(READ)
        return [event.data for event in self.connection.events() if isinstance(event, TextMessage)]

    def write(self) -> bytes:
        return bytes(self.connection.send(TextMessage(data=TEXT)))


class Websockets:
    """Its frames are read by generators over a stream, which are not measured here."""

    def write(self) -> bytes:
        return Frame(Opcode.TEXT, TEXT.encode()).serialize(mask=False)


class Compiled:
    def __init__(self) -> None:
        self.reader = _frames.FrameReader()

    def read(self) -> list[str]:
        return [data.decode() for _, _, data in self.reader.feed(READ)]

    def write(self) -> bytes:
        return _frames.encode_frame(1, TEXT.encode())


@pytest.mark.parametrize("make", [Wsproto, Compiled])
def test_read_sixteen_frames(benchmark: Any, make: Any) -> None:
    benchmark.group = "read 16 frames"
    assert benchmark(make().read) == [TEXT] * COUNT


@pytest.mark.parametrize("make", [Wsproto, Websockets, Compiled])
def test_write_a_frame(benchmark: Any, make: Any) -> None:
    benchmark.group = "write a frame"
    assert benchmark(make().write) == b"\x81" + bytes([len(TEXT)]) + TEXT.encode()
