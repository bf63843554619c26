"""Deviations of parity: The HTTP endpoint.

May import: the shape. Transcripts are printed by `python -m parity --here <name>`.
"""

from deviations import Deviation, differs
from deviations.decisions import (
    AT_ONCE,
    JSONP_OFF,
    OVERSIZE,
    PACKET_LIMIT,
    READABLE,
    STRAY,
    SUITE_METHOD,
    SUITE_TRANSPORT,
    VIOLATION,
)

PART: dict[str, Deviation] = {}

differs(
    PART,
    SUITE_TRANSPORT,
    """
http GET /socket.io/?EIO=4 400 [+credentials; text/plain] "Invalid transport"
""",
    "requests/2_without_transport",
)

differs(
    PART,
    SUITE_TRANSPORT,
    """
http GET /socket.io/?sid=unknown 400 [+credentials; text/plain] "Invalid transport"
""",
    "requests/6_unknown_session_without_revision",
)

differs(
    PART,
    SUITE_METHOD,
    """
http PUT /socket.io/?EIO=4&transport=polling 400 [+credentials; application/json] {"code":2,"message":"Bad handshake method"}
""",
    "requests/9_put",
)

differs(
    PART,
    SUITE_METHOD,
    """
http DELETE /socket.io/?EIO=4&transport=polling 400 [+credentials; application/json] {"code":2,"message":"Bad handshake method"}
""",
    "requests/9_delete",
)

differs(
    PART,
    JSONP_OFF,
    """
http GET /socket.io/?EIO=4&transport=polling&j=0 400 [+credentials; application/json] {"code":3,"message":"Bad request: JSONP is not enabled on this server"}
""",
    "requests/13_jsonp",
)

differs(
    PART,
    SUITE_METHOD,
    """
http HEAD 400 [+credentials; application/json] 
""",
    "head",
)

differs(
    PART,
    JSONP_OFF,
    """
ann < 40{"sid":"$1"}
ann < 1
ann poll 400 "Invalid session $2"
http POST /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Bad Request"
server disconnect '$1', 'transport error'
http POST /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Invalid session $2"
server members 0
""",
    "posts/14_form",
)

differs(
    PART,
    "defect 25",
    """
ann < 40{"sid":"$1"}
ann < 1
ann poll 400 "Invalid session $2"
http POST /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Bad Request"
server disconnect '$1', 'transport error'
http POST /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Invalid session $2"
server members 0
""",
    "posts/16_empty",
    "posts/18_no_digit",
    "posts/18_empty_packet",
    "posts/18_separator",
    "posts/18_bad_base64",
    "posts/18_worse_base64",
    "posts/18_not_utf8",
    "posts/21_type_7",
)

differs(
    PART,
    PACKET_LIMIT,
    """
ann < 40{"sid":"$1"}
http POST /socket.io/?EIO=4&transport=polling&sid=$2 200 [+credentials; text/plain] ok
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
server E '$1'
http POST /socket.io/?EIO=4&transport=polling&sid=$2 200 [+credentials; text/plain] ok
server E '$1', 2
server members 1
""",
    "posts/19_too_many",
)

differs(
    PART,
    STRAY,
    """
ann < 40{"sid":"$1"}
http POST /socket.io/?EIO=4&transport=polling&sid=$2 200 [+credentials; text/plain] ok
http POST /socket.io/?EIO=4&transport=polling&sid=$2 200 [+credentials; text/plain] ok
server E '$1', 2
server members 1
""",
    "posts/22_upgrade",
    "posts/stray_open",
    "posts/stray_noop",
)

differs(
    PART,
    VIOLATION,
    """
ann < 40{"sid":"$1"}
ann < 1
ann poll 400 "Invalid session $2"
http POST /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Bad Request"
server disconnect '$1', 'transport error'
http GET /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Invalid session $2"
""",
    "packets_of_servers/2",
)

differs(
    PART,
    VIOLATION,
    """
ann < 40{"sid":"$1"}
ann < 1
ann poll 400 "Invalid session $2"
http POST /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Bad Request"
server E '$1'
server disconnect '$1', 'transport error'
http GET /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Invalid session $2"
""",
    "packets_of_servers/after_an_event",
)

differs(
    PART,
    "defect 26",
    """
ann < 40{"sid":"$1"}
http POST 400 [+credentials; text/plain] "Bad Request"
server disconnect '$1', 'transport error'
""",
    "refused_without_an_open_get/server_packet",
    "refused_without_an_open_get/too_large",
)

differs(
    PART,
    "defect 24",
    """
ann < 40{"sid":"$1"}
http POST 200 [+credentials; text/plain] ok
server E '$1'
""",
    "a_chunked_post",
)

differs(
    PART,
    "defect 23",
    """
ann.post 400 "Bad Request"
http GET /socket.io/?EIO=4&transport=polling&j=3 200 [+credentials; text/javascript; charset=UTF-8; x-content-type-options: nosniff] ___eio[3]("0{\\"sid\\":\\"$1\\",\\"upgrades\\":[\\"websocket\\"],\\"pingInterval\\":25000,\\"pingTimeout\\":20000,\\"maxPayload\\":1000000}");
server content type 'text/plain'
server JavaScript reads raises JSONDecodeError('Expecting value: line 1 column 1 (char 0)',)
""",
    "jsonp_answers",
)

differs(
    PART,
    "defect 31",
    """
http GET /socket.io/?EIO=4&transport=polling&sid=unknown 400 [+credentials; allow-origin: https://127.0.0.1; text/plain; vary: Origin] "Invalid session unknown"
http GET /socket.io/?EIO=4&transport=polling&sid=unknown 400 [+credentials; text/plain] "http://127.0.0.1 is not an accepted origin."
http GET /socket.io/?EIO=4&transport=polling&sid=unknown 400 [+credentials; text/plain] "https://evil.example is not an accepted origin."
""",
    "same_origin_over_tls",
)

differs(
    PART,
    "defect 27",
    """
ann < 40{"sid":"$1"}
http POST /socket.io/?EIO=4&transport=polling&sid=$2 200 [+credentials; text/plain] ok
http GET /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Invalid session $2"
http GET /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Invalid session $2"
server disconnect '$1', 'client disconnect'
waiting 200 [+credentials; text/plain; charset=UTF-8] 6
""",
    "the_client_closes",
)

differs(
    PART,
    "defect 28",
    """
ann < 40{"sid":"$1"}
http POST /socket.io/?EIO=4&transport=polling&sid=$2 200 [+credentials; text/plain] ok
http POST /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Invalid session $2"
http POST /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Invalid session $2"
server disconnect '$1', 'client disconnect'
""",
    "a_post_after_the_close",
)

differs(
    PART,
    "defect 29",
    """
ann < 40{"sid":"$1"}
first 200 [+credentials; text/plain; charset=UTF-8] 1
second 400 [+credentials; text/plain] "Bad Request"
server disconnect '$1', 'transport error'
""",
    "two_gets",
)

differs(
    PART,
    AT_ONCE,
    """
ann < 40{"sid":"$1"}
ann < 40{"sid":"$3"}
http GET /socket.io/?EIO=4&transport=polling&sid=$2 200 [+credentials; text/plain; charset=UTF-8] 41
http GET /socket.io/?EIO=4&transport=polling&sid=$2 200 [+credentials; text/plain; charset=UTF-8] 1
http GET /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Invalid session $2"
server disconnect '$1', 'server disconnect'
server disconnect '$3', 'server disconnect'
""",
    "after_disconnecting",
)

differs(
    PART,
    READABLE,
    """
ann refused 401
http GET /engine.io/?EIO=4&transport=polling 401 [+credentials; application/json] "Unauthorized"
server connect 20, environ
server connect 20, environ
server sessions 0
""",
    "engine_connect_handlers/false",
    "engine_connect_handlers/zero",
    "engine_connect_handlers/raises",
)

differs(
    PART,
    READABLE,
    """
ann refused 401
http GET /engine.io/?EIO=4&transport=polling 401 [+credentials; application/json] "no"
server connect 20, environ
server connect 20, environ
server sessions 0
""",
    "engine_connect_handlers/text",
)

differs(
    PART,
    READABLE,
    """
ann refused 401
http GET /engine.io/?EIO=4&transport=polling 401 [+credentials; application/json] {"why": 1}
server connect 20, environ
server connect 20, environ
server sessions 0
""",
    "engine_connect_handlers/dict",
)

differs(
    PART,
    "defect 30",
    """
server refused at construction 
""",
    "an_async_function_for_origins",
)

differs(
    PART,
    "defect 31",
    """
http GET /socket.io/?EIO=4&transport=polling&sid=unknown 400 [+credentials; allow-origin: http://127.0.0.1; text/plain; vary: Origin] "Invalid session unknown"
http GET /socket.io/?EIO=4&transport=polling&sid=unknown 400 [+credentials; text/plain] "https://127.0.0.1 is not an accepted origin."
http GET /socket.io/?EIO=4&transport=polling&sid=unknown 400 [+credentials; allow-origin: https://a.example; text/plain; vary: Origin] "Invalid session unknown"
http GET /socket.io/?EIO=4&transport=polling&sid=unknown 400 [+credentials; text/plain] "http://a.example is not an accepted origin."
http GET /socket.io/?EIO=4&transport=polling&sid=unknown 400 [+credentials; text/plain] "https://b.example is not an accepted origin."
""",
    "same_origin_behind_a_proxy/lists",
)

differs(
    PART,
    READABLE,
    """
ann < 40{"sid":"$1"}
bob refused 400
""",
    "cors_of_websockets",
)

differs(
    PART,
    "defect 32",
    """
http GET /socket.io/?EIO=4&transport=polling 200 [+credentials; text/plain; charset=UTF-8; set-cookie: io=$1] 0{"maxPayload": 1000000, "pingInterval": 25000, "pingTimeout": 20000, "sid": "$1", "upgrades": ["websocket"]}
""",
    "cookies/false",
    "cookies/none",
)

differs(
    PART,
    "defect 32",
    """
http GET /socket.io/?EIO=4&transport=polling 200 [+credentials; text/plain; charset=UTF-8; set-cookie: io=$1; Max-Age=60] 0{"maxPayload": 1000000, "pingInterval": 25000, "pingTimeout": 20000, "sid": "$1", "upgrades": ["websocket"]}
""",
    "cookies/number",
)

differs(
    PART,
    VIOLATION,
    """
ann < 40{"sid":"$1"}
ann < 1
ann poll 400 "Invalid session $2"
http POST /socket.io/?EIO=4&transport=polling&sid=$2 400 [+credentials; text/plain] "Bad Request"
server disconnect '$1', 'transport error'
""",
    "limit_of_a_post/one_more",
)

differs(
    PART,
    OVERSIZE,
    """
ann < 40{"sid":"$1"}
server E '$1', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'
ann close 1009
server disconnect '$1', 'transport error'
""",
    "limit_of_a_message/text",
)

differs(
    PART,
    OVERSIZE,
    """
ann < 40{"sid":"$1"}
ann close 1009
server disconnect '$1', 'transport error'
""",
    "limit_of_a_message/binary",
)

differs(
    PART,
    VIOLATION,
    """
ann < 40{"sid":"$3"}
http GET /socket.io/?EIO=4&transport=polling 200 [+credentials; text/plain; charset=UTF-8] 0{"maxPayload": 1000000, "pingInterval": 25000, "pingTimeout": 20000, "sid": "$1", "upgrades": ["websocket"]}
http GET /socket.io/?EIO=4&transport=polling 200 [+credentials; text/plain; charset=UTF-8] 0{"maxPayload": 200, "pingInterval": 25000, "pingTimeout": 20000, "sid": "$2", "upgrades": ["websocket"]}
ann < 1
ann poll 400 "Invalid session $4"
http POST /socket.io/?EIO=4&transport=polling&sid=$4 400 [+credentials; text/plain] "Bad Request"
server disconnect '$3', 'transport error'
""",
    "the_limit_is_live",
)

differs(
    PART,
    "defect 33",
    """
ann < 40{"sid":"$1"}
poll 400 [+credentials; text/plain] "Invalid session $2"
server disconnect '$1', 'transport error'
""",
    "an_aborted_poll",
)

differs(
    PART,
    READABLE,
    """
server refused 400, '"Invalid transport"'
""",
    "refused_websockets/transport",
)

differs(
    PART,
    READABLE,
    """
server refused 400, '"The client is using an unsupported version of the Socket.IO or Engine.IO protocols"'
""",
    "refused_websockets/revision",
)

differs(
    PART,
    READABLE,
    """
server refused 400, '"Invalid session unknown"'
""",
    "refused_websockets/unknown_session",
)

differs(
    PART,
    "defect 4",
    """
server refused 403, ''
""",
    "refused_websockets/elsewhere",
)

differs(
    PART,
    "defect 3",
    """
ann refused 400
http GET /socket.io/?EIO=4&transport=polling 200 [+credentials; text/plain; charset=UTF-8] 0{"maxPayload": 1000000, "pingInterval": 25000, "pingTimeout": 20000, "sid": "$1", "upgrades": []}
http GET /socket.io/?EIO=4&transport=polling 400 [+credentials; text/plain] "Invalid transport"
""",
    "transports_option",
)

differs(
    PART,
    "defect 3",
    """
http GET /socket.io/?EIO=4&transport=polling 200 [+credentials; text/plain; charset=UTF-8] 0{"maxPayload": 1000000, "pingInterval": 25000, "pingTimeout": 20000, "sid": "$1", "upgrades": []}
""",
    "advertised_upgrades/polling",
    "advertised_upgrades/odd",
)

differs(
    PART,
    "defect 2",
    """
http GET /socket.io/?EIO=4&transport=polling 200 [+credentials; text/plain; charset=UTF-8] 0{"maxPayload": 1000000, "pingInterval": 25000, "pingTimeout": 20000, "sid": "$1", "upgrades": []}
ann < 40{"sid":"$2"}
server granted False
""",
    "no_upgrades_allowed",
)
