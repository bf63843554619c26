"""Section 8 of the catalogue, where behaviour can show it: shared buffers, shared frames, values that change, hooks of Python."""

import collections
import gc
import sys
import time
import weakref
from typing import Any

import pytest

from fuzz.seeds import conversations
from fuzz.sessions import Conversation
from fuzz.source import Source
from native.conftest import MakeSite
from native.test_world import crowd, run
from oracle.frames_oracle import TEXT, write_frame


@pytest.mark.threat("T085", "T165")
@pytest.mark.parametrize("packet", [b"2", b'421["x",{"a":[1,2,3]}]'])
def test_asking_without_reading(site: MakeSite, packet: bytes) -> None:
    here = site(has_canary=True, max_send_packets=2_000)
    link = here.websocket("EIO=3&transport=websocket")
    link.transport.block()
    for _ in range(30):
        link.push(write_frame(TEXT, packet) * 1_000)
    here.skip(0 if packet != b"2" else 6)  # a flood of pings is told why, and has a moment to hear it
    assert not link.transport.is_open, "what is owed to one client is bounded"
    assert len(link.transport.buffer) < 10_000_000


@pytest.mark.threat("T184")
def test_the_wall_clock_decides_nothing(site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    here = site()
    links = crowd(here, 3)
    for hours in (1, -1, 1_000_000):
        monkeypatch.setattr(time, "time", lambda hours=hours: 1_700_000_000.0 + hours * 3600)
        here.skip(5)
        assert not any(link.is_closed for link in links)
    run(here, here.sio.emit, "x")
    assert all('42["x"]' in link.heard() for link in links)


@pytest.mark.threat("T234", "T235")
def test_nothing_is_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    swallowed: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: swallowed.append(found.exc_value))
    for seed in conversations():
        Conversation(Source(seed)).run()
    assert swallowed == []


@pytest.mark.threat("T230", "T238", "T243")
def test_no_byte_of_one_client_comes_to_another(site: MakeSite) -> None:
    here = site()
    links = crowd(here, 20)
    # Every other client leaves a message unfinished, so that its tail is kept while others use the shared buffer.
    frames = [write_frame(TEXT, b'421["x","' + bytes([65 + i]) * (100 + 37 * i) + b'"]') for i in range(20)]
    for i, link in enumerate(links):
        link.push(frames[i][: len(frames[i]) // 2] if i % 2 else frames[i])
    for i, link in enumerate(links):
        if i % 2:
            link.push(frames[i][len(frames[i]) // 2 :])
    for i, link in enumerate(links):
        assert link.heard() == [f'431["{chr(65 + i) * (100 + 37 * i)}"]']


@pytest.mark.threat("T240", "T244")
def test_a_frame_that_is_shared_does_not_change(site: MakeSite) -> None:
    here = site(per_message_deflate=True, compression_threshold=0)
    plain = crowd(here, 3)
    old = here.websocket("EIO=3&transport=websocket")
    packed = here.websocket(headers="Sec-WebSocket-Extensions: permessage-deflate")
    query = here.open()
    here.post(query, "40")
    here.get(query)
    old.heard()
    data = bytes(range(256)) * 4
    for _ in range(3):
        run(here, here.sio.emit, "x", [data, "text"])
        expected = ['451-["x",[{"_placeholder":true,"num":0},"text"]]', data]
        for link in plain:
            assert link.heard() == expected
        assert old.heard() == [expected[0], b"\x04" + data]
        assert b'"text"]]' in here.get(query)
    assert packed.transport.is_open


@pytest.mark.threat("T245", "T246")
def test_values_that_change_or_lie(site: MakeSite) -> None:
    class Text(str):
        def __len__(self) -> int:
            return 1_000_000

        def encode(self, *args: Any) -> bytes:
            return b"lie"

    class Items(list[Any]):
        def __iter__(self) -> Any:
            yield from super().__iter__()
            self.append("more")

    class Map(dict[str, Any]):
        def items(self) -> Any:
            self["late"] = 1
            return super().items()

    class Number(int):
        def __int__(self) -> int:
            raise ZeroDivisionError

    here = site()
    link = here.websocket().joined()
    changing = bytearray(b"before")

    async def emit() -> None:
        await here.sio.emit("x", [changing, memoryview(b"abc")[::2].tobytes()])
        changing[:] = b"after!"
        for value in (Text("text"), Items([1]), Map(a=1), Number(5), collections.OrderedDict(a=1)):
            try:
                await here.sio.emit("y", value)
            except (TypeError, ValueError):
                pass
        for value in (memoryview(b"abcd")[::2], memoryview(b"ab")):
            try:
                await here.sio.emit("z", [value])
            except (TypeError, ValueError):
                pass

    run(here, emit)
    heard = link.heard()
    assert heard[1] == b"before"
    assert '42["y","text"]' in heard and '42["y",5]' in heard
    link.send('421["x"]')
    assert link.heard() == ["431[]"]


@pytest.mark.threat("T248", "T167")
def test_depth_is_no_matter_of_the_stack(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    for depth in (100, 300, 900):
        link.send(f'421["x",{"[" * depth}{"]" * depth}]')
        answers = link.heard()
        if link.is_closed or link.ended() is not None:
            break
        # What can be read may still be too deep to be sent on: that is an error of the handler's answer.
        assert answers in ([], [f"431[{'[' * depth}{']' * depth}]"]), answers
    here.complaints.found.clear()


@pytest.mark.threat("T252")
def test_a_large_message_does_not_stay(site: MakeSite) -> None:
    import tracemalloc

    here = site()
    links = crowd(here, 20)
    frame = write_frame(TEXT, b'42["x","' + b"y" * 900_000 + b'"]')
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for link in links:
            link.push(frame[:500_000])
        assert tracemalloc.get_traced_memory()[0] - before > 10_000_000
        for link in links:
            link.push(frame[500_000:])
        here.events.clear()
        here.complaints.lines.clear()
        del link
        assert tracemalloc.get_traced_memory()[0] - before < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.threat("T237")
@pytest.mark.parametrize("is_told", [True, False])
def test_a_session_that_lingered_is_no_garbage(site: MakeSite, is_told: bool) -> None:
    here = site()
    query = here.open()
    sid = query.rpartition("=")[2]
    gc.collect()
    gc.disable()
    try:
        session = weakref.ref(here.registry.sessions[sid])
        here.call(lambda: here.registry.sessions[sid].disconnect())
        if is_told:
            here.get(query)
        here.skip(31)  # linger_timeout
        assert session() is None
    finally:
        gc.enable()
