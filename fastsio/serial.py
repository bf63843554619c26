"""Values to text and back: the JSON and MessagePack back ends of a server.

May import: `_json`, `lenient`. Never touches packets, sessions or sockets.
"""

from datetime import UTC, datetime
from typing import Any, Protocol

from fastsio._json import Json
from fastsio.lenient import MAX_INTEGER_DIGITS, Attachments

__all__ = ["DEFAULT_JSON", "MAX_INTEGER_DIGITS", "CustomJson", "Json", "JsonModule", "MsgPack", "js_extension"]


class JsonModule(Protocol):
    """What `json=` accepts: any object with the two functions of the standard module."""

    def dumps(self, obj: Any, **kwargs: Any) -> str: ...

    def loads(self, data: Any) -> Any: ...


# The serializer of every server without a `json=` of its own.
DEFAULT_JSON = Json()


class CustomJson:
    """A serializer around a `json=` module, called the way python-socketio calls it."""

    def __init__(self, module: JsonModule) -> None:
        self.module = module

    def encode(self, value: Any) -> tuple[bytes, list[bytes]]:
        attachments = Attachments()
        text = self.module.dumps(_replace_binary(value, attachments), separators=(",", ":"))
        return text.encode(), attachments.found

    def decode(self, data: bytes) -> Any:
        return self.module.loads(data.decode())


def _replace_binary(value: Any, attachments: Attachments) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return attachments(value)
    if isinstance(value, list):
        return [_replace_binary(item, attachments) for item in value]
    if isinstance(value, dict):
        return {key: _replace_binary(item, attachments) for key, item in value.items()}
    return value


class MsgPack:
    """Whole Socket.IO packets as MessagePack maps (socket.io-msgpack-parser), one binary message each.

    Args:
        default: gives something that MessagePack has for an object that it has not.
        extension: reads an extension type, from its code and its bytes.
    """

    def __init__(self, default: Any = None, extension: Any = None) -> None:
        self._default = default
        self._extension = extension or js_extension
        try:
            import msgpack
        except ImportError as exc:
            raise ImportError(
                'serializer="msgpack" needs the package msgpack: pip install "fastsio-engine[msgpack]"'
            ) from exc
        self._msgpack = msgpack

    def encode(self, packet_type: int, namespace: str | None, id: int | None, data: Any) -> bytes:
        """Give one packet as bytes.

        Raises:
            TypeError: a value has no MessagePack form.
        """
        packet: dict[str, Any] = {"type": packet_type}
        if data is not None:  # the JavaScript parser refuses a DISCONNECT that has the key at all
            packet["data"] = data
        packet["nsp"] = namespace or "/"
        if id is not None:
            packet["id"] = id
        return self._msgpack.packb(packet, default=self._default)

    def decode(self, data: bytes) -> dict[str, Any]:
        """Give the map of one packet.

        Raises:
            ValueError: the bytes are not one MessagePack map.
        """
        try:
            packet = self._msgpack.unpackb(data, ext_hook=self._extension, strict_map_key=False)
        except (self._msgpack.UnpackException, ValueError, TypeError, OverflowError, OSError, RecursionError) as exc:
            raise ValueError(f"not MessagePack: {exc}") from exc
        if not isinstance(packet, dict):
            raise ValueError(f"a {type(packet).__name__} where a map was due")
        return packet


def js_extension(code: int, data: bytes) -> Any:
    """Read the extension types of the JavaScript library: undefined, Date and typed arrays all use type 0."""
    if code == 0 and data == b"\x00":
        return None
    if code == 0 and len(data) == 8:
        return datetime.fromtimestamp(int.from_bytes(data, "big", signed=True) / 1000, UTC)
    return data
