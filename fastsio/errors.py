"""The exceptions and the stable error codes of fastsio.

May import: nothing of ours. Never logs.
Python-socketio's public exceptions live in `fastsio.exceptions`; these here are what the floors below tell each other.
"""

from typing import Any


class ProtocolError(ValueError):
    """The peer broke the protocol.

    Attributes:
        code: stable machine name, for example ``EIO_BAD_TYPE``; listed in `CODES`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class SlowClientError(RuntimeError):
    """A client's backlog passed its limit; it is being disconnected."""


class TooManyRoomsError(ValueError):
    """A client would be in more rooms than it may (`max_rooms`)."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the client is in {limit} rooms of this namespace, as many as it may be in (max_rooms)")


class TooManyAcksError(RuntimeError):
    """A client would owe more acknowledgements than it may (`max_pending_acks`); nobody has been sent the event."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} acknowledgements of this client are waited for, as many as may be (max_pending_acks)"
        )


class EventTooLargeError(ValueError):
    """An event is larger than the broker of the cluster can carry; nobody has been sent it.

    Attributes:
        size: of the message, in bytes.
        limit: what it may be.
    """

    def __init__(self, event: str, size: int, limit: int) -> None:
        super().__init__(
            f"event {event!r} takes {size} bytes on the channel; at most {limit} are allowed (max_message_size)"
        )
        self.size, self.limit = size, limit


def too_many_waiting(options: Any, size: int) -> ProtocolError:
    """Give the error for a client of which more waits for handlers than `options` allow: `size` bytes, or too many packets."""
    if size > options.max_waiting_bytes:
        text = f"more than {options.max_waiting_bytes} bytes wait for handlers of this client (max_waiting_bytes)"
    else:
        text = f"more than {options.max_waiting_packets} packets wait for handlers of this client (max_waiting_packets)"
    return ProtocolError("SIO_TOO_MANY_WAITING", text)


# Stable names, each with the sentence that explains it. Applications and dashboards may match on the names.
CODES = {
    "EIO_EMPTY_PACKET": "an Engine.IO packet has no type character",
    "EIO_BAD_TYPE": "an Engine.IO packet starts with something else than 0-6 or b",
    "EIO_BAD_LENGTH": "the length in front of an Engine.IO 3 packet is not a number or runs past the end",
    "EIO_BAD_UTF8": "an Engine.IO text is not UTF-8",
    "EIO_BAD_BASE64": "a base64 packet is not canonical base64",
    "EIO_TOO_MANY_PACKETS": "a polling body holds more packets than the limit allows",
    "EIO_TOO_LARGE": "a polling body is larger than the limit allows",
    "EIO_OVERLAP": "a session has two GETs or two POSTs open at once",
    "EIO_TOO_FAST": "a client sends more messages, or bytes, a second than the limit allows",
    "EIO_PING_FLOOD": "a client sends more pings a second than the limit allows",
    "EIO_BAD_JSONP": "a JSONP body or index is malformed",
    "SIO_EMPTY_PACKET": "a Socket.IO packet has no type digit",
    "SIO_BAD_TYPE": "a Socket.IO packet starts with something else than 0-6",
    "SIO_BAD_ATTACHMENTS": "a binary packet announces a malformed, or too large, number of attachments",
    "SIO_BAD_ID": "an acknowledgement id is malformed or too long",
    "SIO_BAD_NAMESPACE": "a namespace is longer than the limit allows",
    "SIO_BAD_JSON": "the data of a packet is not JSON",
    "SIO_BAD_DATA": "the data of a packet does not fit its type",
    "SIO_BAD_PLACEHOLDER": "an attachment placeholder names no attachment",
    "SIO_TEXT_FOR_ATTACHMENT": "a text packet came where an attachment was due",
    "SIO_STRAY_ATTACHMENT": "an attachment came that no packet announced",
    "SIO_BAD_EVENT": "an event has no name, or a reserved one",
    "WS_BAD_RSV": "a WebSocket frame has reserved bits set",
    "WS_BAD_OPCODE": "a WebSocket frame has an unknown opcode",
    "WS_UNMASKED": "a client's WebSocket frame is not masked",
    "WS_BAD_CONTROL": "a WebSocket control frame is fragmented or longer than 125 bytes",
    "WS_BAD_LENGTH": "a WebSocket frame length is not minimal or has its top bit set",
    "WS_TOO_LARGE": "a WebSocket message is larger than the limit allows",
    "WS_TOO_MANY_FRAGMENTS": "a WebSocket message has more fragments than the limit allows",
    "WS_BAD_CONTINUATION": "a WebSocket continuation has no beginning, or a beginning no continuation",
    "WS_BAD_UTF8": "a WebSocket text is not UTF-8",
    "WS_BAD_CLOSE": "a WebSocket close frame has an illegal code or length",
    "WS_BAD_DEFLATE": "a compressed WebSocket message cannot be inflated",
    "SIO_NOT_JOINED": "a packet came for a namespace that the client never asked for",
    "SIO_DOUBLE_CONNECT": "a client asked for a namespace that it is in already",
    "SIO_TOO_MANY_NAMESPACES": "a client asked for more namespaces than the limit allows",
    "SIO_TOO_MANY_WAITING": "more packets wait for a client's handlers than the limit allows",
}
