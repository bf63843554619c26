"""What applications and test clients replace in a server, and what they call by hand: the same here as in python-socketio.

May import: both servers. Every test runs on each: the first proves the test, the second the server. No sockets are used.
"""

import asyncio
import importlib
import json
from contextvars import ContextVar
from typing import Any

import pytest


class World:
    """One server of one make, with a made-up client whose packets are caught."""

    def __init__(self, make: str) -> None:
        engine = "fastsio.engineio" if make == "fastsio" else "engineio"
        self.socketio = importlib.import_module(make)
        self.packet = importlib.import_module(f"{make}.packet")
        self.engine_packet = importlib.import_module(f"{engine}.packet")
        self.sent: list[tuple[str, Any]] = []

    def server(self, **options: Any) -> Any:
        sio = self.socketio.AsyncServer(async_mode="asgi", **options)

        async def send_packet(eio_sid: str, pkt: Any) -> None:
            self.sent.append((eio_sid, pkt.encode()))

        async def send_eio_packet(eio_sid: str, pkt: Any) -> None:
            assert pkt.packet_type == self.engine_packet.MESSAGE
            self.sent.append((eio_sid, pkt.data))

        sio._send_packet = send_packet
        sio._send_eio_packet = send_eio_packet
        return sio

    async def join(self, sio: Any, eio_sid: str = "eio-1", namespace: str = "/") -> str:
        """Let a made-up client in; give its sid."""
        await sio._handle_eio_connect(eio_sid, {"HTTP_X_NAME": eio_sid})
        await sio._handle_eio_message(eio_sid, "0" if namespace == "/" else f"0{namespace},")
        await asyncio.sleep(0.01)
        sid = sio.manager.sid_from_eio_sid(eio_sid, namespace)
        head = "0" if namespace == "/" else f"0{namespace},"
        assert self.take() == [(eio_sid, f'{head}{{"sid":"{sid}"}}')]
        return str(sid)

    def take(self) -> list[tuple[str, Any]]:
        taken = self.sent[:]
        self.sent.clear()
        return taken


@pytest.fixture(params=["socketio", "fastsio"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


async def test_traffic_by_hand(world: World):
    sio = world.server()
    seen: list[Any] = []

    @sio.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        seen.append(("connect", environ, sio.get_environ(sid) is environ))

    @sio.on("add")
    async def add(sid: str, a: int, b: int) -> int:
        return a + b

    @sio.on("picture")
    async def picture(sid: str, data: Any) -> Any:
        return data

    @sio.event
    async def disconnect(sid: str, reason: str) -> None:
        seen.append(("disconnect", reason, sio.rooms(sid) == [sid]))

    await world.join(sio)
    await sio._handle_eio_message("eio-1", '27["add",1,2]')
    await asyncio.sleep(0.01)
    assert world.take() == [("eio-1", "37[3]")]
    await sio._handle_eio_message("eio-1", '51-8["picture",{"_placeholder":true,"num":0}]')
    await sio._handle_eio_message("eio-1", b"\x01\x02")
    await asyncio.sleep(0.01)
    assert world.take() == [("eio-1", ['61-8[{"_placeholder":true,"num":0}]', b"\x01\x02"])]
    await sio._handle_eio_disconnect("eio-1", "transport close")
    assert seen == [("connect", {"HTTP_X_NAME": "eio-1"}, True), ("disconnect", "transport close", True)]
    assert "eio-1" not in sio.environ
    assert list(sio.manager.get_namespaces()) == []


async def test_broadcasts_are_caught_as_engine_packets(world: World):
    sio = world.server()
    sids = [await world.join(sio, f"eio-{number}") for number in range(3)]
    await sio.emit("news", {"a": [1, b"\x00"]}, skip_sid=sids[1])
    await asyncio.sleep(0.01)
    text = '51-["news",{"a":[1,{"_placeholder":true,"num":0}]}]'
    assert sorted(world.take(), key=lambda item: item[0]) == [
        (name, part) for name in ("eio-0", "eio-2") for part in (text, b"\x00")
    ]


async def test_callbacks_and_calls_by_hand(world: World):
    sio = world.server()
    sid = await world.join(sio)
    answers: list[Any] = []
    await sio.emit("question", "a", to=sid, callback=lambda *args: answers.append(args))
    await asyncio.sleep(0.01)
    assert world.take() == [("eio-1", '21["question","a"]')]
    assert list(sio.manager.callbacks[sid])[-1] == 1
    await sio._handle_eio_message("eio-1", '31["x",{"y":1}]')
    await asyncio.sleep(0.01)
    assert answers == [("x", {"y": 1})]
    asked = asyncio.ensure_future(sio.call("question", to=sid, timeout=1))
    await asyncio.sleep(0.01)
    assert world.take() == [("eio-1", '22["question"]')]
    await sio._handle_eio_message("eio-1", "32[5]")
    assert await asked == 5


async def test_a_server_that_puts_a_client_out(world: World):
    sio = world.server()
    sid = await world.join(sio, namespace="/a")
    sio.on("anything", lambda sid: None, namespace="/a")
    await sio.disconnect(sid, namespace="/a")
    await asyncio.sleep(0.01)
    assert world.take() == [("eio-1", "1/a,")]
    assert not sio.manager.is_connected(sid, "/a")


@pytest.fixture(autouse=True)
def open_namespace(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Namespace /a is accepted everywhere in here."""
    make = world.server
    monkeypatch.setattr(world, "server", lambda **options: make(**{"namespaces": ["/", "/a"], **options}))


async def test_a_trigger_hook_sees_everything(world: World):
    seen: list[Any] = []

    class Counting(world.socketio.AsyncServer):  # type: ignore[name-defined,misc]
        async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
            seen.append((event, namespace, args[1:]))
            if event == "odd":
                return "taken"
            return await super()._trigger_event(event, namespace, *args)

    world.socketio = type("Module", (), {"AsyncServer": Counting})
    sio = world.server()

    @sio.on("even")
    async def even(sid: str, number: int) -> int:
        return number * 2

    await world.join(sio)
    for packet in ('21["odd",1]', '22["even",2]', '23["nobody"]'):
        await sio._handle_eio_message("eio-1", packet)
    await asyncio.sleep(0.01)
    await sio._handle_eio_disconnect("eio-1", "client disconnect")
    assert sorted(packet for _, packet in world.take()) == ['31["taken"]', "32[4]"]
    assert seen == [
        ("connect", "/", ({"HTTP_X_NAME": "eio-1"}, None)),
        ("odd", "/", (1,)),
        ("even", "/", (2,)),
        ("nobody", "/", ()),
        ("disconnect", "/", ("client disconnect",)),
    ]


async def test_a_trigger_hook_on_the_instance_comes_and_goes(world: World):
    sio = world.server()
    sio.on("who", lambda sid: "handler")
    await world.join(sio)

    async def hook(event: str, namespace: str, *args: Any) -> str:
        return "hook"

    for replace in (False, True, False):
        if replace:
            sio._trigger_event = hook
        elif "_trigger_event" in vars(sio):
            del sio._trigger_event
        await sio._handle_eio_message("eio-1", '21["who"]')
        await asyncio.sleep(0.01)
        assert world.take() == [("eio-1", f'31["{"hook" if replace else "handler"}"]')]


async def test_a_packet_class_of_the_application(world: World):
    """As public applications do it: no binary events, and attachments left alone."""

    class Reversed(world.packet.Packet):  # type: ignore[name-defined,misc]
        uses_binary_events = False

        def encode(self) -> str:
            return "".join(reversed(super().encode()))

        def decode(self, encoded_packet: str) -> Any:
            return super().decode("".join(reversed(encoded_packet)))

    sio = world.server(serializer=Reversed)
    sio.on("echo", lambda sid, *args: args)
    await sio._handle_eio_connect("eio-1", {})
    await sio._handle_eio_message("eio-1", "0")
    await asyncio.sleep(0.01)
    assert world.take()[0][1].endswith("0")
    await sio._handle_eio_message("eio-1", ']"b",1,"ohce"[12')
    await asyncio.sleep(0.01)
    assert world.take() == [("eio-1", ']"b",1[13')]
    await sio.emit("x", {"a": 1})
    await asyncio.sleep(0.01)
    assert world.take() == [("eio-1", ']}1:"a"{,"x"[2')]


async def test_a_packet_class_whose_text_is_json(world: World):
    """Engine.IO has decoded it, when the class is given it."""

    class Mapped(world.packet.Packet):  # type: ignore[name-defined,misc]
        def encode(self) -> str:
            return json.dumps({"type": self.packet_type, "data": self.data})

        def decode(self, encoded_packet: Any) -> int:
            self.packet_type, self.data = encoded_packet["type"], encoded_packet.get("data")
            self.namespace = "/"
            return 0

    sio = world.server(serializer=Mapped)
    heard: list[Any] = []
    sio.on("news", lambda sid, *args: heard.append(args))
    await sio._handle_eio_connect("eio-1", {})
    for message in ({"type": 0}, {"type": 2, "data": ["news", 1]}):
        value = world.engine_packet.Packet(encoded_packet=f"4{json.dumps(message)}").data
        await sio._handle_eio_message("eio-1", value)
    await asyncio.sleep(0.01)
    assert heard == [(1,)]


async def test_a_json_module_of_the_application(world: World, monkeypatch: pytest.MonkeyPatch):
    class Shouting:
        @staticmethod
        def dumps(value: Any, **options: Any) -> str:
            return json.dumps(value, **options).upper()

        loads = staticmethod(json.loads)

    before = world.packet.Packet.json
    monkeypatch.setattr(world.packet.Packet, "json", before)  # python-socketio changes the class for every server
    monkeypatch.setattr(world.engine_packet.Packet, "json", world.engine_packet.Packet.json)
    sio = world.server(json=Shouting)
    await sio._handle_eio_connect("eio-1", {})
    await sio._handle_eio_message("eio-1", "0")
    await asyncio.sleep(0.01)
    world.take()
    await sio.emit("news", {"a": "b"})
    await asyncio.sleep(0.01)
    assert world.take() == [("eio-1", '2["NEWS",{"A":"B"}]')]
    assert sio.packet_class.json is Shouting
    assert sio.manager.json is Shouting


async def test_the_json_module_of_every_server(world: World, monkeypatch: pytest.MonkeyPatch):
    class Quiet:
        dumps = staticmethod(lambda value, **options: json.dumps(value, **options).lower())
        loads = staticmethod(json.loads)

    sio = world.server()
    await world.join(sio)
    monkeypatch.setattr(world.packet.Packet, "json", Quiet)
    await sio.emit("NEWS", {"A": "B"})
    await asyncio.sleep(0.01)
    assert world.take() == [("eio-1", '2["news",{"a":"b"}]')]
    monkeypatch.undo()
    await sio.emit("NEWS")
    await asyncio.sleep(0.01)
    assert world.take() == [("eio-1", '2["NEWS"]')]


async def test_a_manager_of_the_application(world: World):
    calls: list[str] = []

    class Watching(world.socketio.AsyncManager):  # type: ignore[name-defined,misc]
        async def pre_connect(self, eio_sid: str, namespace: str) -> Any:
            calls.append("pre_connect")
            return await super().pre_connect(eio_sid, namespace)

        async def connect(self, sid: str, namespace: str) -> Any:
            calls.append(f"connect {self.is_pre_connected(sid, namespace)}")
            return await super().connect(sid, namespace)

        async def emit(self, event: str, data: Any, namespace: str, *args: Any, **kwargs: Any) -> Any:
            calls.append(f"emit {event}")
            return await super().emit(event, data, namespace, *args, **kwargs)

        def pre_disconnect(self, sid: str, namespace: str) -> Any:
            calls.append("pre_disconnect")
            return super().pre_disconnect(sid, namespace)

        async def disconnect(self, sid: str, namespace: str, **kwargs: Any) -> Any:
            calls.append(f"disconnect {self.pending_disconnect}".replace(sid, "$sid"))
            return await super().disconnect(sid, namespace, **kwargs)

        async def trigger_callback(self, sid: str, id: int, data: Any) -> Any:
            calls.append(f"trigger_callback {id} {data}")
            return await super().trigger_callback(sid, id, data)

    sio = world.server(client_manager=Watching())
    sid = await world.join(sio)
    await sio.emit("news", 1, callback=lambda *args: None, to=sid)
    await asyncio.sleep(0.01)
    await sio._handle_eio_message("eio-1", "31[2]")
    await asyncio.sleep(0.01)
    await sio.disconnect(sid)
    assert calls == [
        "pre_connect",
        "connect True",
        "emit news",
        "trigger_callback 1 [2]",
        "pre_disconnect",
        "disconnect {'/': ['$sid']}",
    ]


async def test_refusals_by_a_manager(world: World):
    class Full(world.socketio.AsyncManager):  # type: ignore[name-defined,misc]
        async def pre_connect(self, eio_sid: str, namespace: str) -> Any:
            return None

    sio = world.server(client_manager=Full())
    await sio._handle_eio_connect("eio-1", {})
    await sio._handle_eio_message("eio-1", "0")
    await asyncio.sleep(0.01)
    [(_, refusal)] = world.take()
    assert refusal in ('4"Unable to connect"', '4{"message":"Unable to connect"}')


async def test_clients_made_up_in_the_tables(world: World):
    """As unit tests of applications do it."""
    sio = world.server()
    manager = sio.manager
    manager.basic_enter_room("sid-1", "/", None, eio_sid="eio-1")
    manager.basic_enter_room("sid-1", "/", "room")
    manager.basic_enter_room("sid-2", "/", None, eio_sid="eio-2")
    assert manager.is_connected("sid-1", "/")
    assert list(manager.get_participants("/", "room")) == [("sid-1", "eio-1")]
    assert dict(manager.rooms["/"]["room"]) == {"sid-1": "eio-1"}
    assert manager.rooms["/"][None].inverse["eio-2"] == "sid-2"
    assert "nowhere" not in manager.rooms["/"]
    with pytest.raises(KeyError):
        manager.rooms["/other"]
    await sio.emit("x", to="room")
    await asyncio.sleep(0.01)
    assert world.take() == [("eio-1", '2["x"]')]
    await sio.disconnect("sid-1")
    assert not manager.is_connected("sid-1", "/")


async def test_made_up_connections_join(world: World):
    manager = world.server().manager
    sid = await manager.pre_connect("eio-1", "/")
    assert manager.is_pre_connected(sid, "/")
    assert not manager.is_connected(sid, "/")
    assert manager.pending_connect == {"/": [sid]}
    assert await manager.pre_connect("eio-1", "/") is None
    assert await manager.connect(sid, "/") == sid
    assert manager.is_connected(sid, "/")
    whole = await manager.connect("eio-2", "/")
    assert manager.sid_from_eio_sid("eio-2", "/") == whole
    assert manager.pre_disconnect(sid, "/") == "eio-1"
    assert manager.pending_disconnect == {"/": [sid]}
    assert not manager.is_connected(sid, "/")
    await manager.disconnect(sid, "/")
    assert manager.get_rooms(sid, "/") == []


@pytest.mark.parametrize("async_handlers", [True, False])
async def test_handlers_do_not_see_each_others_context(world: World, async_handlers: bool):
    sio = world.server(async_handlers=async_handlers)
    colour: ContextVar[str] = ContextVar("colour", default="none")
    seen: list[str] = []

    @sio.on("paint")
    async def paint(sid: str, name: str) -> None:
        seen.append(colour.get())
        colour.set(name)
        await asyncio.sleep(0)

    await world.join(sio)

    async def send(name: str) -> None:
        await sio._handle_eio_message("eio-1", f'2["paint","{name}"]')

    colour.set("outside")
    await asyncio.gather(*[send(name) for name in ("red", "green", "blue")])
    await asyncio.sleep(0.01)
    assert seen == ["outside"] * 3
