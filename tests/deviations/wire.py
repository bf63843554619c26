"""Recorded conversations that are answered differently on purpose.

May import: the shape. `HTTP`: step number -> what the recorded response becomes (a header given as None must be absent).
`SESSIONS`: (start, steps): from that step on, these steps are taken instead of the recorded ones.
"""

import json
from collections.abc import Callable
from typing import Any

from deviations import Deviation

Json = dict[str, Any]


# --- rules that hold for every HTTP exchange

UNSUPPORTED = "The client is using an unsupported version of the Socket.IO or Engine.IO protocols"
AS_PYTHON = "Refusals have the status and body that python-engineio's clients and operators know."


def refusal(sentence: str, status: int = 400, content_type: str = "text/plain") -> Json:
    """Give a refusal as python-engineio words it: the sentence as a JSON string."""
    return {"status": status, "headers": {"content-type": content_type}, "body": json.dumps(sentence)}


BAD_REQUEST = refusal("Bad Request")
GONE = refusal("Invalid session $SID")
WRONG_METHOD = {"status": 405, "headers": {"content-type": "text/plain"}, "body": "Method Not Found"}


def python_refusal(request: Json, response: Json) -> Json | None:
    """Official error objects become python-engineio's sentences."""
    path, body = request["path"], response.get("body")
    if response.get("status") == 400 and body == "":
        return BAD_REQUEST
    code = json.loads(body)["code"] if body and body.startswith('{"code"') else None
    if code == 0:
        return refusal("Invalid transport")
    if code == 1:
        return refusal("Invalid session " + path.partition("sid=")[2].partition("&")[0])
    if code == 2 and request["method"] == "POST":
        return refusal("Invalid session None")
    if code == 5:
        return refusal(UNSUPPORTED)
    if code == 3 and "transport=websocket" in path:
        return refusal("Invalid transport" if "sid=" in path else "Invalid websocket upgrade")
    return None


def plain_ok(request: Json, response: Json) -> Json | None:
    """The body `ok` of a POST is text; only the hidden form of JSONP needs it to be HTML."""
    if response.get("body") == "ok" and "j=" not in request["path"]:
        return {"headers": {"content-type": "text/plain"}}
    return None


def script(request: Json, response: Json) -> Json | None:
    """JSONP is sent as the script that it is, or `nosniff` would stop browsers from running it."""
    if response.get("body", "").startswith("___eio"):
        return {"headers": {"content-type": "text/javascript; charset=UTF-8"}}
    return None


def cors(request: Json, response: Json) -> Json | None:
    """CORS headers as python-engineio: the origin echoed, and only to requests that have one."""
    headers = response.get("headers", {})
    if not {"access-control-allow-origin", "vary"} & set(headers):
        return None
    origin = request.get("headers", {}).get("Origin")
    allowed = origin if headers.get("access-control-allow-origin") in ("*", origin) else None
    return {"headers": {"access-control-allow-origin": allowed, "vary": "Origin" if allowed else None}}


Rule = Callable[[Json, Json], Json | None]
HTTP_RULES: dict[Rule, str] = {
    python_refusal: AS_PYTHON,
    plain_ok: "The answer to a POST is the official word in python-engineio's content type.",
    script: "A JSONP response has the content type of a script.",
    cors: "CORS headers follow python-engineio; Vary is added where the origin is echoed.",
}

# --- single exchanges

CHECKED_FIRST = "The framing of a polling body is checked before any packet of it is delivered, and answered 400."
SESSION_ENDS = "A packet that only servers may send ends the session, and python-engineio answers that POST with 400."
TOO_LARGE = "An oversize body is answered 400 and ends the session, as in python-engineio."
STRICT_EIO = "The revision is one of the served ones, given once, or the handshake is refused."
GOODBYE = "A closed polling session says so with the next poll in one body, without a noop in front."
PREFLIGHT = "OPTIONS is answered 200 OK with the three methods, as in python-engineio."
ORIGIN = "An origin that is not allowed is refused, as in python-engineio."
REFUSED = "A connect handler that refuses is answered 401 with its value, as in python-engineio."

EVIL = refusal("https://evil.example is not an accepted origin.")
OK: Json = {"status": 200, "headers": {"content-type": "text/plain"}, "body": "OK"}
METHODS = {"access-control-allow-methods": "OPTIONS, GET, POST"}


def options_ok(**headers: str | None) -> Json:
    named: dict[str, str | None] = {name.replace("_", "-"): value for name, value in headers.items()}
    return OK | {"headers": OK["headers"] | METHODS | named}


HTTP: dict[str, Deviation] = {
    "handshake/no-eio-allowed": Deviation(decision=STRICT_EIO, becomes={0: refusal(UNSUPPORTED)}),
    "handshake/last-duplicate-wins": Deviation(decision=STRICT_EIO, becomes={0: refusal(UNSUPPORTED)}),
    "session/put": Deviation(decision=AS_PYTHON, becomes={1: WRONG_METHOD}),
    "handshake/options-without-cors": Deviation(decision=PREFLIGHT, becomes={0: OK}),
    "handshake/forbidden": Deviation(decision=REFUSED, becomes={0: refusal("Unauthorized", 401, "application/json")}),
    "handshake/forbidden-message": Deviation(decision=REFUSED, becomes={0: refusal("no way", 401, "application/json")}),
    "violation/invalid-packet": Deviation(decision=CHECKED_FIRST, becomes={1: BAD_REQUEST}),
    "violation/invalid-with-pending-get": Deviation(decision=CHECKED_FIRST, becomes={2: BAD_REQUEST}),
    "violation/valid-then-invalid": Deviation(decision=CHECKED_FIRST, becomes={1: {"body": "1"}, 2: BAD_REQUEST}),
    "violation/client-ping-eio4": Deviation(decision=SESSION_ENDS, becomes={1: BAD_REQUEST}),
    "violation/empty-body": Deviation(decision=CHECKED_FIRST, becomes={1: BAD_REQUEST}),
    "overlap/post": Deviation(
        decision="The unfinished POST is ended; an ASGI server cannot cut a connection, so it may be refused instead.",
        becomes={1: {"reset": False, "ended": True}},
    ),
    "close/server-without-pending-get": Deviation(decision=GOODBYE, becomes={2: {"body": "1"}}),
    "close/server-with-buffered-message": Deviation(decision=GOODBYE, becomes={2: {"body": "4foo\x1e1"}, 3: GONE}),
    "close/server-eio3": Deviation(decision=GOODBYE, becomes={2: {"body": "1:1"}}),
    "limits/too-big": Deviation(decision=TOO_LARGE, becomes={1: BAD_REQUEST, 2: GONE, 3: GONE}),
    "limits/counted-in-bytes": Deviation(decision=TOO_LARGE, becomes={1: BAD_REQUEST}),
    "cors/list-mismatch": Deviation(
        decision=ORIGIN, becomes={0: EVIL | {"headers": EVIL["headers"] | {"set-cookie": None}}}
    ),
    "cors/preflight-list-mismatch": Deviation(
        decision=ORIGIN,
        becomes={0: EVIL | {"headers": EVIL["headers"] | METHODS}},
    ),
    "cors/preflight-star": Deviation(decision=PREFLIGHT, becomes={0: options_ok()}),
    "cors/preflight-list": Deviation(decision=PREFLIGHT, becomes={0: options_ok()}),
    "eio3/pong-from-client": Deviation(
        decision="An unexpected pong is ignored in both revisions, as native servers of the second generation did.",
        becomes={2: {"silent": True}},
    ),
    "eio3/jsonp-post-without-d": Deviation(decision=CHECKED_FIRST, becomes={1: BAD_REQUEST, 2: GONE, 3: GONE}),
    "eio3/text-as-octet-stream": Deviation(decision=CHECKED_FIRST, becomes={1: BAD_REQUEST}),
}


# --- WebSocket sessions

SERVER_CLOSE = "A close by the server is the packet `1`, then close code 1000."
PING_TIMEOUT = "A ping timeout closes with 1000, as python-engineio does."
RACE = "A packet for a namespace that was asked for and left is an ordinary race: dropped, never a close."
NAMELESS = "defect 9"
DROPPED = "python-socketio drops this packet with a log line and keeps the connection."

ALIVE: list[Json] = [
    {"client": {"text": '42["message","alive"]'}},
    {"server": {"text": '42["message-back","alive"]'}},
    {"client": {"close": True}},
]
CLOSED_BY_SERVER: list[Json] = [{"server": {"text": "1"}}, {"server": {"close": 1000}}]
TIMED_OUT: list[Json] = [{"server": {"close": 1000}}]


def refused(sentence: str, status: int = 400, content_type: str = "text/plain") -> list[Json]:
    """Give the step of a refused WebSocket handshake."""
    body = json.dumps(sentence)
    return [{"server": {"http_status": status, "content_type": content_type, "body": body}}]


SESSIONS: dict[str, Deviation] = {
    "engine4/close-packet-is-ignored": Deviation(
        decision="The packet `1` ends the session on both transports.",
        becomes=(2, [{"server": {"close": 1005}}]),
    ),
    "engine4/server-close": Deviation(decision=SERVER_CLOSE, becomes=(2, CLOSED_BY_SERVER)),
    "engine4/ping-timeout": Deviation(decision=PING_TIMEOUT, becomes=(2, TIMED_OUT)),
    "engine3/ping-timeout": Deviation(decision=PING_TIMEOUT, becomes=(1, TIMED_OUT)),
    "engine3/data-does-not-extend": Deviation(decision=PING_TIMEOUT, becomes=(5, TIMED_OUT)),
    "engine3/client-pong": Deviation(
        decision=HTTP["eio3/pong-from-client"].decision,
        becomes=(2, [{"client": {"text": "4a"}}, {"server": {"text": "4a"}}, {"client": {"close": True}}]),
    ),
    "engine/unknown-sid": Deviation(decision=AS_PYTHON, becomes=(0, refused("Invalid session nope"))),
    "engine/unknown-transport": Deviation(decision=AS_PYTHON, becomes=(0, refused("Invalid transport"))),
    "engine/eio3-refused": Deviation(
        decision="A revision that is not served is refused before the WebSocket is granted, so clients can read why.",
        becomes=(0, refused(UNSUPPORTED)),
    ),
    "engine/denied": Deviation(decision=REFUSED, becomes=(0, refused("no way", 401, "application/json"))),
    "sio5/connect-nsp-query-is-literal": Deviation(
        decision="A query is cut from the namespace, as in python-socketio.",
        becomes=(
            2,
            [
                {"server": {"text": '40/custom,{"sid":"$SID2"}'}},
                {"server": {"text": '42/custom,["auth",{}]'}},
                {"client": {"close": True}},
            ],
        ),
    ),
    "sio5/connect-array": Deviation(
        decision="An empty array as auth counts as none, as in python-socketio.",
        becomes=(
            2,
            [
                {"server": {"text": '40{"sid":"$SID2"}'}},
                {"server": {"text": '42["auth",{}]'}},
                {"client": {"close": True}},
            ],
        ),
    ),
    "sio5/malformed-empty-array": Deviation(decision=NAMELESS, becomes=(5, ALIVE)),
    "sio5/malformed-reserved-event": Deviation(decision=NAMELESS, becomes=(5, ALIVE)),
    "sio5/client-connect-error": Deviation(decision=DROPPED, becomes=(5, ALIVE)),
    "sio5/disconnect-then-event": Deviation(
        decision=RACE,
        becomes=(
            6,
            [
                {"client": {"text": "40"}},
                {"server": {"text": '40{"sid":"$SID3"}'}},
                {"server": {"text": '42["auth",{}]'}},
                *ALIVE,
            ],
        ),
    ),
    "sio5/server-ack": Deviation(
        decision="Acknowledgement ids are counted per client from 1, as in python-socketio.",
        becomes=(5, [{"server": {"text": '421["question",1]'}}, {"client": {"close": True}}]),
    ),
    "sio5/kick-all": Deviation(
        decision=SERVER_CLOSE,
        becomes=(8, [{"server": {"text": "41"}}, {"server": {"text": "41/custom,"}}, *CLOSED_BY_SERVER]),
    ),
    "sio5/attachments-0": Deviation(
        decision="A binary packet that announces no attachments is complete, and delivered.",
        becomes=(5, [{"server": {"text": '42["message-back",1]'}}, {"client": {"close": True}}]),
    ),
    "sio5/attachments-11": Deviation(
        decision="Up to 64 attachments are accepted; the official limit of 10 would refuse older clients.",
        becomes=(
            5,
            [
                *({"client": {"hex": f"{number:02x}"}} for number in range(11)),
                {"server": {"text": '42["message-back"]'}},
                {"client": {"close": True}},
            ],
        ),
    ),
    "sio4/unknown-nsp": Deviation(
        decision="Clients of the second generation expect the error of a namespace as a string.",
        becomes=(4, [{"server": {"text": '44/random,"Invalid namespace"'}}, {"client": {"close": True}}]),
    ),
    "sio4/connect-root-again": Deviation(
        decision="Clients of the second generation that ask for `/`, which they were given, are not punished.",
        becomes=(4, ALIVE),
    ),
    "sio4/disconnect": Deviation(
        decision=RACE,
        becomes=(
            5,
            [
                {"client": {"text": "40/custom,"}},
                {"server": {"text": "40/custom,"}},
                {"server": {"text": '42/custom,["auth",{}]'}},
                {"client": {"close": True}},
            ],
        ),
    ),
}
