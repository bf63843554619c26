"""The codec once more: slow, obvious, in plain Python, written from the protocol documents.

May import: nothing of fastsio. It answers with `Refused` where the compiled codec raises, without saying why.
"""

import base64
import json
import re
from typing import Any

Pair = tuple[int, str | bytes | None]

RESERVED = {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}


class Refused(Exception):
    """The peer broke the protocol."""


# --- Engine.IO packets


def encode_packet(type: int, data: str | bytes | None, version: int, b64: bool) -> str | bytes:
    if not isinstance(data, bytes):
        return str(type) + (data or "")
    if b64:
        return ("b" if version == 4 else f"b{type}") + base64.b64encode(data).decode()
    return data if version == 4 else bytes([type]) + data


def decode_packet(message: str | bytes, version: int) -> Pair:
    if isinstance(message, bytes):
        if version == 4:
            return 4, message
        if not message or message[0] > 6:
            raise Refused
        return message[0], message[1:]
    if message.startswith("b"):
        type, text = ("4", message[1:]) if version == 4 else (message[1:2], message[2:])
        return digit_of(type), decode_base64(text)
    return digit_of(message[:1]), message[1:] or None


def digit_of(text: str) -> int:
    if text not in set("0123456"):
        raise Refused
    return int(text)


def decode_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Refused from error
    if base64.b64encode(data).decode() != text:  # something left over
        raise Refused
    return data


# --- Engine.IO payloads


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def encode_payload(packets: list[Pair], version: int, b64: bool) -> bytes:
    if version == 4:
        texts = [encode_packet(type, data, 4, True) for type, data in packets]
        return "\x1e".join(texts).encode()
    if b64 or not any(isinstance(data, bytes) for _, data in packets):
        texts = [encode_packet(type, data, 3, True) for type, data in packets]
        return "".join(f"{len(utf16(text)) // 2}:{text}" for text in texts).encode() or b"0:"
    return b"".join(binary_item(encode_packet(type, data, 3, False)) for type, data in packets)


def binary_item(packet: str | bytes) -> bytes:
    kind, body = (1, packet) if isinstance(packet, bytes) else (0, packet.encode())
    return bytes([kind, *map(int, str(len(body))), 255]) + body


def decode_payload(body: bytes, version: int, binary: bool, limit: int) -> list[Pair]:
    if binary:
        messages = split_v3_binary(body) if version == 3 else refuse()
    else:
        messages = split_v4(text_of(body)) if version == 4 else split_v3(text_of(body))
    if not messages or len(messages) > limit:
        raise Refused
    return [decode_packet(message, version) for message in messages]


def refuse() -> Any:
    raise Refused


def text_of(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Refused from error


def split_v4(text: str) -> list[str]:
    return text.split("\x1e")


def split_v3(text: str) -> list[str]:
    messages = []
    while text:
        match = re.match(r"([1-9][0-9]{0,7}):", text) or refuse()
        rest = utf16(text[match.end() :])
        size = 2 * int(match[1])
        if size > len(rest):
            raise Refused
        try:
            messages.append(rest[:size].decode("utf-16-le"))
            text = rest[size:].decode("utf-16-le")
        except UnicodeDecodeError as error:  # half a surrogate pair
            raise Refused from error
    return messages


def split_v3_binary(body: bytes) -> list[str | bytes]:
    messages: list[str | bytes] = []
    while body:
        match = re.match(rb"([\x00\x01])([\x01-\x09][\x00-\x09]{0,7})\xff", body) or refuse()
        size = int("".join(map(str, match[2])))
        packet = body[match.end() : match.end() + size]
        if len(packet) < size:
            raise Refused
        messages.append(packet if match[1] == b"\x01" else text_of(packet))
        body = body[match.end() + size :]
    return messages


# --- JSONP


def decode_jsonp(body: bytes) -> bytes:
    if not re.fullmatch(rb"d=(?:[^&%]|%[0-9A-Fa-f]{2})*", body, re.DOTALL):
        raise Refused
    form = body[2:].replace(b"+", b" ")
    text = re.sub(rb"%(..)", lambda match: bytes([int(match[1], 16)]), form, flags=re.DOTALL)
    text = re.sub(rb"(\\)?\\n", lambda match: match[0] if match[1] else b"\n", text)
    return text.replace(b"\\\\n", b"\\n")


# --- Socket.IO


def decode_sio(frames: list[str | bytes], max_attachments: int = 64) -> list[tuple[int, str, int | None, Any]]:
    """All packets of these messages. Refuses an unfinished one, too."""
    packets = []
    frames = list(frames)
    while frames:
        text = frames.pop(0)
        if not isinstance(text, str):
            raise Refused
        type, count, namespace, id, data = take_apart(text)
        if count > max_attachments:
            raise Refused
        attachments, frames = frames[:count], frames[count:]
        if len(attachments) < count or not all(isinstance(item, bytes) for item in attachments):
            raise Refused
        if type > 4:
            type, data = type - 3, put_back(data, attachments)
        packets.append((type, namespace, id, data))
    return packets


def take_apart(text: str) -> tuple[int, int, str, int | None, Any]:
    grammar = r"([0-4]|[56](?=[0-9]))(?:(?<=[56])([0-9]{1,10})-)?(/[^,]*)?(?(3),?)([0-9]{0,100})(?![0-9])(.*)"
    match = re.fullmatch(grammar, text, re.DOTALL) or refuse()
    type, namespace, id = int(match[1]), match[3] or "/", match[4]
    if (type > 4 and match[2] is None) or len(namespace.encode()) > 256:
        raise Refused
    try:
        data = json.loads(match[5]) if match[5] else None
    except (ValueError, RecursionError) as error:
        raise Refused from error
    check(type, id, data, match[5] != "")
    return type, int(match[2] or 0), namespace, int(id) if id else None, data


def check(type: int, id: str, data: Any, has_data: bool) -> None:
    if type in (2, 5) and has_data:  # an event without data is decodable, and for nobody
        named = isinstance(data, list) and data and isinstance(data[0], (str, int)) and not isinstance(data[0], bool)
        if not named or data[0] in RESERVED:
            raise Refused
    if type in (3, 6) and (not id or not isinstance(data, list)):
        raise Refused
    if type == 1 and has_data:
        raise Refused


def put_back(value: Any, attachments: list[bytes]) -> Any:
    if isinstance(value, list):
        return [put_back(item, attachments) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("_placeholder") is not True:
        return {key: put_back(item, attachments) for key, item in value.items()}
    number = value.get("num")
    if type(number) is not int or not 0 <= number < len(attachments):
        raise Refused
    return attachments[number]
