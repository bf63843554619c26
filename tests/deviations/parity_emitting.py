"""Deviations of parity: Targets, data, callbacks and rooms.

May import: the shape. Transcripts are printed by `python -m parity --here <name>`.
"""

from deviations import Deviation, differs
from deviations.decisions import ACKS_ARE_READ, OWN_ORDER, SUPERSET

PART: dict[str, Deviation] = {}

differs(
    PART,
    "defect 15",
    """
ann < 40{"sid":"$1"}
bob < 40{"sid":"$2"}
cat < 40{"sid":"$3"}
server emit gives None
""",
    "emit_targets/to_empty_list",
    "emit_targets/room_empty_list",
)

differs(
    PART,
    "defect 15",
    """
ann < 40{"sid":"$1"}
bob < 40{"sid":"$2"}
cat < 40{"sid":"$3"}
ann < 42["E",1]
bob < 42["E",1]
cat < 42["E",1]
server emit gives None
""",
    "emit_targets/to_set",
)

differs(
    PART,
    "defect 16",
    """
ann < 40{"sid":"$1"}
bob < 40{"sid":"$2"}
cat < 40{"sid":"$3"}
cat < 42["E",1]
server emit gives None
""",
    "skipping/tuple",
    "skipping/set",
)

differs(
    PART,
    "defect 17",
    """
ann < 40{"sid":"$1"}
bob < 40{"sid":"$2"}
ann < 451-["E",{"_placeholder":true,"num":0}]
ann hex 01
server emit gives None
ann < 42["still here"]
bob < 451-["E",{"_placeholder":true,"num":0}]
bob < bAQ==
server emit gives None
bob < 42["still here"]
""",
    "emit_data/bytearray",
)

differs(
    PART,
    SUPERSET,
    """
ann < 40{"sid":"$1"}
bob < 40{"sid":"$2"}
ann < 451-["E",{"a":[{"_placeholder":true,"num":0}]}]
ann hex 01
server emit gives None
ann < 42["still here"]
bob < 451-["E",{"a":[{"_placeholder":true,"num":0}]}]
bob < bAQ==
server emit gives None
bob < 42["still here"]
""",
    "emit_data/bytes_in_nested_tuple",
)

differs(
    PART,
    "defect 36",
    """
ann < 40{"sid":"$1"}
bob < 40{"sid":"$2"}
cat < 40{"sid":"$3"}
ann < 451-["E",{"data":{"_placeholder":true,"num":0}}]
ann hex 0102
bob < 451-["E",{"data":{"_placeholder":true,"num":0}}]
bob hex 0102
cat < 451-["E",{"data":{"_placeholder":true,"num":0}}]
cat < bAQI=
ann < 42["F",1]
bob < 42["F",1]
cat < 42["F",1]
""",
    "one_binary_broadcast",
)

differs(
    PART,
    ACKS_ARE_READ,
    """
ann < 40{"sid":"$1"}
ann < 421["first"]
ann < 422["second"]
server callback 1
server call gives 2
""",
    "a_call_within_a_callback",
)

differs(
    PART,
    OWN_ORDER,
    """
ann < 40{"sid":"$1"}
bob < 40{"sid":"$2"}
server order ['$2', 'z', 'a', 'm'], ['$1', 'm', 'z']
""",
    "room_order",
)
