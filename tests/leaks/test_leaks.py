"""Nothing is left of connections, whatever they did, nor of messages; `make leaks` does it 100,000 and 1,000,000 times.

FASTSIO_LEAK_CYCLES and FASTSIO_LEAK_MESSAGES are the numbers.
"""

import json
import os
import time
import zlib
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from leaks import cycles
from oracle.frames_oracle import write_frame
from wire.live import REFERENCE, Server

CYCLES = int(os.environ.get("FASTSIO_LEAK_CYCLES", "1400"))
MESSAGES = int(os.environ.get("FASTSIO_LEAK_MESSAGES", "60000"))
IS_SANITIZED = "FASTSIO_REPORTS" in os.environ  # its allocator keeps what is freed for a while
# Growth that is none: of blocks and objects that caches of the interpreter hold, and of memory that the allocator keeps.
SPARE = {"objects": 500, "blocks": 2500, "allocated": 1 << 18, "bytes": 2 << 20 if CYCLES < 20_000 else 1 << 20}
SPARE_REFERENCES = 60
BATCH = 500

pytestmark = pytest.mark.skipif(REFERENCE is not None, reason="the census is fastsio's")

Census = dict[str, int]


@pytest.fixture(scope="module", params=["plain", "deflating"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server("native", f"leaks.app:{request.param}")
    yield server
    server.stop()


COUNTED = ("sessions", "ending", "members", "rooms", "tasks", "descriptors", "garbage")


def census(server: Server, before: Census | None = None) -> Census:
    """Count what the server holds, once what was abandoned has had its time; `before` is what it has to come back to."""
    deadline = time.monotonic() + 8
    while True:
        with urlopen(f"http://127.0.0.1:{server.port}/census", timeout=30) as answer:
            counts: Census = json.loads(answer.read())
        is_idle = counts["sessions"] == counts["ending"] == 0
        is_back = before is None or all(counts[name] <= before[name] for name in COUNTED)
        if (is_idle and is_back) or time.monotonic() > deadline:
            return counts
        time.sleep(0.2)


def compare(before: Census, after: Census) -> dict[str, int]:
    """Give what has grown by more than it may."""
    grown = {}
    for name, count in after.items():
        growth = count - before[name]
        if name == "collected" or (name in ("bytes", "allocated") and IS_SANITIZED):
            continue
        if growth > (SPARE_REFERENCES if name.startswith("references") else SPARE.get(name, 0)):
            grown[name] = growth
    return grown


def show(kind: str, count: int, before: Census, after: Census) -> None:
    growth = {name: after[name] - before[name] for name in ("bytes", "allocated", "blocks", "objects", "descriptors")}
    print(f"\n{kind}: {count} times; grown by {growth}")


@pytest.mark.threat("T195", "T051", "T061", "T066", "T155", "T235", "T249")
def test_connections_leave_nothing(server: Server) -> None:
    # Caches fill, and the allocator takes what the most sessions at once need: those that are abandoned live for a second.
    cycles.run_all(server.port, min(CYCLES, 20_000))
    before = census(server)
    assert (before["sessions"], before["members"], before["rooms"]) == (0, 0, 0), before
    # The allocator keeps some memory for itself now and then, and gives it back: its least of several looks counts.
    parts, seconds, least = 5 if CYCLES >= 20_000 else 1, 0.0, []
    for _ in range(parts):
        start = time.monotonic()
        cycles.run_all(server.port, CYCLES // parts)
        seconds += time.monotonic() - start
        after = census(server, before)
        least.append(after["bytes"])
    after["bytes"] = min(least[-3:])
    show(f"connections, {CYCLES / seconds:.0f} a second", CYCLES, before, after)
    print(f"memory after each part: {[(one - before['bytes']) // 1024 for one in least]} KiB more")
    assert compare(before, after) == {}, (before, after)
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("script", cycles.SCRIPTS, ids=lambda script: script.__name__)
def test_no_kind_of_connection_leaves_anything(
    server: Server, script: cycles.Callable[[cycles.Connection], None]
) -> None:
    if server.app != "leaks.app:plain":
        pytest.skip("once is enough")
    cycles.run(server.port, script, 5)
    before = census(server)
    cycles.run(server.port, script, max(20, CYCLES // 100))
    after = census(server, before)
    for name in COUNTED:
        assert after[name] <= before[name], (name, before, after)


def packed(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-12)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def text(data: str, is_packed: bool) -> bytes:
    return write_frame(1, packed(data.encode()), rsv=4) if is_packed else write_frame(1, data.encode())


KINDS = {
    "acknowledged": (['427["echo",{"a":[1,2.5,null,"\u20ac"]}]'], 1),
    "binary": (['451-9["echo",{"_placeholder":true,"num":0},"x"]', bytes(range(7, 127))], 2),
}


@pytest.mark.parametrize("kind", ["acknowledged", "binary"])
@pytest.mark.threat("T235", "T249")
def test_messages_leave_nothing(server: Server, kind: str, request: pytest.FixtureRequest) -> None:
    is_packed = request.node.callspec.params["server"] == "deflating"
    parts, answers = KINDS[kind]
    once = b"".join(text(part, is_packed) if isinstance(part, str) else write_frame(2, part) for part in parts)
    headers = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if is_packed else ""
    cycles.messages(server.port, once * BATCH, answers * BATCH, max(1, MESSAGES // BATCH // 4), headers)
    before = census(server)
    start = time.monotonic()
    cycles.messages(server.port, once * BATCH, answers * BATCH, MESSAGES // BATCH, headers)
    seconds = time.monotonic() - start
    after = census(server, before)
    show(f"{kind} messages, {MESSAGES / seconds:.0f} a second", MESSAGES, before, after)
    assert compare(before, after) == {}, (before, after)
