"""Long-polling bodies as objects, and the limit on their packets, where python-engineio's applications look for it.

May import: `_codec`, `options`, `engineio.packet`. The server itself makes no objects of bodies.
"""

from typing import Any

from fastsio import _codec
from fastsio.engineio.packet import Packet
from fastsio.options import DEFAULT_MAX_DECODE_PACKETS


class Payload:
    """The packets of one polling body (Engine.IO protocol 4, "Payload encoding").

    Applications assign `max_decode_packets`; the server reads it for each body.

    Args:
        packets: packets to write.
        encoded_payload: a body to read instead.

    Raises:
        ValueError: the body is malformed, or has more packets than the limit.
    """

    max_decode_packets = DEFAULT_MAX_DECODE_PACKETS

    def __init__(self, packets: list[Packet] | None = None, encoded_payload: str | None = None) -> None:
        self.packets = packets or []
        if encoded_payload is not None:
            self.decode(encoded_payload)

    def encode(self, jsonp_index: int | None = None) -> str:
        """Give the body, wrapped in a call of the function of a JSONP client when it has an index."""
        body = "\x1e".join([packet.encode(b64=True) for packet in self.packets])
        return body if jsonp_index is None else _codec.encode_jsonp(body.encode(), jsonp_index).decode()

    def decode(self, encoded_payload: str) -> None:
        """Read a body; one that begins with ``d=`` is a form, as JSONP clients send it."""
        body: Any = encoded_payload.encode()
        if body.startswith(b"d="):
            body = _codec.decode_jsonp(body)
        encoded = bytes(body).decode().split("\x1e") if body else []
        if len(encoded) > self.max_decode_packets:
            raise ValueError(f"Too many packets in payload: {len(encoded)}; the limit is {self.max_decode_packets}")
        self.packets = [Packet(encoded_packet=packet) for packet in encoded]
