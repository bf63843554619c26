"""Vectors that differ on purpose: `<vector file>:<vector id>` -> what the codec makes of it, and the decision.

May import: the shape. What is made of it: the code of an error, or a part of what was encoded or decoded.
"""

from deviations import Deviation

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

CODEC: dict[str, Deviation] = {
    "engineio_packets:eio3.jsonp/msg-script": Deviation(
        "[b'___eio[0](\"10:4\\\\u003c/script\\\\u003e\");']",
        MARKUP_ESCAPED,
    ),
    "engineio_jsonp:response/script": Deviation("b'___eio[3](\"10:4\\\\u003c/script\\\\u003e\");'", MARKUP_ESCAPED),
    "socketio_wire:eio3.jsonp/event-html": Deviation(
        '[b\'___eio[0]("22:42[\\\\"m\\\\",\\\\"\\\\u003c/script\\\\u003e&\\\\u003c\\\\u003e\\\\"]");\']',
        MARKUP_ESCAPED,
    ),
    "engineio_jsonp:response/j-empty": Deviation(
        "no index",
        "A JSONP index is 1 to 10 digits; a request without one is refused.",
    ),
    "engineio_jsonp:post-edge/pct-invalid": Deviation(
        "EIO_BAD_JSONP",
        "A broken percent escape makes a form undecodable.",
    ),
    "engineio_malformed:eio4.text/b-bad-chars": Deviation("EIO_BAD_BASE64", STRICT_BASE64),
    "engineio_malformed:eio4.text/b-urlsafe": Deviation("EIO_BAD_BASE64", STRICT_BASE64),
    "engineio_malformed:eio4.text/b-no-padding": Deviation("EIO_BAD_BASE64", STRICT_BASE64),
    "engineio_malformed:eio4.text/b-one-char": Deviation("EIO_BAD_BASE64", STRICT_BASE64),
    "engineio_malformed:eio3.text/b-only": Deviation("EIO_BAD_TYPE", STRICT_V3_TYPE),
    "engineio_malformed:eio3.text/b-bad-chars": Deviation("EIO_BAD_TYPE", STRICT_V3_TYPE),
    "engineio_malformed:eio3.text/b-urlsafe": Deviation("EIO_BAD_TYPE", STRICT_V3_TYPE),
    "engineio_malformed:eio3.text/b-no-padding": Deviation("EIO_BAD_TYPE", STRICT_V3_TYPE),
    "engineio_malformed:eio3.text/b-one-char": Deviation("EIO_BAD_TYPE", STRICT_V3_TYPE),
    "engineio_malformed:eio3.payload/zero": Deviation(
        "EIO_EMPTY_PACKET",
        "A packet of length zero is empty, so it is undecodable.",
    ),
    "engineio_malformed:eio3.payload/zero-then-msg": Deviation(
        "EIO_EMPTY_PACKET",
        "A packet of length zero is empty, so it is undecodable.",
    ),
    "engineio_malformed:eio3.payload/float": Deviation("EIO_BAD_LENGTH", STRICT_LENGTH),
    "engineio_malformed:eio3.payload/leading-zero": Deviation("EIO_BAD_LENGTH", STRICT_LENGTH),
    "engineio_malformed:eio3.payload/leading-space": Deviation("EIO_BAD_LENGTH", STRICT_LENGTH),
    "engineio_malformed:eio3.payload/plus": Deviation("EIO_BAD_LENGTH", STRICT_LENGTH),
    "engineio_malformed:eio3.payload/exp": Deviation("EIO_BAD_LENGTH", STRICT_LENGTH),
    "engineio_malformed:eio3.payload/hex": Deviation("EIO_BAD_LENGTH", STRICT_LENGTH),
    "engineio_malformed:eio3.binary-payload/empty": Deviation(
        "EIO_EMPTY_PACKET",
        "A body without a packet is refused, binary or not.",
    ),
    "engineio_malformed:eio3.binary-payload/truncated-body": Deviation("EIO_BAD_LENGTH", STRICT_BODY),
    "engineio_malformed:eio3.binary-payload/second-truncated": Deviation("EIO_BAD_LENGTH", STRICT_BODY),
    "engineio_malformed:eio3.binary-payload/kind-2": Deviation("EIO_BAD_TYPE", STRICT_BODY),
    "engineio_malformed:eio3.binary-payload/surrogate-utf8": Deviation(
        "EIO_BAD_UTF8",
        "Text that is not UTF-8 is refused, not repaired.",
    ),
    "socketio_packets:v5/event-lone-surrogate": Deviation("[(2, '/', None, ['m', '�'])]", SURROGATES_REPLACED),
    "socketio_packets:v4/event-lone-surrogate": Deviation("[(2, '/', None, ['m', '�'])]", SURROGATES_REPLACED),
    "socketio_malformed:json-lone-surrogate-escape": Deviation("[(2, '/', None, ['a', '�'])]", SURROGATES_REPLACED),
    "socketio_malformed:empty-string": Deviation(
        "SIO_EMPTY_PACKET",
        "A packet without a type is undecodable; the reference takes it for a CONNECT.",
    ),
    "socketio_malformed:json-nan": Deviation(
        "[(2, '/', None, ['a', nan])]",
        "NaN and Infinity are read, as python-socketio reads them.",
    ),
    "socketio_malformed:json-big-int": Deviation(
        "[(2, '/', None, ['a', 12345678901234567890])]",
        "Integers are exact in both directions; JavaScript rounds them.",
    ),
    "socketio_malformed:json-leading-space": Deviation("[(2, '/', None, ['a'])]", ID_IS_DIGITS),
    "socketio_malformed:id-space": Deviation("[(2, '/', None, ['a'])]", ID_IS_DIGITS),
    "socketio_malformed:id-space-digit": Deviation("SIO_BAD_JSON", ID_IS_DIGITS),
    "socketio_malformed:id-huge": Deviation(
        "[(2, '/', 18446744073709551616, ['a'])]",
        "Acknowledgement ids are exact; JavaScript rounds them.",
    ),
    "socketio_malformed:ack-no-id": Deviation(
        "SIO_BAD_ID",
        "An acknowledgement needs an id to be one; the reference delivers it to nobody.",
    ),
    "socketio_malformed:ack-no-payload": Deviation(
        "SIO_BAD_DATA",
        "The data of an acknowledgement are a list, as python-socketio has it.",
    ),
    "socketio_malformed:connect-array": Deviation("[(0, '/', None, [])]", DATA_OF_CONNECT),
    "socketio_malformed:connect-string": Deviation("[(0, '/', None, 'x')]", DATA_OF_CONNECT),
    "socketio_malformed:connect-null": Deviation("[(0, '/', None, None)]", DATA_OF_CONNECT),
    "socketio_malformed:connect-error-array": Deviation("[(4, '/', None, [])]", DATA_OF_CONNECT),
    "socketio_malformed:att-zero": Deviation(
        "[(2, '/', None, ['a'])]",
        "`50-` is a plain event: JavaScript 2.x clients send it for `.binary(true)`.",
    ),
    "socketio_malformed:att-11": Deviation(
        "[(2, '/', None, ['a', b'\\x00', b'\\x01', b'\\x02', b'\\x03', b'\\x04', b'\\x05', b'\\x06', b'\\x07', b'\\x08', b'\\t', b'\\n'])]",
        "64 attachments are accepted by default; JavaScript parsers stop at 10.",
    ),
    "socketio_malformed:att-exp": Deviation("SIO_BAD_ATTACHMENTS", STRICT_ATTACHMENTS),
    "socketio_malformed:att-hex": Deviation("SIO_BAD_ATTACHMENTS", STRICT_ATTACHMENTS),
    "socketio_malformed:att-space": Deviation("SIO_BAD_ATTACHMENTS", STRICT_ATTACHMENTS),
    "socketio_malformed:ph-float": Deviation(
        "SIO_BAD_PLACEHOLDER",
        "A placeholder number is an integer; the reference puts `undefined` in its place.",
    ),
}
