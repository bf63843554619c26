"""What data become on the wire and back (contract 2.21, 2.22): JSON, other JSON modules, MessagePack, packet classes."""

import base64
import collections
import datetime
import decimal
import enum
import json
import types
import uuid
from dataclasses import dataclass
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage


class Colour(enum.IntEnum):
    RED = 1


class Name(str, enum.Enum):
    ANN = "ann"


class Text(str):
    pass


@dataclass
class Record:
    x: int


Pair = collections.namedtuple("Pair", "x y")
CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)

OUTBOUND: dict[str, Any] = {
    "not_ascii": "h\u00e9 \u20ac \U0001f600 \u2028",
    "control_characters": "\x00\x1f\"\\/\x7f",
    "lone_surrogate": "\ud800",
    "nan": float("nan"),
    "infinity": [float("inf"), -float("inf")],
    "big_integers": [2**53 + 1, 2**63, 2**64, -(2**80), 10**30],
    "floats": [1.0, 0.1, 1e22, 1.5e-7, -0.0, 1e300],
    "keys": {1: "int", 1.5: "float", True: "bool", None: "none"},
    "key_collision": {"1": "text", 1: "int"},
    "int_enum": Colour.RED,
    "text_enum": Name.ANN,
    "text_subclass": [Text("text"), {Text("key"): 1}],
    "ordered_dict": collections.OrderedDict([("b", 1), ("a", 2)]),
    "default_dict": collections.defaultdict(list, {"a": [1]}),
    "named_tuple": Pair(1, 2),
    "nested_named_tuple": {"p": Pair(1, 2)},
    "datetime": datetime.datetime(2020, 1, 2, 3, 4, 5),
    "decimal": decimal.Decimal("1.5"),
    "uuid": uuid.UUID(int=1),
    "dataclass": Record(1),
    "frozenset": frozenset([1]),
    "circle": CIRCLE,
    "tuple_key": {(1, 2): 3},
    "deep": json.loads("[" * 100 + "]" * 100),
    "empty": [{}, [], "", None],
}


@scenario("2.21", OUTBOUND)
async def outbound_json(stage: Stage, value: Any) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    try:
        await sio.emit("E", [value], to=ann.sid)
    except (TypeError, RecursionError, ValueError) as error:
        stage.note("raises", type(error).__name__)
    await sio.emit("still here")
    await stage.settle()


@scenario("2.21")
async def escapes_are_json(stage: Stage) -> None:
    """Whatever is escaped, a JSON parser reads the same, also from a polling body."""
    sio = stage.server()
    await stage.serve(sio)
    for client in (await stage.guest("ann"), await stage.poller("bob")):
        await sio.emit("E", "caf\u00e9 \U0001f600 \x1e \u2028", to=client.sid)
        await stage.settle()


INBOUND: dict[str, str] = {
    "numbers": "[0,-0,1.0,1e3,0.1,123456789012345678901234567890]",
    "nan": "[NaN,Infinity,-Infinity]",
    "huge_float": "1e400",
    "duplicate_keys": '{"a":1,"b":2,"a":3}',
    "escapes": '"\\u00e9\\ud83d\\ude00\\n\\"\\\\\\/"',
    "lone_surrogate": '"\\ud800"',
    "white_space": ' [ 1 , { "a" : null } ] ',
    "nested": "[" * 50 + "]" * 50,
    "raw_unicode": '"h\u00e9\U0001f600"',
    "raw_control": '"a\tb"',
    "literals": "[true,false,null]",
    "leading_zero": "01",
    "trailing_comma": "[1,]",
    "placeholder_in_a_plain_event": '{"_placeholder":true,"num":0}',
}


@scenario("2.21", INBOUND)
async def inbound_json(stage: Stage, text: str) -> None:
    sio = stage.server()

    @sio.event
    async def E(sid: str, value: Any) -> None:
        stage.note("E", value if not isinstance(value, str) else ascii(value))

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.send(f'42["E",{text}]')
    await ann.send('421["E","good"]')


# --- another JSON module (2.21)


def spying_json(stage: Stage) -> Any:
    """Give a JSON module that notes how it is called."""

    def dumps(*args: Any, **named: Any) -> str:
        stage.note("dumps", *args, sorted(named))
        return json.dumps(*args, **named)

    def loads(*args: Any, **named: Any) -> Any:
        stage.note("loads", *args, sorted(named))
        return json.loads(*args, **named)

    return types.SimpleNamespace(dumps=dumps, loads=loads)


@scenario("2.21")
async def another_json_module(stage: Stage) -> None:
    sio = stage.server(json=spying_json(stage))
    sio.on("E", stage.noting("E", returns={"a": 1}))
    await stage.serve(sio)
    ann = await stage.guest("ann", auth={"token": 1})
    await ann.ask("E", {"b": [1]})
    await sio.emit("F", {"c": 1}, to=ann.sid)
    await sio.emit("G", b"\x01", to=ann.sid)
    await stage.settle()


@scenario("2.21")
async def a_json_module_with_types_of_its_own(stage: Stage) -> None:
    class Encoder(json.JSONEncoder):
        def default(self, value: Any) -> Any:
            return value.isoformat() if isinstance(value, datetime.date) else super().default(value)

    def dumps(value: Any, **named: Any) -> str:
        return json.dumps(value, cls=Encoder, **named)

    sio = stage.server(json=types.SimpleNamespace(dumps=dumps, loads=json.loads))
    await stage.serve(sio)
    await stage.guest("ann")
    await stage.outcome("emit", sio.emit("E", {"day": datetime.date(2020, 1, 2)}))
    await stage.settle()


@scenario("2.21")
async def json_of_the_packet_class(stage: Stage) -> None:
    """The module may be assigned on the packet class."""
    packet = stage.module("packet").Packet
    packet.json = types.SimpleNamespace(dumps=lambda value, **named: json.dumps(["mine", *value], **named), loads=json.loads)
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    await sio.emit("before")
    await ann.send("40")


# --- MessagePack and packet classes (2.22, 1.14)


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
    stage.note("names", module.packet_names, [getattr(module, name) for name in ("CONNECT", "DISCONNECT", "EVENT", "ACK")])
    for value in (["a", 1], ["a", b"\x01", {"b": [b"\x02"]}], {"sid": "x"}, None):
        await stage.outcome("event", lambda: packet(module.EVENT, data=value, namespace="/x", id=3).encode())  # noqa: B023
    await stage.outcome("connect", lambda: packet(module.CONNECT, {"sid": "x"}).encode())
    await stage.outcome("disconnect", lambda: packet(module.DISCONNECT, namespace="/x").encode())
    await stage.outcome("binary connect", lambda: packet(module.CONNECT, b"\x01"))
    for text in ("0", "0/foo,", '0/foo?x=1,{"a":1}', "1/foo,", '2["a"]', '2/foo,12["a",1]', "31[]", '25-["x"]', "7[]"):
        found = packet(encoded_packet=text)
        stage.note(text, found.packet_type, found.namespace, found.id, found.data, found.attachment_count)
    for text in ("x", "2[", '5-["a"]', '2' + "9" * 101 + "[]", '512345678901-["a"]'):
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
    packets = [module.Packet(module.MESSAGE, data="a"), module.Packet(module.MESSAGE, data=b"\x01"), module.Packet(module.PING)]
    text = payload(packets=packets).encode()
    stage.note("payload", text, [(one.packet_type, one.data) for one in payload(encoded_payload=text).packets])
    stage.note("limit", isinstance(payload.max_decode_packets, int))
