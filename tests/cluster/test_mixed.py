"""Fastsio and python-socketio on one Redis: each operation, asked of each make, seen by the clients of all nodes.

Imports processes.py beside it. A mark follows each operation; what came before the mark is what it did.
"""

import asyncio
import json
import pickle
import uuid
from typing import Any

import pytest

from tests.cluster.conftest import MAKES
from tests.cluster.processes import PATIENCE, Client, Node, Redis

Clients = dict[str, Client]
acting = pytest.mark.parametrize("actor", ["fast-1", "fast-2", "ref-1"])


async def heard(clients: Clients, actor: str) -> dict[str, list[list[Any]]]:
    """Let the actor set a mark; give what each client heard before it."""
    mark = uuid.uuid4().hex
    await clients[actor].do("emit", "mark", mark)
    return {name: await client.hear(["mark", mark]) for name, client in clients.items()}


def everywhere(*events: list[Any]) -> dict[str, list[list[Any]]]:
    return {name: list(events) for name in MAKES}


async def join(clients: Clients, room: str, *names: str) -> None:
    for name in names:
        await clients[name].do("enter_room", clients[name].sid, room)


PAYLOADS: list[tuple[Any, dict[str, Any], list[Any]]] = [
    ("text", {}, ["text"]),
    ("é 世界 😀", {}, ["é 世界 😀"]),
    (None, {}, []),
    ([1, 2], {}, [[1, 2]]),
    ([1, "two", None], {"as_tuple": True}, [1, "two", None]),
    ([], {"as_tuple": True}, []),
    ([[1, 2]], {"as_tuple": True}, [[1, 2]]),
    ({"a": [1.5, True, {"b": {}}], "": "é"}, {}, [{"a": [1.5, True, {"b": {}}], "": "é"}]),
    (b"\x00\xff", {}, [b"\x00\xff"]),
    ([{"deep": [b"1", {"er": b""}]}, 2, b"3"], {"as_tuple": True}, [{"deep": [b"1", {"er": b""}]}, 2, b"3"]),
    (2**70, {}, [2**70]),
]


@acting
async def test_broadcast(clients: Clients, actor: str):
    for data, options, _ in PAYLOADS:
        await clients[actor].do("emit", "ev", data, **options)
    assert await heard(clients, actor) == everywhere(*(["ev", *arrives] for _, _, arrives in PAYLOADS))


@acting
async def test_rooms_and_skips(clients: Clients, actor: str):
    await join(clients, "red", "fast-1", "ref-1")
    await join(clients, "blue", "fast-2", "ref-1", "ref-2")
    await clients[actor].do("emit", "red", 1, room="red")
    await clients[actor].do("emit", "both", 2, room=["red", "blue"])
    await clients[actor].do("emit", "skip", 3, skip_sid=[clients["fast-2"].sid, clients["ref-2"].sid])
    await clients[actor].do("emit", "skip one", 4, room="red", skip_sid=clients["ref-1"].sid)
    await clients[actor].do("emit", "nobody", 5, room="green")
    await clients[actor].do("emit", "other namespace", 6, namespace="/other")
    await clients[actor].do("emit", "here", 7, ignore_queue=True)
    expected: dict[str, list[list[Any]]] = {
        "fast-1": [["red", 1], ["both", 2], ["skip", 3], ["skip one", 4]],
        "fast-2": [["both", 2]],
        "ref-1": [["red", 1], ["both", 2], ["skip", 3]],
        "ref-2": [["both", 2]],
    }
    expected[actor].append(["here", 7])
    assert await heard(clients, actor) == expected


@acting
@pytest.mark.parametrize("target", ["fast-1", "fast-2", "ref-2"])
async def test_one_client_anywhere(clients: Clients, actor: str, target: str):
    await clients[actor].do("emit", "to one", {"n": 1}, to=clients[target].sid)
    expected = everywhere()
    expected[target] = [["to one", {"n": 1}]]
    assert await heard(clients, actor) == expected


@acting
@pytest.mark.parametrize("target", ["fast-1", "fast-2", "ref-2"])
async def test_call_and_callback_across(clients: Clients, actor: str, target: str):
    result = await clients[actor].do("call", "question", [1, "x"], to=clients[target].sid, timeout=5, as_tuple=True)
    assert result == {"result": ["answer", 1, "x"]}
    await clients[actor].sio.call("take_acks", timeout=PATIENCE)
    await clients[actor].do("emit", "question", b"bytes ask", to=clients[target].sid, with_callback=True)
    # A binary answer does not cross between makes (defect 35); between nodes of fastsio it does.
    crosses = actor == target or (actor.startswith("fast") and target.startswith("fast"))
    if crosses:
        await until_acks(clients[actor], ["answer", b"bytes ask"])


@pytest.mark.parametrize("actor, target", [("fast-1", "fast-1"), ("fast-1", "fast-2"), ("fast-2", "ref-1")])
async def test_callback_of_several_rooms(clients: Clients, actor: str, target: str):
    """Something that python-socketio itself refuses; its nodes answer all the same."""
    room = uuid.uuid4().hex
    await clients[actor].do("enter_room", clients[target].sid, room)
    await clients[actor].sio.call("take_acks", timeout=PATIENCE)
    await clients[actor].do("emit", "question", 1, to=[room, "nobody's"], with_callback=True)
    await until_acks(clients[actor], ["answer", 1])


async def until_acks(client: Client, expected: list[Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while (acks := await client.sio.call("take_acks", timeout=PATIENCE)) == []:
            await asyncio.sleep(0.01)
    assert acks == [expected]


@acting
@pytest.mark.parametrize("target", ["fast-1", "fast-2", "ref-2"])
async def test_enter_leave_and_close_rooms_of_clients_elsewhere(clients: Clients, actor: str, target: str):
    room = uuid.uuid4().hex
    sid = clients[target].sid
    await clients[actor].do("enter_room", sid, room)
    await clients[actor].do("emit", "in", 1, room=room)
    await clients[actor].do("leave_room", sid, room)
    await clients[actor].do("emit", "left", 2, room=room)
    await clients[actor].do("enter_room", sid, room)
    await clients[actor].do("close_room", room)
    await clients[actor].do("emit", "closed", 3, room=room)
    expected = everywhere()
    expected[target] = [["in", 1]]
    assert await heard(clients, actor) == expected


@acting
@pytest.mark.parametrize(
    "target, way",
    [("fast-1", "server"), ("fast-2", "server"), ("fast-2", "manager"), ("ref-2", "server"), ("ref-2", "manager")],
)
async def test_disconnect_a_client_elsewhere(clients: Clients, connect: Any, actor: str, target: str, way: str):
    victim = await connect(clients[target].node)
    gone = asyncio.Event()
    victim.sio.on("disconnect", lambda reason: gone.set())
    if way == "server":
        await clients[actor].do("disconnect", victim.sid)
    else:
        await clients[actor].do_manager("disconnect", victim.sid, "/")
    await asyncio.wait_for(gone.wait(), PATIENCE)


# Data in a spelling that no encoder would choose: whoever decodes them and encodes them again changes it.
SPELLING = '[ {"a":1.50,"a" : "\\u0041\\/", "é":[ ]} ,1E2 , -0.0,"\\ud83d\\ude00" ]'


async def test_text_is_passed_on_as_it_came(clients: Clients, redis: Redis, nodes: dict[str, Node]):
    """From the channel to the frames of clients JSON is spliced, neither decoded nor encoded again."""
    import redis as driver
    import websockets

    message = '{"method": "emit", "event": "ev", "data": %s, "namespace": "/", "room": null, "host_id": "x"}' % SPELLING
    with driver.Redis(port=redis.port) as connection:
        for name in ("fast-1", "fast-2"):
            async with websockets.connect(
                f"ws://127.0.0.1:{nodes[name].port}/socket.io/?EIO=4&transport=websocket"
            ) as ws:
                await ws.recv()
                await ws.send("40")
                assert str(await ws.recv()).startswith("40")
                connection.publish("mixed", message)
                assert await ws.recv() == '42["ev",' + SPELLING[1:]


GARBAGE = [
    b"",
    b"\xff\xfe",
    b"null",
    b"[1]",
    b'"text"',
    b"{}",
    b'{"method": 7}',
    b'{"method": "emit"}',
    b'{"method": "unknown", "host_id": "x"}',
    b'{"method": "emit", "event": "ev", "namespace": "/"}',
    b'{"method": "emit", "event": "ev", "data": ["x"], "namespace": 5}',
    b'{"method": "emit", "event": "ev", "data": ["x"], "namespace": "/", "room": {"a": 1}}',
    b'{"method": "emit", "event": "ev", "data": ["x"], "namespace": "/", "room": [["a"]]}',
    b'{"method": "emit", "event": "ev", "data": ["x"], "namespace": "/", "skip_sid": {"a": 1}}',
    b'{"method": "emit", "event": "ev", "data": ["\xff"], "namespace": "/"}',
    b'{"method": "emit", "event": "ev", "data": "x", "binary": true, "namespace": "/"}',
    b'{"method": "emit", "event":"ev", "data": [[{"_placeholder":true,"num":9}],"YQ=="],"binary":true,"namespace":"/"}',
    b'{"method": "emit", "event": "ev", "data": [[{"_placeholder":true,"num":0}],"**"],"binary":true,"namespace":"/"}',
    b'{"method": "emit", "event": "ev", "data": ' + b"[" * 100_000 + b"]" * 100_000 + b', "namespace": "/"}',
    b'{"method": "callback", "host_id": "x", "sid": "y", "namespace": "/", "id": 1, "args": []}',
    b'{"method": "disconnect", "sid": ["x"], "namespace": "/"}',
    b'{"method": "enter_room", "sid": "nobody", "room": {"x": 1}, "namespace": "/"}',
    b'{"method": "close_room", "room": ["x"], "namespace": "/"}',
    b'{"method": "close_room", "room": "x", "namespace": null}',
    pickle.dumps({"method": "emit", "event": "pickled", "data": ["x"], "namespace": "/"}),
]


@pytest.mark.threat("T210")
async def test_garbage_on_the_channel_harms_nobody(clients: Clients, redis: Redis):
    import redis as driver

    connection = driver.Redis(port=redis.port)
    before = await clients["fast-1"].health()
    for payload in GARBAGE:
        connection.publish("mixed", payload)
    connection.publish("mixed", json.dumps({"method": "emit", "event": "good", "data": "not a list", "namespace": "/"}))
    connection.close()
    found = {name: await client.hear(["good", "not a list"]) for name, client in clients.items()}
    after = await clients["fast-1"].health()
    assert found["fast-1"] == found["fast-2"] == []
    assert after["malformed"] - before["malformed"] >= 15
    assert after["reconnects"] == before["reconnects"]


EMITTERS = ["fastsio.AsyncRedisManager", "fastsio.RedisManager", "socketio.AsyncRedisManager", "socketio.RedisManager"]


@pytest.mark.parametrize("emitter", EMITTERS)
async def test_emitter_without_a_server(clients: Clients, redis: Redis, emitter: str):
    await join(clients, "room-" + emitter, "fast-2", "ref-2")
    target = {name: clients[name].sid for name in clients}
    manager = make(emitter, redis)
    await run(manager.emit("plain", {"n": 1}))
    await run(manager.emit("bin", [b"\x01", {"x": b"\x02"}], namespace="/"))
    await run(manager.emit("tuple", (1, 2), room="room-" + emitter))
    await run(manager.emit("skip", None, skip_sid=[target["fast-1"], target["ref-1"]]))
    await run(manager.enter_room(target["fast-1"], "/", "x-" + emitter))
    await run(manager.enter_room(target["ref-1"], "/", "x-" + emitter))
    await run(manager.leave_room(target["ref-1"], "/", "x-" + emitter))
    await run(manager.emit("x", 1, room="x-" + emitter))
    await run(manager.close_room("x-" + emitter, "/"))
    await run(manager.emit("closed", 1, room="x-" + emitter))
    await run(manager.emit("end", None))
    found = {name: await client.hear(["end"]) for name, client in clients.items()}
    common = [["plain", {"n": 1}], ["bin", [b"\x01", {"x": b"\x02"}]]]
    assert found == {
        "fast-1": [*common, ["x", 1]],
        "fast-2": [*common, ["tuple", 1, 2], ["skip"]],
        "ref-1": common,
        "ref-2": [*common, ["tuple", 1, 2], ["skip"]],
    }


@pytest.mark.parametrize("emitter", [name for name in EMITTERS if "Async" in name or "fastsio" in name])
async def test_emitter_without_a_server_disconnects(clients: Clients, connect: Any, redis: Redis, emitter: str):
    manager = make(emitter, redis)
    for name in ("fast-1", "ref-1"):
        victim = await connect(clients[name].node)
        gone = asyncio.Event()
        victim.sio.on("disconnect", lambda reason, gone=gone: gone.set())
        await run(manager.can_disconnect(victim.sid, "/"))
        await asyncio.wait_for(gone.wait(), PATIENCE)


def make(emitter: str, redis: Redis) -> Any:
    import importlib

    module, _, name = emitter.partition(".")
    return getattr(importlib.import_module(module), name)(redis.url, channel="mixed", write_only=True)


async def run(result: Any) -> Any:
    return await result if asyncio.iscoroutine(result) else result


@acting
@pytest.mark.threat("T211")
async def test_order_of_many(clients: Clients, actor: str):
    await clients[actor].sio.call("numbered", 500, timeout=PATIENCE)
    found = await heard(clients, actor)
    assert found == everywhere(*(["number", number] for number in range(500)))


def test_nodes_are_of_both_makes(nodes: dict[str, Node]):
    assert sorted({node.module for node in nodes.values()}) == ["fastsio", "socketio"]
