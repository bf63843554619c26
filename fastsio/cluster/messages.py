"""The messages of a cluster: one JSON dict per operation, field for field as python-socketio publishes them.

May import: `serial`. Pure functions: never publishes, never touches rooms or clients.
`reading` is the way back.
"""

import base64
import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from fastsio.serial import Json

# The lists that stand for no argument at all: python-socketio cannot tell `emit(e, None)` from `emit(e)`.
_NO_ARGUMENTS = re.compile(rb"\[\s*(?:null\s*)?\]")


# Bytes at the end of a message that hold its host_id and number, when it is one of `finished`.
ENDING_SPAN = 80


class CallbackOwner(NamedTuple):
    """Who waits for an acknowledgement, in the words of the node that asked."""

    room: Any
    namespace: str
    id: Any


def arguments(data: Any) -> list[Any]:
    """Give what the `data` of an emit stand for, as a list of arguments: a tuple is several, else it is one."""
    return list(data) if isinstance(data, tuple) else [data]


def emitted(args: list[Any]) -> Any:
    """Give a list of arguments as the `data` of an emit."""
    if len(args) != 1:
        return tuple(args)
    return list(args[0]) if isinstance(args[0], tuple) else args[0]


def emit(
    host_id: str, event: Any, args: list[Any], is_binary: bool, target: tuple[str, Any, Any], callback: Any = None
) -> dict[str, Any]:
    """Build the message of an event; `target` is namespace, room and who is skipped."""
    namespace, room, skip = target
    return {
        "method": "emit",
        "event": event,
        "data": pack_binary(args) if is_binary else args,
        "binary": is_binary,
        "namespace": namespace,
        "room": _listed(room),
        "skip_sid": _listed(skip),
        "callback": callback,
        "host_id": host_id,
    }


def callback(host_id: str, owner: CallbackOwner, args: Sequence[Any], takes_binary: bool) -> dict[str, Any]:
    """Build the message that brings an acknowledgement home to the node `host_id`.

    Binary arguments have a form that only fastsio reads (defect 35): it is used when the asker said it takes it.
    """
    message = {
        "method": "callback",
        "host_id": host_id,
        "sid": owner.room,
        "namespace": owner.namespace,
        "id": owner.id,
        "args": args,
    }
    if takes_binary and holds_binary(args):
        message |= {"args": pack_binary(list(args)), "binary": True}
    return message


def disconnect(host_id: str, sid: str, namespace: str | None) -> dict[str, Any]:
    return {"method": "disconnect", "sid": sid, "namespace": namespace or "/", "host_id": host_id}


def room_change(host_id: str, method: str, sid: str, room: Any, namespace: str | None) -> dict[str, Any]:
    """Build an "enter_room" or "leave_room" message."""
    return {"method": method, "sid": sid, "room": room, "namespace": namespace or "/", "host_id": host_id}


def close_room(host_id: str, room: Any, namespace: str | None) -> dict[str, Any]:
    return {"method": "close_room", "room": room, "namespace": namespace or "/", "host_id": host_id}


def heartbeat(host_id: str) -> dict[str, Any]:
    """Build what a node says to hear itself; python-socketio ignores methods that it does not know."""
    return {"method": "heartbeat", "host_id": host_id}


def encode(message: dict[str, Any], serializer: Any, data: bytes | None = None) -> bytes:
    """Give a message as JSON; `data`, when given, is the finished JSON of its data.

    Raises:
        TypeError: the message has no JSON form.
    """
    if message.get("callback"):
        message = {**message, "binary_acks": True}
    if data is not None and is_default(serializer):
        try:
            return orjson.dumps({**message, "data": orjson.Fragment(data)})
        except TypeError:  # a room that only the standard module writes
            pass
    payload, attachments = serializer.encode(message)
    if attachments:
        raise TypeError("only the data of an event may hold bytes")
    result: bytes = payload
    return result


def finished(host_id: str, event: Any, data: bytes, target: tuple[str, Any, Any]) -> bytes | None:
    """Give the message of an event as JSON, as `encode` would; `data` is the finished JSON of its data.

    Returns:
        None when a name in it is one that only the standard module writes.
    """
    namespace, room, skip = target
    dumps = orjson.dumps
    try:
        return (
            b'{"method":"emit","event":%b,"data":%b,"binary":false,"namespace":%b,"room":%b,"skip_sid":%b,'
            b'"callback":null,"host_id":%b}'
        ) % (
            dumps(event),
            data,
            dumps(namespace),
            b"null" if room is None else dumps(_listed(room)),
            b"null" if skip is None else dumps(_listed(skip)),
            dumps(host_id),
        )
    except TypeError:
        return None


def is_default(serializer: Any) -> bool:
    """Tell whether JSON is written as we write it, so that finished pieces may be put together."""
    return type(serializer) is Json and not serializer.is_replaced


def ending(host_id: str) -> bytes:
    """Give what stands before the number at the end of a node's own messages, and nowhere else in their last bytes.

    Text of others cannot look like it: quotes in it are escaped.
    """
    return b',"host_id":"%b", "seq": ' % host_id.encode()


def number(payload: bytes, seq: int) -> bytes:
    """Give a message its number, by which readers of fastsio know doubles and gaps."""
    return b'%b, "seq": %d}' % (payload[:-1], seq)


def holds_binary(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(holds_binary(item) for item in value)
    if isinstance(value, dict):
        return any(holds_binary(item) for item in value.values())
    return isinstance(value, (bytes, bytearray))


def pack_binary(args: list[Any]) -> list[Any]:
    """Give `[arguments with placeholders, base64, base64, ...]`."""
    found: list[str] = []
    return [_with_placeholders(args, found), *found]


def _with_placeholders(value: Any, found: list[str]) -> Any:
    if isinstance(value, (bytes, bytearray)):
        found.append(base64.b64encode(value).decode())
        return {"_placeholder": True, "num": len(found) - 1}
    if isinstance(value, (list, tuple)):
        return [_with_placeholders(item, found) for item in value]
    if isinstance(value, dict):
        return {key: _with_placeholders(item, found) for key, item in value.items()}
    return value


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, (tuple, set, frozenset)) else value


def ready_text(event: Any, args: bytes) -> bytes:
    """Give the JSON list of a Socket.IO event from its name and the JSON list of its arguments."""
    try:
        name = orjson.dumps(event)
    except TypeError:  # one that only the standard module writes
        name = json.dumps(event).encode()
    if _NO_ARGUMENTS.fullmatch(args):
        return b"[%b]" % name
    return b"[%b,%b" % (name, args[1:])
