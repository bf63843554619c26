"""What an admin hears, compared with python-socketio's own instrumentation for the same traffic.

Different on purpose: nothing is heard before the login (defect 8), not even of oneself; a client that was refused is
taken off the page again; rooms are told of at once, where python-socketio waits for the next report.
"""

import re
from typing import Any

import pytest

from admin.served import LIBRARIES, STATS_INTERVAL, Listener, make_server, served

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")


async def scripted_traffic(url: str, admin: Listener) -> tuple[dict[str, str], list[list[Any]]]:
    """Let clients do a little of everything; give their names by sid, and what the admin heard of it."""
    names: dict[str, str] = {}
    async with Listener() as ann, Listener() as bob:
        await ann.connect(url)
        await bob.connect(url)
        names |= {ann.sid: "ann", bob.sid: "bob"}
        for client in (ann, bob):
            await client.call("enter", "lobby")
        assert await ann.call("say", "lobby", "hi") == "ok"
        await ann.call("say", "nowhere", "hi")
        await bob.call("leave", "lobby")
        await ann.call("close", "lobby")
        with pytest.raises(Exception, match="failed to connect"):
            await Listener().connect(url, auth="refuse me")
    async with Listener("/other") as cat:
        await cat.connect(url)
        names[cat.sid] = "cat"
        await cat.emit("x", {"a": 1}, [2, None])
        await cat.until("seen")
    await admin.until("socket_disconnected", 3)
    await admin.until("server_stats", len(admin.of("server_stats")) + 2)
    return names, admin.heard


def comparable(message: Any, names: dict[str, str]) -> Any:
    """Give a message with everything replaced that differs from run to run."""
    if isinstance(message, dict) and "clientId" in message:
        handshake = message["handshake"]
        assert handshake["issued"] > 1.7e12 and TIMESTAMP.fullmatch(handshake["time"])
        handshake = {**handshake, "issued": 0, "time": "", "headers": sorted(handshake["headers"])}
        handshake["query"] = {**handshake["query"], "t": ""}
        message = {**message, "clientId": "", "handshake": handshake}
    if isinstance(message, dict):
        return {key: comparable(value, names) for key, value in message.items()}
    if isinstance(message, list):
        return [comparable(value, names) for value in message]
    if isinstance(message, str) and TIMESTAMP.fullmatch(message):
        return "<time>"
    return names.get(message, message) if isinstance(message, str) else message


def sids_in(message: list[Any]) -> list[str]:
    """Give the sid that a message of the stream is about."""
    position = {"socket_disconnected": 2, "room_joined": 3, "room_left": 3, "event_received": 2, "event_sent": 2}
    if message[0] == "socket_connected":
        return [message[1]["id"]]
    return [message[position[message[0]]]] if message[0] in position else []


async def stream_of(library: str, **options: Any) -> dict[str, list[Any]]:
    """Run the script against one library; give what its admin heard, in the order of each group."""
    sio = make_server(LIBRARIES[library])
    instrumented = sio.instrument(auth=False, server_id="one", server_stats_interval=STATS_INTERVAL, **options)
    try:
        async with served(LIBRARIES[library], sio) as url, Listener("/admin") as admin:
            await admin.connect(url)
            await admin.until("server_stats")
            admin_sid = admin.sid
            names, heard = await scripted_traffic(url, admin)
            await instrumented.shutdown()
    finally:
        instrumented.uninstrument()
    config = admin.of("config")
    about = [message for message in heard if sids_in(message)]
    known = [message for message in about if set(sids_in(message)) <= set(names)]
    strangers = {sid for message in about for sid in sids_in(message)} - set(names) - {admin_sid}
    return {
        "config": config,
        "sockets": comparable(list(filter(lambda m: "socket" in m[0] or "event" in m[0], known)), names),
        "rooms": comparable(list(filter(lambda m: "room" in m[0], known)), names),
        "own": [message[0] for message in about if sids_in(message) == [admin_sid]],
        "attempts": [[m[0] for m in about if sids_in(m) == [sid]] for sid in strangers],
        "stats": heard_stats(admin),
    }


def heard_stats(admin: Listener) -> list[Any]:
    reports = [message[1] for message in admin.of("server_stats")]
    kinds = sorted({event["type"] for report in reports for event in report["aggregatedEvents"]})
    return [sorted(reports[-1]), reports[-1]["namespaces"], reports[-1]["clientsCount"], reports[-1]["serverId"], kinds]


@pytest.mark.parametrize("read_only", [False, True])
async def test_development(read_only: bool) -> None:
    ours = await stream_of("fastsio", read_only=read_only)
    theirs = await stream_of("reference", read_only=read_only)
    for group in ("config", "sockets", "stats"):
        assert ours[group] == theirs[group], group
    assert sorted(ours["rooms"]) == sorted(theirs["rooms"])
    assert (ours["own"], theirs["own"]) == ([], ["socket_connected", "room_joined"])
    assert ours["attempts"] == [["room_joined", "socket_connected", "socket_disconnected", "room_left"]]
    assert theirs["attempts"] == [["socket_connected", "room_joined", "room_left"]]


async def test_production() -> None:
    ours = await stream_of_production("fastsio")
    assert ours == await stream_of_production("reference")
    assert ours["names"] == ["config", "server_stats"]


async def stream_of_production(library: str) -> dict[str, Any]:
    sio = make_server(LIBRARIES[library])
    instrumented = sio.instrument(auth=False, mode="production", server_id="one", server_stats_interval=STATS_INTERVAL)
    try:
        async with served(LIBRARIES[library], sio) as url, Listener("/admin") as admin, Listener() as ann:
            await admin.connect(url)
            await admin.until("server_stats")
            await ann.connect(url)
            await ann.call("enter", "lobby")
            await admin.emit("emit", "/", None, "never", 1)
            await admin.until("server_stats", 4)
            assert ann.of("never") == []
            await instrumented.shutdown()
    finally:
        instrumented.uninstrument()
    types = {event["type"] for message in admin.of("server_stats") for event in message[1]["aggregatedEvents"]}
    return {
        "names": sorted({message[0] for message in admin.heard}),
        "config": admin.of("config"),
        "namespaces": admin.of("server_stats")[-1][1]["namespaces"],
        "types": sorted(types),
    }
