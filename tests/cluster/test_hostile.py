"""Whatever is published on the channel: a node goes on, and its clients get nothing that they could not read.

Imports processes.py beside it. Messages are made of the right words in wrong places, then cut and bent; the seeds are
fixed. What a client gets is looked at byte by byte.
"""

import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as driver
import websockets

from tests.cluster.processes import Client, Node, Redis

METHODS = [
    "emit",
    "emit",
    "emit",
    "emit",
    "callback",
    "disconnect",
    "enter_room",
    "leave_room",
    "close_room",
    "heartbeat",
    1,
]
FIELDS = ["event", "data", "binary", "namespace", "room", "skip_sid", "callback", "host_id", "sid", "id", "args", "seq"]
PLACEHOLDERS = [{"_placeholder": True, "num": number} for number in (0, 1, -1, 2**70, "0", None, True, 0.0)]
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, 10**80, 0.5, 1e300, float("nan"), float("inf")),
    *("", "/", "/other", "x", "red", "\ud800", "\x00", "é 😀", "x" * 5000, "YQ==", "*", "connect", "a\nb"),
    *([], [[]], [None], ["x"], ["x", 1], [[1], {"a": None}], {}, {"a": 1}, {"": {"": []}}, [["/"]], [1, "/", 2]),
    *PLACEHOLDERS,
    [PLACEHOLDERS, "YQ==", "Yg=="],
    [[PLACEHOLDERS[0]], "YQ=="],
    [[PLACEHOLDERS[0], PLACEHOLDERS[0]], "YQ=="],
    [[{"deep": PLACEHOLDERS[1]}, PLACEHOLDERS[0]], "YQ==", ""],
]


def a_message(dice: random.Random, sid: str) -> bytes:
    """Make a message: each field is right, of another kind, or not there."""
    right = {
        "event": "ev",
        "data": ["x", {"n": 1}],
        "binary": False,
        "namespace": "/",
        "room": None,
        "skip_sid": None,
        "callback": None,
        "host_id": "0" * 32,
        "sid": sid,
    }
    message: dict[str, Any] = {"method": dice.choice(METHODS)}
    for name in FIELDS:
        chance = dice.random()
        if chance < 0.7 and name in right:
            message[name] = right[name]
        elif chance < 0.9:
            message[name] = dice.choice(VALUES)
    if message["method"] == "disconnect":
        message["sid"] = dice.choice(VALUES)  # of nobody
    return bend(dice, json.dumps(message, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass"))


def bend(dice: random.Random, text: bytes) -> bytes:
    """Spoil some of the messages: a byte changed, a piece cut out or doubled, or brackets put in."""
    if dice.random() < 0.6:
        return text
    begin, length = dice.randrange(len(text)), dice.randrange(1, 20)
    piece = text[begin : begin + length]
    new = dice.choice(
        [b"", piece * 2, bytes([dice.randrange(256)]), b"[" * dice.randrange(2000), b'"', b"\\u", b"1e9999"]
    )
    return text[:begin] + new + text[begin + length :]


@pytest.fixture(scope="module")
def lone_node(redis: Redis, logs: Path) -> Iterator[Node]:
    node = Node(logs / "lone.log", "fastsio", "native", redis, "hostile")
    node.start()
    yield node
    node.stop()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.threat("T210")
async def test_a_node_and_its_clients_live_through_anything(lone_node: Node, redis: Redis, connect: Any, seed: int):
    dice = random.Random(seed)
    client: Client = await connect(lone_node)
    address = f"ws://127.0.0.1:{lone_node.port}/socket.io/?EIO=4&transport=websocket"
    begins = lone_node.log.stat().st_size
    async with websockets.connect(address, max_size=None) as raw:
        await raw.recv()
        await raw.send("40")
        sid = json.loads(str(await raw.recv())[2:])["sid"]
        await client.do("enter_room", sid, "red")
        await asyncio.to_thread(publish, redis, [a_message(dice, sid) for _ in range(3000)])
        frames = await frames_until(raw, '42["end"]')
    events = [check(frames, at) for at, frame in enumerate(frames) if isinstance(frame, str)]
    assert len(events) > 50  # the messages are not all broken
    health = await client.health()
    assert health["hears"] and health["reconnects"] == 0 and health["malformed"] > 100
    tracebacks = lone_node.log.read_text(errors="replace")[begins:].count("Traceback")
    assert tracebacks <= 3


def publish(redis: Redis, messages: list[bytes]) -> None:
    with driver.Redis(port=redis.port) as connection:
        for message in messages:
            connection.publish("hostile", message)
        connection.publish("hostile", b'{"method": "emit", "event": "end", "data": [], "namespace": "/"}')


async def frames_until(raw: Any, end: str) -> list[str | bytes]:
    frames: list[str | bytes] = []
    async with asyncio.timeout(20):
        while not frames or frames[-1] != end:
            frame = await raw.recv()
            if frame != "2":
                frames.append(frame)
    return frames


def check(frames: list[str | bytes], at: int) -> Any:
    """Read one packet as a client does: name and arguments, and as many attachments as it says."""
    text = str(frames[at])
    assert text[:2] in ("42", "45"), text[:80]
    body = text[text.index("-") + 1 :] if text[1] == "5" else text[2:]
    packet = json.loads(body[body.index("[") :], parse_constant=no_constant)
    assert isinstance(packet, list) and type(packet[0]) in (str, int, float), packet
    if text[1] == "5":
        count = int(text[2 : text.index("-")])
        assert all(isinstance(frame, bytes) for frame in frames[at + 1 : at + 1 + count])
        assert body.count('"_placeholder":true') == count
    return packet


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")
