"""Deviations of parity: What data become on the wire.

May import: the shape. Transcripts are printed by `python -m parity --here <name>`.
"""

from deviations import Deviation, differs
from deviations.decisions import JS_NUMBERS, OPEN_IS_PLAIN, SAYS_WHAT_EXISTS, SUPERSET, SURROGATES, UNDECODABLE

PART: dict[str, Deviation] = {}

differs(
    PART,
    JS_NUMBERS,
    """
ann < 40{"sid":"$1"}
ann < 42["E",[null]]
ann < 42["still here"]
""",
    "outbound_json/nan",
)

differs(
    PART,
    JS_NUMBERS,
    """
ann < 40{"sid":"$1"}
ann < 42["E",[[null,null]]]
ann < 42["still here"]
""",
    "outbound_json/infinity",
)

differs(
    PART,
    SUPERSET,
    """
ann < 40{"sid":"$1"}
ann < 42["E",["2020-01-02T03:04:05"]]
ann < 42["still here"]
""",
    "outbound_json/datetime",
)

differs(
    PART,
    SUPERSET,
    """
ann < 40{"sid":"$1"}
ann < 42["E",["00000000-0000-0000-0000-000000000001"]]
ann < 42["still here"]
""",
    "outbound_json/uuid",
)

differs(
    PART,
    SUPERSET,
    """
ann < 40{"sid":"$1"}
ann < 42["E",[{"x":1}]]
ann < 42["still here"]
""",
    "outbound_json/dataclass",
)

differs(
    PART,
    SURROGATES,
    """
ann < 40{"sid":"$1"}
server E "'\\\\ufffd'"
ann < 431[]
server E "'good'"
""",
    "inbound_json/lone_surrogate",
)

differs(
    PART,
    UNDECODABLE,
    """
ann < 40{"sid":"$1"}
ann close 1005
ann cannot send any more
""",
    "inbound_json/raw_control",
    "inbound_json/leading_zero",
    "inbound_json/trailing_comma",
)

differs(
    PART,
    OPEN_IS_PLAIN,
    """
ann < 40{"sid":"$1"}
server loads '{"token": 1}', []
server dumps {'sid': '$1'}, ['separators']
ann < 437[{"a":1}]
server loads '["E", {"b": [1]}]', []
server E '$1', {'b': [1]}
server dumps [{'a': 1}], ['separators']
ann < 42["F",{"c":1}]
ann < 451-["G",{"_placeholder":true,"num":0}]
ann hex 01
server dumps ['F', {'c': 1}], ['separators']
server dumps ['G', {'_placeholder': True, 'num': 0}], ['separators']
""",
    "another_json_module",
)

differs(
    PART,
    SAYS_WHAT_EXISTS,
    """
server server raises ValueError("serializer='pickle'; choose 'default', 'msgpack' or a packet class",)
""",
    "serializers_that_do_not_exist/pickle",
)

differs(
    PART,
    SAYS_WHAT_EXISTS,
    """
server server raises ValueError("serializer='cbor'; choose 'default', 'msgpack' or a packet class",)
""",
    "serializers_that_do_not_exist/cbor",
)
