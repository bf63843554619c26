"""JSON as the standard module has it, for what the fast libraries refuse.

May import: nothing of ours. `_json` comes here only after orjson or msgspec has said no.
"""

import json
import math
from typing import Any

# The longest integer literal that is read, in digits: a longer one costs quadratic time to convert.
MAX_INTEGER_DIGITS = 100


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


def encode(value: Any) -> tuple[bytes, list[bytes]]:
    """Give the JSON of a value, and its binary values: big integers, odd keys and lone surrogates included.

    Raises:
        TypeError: a value has no JSON form.
        ValueError, RecursionError: the value contains itself, or is nested too deeply.
    """
    attachments = Attachments()
    text = json.dumps(_finite(value), separators=(",", ":"), default=attachments)
    return text.encode(), attachments.found


def decode(data: bytes) -> Any:
    """Read one JSON value; a lone surrogate becomes U+FFFD.

    Raises:
        ValueError: not JSON, or an integer of more than `MAX_INTEGER_DIGITS` digits.
    """
    try:
        # Text, not bytes: of bytes the standard module would also take UTF-16, UTF-32 and a byte order mark.
        value = json.loads(data.decode("utf-8", "surrogatepass"), parse_int=_bounded_integer)
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
