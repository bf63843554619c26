"""Deviations of parity: Joining a namespace.

May import: the shape. Transcripts are printed by `python -m parity --here <name>`.
"""

from deviations import Deviation, differs
from deviations.decisions import HELD_BACK, MISPLACED

PART: dict[str, Deviation] = {}

differs(
    PART,
    "defect 11",
    """
ann < 40{"sid":"$1"}
server two '$1', environ
""",
    "connect_handler_with_auth/two",
)

differs(
    PART,
    "defect 11",
    """
ann < 40{"sid":"$1"}
server plain two '$1', environ
""",
    "connect_handler_with_auth/plain_two",
)

differs(
    PART,
    "defect 11 and 12",
    """
ann < 44{"message":"Connection rejected by server"}
server connect 
fault TypeError('of the application',)
""",
    "a_type_error_inside_the_handler",
)

differs(
    PART,
    HELD_BACK,
    """
ann < 40{"sid":"$1"}
ann < 42["welcome"]
ann < 42["to the room"]
ann < 42["to all"]
server connected False, True
server rooms ['$1', 'room'], 'websocket', True
ann < 437[{"name":"ann"}]
""",
    "inside_the_connect_handler",
)

differs(
    PART,
    MISPLACED,
    """
ann close 1005
ann cannot send any more
ann cannot send any more
""",
    "an_event_for_a_namespace_never_joined",
)

differs(
    PART,
    MISPLACED,
    """
ann < 40{"sid":"$1"}
ann close 1005
ann cannot send any more
""",
    "a_second_connect",
)

differs(
    PART,
    "defect 12",
    """
ann < 44{"message":"Connection rejected by server"}
ann < 44/x,{"message":"Connection rejected by server"}
ann close 1000
server members [0, 0]
server left behind {}
""",
    "connect_outcomes/exception",
)

differs(
    PART,
    "defect 13",
    """
ann < 40{"sid":"$1"}
ann < 41
server members 0
""",
    "always_connect/false",
    "always_connect/refused",
    "always_connect/refused_data",
)

differs(
    PART,
    HELD_BACK,
    """
ann < 44{"message":"Connection rejected by server"}
bob < 40{"sid":"$1"}
bob < 42["news"]
""",
    "a_pending_client_hears",
)

differs(
    PART,
    "defect 18",
    """
ann < 44{"message":"Invalid namespace"}
ann < 40/foo,{"sid":"$1"}
ann < 44/bar,{"message":"Invalid namespace"}
ann < 44/f,{"message":"Invalid namespace"}
""",
    "accepted_namespaces/one_name",
)
