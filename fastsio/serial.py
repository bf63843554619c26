"""Values to text and back: the JSON and MessagePack back ends of a server.

May import: `errors`. Never touches packets, sessions or sockets.
The default JSON pair is orjson outwards (its `default` hook meets the attachments in the same pass) and msgspec inwards
(exact big integers); the standard `json` takes whatever either of them refuses, so semantics stay those of python-socketio.
"""

import json as standard_json
import math
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec.json
import orjson

# The longest integer literal that is read, in digits: a longer one costs quadratic time to convert.
MAX_INTEGER_DIGITS = 100


class JsonModule(Protocol):
    """What `json=` accepts: any object with the two functions of the standard module."""

    def dumps(self, obj: Any, **kwargs: Any) -> str: ...

    def loads(self, data: Any) -> Any: ...


class Attachments:
    """Collects binary values while an encoder walks a value, leaving placeholders behind.

    Serves as the `default` hook of the encoder. Depth-first order, as Socket.IO 5 wants it ("Binary").
    """

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[bytes] = []

    def __call__(self, value: Any) -> Any:
        if isinstance(value, (bytes, bytearray)):
            self.found.append(bytes(value))
            return {"_placeholder": True, "num": len(self.found) - 1}
        if isinstance(value, tuple):  # orjson leaves named tuples to us
            return list(value)
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


class Json:
    """The default serializer: fast libraries with the semantics of the standard `json`."""

    def use(self, module: JsonModule | None) -> None:
        """Have another module do the work from now on, None to do it again."""
        other = CustomJson(module) if module is not None else None
        for name in ("encode", "decode"):
            if other is not None:
                setattr(self, name, getattr(other, name))
            else:
                self.__dict__.pop(name, None)

    def encode(self, value: Any) -> tuple[bytes, list[bytes] | None]:
        """Give the JSON of `value` as UTF-8, and its binary values in depth-first order; None or [] for none.

        Raises:
            TypeError: a value has no JSON form.
            ValueError, RecursionError: the value contains itself, or is nested too deeply.
        """
        try:
            return orjson.dumps(value), None
        except TypeError:  # binary, or what only the standard module writes
            pass
        attachments = Attachments()
        try:
            return orjson.dumps(value, attachments), attachments.found
        except TypeError:  # big integers, odd keys, lone surrogates; or really not JSON
            pass
        attachments = Attachments()
        text = standard_json.dumps(_finite(value), separators=(",", ":"), default=attachments)
        return text.encode(), attachments.found

    def decode(self, data: bytes) -> Any:
        """Read one JSON value from UTF-8.

        NaN and Infinity are accepted as the standard module does; a lone surrogate becomes U+FFFD.

        Raises:
            ValueError: not JSON, or an integer of more than `MAX_INTEGER_DIGITS` digits.
        """
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _decode_leniently(data)


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


def _decode_leniently(data: bytes) -> Any:
    try:
        # Text, not bytes: of bytes the standard module would also take UTF-16, UTF-32 and a byte order mark.
        value = standard_json.loads(data.decode("utf-8", "surrogatepass"), parse_int=_bounded_integer)
        return _replace_surrogates(value) if b"\\u" in data or b"\xed" in data else value
    except RecursionError as exc:
        raise ValueError("JSON is nested too deeply") from exc


def _bounded_integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits; at most {MAX_INTEGER_DIGITS} are accepted")
    return int(digits)


def _finite(value: Any) -> Any:
    """NaN and infinity become None, as orjson has it: JavaScript cannot read them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value


def _replace_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_replace_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_replace_surrogates(key): _replace_surrogates(item) for key, item in value.items()}
    return value


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
            raise ImportError('serializer="msgpack" needs the package msgpack: pip install "fastsio-engine[msgpack]"') from exc
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
