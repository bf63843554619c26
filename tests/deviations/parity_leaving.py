"""Deviations of parity: The end of a client, and its heartbeat.

May import: the shape. Transcripts are printed by `python -m parity --here <name>`.
"""

from deviations import Deviation, differs
from deviations.decisions import DEAD_PEER, SLOT, TWICE

PART: dict[str, Deviation] = {}

differs(
    PART,
    "defect 14",
    """
ann < 40{"sid":"$1"}
ann < 40/x,{"sid":"$2"}
ann close 1005
server disconnect of / '$1', 'client disconnect'
server disconnect of /x '$2', 'client disconnect'
server members {}
""",
    "reasons_over_websocket/close_packet",
)

differs(
    PART,
    "defect 14",
    """
ann < 40{"sid":"$1"}
ann < 40/x,{"sid":"$2"}
ann < 1
ann close 1000
server disconnect of / '$1', 'server disconnect'
server disconnect of /x '$2', 'server disconnect'
server members {}
""",
    "reasons_over_websocket/engine",
)

differs(
    PART,
    "defect 27",
    """
ann < 40{"sid":"$1"}
ann < 40/x,{"sid":"$2"}
ann < 6
ann poll 400 "Invalid session $3"
server disconnect of / '$1', 'client disconnect'
server disconnect of /x '$2', 'client disconnect'
server members {}
""",
    "reasons_over_polling/close_packet",
)

differs(
    PART,
    "defect 6 and 14",
    """
ann < 40{"sid":"$1"}
server of nobody gives None
bob < 40{"sid":"$2"}
ann < 1
ann close 1000
bob < 1
bob close 1000
server disconnect of / '$1', 'server disconnect'
server disconnect of / '$2', 'server disconnect'
server left behind {}, {}, 0
""",
    "engine_disconnect_of_all",
)

differs(
    PART,
    "defect 12",
    """
server connect begins 
server connect ends 
server disconnect '$1', 'client disconnect'
server rooms {}
""",
    "closed_while_connecting",
)

differs(
    PART,
    TWICE,
    """
ann < 40{"sid":"$1"}
server before use gives None
ann < 437[1]
server shutdown gives None
server E '$1'
bob < 40{"sid":"$2"}
server again gives None
bob < 437[1]
server E '$2'
""",
    "shutdown",
)

differs(
    PART,
    DEAD_PEER,
    """
ann < 40{"sid":"$1"}
ann < 2
ann close 1000
server disconnect of / '$1', 'ping timeout'
server left behind {}, {}, 0
""",
    "ping_timeout_over_websocket",
)

differs(
    PART,
    "defect 19",
    """
ann < 40{"sid":"$1"}
ann < 2
ann < 1
ann poll 400 "Invalid session $2"
server disconnect of / '$1', 'ping timeout'
server left behind {}, {}, 0
""",
    "ping_timeout_over_polling",
)

differs(
    PART,
    SLOT,
    """
ann < 40{"sid":"$1"}
ann < 2
server disconnect of / '$1', 'ping timeout'
server left behind {}, {}, 0
""",
    "silent_until_spoken_to",
)

differs(
    PART,
    "defect 1",
    """
http GET /socket.io/?EIO=4&transport=polling 200 [+credentials; text/plain; charset=UTF-8] 0{"maxPayload": 1000000, "pingInterval": 2500, "pingTimeout": 20000, "sid": "$1", "upgrades": ["websocket"]}
server attributes 2.5, 20.0
""",
    "advertised_intervals/fraction",
)

differs(
    PART,
    "defect 1",
    """
http GET /socket.io/?EIO=4&transport=polling 200 [+credentials; text/plain; charset=UTF-8] 0{"maxPayload": 1000000, "pingInterval": 500, "pingTimeout": 20000, "sid": "$1", "upgrades": ["websocket"]}
server attributes 0.5, 20.0
""",
    "advertised_intervals/under_a_second",
)

differs(
    PART,
    "defect 1",
    """
http GET /socket.io/?EIO=4&transport=polling 200 [+credentials; text/plain; charset=UTF-8] 0{"maxPayload": 1000000, "pingInterval": 3100, "pingTimeout": 20000, "sid": "$1", "upgrades": ["websocket"]}
server attributes 2.5, 20.0
""",
    "advertised_intervals/pair_with_fractions",
)
