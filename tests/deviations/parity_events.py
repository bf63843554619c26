"""Deviations of parity: Events: names, kinds of handler, failures.

May import: the shape. Transcripts are printed by `python -m parity --here <name>`.
"""

from deviations import Deviation, differs

PART: dict[str, Deviation] = {}

differs(
    PART,
    "defect 9",
    """
ann < 40{"sid":"$1"}
server connect '$1', environ, None
ann < 437[]
server any 'E', '$1'
""",
    "reserved_names_from_clients/connect",
    "reserved_names_from_clients/disconnect",
)

differs(
    PART,
    "defect 9",
    """
ann < 40{"sid":"$1"}
server connect '$1', environ, None
ann < 437[]
server any '*', '$1', 'made up'
ann < 437[]
server any 'E', '$1'
""",
    "reserved_names_from_clients/star",
)

differs(
    PART,
    "defect 10",
    """
ann < 40{"sid":"$1"}
ann < 437["object"]
server object '$1', 1
""",
    "kinds_of_handlers/object",
)

differs(
    PART,
    "defect 10",
    """
ann < 40{"sid":"$1"}
ann < 437["coroutine"]
server coroutine '$1', 1, {}
""",
    "kinds_of_handlers/lambda",
)

differs(
    PART,
    "defect 12",
    """
ann < 44{"message":"Connection rejected by server"}
ann < 40{"sid":"$1"}
server rooms 0
fault RuntimeError('of the application',)
server rooms 1
""",
    "a_connect_handler_raises",
)

differs(
    PART,
    "defect 12",
    """
ann < 40{"sid":"$1"}
ann close 1000
fault RuntimeError('of the application',)
server left behind 0, [], {}
""",
    "a_disconnect_handler_raises",
)
