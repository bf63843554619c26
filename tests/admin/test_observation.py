"""What is seen beyond python-socketio's stream: upgrades, binary, other processes, every wire; and when nothing is."""

import asyncio
import copy
import json
from typing import Any

import aiohttp
import pytest

import fastsio
from admin.served import Listener, make_server, served


def state_of(sio: Any) -> dict[str, Any]:
    """Give everything that instrumentation may touch."""
    return {
        "server": {name: value for name, value in vars(sio).items() if name not in ("handlers", "environ")},
        "handlers": copy.copy(sio.handlers),
        "admin": dict(sio.handlers.get("/admin", {})),
        "manager": dict(vars(sio.manager)),
        "engine": dict(vars(sio.eio)),
        "observer": sio.manager._rooms.observer,
    }


@pytest.mark.parametrize("mode", ["development", "production"])
@pytest.mark.parametrize("had_handlers", [False, True])
async def test_uninstrument_restores_everything(mode: str, had_handlers: bool) -> None:
    sio = make_server(fastsio)
    if had_handlers:
        sio.on("connect", lambda sid, environ: None, namespace="/admin")
        sio.on("mine", lambda sid: None, namespace="/admin")
    before = state_of(sio)
    instrumented = sio.instrument(auth=False, mode=mode, server_stats_interval=0.1)
    assert state_of(sio)["handlers"] != before["handlers"] or state_of(sio)["admin"] != before["admin"]
    async with served(fastsio, sio) as url, Listener("/admin") as admin:
        initialized = {"manager_initialized": True, "_hub_of_manager": sio._hub}
        await admin.connect(url)
        await admin.until("server_stats")
        task = instrumented.stats_task
        instrumented.uninstrument()
        after = state_of(sio)
        heard = len(admin.heard)
        await asyncio.sleep(0.25)
        assert len(admin.heard) == heard
        assert task is not None and task.done()
    before["server"] |= initialized
    assert after == before


async def test_it_can_be_instrumented_again() -> None:
    sio = make_server(fastsio)
    instrumented = sio.instrument(auth=False)
    instrumented.uninstrument()
    instrumented.instrument()
    async with served(fastsio, sio) as url, Listener("/admin") as admin:
        await admin.connect(url)
        await admin.until("all_sockets")


async def test_nothing_is_done_while_no_admin_watches() -> None:
    sio = make_server(fastsio)
    instrumented = sio.instrument(auth=False, server_stats_interval=0.1)
    rooms = sio.manager._rooms
    async with served(fastsio, sio) as url, Listener() as ann:
        await ann.connect(url)
        assert rooms.observer is None and instrumented.stats_task is None
        async with Listener("/admin") as admin:
            await admin.connect(url)
            await admin.until("server_stats")
            assert rooms.observer is not None
        async with asyncio.timeout(3):
            while rooms.observer is not None or not instrumented.stats_task.done():
                await asyncio.sleep(0.01)
        async with Listener("/admin") as admin:
            await admin.connect(url)
            await admin.until("server_stats")


async def test_shutdown_ends_the_reports() -> None:
    sio = make_server(fastsio)
    instrumented = sio.instrument(auth=False, server_stats_interval=0.1)
    async with served(fastsio, sio) as url, Listener("/admin") as admin:
        await instrumented.shutdown()
        await admin.connect(url)
        await admin.until("server_stats")
        await instrumented.shutdown()
        heard = len(admin.heard)
        await asyncio.sleep(0.25)
        assert len(admin.heard) == heard


async def test_an_upgrade_is_told() -> None:
    """A client that joins while it polls, as JavaScript clients do; python-socketio's has upgraded before it joins."""
    sio = make_server(fastsio)
    sio.instrument(auth=False)
    async with served(fastsio, sio) as url, Listener("/admin") as admin, aiohttp.ClientSession() as http:
        await admin.connect(url)
        address = f"{url}/socket.io/?EIO=4&transport="
        opened = await (await http.get(address + "polling")).text()
        sid = json.loads(opened[1:])["sid"]
        await http.post(f"{address}polling&sid={sid}", data="40")
        told = await admin.until("socket_connected")
        assert (told[0][1]["transport"], sio.eio._registry.traffic.polling) == ("polling", 1)
        async with http.ws_connect(f"{address}websocket&sid={sid}") as ws:
            await ws.send_str("2probe")
            assert (await ws.receive()).data == "3probe"
            await ws.send_str("5")
            await admin.until("socket_updated")
            socket = {"id": told[0][1]["id"], "nsp": "/", "transport": "websocket"}
            assert admin.of("socket_updated") == [["socket_updated", socket]]
            assert sio.eio._registry.traffic.polling == 0


async def test_what_handlers_do_to_their_arguments_is_not_seen() -> None:
    sio = make_server(fastsio)

    @sio.event
    async def sign(sid: str, letter: dict[str, Any]) -> None:
        letter["signed"] = True

    sio.instrument(auth=False)
    async with served(fastsio, sio) as url, Listener("/admin") as admin, Listener() as ann:
        await admin.connect(url)
        await ann.connect(url)
        await ann.call("sign", {"text": "x", "data": b"\x01\x02"})
        await admin.until("event_received")
        assert admin.of("event_received")[0][3] == ["sign", {"text": "x", "data": b"\x01\x02"}]


@pytest.mark.parametrize("serializer", ["replaced sending", "packet class"])
async def test_applications_that_reach_into_sending_are_watched_too(serializer: str) -> None:
    class Packet(fastsio.packet.Packet):
        """A packet class of the application's own."""

    sio = make_server(fastsio, **({"serializer": Packet} if serializer == "packet class" else {}))
    if serializer == "replaced sending":
        original = sio._send_eio_packet
        sio._send_eio_packet = lambda eio_sid, packet: original(eio_sid, packet)
    sio.instrument(auth=False, server_stats_interval=0.1)
    async with served(fastsio, sio) as url, Listener("/admin") as admin, Listener() as ann:
        await admin.connect(url)
        await ann.connect(url)
        await ann.until("welcome")
        await admin.until("server_stats")
        await admin.until("event_sent")
        assert admin.of("event_sent")[0][3] == ["welcome", {"n": 1}]
        assert [message[1]["id"] for message in admin.of("socket_connected")] == [ann.sid]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("native", [False, True])
async def test_traffic_is_counted_on_every_wire(native: bool, transport: str) -> None:
    sio = make_server(fastsio)
    traffic: Any = None
    async with served(fastsio, sio, native) as url, Listener() as ann, Listener() as bob:
        for client in (ann, bob):
            await client.connect(url, transports=(transport,))
            await client.until("welcome")
            await client.call("enter", "lobby")
        traffic = sio.eio._registry.traffic
        before = traffic.packets_in, traffic.packets_out, traffic.bytes_in, traffic.bytes_out
        for _ in range(10):
            await ann.call("say", "lobby", "hi")
        await bob.until("said", 10)
        after = traffic.packets_in, traffic.packets_out, traffic.bytes_in, traffic.bytes_out
        assert traffic.polling == (2 if transport == "polling" else 0)
    said, ack, question = len('42["said","hi",2]'), len('433["ok"]'), len('423["say","lobby","hi"]')
    grown = [new - old for new, old in zip(after, before, strict=True)]
    assert grown[:2] == [10, 20]
    assert 10 * question <= grown[2] <= 10 * question + 10  # ack ids of one or two digits
    assert 10 * (said + ack) <= grown[3] <= 10 * (said + ack) + 10


class Bus(fastsio.AsyncManager):
    """A manager whose emits reach the servers of its cluster, all of them in this process."""

    def __init__(self, nodes: list["Bus"]) -> None:
        super().__init__()
        self.nodes = nodes
        nodes.append(self)

    async def emit(self, event: str, data: Any, namespace: str, room: Any = None, **kwargs: Any) -> None:
        await asyncio.sleep(0)
        for node in self.nodes:
            await fastsio.AsyncManager.emit(node, event, data, namespace, room)


async def test_admins_of_another_process_are_told() -> None:
    nodes: list[Bus] = []
    here, there = (make_server(fastsio, client_manager=Bus(nodes)) for _ in range(2))
    here.instrument(auth=False, server_id="here", server_stats_interval=0.1)
    there.instrument(auth=False, server_id="there", server_stats_interval=0.1)
    async with served(fastsio, here) as url, served(fastsio, there) as other_url:
        async with Listener("/admin") as admin, Listener() as ann:
            await admin.connect(url)
            await ann.connect(other_url)
            await ann.call("enter", "lobby")
            await admin.until("server_stats", 4)
            sid = ann.sid
            assert {message[1]["serverId"] for message in admin.of("server_stats")} == {"here", "there"}
            assert sid in [message[1]["id"] for message in admin.of("socket_connected")]
            assert ["room_joined", "/", "lobby", sid] in [message[:4] for message in admin.of("room_joined")]
            assert [message[3] for message in admin.of("event_received")] == [["enter", "lobby"]]
    here._instrumentation.uninstrument()
    there._instrumentation.uninstrument()
