"""Decisions that stand behind more than one kind of difference, each said once.

May import: nothing. A defect of python-socketio is cited as "defect N" instead, after docs/defects.md.
"""

UNDECODABLE = "Undecodable bytes end the session; over polling the POST is answered 400."
HELD_BACK = "What is emitted to a client whose connect handler still runs is held, and flushed right after CONNECT."
MISPLACED = (
    "An event before any CONNECT or for a namespace never asked for, and a second CONNECT, close the connection."
)
STRAY = "Stray Engine.IO packets are ignored."
CLIENT_PING = "A client that pings in revision 4 ends its session."
SUITE_TRANSPORT = "The official test suites expect 400 when the transport is not named."
SUITE_METHOD = "The official test suites expect 400 for any other method without a session."
VIOLATION = "Protocol violations end the session with the reason `transport error`."
OVERSIZE = "An oversize message closes the WebSocket with 1009, and is a protocol violation."
READABLE = "A refused WebSocket gets the answer that HTTP would get, so that clients can read why."
JSONP_OFF = "JSONP is off by default: it lets any page read a session past CORS."
AT_ONCE = "A session that has ended is unknown at once."
PROBE_POLLS = (
    "While a WebSocket probes, a GET is answered with the packets that wait, and with `6` only when there are none."
)
SECOND_UPGRADE = "A second WebSocket for a session is granted and closed, as the official test suites expect."
JS_NUMBERS = "NaN and infinity leave as `null`, which JavaScript can read."
SUPERSET = "Values that python-socketio refuses are accepted when their JSON form is beyond doubt."
SURROGATES = "A lone surrogate from a peer becomes U+FFFD, so that it can be stored and sent on."
EXACT = "Integers are exact both ways, of any length that fits a message."
OWN_ORDER = "A client's rooms are listed in the order in which it entered them."
ACKS_ARE_READ = "Acknowledgements are read while a handler or callback waits, so that `call` gets its answer."
OPEN_IS_PLAIN = "The OPEN packet is written by the server itself, from numbers and plain text."
SAYS_WHAT_EXISTS = "A wrong option is a ValueError that says what exists."
SVG = "Browsers show an SVG only under its own content type."
TWICE = "Shutting down twice is nothing special; python-engineio awaits None."
DEAD_PEER = "`ping timeout` is the reason for every dead peer."
RACES_DROPPED = "A packet for a namespace that was left is an ordinary race: dropped and counted, without a warning."
PACKET_LIMIT = "One polling body may hold 10,000 packets by default."
SLOT = "A session that has ended leaves `eio.sockets` at once."
SAYS_WHERE = "The path that clients have to use is logged once, when the application starts or is first asked."
