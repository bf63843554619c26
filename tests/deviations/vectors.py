"""What differs on purpose: the one table of it, read by the tests.

A key is `<vector file>:<vector id>`; the value says which decision stands behind the difference. A difference that is
not here fails the tests, and so does an entry that does not differ any more.
"""

# Decisions that stand behind more than one difference.
STRICT_BASE64 = "Base64 is read in canonical form only; Node skips junk, takes other alphabets and lost padding."
STRICT_V3_TYPE = "A base64 text without a type digit is undecodable, which ends the session; the reference skips it."
STRICT_LENGTH = "Engine.IO 3 lengths are plain decimal digits; the reference takes what JavaScript takes for a number."
STRICT_BODY = "A polling body is looked through before any of it is delivered; what is cut or odd is refused whole."
MARKUP_ESCAPED = "JSONP answers escape `<` and `>`; JavaScript reads the same string."
SURROGATES_REPLACED = "A lone surrogate from a peer becomes U+FFFD, so that it can be stored and sent on."
STRICT_ATTACHMENTS = "Attachment counts are plain digits; the reference takes what JavaScript takes for a number."
DATA_OF_CONNECT = "What a CONNECT or CONNECT_ERROR may carry is judged by the server, not by the decoder."
ID_IS_DIGITS = "An acknowledgement id is made of digits; the reference takes white space for the number 0, or skips it."

DEVIATIONS: dict[str, str] = {
    "engineio_packets:eio3.jsonp/msg-script": MARKUP_ESCAPED,
    "engineio_jsonp:response/script": MARKUP_ESCAPED,
    "socketio_wire:eio3.jsonp/event-html": MARKUP_ESCAPED,
    "engineio_jsonp:response/j-empty": "A JSONP index is 1 to 10 digits; a request without one is refused.",
    "engineio_jsonp:post-edge/pct-invalid": "A broken percent escape makes a form undecodable.",
    "engineio_malformed:eio4.text/b-bad-chars": STRICT_BASE64,
    "engineio_malformed:eio4.text/b-urlsafe": STRICT_BASE64,
    "engineio_malformed:eio4.text/b-no-padding": STRICT_BASE64,
    "engineio_malformed:eio4.text/b-one-char": STRICT_BASE64,
    "engineio_malformed:eio3.text/b-only": STRICT_V3_TYPE,
    "engineio_malformed:eio3.text/b-bad-chars": STRICT_V3_TYPE,
    "engineio_malformed:eio3.text/b-urlsafe": STRICT_V3_TYPE,
    "engineio_malformed:eio3.text/b-no-padding": STRICT_V3_TYPE,
    "engineio_malformed:eio3.text/b-one-char": STRICT_V3_TYPE,
    "engineio_malformed:eio3.payload/zero": "A packet of length zero is empty, so it is undecodable.",
    "engineio_malformed:eio3.payload/zero-then-msg": "A packet of length zero is empty, so it is undecodable.",
    "engineio_malformed:eio3.payload/float": STRICT_LENGTH,
    "engineio_malformed:eio3.payload/leading-zero": STRICT_LENGTH,
    "engineio_malformed:eio3.payload/leading-space": STRICT_LENGTH,
    "engineio_malformed:eio3.payload/plus": STRICT_LENGTH,
    "engineio_malformed:eio3.payload/exp": STRICT_LENGTH,
    "engineio_malformed:eio3.payload/hex": STRICT_LENGTH,
    "engineio_malformed:eio3.binary-payload/empty": "A body without a packet is refused, binary or not.",
    "engineio_malformed:eio3.binary-payload/truncated-body": STRICT_BODY,
    "engineio_malformed:eio3.binary-payload/second-truncated": STRICT_BODY,
    "engineio_malformed:eio3.binary-payload/kind-2": STRICT_BODY,
    "engineio_malformed:eio3.binary-payload/surrogate-utf8": "Text that is not UTF-8 is refused, not repaired.",
    "socketio_packets:v5/event-lone-surrogate": SURROGATES_REPLACED,
    "socketio_packets:v4/event-lone-surrogate": SURROGATES_REPLACED,
    "socketio_malformed:json-lone-surrogate-escape": SURROGATES_REPLACED,
    "socketio_malformed:empty-string": "A packet without a type is undecodable; the reference takes it for a CONNECT.",
    "socketio_malformed:json-nan": "NaN and Infinity are read, as python-socketio reads them.",
    "socketio_malformed:json-big-int": "Integers are exact in both directions; JavaScript rounds them.",
    "socketio_malformed:json-leading-space": ID_IS_DIGITS,
    "socketio_malformed:id-space": ID_IS_DIGITS,
    "socketio_malformed:id-space-digit": ID_IS_DIGITS,
    "socketio_malformed:id-huge": "Acknowledgement ids are exact; JavaScript rounds them.",
    "socketio_malformed:ack-no-id": "An acknowledgement needs an id to be one; the reference delivers it to nobody.",
    "socketio_malformed:ack-no-payload": "The data of an acknowledgement are a list, as python-socketio has it.",
    "socketio_malformed:connect-array": DATA_OF_CONNECT,
    "socketio_malformed:connect-string": DATA_OF_CONNECT,
    "socketio_malformed:connect-null": DATA_OF_CONNECT,
    "socketio_malformed:connect-error-array": DATA_OF_CONNECT,
    "socketio_malformed:att-zero": "`50-` is a plain event: JavaScript 2.x clients send it for `.binary(true)`.",
    "socketio_malformed:att-11": "64 attachments are accepted by default; JavaScript parsers stop at 10.",
    "socketio_malformed:att-exp": STRICT_ATTACHMENTS,
    "socketio_malformed:att-hex": STRICT_ATTACHMENTS,
    "socketio_malformed:att-space": STRICT_ATTACHMENTS,
    "socketio_malformed:ph-float": "A placeholder number is an integer; the reference puts `undefined` in its place.",
}
