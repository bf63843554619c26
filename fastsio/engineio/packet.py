"""Engine.IO packets as objects, for applications that build or read them (python-engineio's `packet` module).

May import: `_codec`, `engineio.json`. The server itself does not make these.
"""

from typing import Any

from fastsio import _codec
from fastsio.engineio import json as bounded_json

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = range(7)
packet_names = ["OPEN", "CLOSE", "PING", "PONG", "MESSAGE", "UPGRADE", "NOOP"]
binary_types = (bytes, bytearray)


class Packet:
    """One Engine.IO packet (Engine.IO protocol 4, "Packet encoding").

    Args:
        packet_type: one of the constants of this module.
        data: str, bytes (MESSAGE only), a list or dict to be written as JSON, None, or anything else as its str.
        encoded_packet: a packet to read instead, str or bytes.

    Raises:
        ValueError: bytes in a packet that cannot carry them, or an encoded packet that is none.
    """

    json: Any = bounded_json

    def __init__(self, packet_type: int = NOOP, data: Any = None, encoded_packet: Any = None) -> None:
        self.packet_type = packet_type
        self.data = data
        self.encode_cache: Any = None
        self.binary = isinstance(data, binary_types)
        if self.binary and packet_type != MESSAGE:
            raise ValueError("Binary packets can only be of type MESSAGE")
        if encoded_packet is not None:
            self.decode(encoded_packet)

    def encode(self, b64: bool = False) -> Any:
        """Give the packet as text, or as bytes when its data are, unless `b64`. What is given once is given again."""
        if not self.encode_cache:
            self.encode_cache = self._encode(b64)
        return self.encode_cache

    def _encode(self, b64: bool) -> Any:
        if self.binary:
            return _codec.encode_packet(MESSAGE, bytes(self.data), b64=True) if b64 else self.data
        return f"{self.packet_type}{message_text(self.data, self.json)}"

    def decode(self, encoded_packet: Any) -> None:
        """Read a packet.

        Raises:
            ValueError: it is not one.
        """
        if isinstance(encoded_packet, binary_types):
            self.packet_type, self.data = MESSAGE, bytes(encoded_packet)
        else:
            self.packet_type, self.data = _codec.decode_packet(encoded_packet)
        self.binary = isinstance(self.data, bytes)
        if not self.binary:
            self.data = message_value(self.data or "", self.json)


def message_text(data: Any, json: Any) -> str:
    """Give what is no bytes as the text of a packet: lists and dicts as JSON."""
    if isinstance(data, (list, dict)):
        return str(json.dumps(data, separators=(",", ":")))
    return "" if data is None else str(data)


def message_value(text: str, json: Any) -> Any:
    """Give the text of a packet as python-engineio does: decoded when it is JSON that does not begin with a digit."""
    if not text or text[0].isnumeric():
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
