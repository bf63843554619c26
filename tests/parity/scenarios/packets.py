"""MessagePack and packet classes (contract 2.22, 1.14, 1.15)."""

import base64
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage


def packed(value: Any) -> bytes:
    import msgpack

    return msgpack.packb(value)


def unpacked(text: str) -> Any:
    import msgpack

    data = bytes.fromhex(text.removeprefix("hex ")) if text.startswith("hex ") else base64.b64decode(text[1:])
    return msgpack.unpackb(data)


def write_unpacked(stage: Stage) -> None:
    """Replace MessagePack in the transcript by what it says."""
    for number, line in enumerate(stage.transcript.lines):
        who, what, *rest = line.split(" ", 2)
        if what == "hex" or (what == "<" and rest and rest[0].startswith("b")):
            said = repr(unpacked(f"hex {rest[0]}" if what == "hex" else rest[0]))
            stage.transcript.lines[number : number + 1] = []
            stage.transcript.lines.insert(number, f"{who} unpacked {said}")
            stage.transcript.lines[number] = _renamed(stage, stage.transcript.lines.pop(number), number)


def _renamed(stage: Stage, line: str, number: int) -> str:
    stage.transcript.add(line)
    renamed = stage.transcript.lines.pop()
    stage.transcript.lines.insert(number, renamed)
    return renamed


@scenario("2.22", {"websocket": True, "polling": False})
async def message_pack(stage: Stage, is_websocket: bool) -> None:
    sio = stage.server(serializer="msgpack")
    sio.on("connect", stage.noting("connect"))
    sio.on("E", stage.noting("E", returns={"a": b"\x02", "n": 2**40}))
    await stage.serve(sio)
    ann = await (stage.client("ann").websocket() if is_websocket else stage.client("ann").polling())

    async def send(**packet: Any) -> None:
        data = packed(packet)
        await ann.send(data if is_websocket else "b" + base64.b64encode(data).decode())

    await send(type=0, nsp="/", data={"token": 1})
    await send(type=2, nsp="/", data=["E", b"\x01", {"x": [1.5, None]}], id=7)
    await send(type=2, nsp="/", data=["E"])
    await sio.emit("news", (b"\x01", "text", {"deep": [b"\x02"]}))
    await sio.emit("question", callback=stage.noting("callback"))
    await stage.settle()
    await send(type=3, nsp="/", data=[1, b"\x03"], id=1)
    await send(type=1, nsp="/")
    stage.note("gone", dict(sio.manager.rooms))
    write_unpacked(stage)


@scenario("2.22", {"pickle": "pickle", "cbor": "cbor"})
async def serializers_that_do_not_exist(stage: Stage, name: str) -> None:
    await stage.outcome("server", lambda: stage.server(serializer=name))


@scenario("1.14")
async def packets(stage: Stage) -> None:
    """`socketio.packet`, used on its own."""
    module = stage.module("packet")
    packet = module.Packet
    stage.note(
        "names", module.packet_names, [getattr(module, name) for name in ("CONNECT", "DISCONNECT", "EVENT", "ACK")]
    )
    for value in (["a", 1], ["a", b"\x01", {"b": [b"\x02"]}], {"sid": "x"}, None):
        await stage.outcome("event", lambda: packet(module.EVENT, data=value, namespace="/x", id=3).encode())
    await stage.outcome("connect", lambda: packet(module.CONNECT, {"sid": "x"}).encode())
    await stage.outcome("disconnect", lambda: packet(module.DISCONNECT, namespace="/x").encode())
    await stage.outcome("binary connect", lambda: packet(module.CONNECT, b"\x01"))
    for text in ("0", "0/foo,", '0/foo?x=1,{"a":1}', "1/foo,", '2["a"]', '2/foo,12["a",1]', "31[]", '25-["x"]', "7[]"):
        found = packet(encoded_packet=text)
        stage.note(text, found.packet_type, found.namespace, found.id, found.data, found.attachment_count)
    for text in ("x", "2[", '5-["a"]', "2" + "9" * 101 + "[]", '512345678901-["a"]'):
        try:
            packet(encoded_packet=text)
            stage.note(text, "is read")
        except ValueError:
            stage.note(text, "ValueError")
    binary = packet(encoded_packet='52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
    stage.note("attachments", binary.add_attachment(b"\x01"), binary.add_attachment(b"\x02"), binary.data)
    await stage.outcome("one too many", lambda: binary.add_attachment(b"\x03"))
    stage.note("class", packet.uses_binary_events, packet.data_is_binary({"a": [b""]}), packet.data_is_binary([1]))


@scenario("1.14")
async def a_packet_class_of_the_application(stage: Stage) -> None:
    base = stage.module("packet").Packet

    class Packet(base):  # type: ignore[misc, valid-type]
        """Writes `!` in front of every event's name."""

        def encode(self) -> Any:
            if self.packet_type == 2 and not self.data[0].startswith("!"):
                self.data[0] = "!" + self.data[0]
            return super().encode()

    sio = stage.server(serializer=Packet)
    sio.on("E", stage.noting("E", returns=1))
    stage.note("class", sio.packet_class is Packet)
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.poller("bob")
    for client in (ann, bob):
        await client.ask("E", 1)
        await sio.emit("news", {"a": b"\x01"}, to=client.sid)
        await stage.settle()


@scenario("1.14")
async def a_packet_class_without_binary_events(stage: Stage) -> None:
    base = stage.module("packet").Packet

    class Packet(base):  # type: ignore[misc, valid-type]
        uses_binary_events = False

        @classmethod
        def reconstruct_binary(cls, data: Any, attachments: Any) -> Any:
            return data

    sio = stage.server(serializer=Packet)
    sio.on("E", stage.noting("E", returns="fine"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E", {"a": 1})
    await stage.outcome("emit", sio.emit("news", [1, 2]))
    await stage.settle()


@scenario("1.15")
async def engine_packets(stage: Stage) -> None:
    """`engineio.packet` and `engineio.payload`, used on their own."""
    module, payload = stage.engine_module("packet"), stage.engine_module("payload").Payload
    stage.note("names", module.packet_names, module.OPEN, module.NOOP)
    for data in ("text", b"\x00\xff", {"a": 1}, None, 5):
        packet = module.Packet(module.MESSAGE, data=data)
        stage.note("encoded", packet.encode(), packet.binary)
    stage.note("base64", module.Packet(module.MESSAGE, data=b"\x00\xff").encode(b64=True))
    for text in ("4text", '4{"a":1}', "2probe", "bAQI=", b"\x01", "412"):
        packet = module.Packet(encoded_packet=text)
        stage.note("decoded", packet.packet_type, packet.data, packet.binary)
    await stage.outcome("binary ping", lambda: module.Packet(module.PING, data=b"\x01"))
    packets = [
        module.Packet(module.MESSAGE, data="a"),
        module.Packet(module.MESSAGE, data=b"\x01"),
        module.Packet(module.PING),
    ]
    text = payload(packets=packets).encode()
    stage.note("payload", text, [(one.packet_type, one.data) for one in payload(encoded_payload=text).packets])
    stage.note("limit", isinstance(payload.max_decode_packets, int))
