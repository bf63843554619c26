"""Deviations of parity: Upgrades and malformed input.

May import: the shape. Transcripts are printed by `python -m parity --here <name>`.
"""

from deviations import Deviation, differs
from deviations.decisions import (
    CLIENT_PING,
    EXACT,
    MISPLACED,
    PROBE_POLLS,
    RACES_DROPPED,
    SECOND_UPGRADE,
    STRAY,
    UNDECODABLE,
)

PART: dict[str, Deviation] = {}

differs(
    PART,
    SECOND_UPGRADE,
    """
ann < 40{"sid":"$1"}
ann probe < 3probe
ann < 437[1]
server transport 'websocket'
server E '$1'
ann < 42["news"]
http GET /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Unexpected HTTP request"
server second close 1005
""",
    "an_upgrade",
)

differs(
    PART,
    PROBE_POLLS,
    """
ann < 40{"sid":"$1"}
ann probe < 3probe
ann < 42["n",1]
ann < 431[1]
server E '$1'
server transport 'polling'
ann < 42["n",2]
ann < 451-["n",{"_placeholder":true,"num":0}]
ann hex 03
""",
    "messages_while_upgrading",
)

differs(
    PART,
    "defect 37",
    """
ann < 40{"sid":"$1"}
ann < 42["still polling"]
ann < 431[1]
server transport 'polling'
server E '$1'
""",
    "upgrades_that_fail/nothing",
    "upgrades_that_fail/unparsable",
    "upgrades_that_fail/unparsable_after_probe",
)

differs(
    PART,
    PROBE_POLLS,
    """
ann < 40{"sid":"$1"}
ann < 42["still polling"]
ann < 431[1]
server transport 'polling'
server E '$1'
""",
    "upgrades_that_fail/twice",
)

differs(
    PART,
    UNDECODABLE,
    """
ann < 40{"sid":"$1"}
ann close 1005
server disconnect '$1', 'transport error'
ann cannot send any more
""",
    "malformed_packets/invalid_json",
    "malformed_packets/payload_is_no_list",
    "malformed_packets/payload_is_text",
    "malformed_packets/unknown_type",
    "malformed_packets/ack_without_list",
    "malformed_packets/ack_without_payload",
    "malformed_packets/no_socketio_packet",
    "malformed_packets/no_digit",
    "malformed_packets/binary_unexpected",
    "malformed_packets/no_attachment_count",
    "malformed_packets/placeholder_out_of_range",
    "malformed_packets/attachments_of_eleven_digits",
    "malformed_packets/long_id",
    "malformed_packets/type_7",
    "malformed_packets/namespace_without_comma",
)

differs(
    PART,
    MISPLACED,
    """
ann < 40{"sid":"$1"}
ann close 1005
server disconnect '$1', 'transport error'
ann cannot send any more
""",
    "malformed_packets/event_elsewhere",
    "malformed_packets/binary_elsewhere",
    "malformed_packets/disconnect_elsewhere",
)

differs(
    PART,
    "defect 20",
    """
ann < 40{"sid":"$1"}
ann close 1005
server disconnect '$1', 'transport error'
ann cannot send any more
""",
    "malformed_packets/text_for_an_attachment",
)

differs(
    PART,
    "defect 21",
    """
ann < 40{"sid":"$1"}
server E '$1', 1
ann < 437[1]
server E '$1', 'good'
""",
    "malformed_packets/no_attachments",
)

differs(
    PART,
    EXACT,
    """
ann < 40{"sid":"$1"}
server E '$1', 99999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999
ann < 437[1]
server E '$1', 'good'
""",
    "malformed_packets/long_integer",
)

differs(
    PART,
    "defect 22",
    """
ann < 40{"sid":"$1"}
ann close 1005
server disconnect '$1', 'transport error'
ann cannot send any more
""",
    "malformed_packets/garbage",
    "malformed_packets/empty_frame",
)

differs(
    PART,
    CLIENT_PING,
    """
ann < 40{"sid":"$1"}
ann close 1005
server disconnect '$1', 'transport error'
ann cannot send any more
""",
    "malformed_packets/client_ping",
)

differs(
    PART,
    STRAY,
    """
ann < 40{"sid":"$1"}
ann < 437[1]
server E '$1', 'good'
""",
    "malformed_packets/upgrade_out_of_place",
)

differs(
    PART,
    UNDECODABLE,
    """
ann < 40{"sid":"$1"}
ann < 431[1]
ann < 1
ann poll 400 "Invalid session $2"
ann.post 400 "Bad Request"
server E '$1'
server disconnect '$1', 'transport error'
""",
    "malformed_in_the_middle_of_a_post",
)

differs(
    PART,
    RACES_DROPPED,
    """
ann < 40{"sid":"$1"}
log socketio.server WARNING
server disconnect '$1', 'client disconnect'
""",
    "logs_of_malformed_packets",
)
