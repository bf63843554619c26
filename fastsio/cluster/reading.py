"""Reading the messages of a cluster, which come from anybody who can write to the channel.

May import: `messages`, `serial`. Each field is checked before it is used; what does not fit raises `MalformedError`.
Never touches rooms or clients. Data are decoded only when somebody here is to have them.
"""

import base64
import binascii
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from fastsio.cluster.messages import CallbackOwner, emitted
from fastsio.serial import Json

_LENIENT = Json()
# Characters of what names a callback: node, room, namespace and id.
MOST_OWNER = 10_000


class MalformedError(ValueError):
    """A message has a field of the wrong shape; it is ignored and counted."""


class Message(msgspec.Struct):
    """One message as it came: `method` is known to be text, nothing else is known of anything.

    `data` stays undecoded JSON (`msgspec.Raw`) when the message came as text.
    """

    method: str
    host_id: Any = None
    event: Any = msgspec.UNSET
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    binary: Any = False
    namespace: Any = None
    room: Any = None
    skip_sid: Any = None
    callback: Any = None
    sid: Any = None
    id: Any = msgspec.UNSET
    args: Any = msgspec.UNSET
    # fastsio's own, which other readers ignore
    seq: Any = None
    binary_acks: Any = False


_DECODER = msgspec.json.Decoder(Message)


class Target(NamedTuple):
    """Whom an event is for."""

    namespace: str
    room: Any  # None is everybody
    skip: set[Any] | None


def read(raw: Any, loads: Callable[[Any], Any] | None = None) -> Message | None:
    """Read what came over a channel: a dict, or JSON as text or bytes; None for what is no message.

    Args:
        raw: anything at all.
        loads: reads the JSON, when the application has a module of its own for it.
    """
    if isinstance(raw, dict):
        return _from_dict(raw)
    if not isinstance(raw, (str, bytes, bytearray)):
        return None
    if loads is None:
        try:
            return _DECODER.decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            loads = _loads_leniently
    try:
        value = loads(raw)
    except Exception:  # an application's module may raise anything about garbage
        return None
    return _from_dict(value) if isinstance(value, dict) else None


def _loads_leniently(raw: str | bytes | bytearray) -> Any:
    return _LENIENT.decode(raw.encode() if isinstance(raw, str) else bytes(raw))


def _from_dict(value: dict[Any, Any]) -> Message | None:
    if not isinstance(value.get("method"), str):
        return None
    return Message(**{name: value[name] for name in Message.__struct_fields__ if name in value})


def target(message: Message) -> Target:
    """Give whom an event is for.

    Raises:
        MalformedError: a field has the wrong shape.
    """
    namespace = message.namespace
    if not isinstance(namespace, str):
        raise MalformedError("an event without a namespace is for nobody")
    return Target(namespace, room(message), _skipped(message.skip_sid))


def room(message: Message) -> Any:
    """Give the room, or list of rooms, of a message; None for everybody.

    Raises:
        MalformedError: it is something else.
    """
    value = message.room
    if isinstance(value, (list, tuple, set, frozenset)):
        if all(_is_name(item) or item is None for item in value):
            return value
    elif not value and not isinstance(value, dict):
        return None
    elif _is_name(value):
        return value
    raise MalformedError("a room is a name or a list of names")


def one_room(message: Message) -> Any:
    """Give the room of a message about one room.

    Raises:
        MalformedError: it is none, or several.
    """
    if not _is_name(message.room):
        raise MalformedError("a room is a name")
    return message.room


def _skipped(value: Any) -> set[Any] | None:
    if value is None or value == "":
        return None
    values = [value] if isinstance(value, str) else value
    is_list = isinstance(values, (list, tuple, set, frozenset))
    if not is_list or not all(_is_name(item) or item is None for item in values):
        raise MalformedError("skip_sid is an id or a list of ids")
    return set(values)


def _is_name(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def event(message: Message) -> str | int | float:
    """Give the name of an event.

    Raises:
        MalformedError: it has none, or no data.
    """
    name = message.event
    is_number = type(name) is int or (type(name) is float and math.isfinite(name))  # else clients would leave over it
    if not (isinstance(name, str) or is_number) or message.data is msgspec.UNSET:
        raise MalformedError("an event has a name and data")
    return name


def packet_arguments(message: Message) -> bytes | None:
    """Give the arguments of an event as the JSON list that came; None when they have to be decoded.

    Raises:
        MalformedError: they are not UTF-8.
    """
    if message.binary or type(message.data) is not msgspec.Raw:
        return None
    text = bytes(message.data)
    if text[:1] != b"[":
        return None
    if not text.isascii():
        try:
            text.decode()  # undecoded JSON has not been looked at as UTF-8 yet
        except UnicodeDecodeError as exc:
            raise MalformedError("not UTF-8") from exc
    return text


def data(message: Message) -> Any:
    """Give the data of an event as `emit` takes them: one argument, or a tuple of several.

    Raises:
        MalformedError: they cannot be decoded.
    """
    value = _decoded(message.data)
    if message.binary:
        value = unpack_binary(value)
    return emitted(value) if isinstance(value, list) else value


def _decoded(value: Any) -> Any:
    if type(value) is not msgspec.Raw:
        return value
    try:
        return _LENIENT.decode(bytes(value))
    except (ValueError, RecursionError) as exc:
        raise MalformedError("the data are not JSON") from exc


def callback_owner(message: Message) -> CallbackOwner | None:
    """Give who waits for an acknowledgement of an event; None when nobody does.

    Raises:
        MalformedError: it is longer, or something else, than what a node names itself by: it would be sent back often.
    """
    if message.callback is None:
        return None
    value = message.callback
    if not isinstance(value, (list, tuple)) or len(value) != 3 or not isinstance(message.host_id, str):
        raise MalformedError("a callback is a room, a namespace and an id, of a node")
    room, namespace, id = value
    if not _is_room_or_rooms(room) or not isinstance(namespace, str) or not _is_name(id):
        raise MalformedError("a callback is a room, a namespace and an id")
    if sum(len(str(part)) for part in (message.host_id, *value)) > MOST_OWNER:
        raise MalformedError(f"a callback whose owner takes more than {MOST_OWNER} characters")
    return CallbackOwner(room, namespace, id)


def answer(message: Message) -> tuple[Any, Any, list[Any]]:
    """Give (sid, id, arguments) of an acknowledgement; the sid is a list when several rooms were asked.

    Raises:
        MalformedError: a field is missing or has the wrong shape.
    """
    args = message.args
    if not _is_room_or_rooms(message.sid) or not _is_name(message.id) or not isinstance(args, (list, tuple)):
        raise MalformedError("an acknowledgement has an id and arguments")
    return message.sid, message.id, unpack_binary(list(args)) if message.binary is True else list(args)


def _is_room_or_rooms(value: Any) -> bool:
    return all(map(_is_name, value)) if isinstance(value, list) else _is_name(value)


def client(message: Message) -> tuple[str, str]:
    """Give (sid, namespace) of a message about one client.

    Raises:
        MalformedError: they are not text.
    """
    if not isinstance(message.sid, str) or not isinstance(message.namespace, (str, type(None))):
        raise MalformedError("a client has a sid and a namespace")
    return message.sid, message.namespace or "/"


def unpack_binary(value: Any) -> Any:
    """Undo `pack_binary`.

    Raises:
        MalformedError: a placeholder names nothing, or what another has named, or what it names is not base64.
    """
    if not isinstance(value, (list, tuple)) or not value:
        raise MalformedError("binary data are a list that begins with the arguments")
    try:
        attachments = [base64.b64decode(text, validate=True) for text in value[1:]]
        return _without_placeholders(value[0], dict(enumerate(attachments)))
    except (binascii.Error, TypeError, ValueError, KeyError, RecursionError) as exc:
        raise MalformedError("the binary data of a message are broken") from exc


def _without_placeholders(value: Any, attachments: dict[int, bytes]) -> Any:
    """Put attachments in; each goes once, else a short message could stand for any number of bytes."""
    if isinstance(value, list):
        return [_without_placeholders(item, attachments) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("_placeholder") is True and "num" in value:
        num = value["num"]
        if type(num) is not int:
            raise TypeError(num)
        return attachments.pop(num)
    return {key: _without_placeholders(item, attachments) for key, item in value.items()}
