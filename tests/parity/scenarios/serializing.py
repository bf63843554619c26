"""What data become on the wire and back (contract 2.21): JSON, and other JSON modules."""

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
    "control_characters": '\x00\x1f"\\/\x7f',
    "lone_surrogate": "\ud800",
    "nan": float("nan"),
    "infinity": [float("inf"), -float("inf")],
    "big_integers": [2**53 + 1, 2**63, 2**64, -(2**80), 10**30],
    "floats": [1.0, 0.1, 1e22, 1.5e-7, -0.0, 1e300],
    "keys": {2: "int", 1.5: "float", True: "bool", None: "none"},
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
    packet.json = types.SimpleNamespace(
        dumps=lambda value, **named: json.dumps(["mine", *value], **named), loads=json.loads
    )
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    await sio.emit("before")
    await ann.send("40")
