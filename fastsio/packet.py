"""Socket.IO packets as objects, for applications that build, read or replace them (python-socketio's `packet` module).

May import: `serial`, `hub.packers`, `engineio.json`. The server itself does not make these: its packets never leave the compiled codec,
unless an application gives a packet class of its own as `serializer=`.
"""

from collections.abc import Callable
from typing import Any

from fastsio.engineio import json as bounded_json
from fastsio.engineio import packet as engine_packet
from fastsio.hub.packers import ClassPacker, MsgPackPacker, Packer
from fastsio.serial import DEFAULT_JSON, CustomJson

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = range(7)
packet_names = ["CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"]

# Digits of an attachment count, and of an acknowledgement id.
MAX_COUNT_DIGITS = 10
MAX_ID_DIGITS = 100


class PacketType(type):
    """Hears when an application replaces the JSON module of every server: `Packet.json = module`."""

    def __setattr__(cls, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "json" and cls is Packet:
            DEFAULT_JSON.use(None if value is bounded_json else CustomJson(value))


class Packet(metaclass=PacketType):
    """One Socket.IO packet (Socket.IO protocol 5, "Packet encoding").

    Args:
        packet_type: one of the constants of this module.
        data: what `json` can write; bytes anywhere in lists and dicts make an EVENT or ACK a binary one.
        namespace: None and "/" are the same.
        id: acknowledgement id.
        binary: None to look for bytes in `data`.
        encoded_packet: a packet to read instead.

    Raises:
        ValueError: bytes in a packet that cannot carry them, or an encoded packet that is none.
    """

    uses_binary_events = True
    json: Any = bounded_json

    def __init__(
        self,
        packet_type: int = EVENT,
        data: Any = None,
        namespace: str | None = None,
        id: int | None = None,
        binary: bool | None = None,
        encoded_packet: Any = None,
    ) -> None:
        self.packet_type = packet_type
        self.data = data
        self.namespace = namespace
        self.id = id
        self.attachment_count = 0
        self.attachments: list[Any] = []
        if self.uses_binary_events and (self.data_is_binary(data) if binary is None else binary):
            self._become_binary()
        if encoded_packet:
            self.attachment_count = self.decode(encoded_packet) or 0

    def _become_binary(self) -> None:
        if self.packet_type not in (EVENT, ACK):
            raise ValueError("Packet does not support binary payload.")
        self.packet_type = BINARY_EVENT if self.packet_type == EVENT else BINARY_ACK

    def encode(self) -> Any:
        """Give the packet as text; a binary one as a list of text and its attachments."""
        data, attachments, count = self.data, None, ""
        if self.packet_type in (BINARY_EVENT, BINARY_ACK):
            data, attachments = self.deconstruct_binary(data)
            count = f"{len(attachments)}-"
        namespace = "" if self.namespace in (None, "/") else f"{self.namespace},"
        id = "" if self.id is None else str(self.id)
        text = "" if data is None else self.json.dumps(data, separators=(",", ":"))
        encoded = f"{self.packet_type}{count}{namespace}{id}{text}"
        return encoded if attachments is None else [encoded, *attachments]

    def decode(self, encoded_packet: Any) -> int:
        """Read a text packet; give how many attachments have to follow.

        Raises:
            ValueError: it is not a packet.
        """
        self.packet_type = int(encoded_packet[:1])
        rest = encoded_packet[1:]
        attachments, rest = _read_count(rest)
        self.namespace, rest = _read_namespace(rest)
        self.id, rest = _read_id(rest)
        self.data = self.json.loads(rest) if rest else None
        return attachments

    def add_attachment(self, attachment: bytes) -> bool:
        """Add the next attachment; tell whether the packet is complete with it.

        Raises:
            ValueError: the packet waits for none.
        """
        if len(self.attachments) >= self.attachment_count:
            raise ValueError("Unexpected binary attachment")
        self.attachments.append(attachment)
        if len(self.attachments) < self.attachment_count:
            return False
        self.data = self.reconstruct_binary(self.data, self.attachments)
        return True

    @classmethod
    def reconstruct_binary(cls, data: Any, attachments: list[Any]) -> Any:
        """Give `data` with its placeholders replaced."""

        def replaced(value: Any) -> Any:
            if isinstance(value, dict) and value.get("_placeholder") and "num" in value:
                return attachments[value["num"]]
            return _mapped(replaced, value)

        return replaced(data)

    @classmethod
    def deconstruct_binary(cls, data: Any) -> tuple[Any, list[Any]]:
        """Give `data` with placeholders for its bytes, and the bytes, depth first."""
        attachments: list[Any] = []

        def taken(value: Any) -> Any:
            if not isinstance(value, (bytes, bytearray)):
                return _mapped(taken, value)
            attachments.append(value)
            return {"_placeholder": True, "num": len(attachments) - 1}

        return taken(data), attachments

    @classmethod
    def data_is_binary(cls, data: Any) -> bool:
        """Tell whether there are bytes in `data`, at any depth of lists and dicts."""
        if isinstance(data, dict):
            data = list(data.values())
        if isinstance(data, list):
            return any(cls.data_is_binary(item) for item in data)
        return isinstance(data, (bytes, bytearray))


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """Apply `function` to the items of a list or dict; give anything else back."""
    if isinstance(value, list):
        return [function(item) for item in value]
    if isinstance(value, dict):
        return {key: function(item) for key, item in value.items()}
    return value


def _read_count(text: str) -> tuple[int, str]:
    digits, dash, rest = text.partition("-")
    if not dash or not digits.isdigit():
        return 0, text
    if len(digits) > MAX_COUNT_DIGITS:
        raise ValueError("too many attachments")
    return int(digits), rest


def _read_namespace(text: str) -> tuple[str | None, str]:
    if not text.startswith("/"):
        return None, text
    namespace, _, rest = text.partition(",")
    return namespace.partition("?")[0], rest


def _read_id(text: str) -> tuple[int | None, str]:
    size = next((at for at, character in enumerate(text) if not character.isdigit()), len(text))
    if size > MAX_ID_DIGITS:
        raise ValueError("id field is too long")
    return (int(text[:size]), text[size:]) if size else (None, text)


# --- the `serializer` option of a server


def packet_class_for(serializer: Any) -> Any:
    """Give the packet class for the `serializer` option.

    Raises:
        ValueError: there is no such serializer.
        ImportError: it needs a package that is not installed.
    """
    if serializer == "default":
        return Packet
    if serializer == "msgpack":
        from fastsio.msgpack_packet import MsgPackPacket

        return MsgPackPacket
    if not isinstance(serializer, type):
        raise ValueError(f"serializer={serializer!r}; choose 'default', 'msgpack' or a packet class")
    return serializer


def packer_for(packet_class: Any, with_options: Any) -> Packer | None:
    """Give what writes and reads packets; None when the compiled codec does. `with_options` is the class to use."""
    if packet_class is Packet:
        return None
    msgpack = packet_class.plain_packer() if hasattr(packet_class, "plain_packer") else None
    return ClassPacker(with_options, _text_value) if msgpack is None else MsgPackPacker(msgpack)


def _text_value(text: str) -> Any:
    return engine_packet.message_value(text, engine_packet.Packet.json)


def with_json(packet_class: Any, json: Any) -> Any:
    """Give a packet class that uses a JSON module of its own; python-socketio changes the class for every server."""
    return type(packet_class.__name__, (packet_class,), {"json": json})
