"""Whole Socket.IO packets by other means than the compiled codec: MessagePack, or a packet class of the application.

May import: `_codec`, `errors`. A packer writes packets, and gives each session a reader with one method, `feed`.
"""

from collections.abc import Callable
from typing import Any, Protocol

from fastsio._codec import RESERVED_EVENTS, SioMessage
from fastsio.errors import ProtocolError

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = range(7)


class Reader(Protocol):
    """Reads the packets of one session."""

    def feed(self, raw: str | bytes) -> SioMessage | None:
        """Take one Engine.IO message; give the packet that it completes, None when attachments have to follow.

        Raises:
            ProtocolError: it is not a packet.
        """
        ...


class Packer(Protocol):
    """Writes the packets of a server."""

    def encode(self, type: int, namespace: str, id: int | None, data: Any) -> str | bytes | list[Any]:
        """Give one packet: text, bytes, or text and the attachments that follow it."""
        ...

    def reader(self, max_attachments: int, max_binary: int) -> Reader:
        """Give what reads one session; a packet has no more attachments than so many, nor bytes in them."""
        ...


class MsgPackPacker:
    """Packets as MessagePack maps. Reads them without a state, so it is its own reader."""

    def __init__(self, msgpack: Any) -> None:
        self._msgpack = msgpack
        self.encode = msgpack.encode

    def reader(self, max_attachments: int, max_binary: int) -> Reader:
        return self  # bytes are inline: the limit of a message is theirs

    def feed(self, raw: str | bytes) -> SioMessage:
        if isinstance(raw, str):
            raise ProtocolError("SIO_BAD_TYPE", "a text message; this server speaks MessagePack")
        try:
            packet = self._msgpack.decode(raw)
            message = SioMessage(packet["type"], packet["nsp"], packet.get("id"), packet.get("data"))
        except (ValueError, KeyError, TypeError, OverflowError) as exc:
            raise ProtocolError("SIO_BAD_DATA", f"not a MessagePack packet: {exc!r}") from exc
        return _checked(message)


class ClassPacker:
    """Packets by a class of the application, driven the way python-socketio drives it.

    Args:
        packet_class: the class.
        value_of: what the class is given for a text message; python-engineio has decoded one that is JSON.
    """

    def __init__(self, packet_class: Any, value_of: Callable[[str], Any] = str) -> None:
        self.packet_class = packet_class
        self._value_of = value_of

    def encode(self, type: int, namespace: str, id: int | None, data: Any) -> Any:
        fields = {"namespace": namespace} if id is None else {"namespace": namespace, "id": id}
        return self.packet_class(type, data=data, **fields).encode()

    def reader(self, max_attachments: int, max_binary: int) -> Reader:
        return ClassReader(self.packet_class, self._value_of, max_attachments, max_binary)


class ClassReader:
    """Reads the packets of one session with a class of the application; limits are the compiled decoder's."""

    def __init__(
        self, packet_class: Any, value_of: Callable[[str], Any], max_attachments: int, max_binary: int
    ) -> None:
        self._packet_class = packet_class
        self._value_of = value_of
        self._max_attachments, self._max_binary = max_attachments, max_binary
        self._partial: Any = None  # a packet that waits for attachments
        self._count = self._size = 0  # of the attachments that it has

    def feed(self, raw: str | bytes) -> SioMessage | None:
        try:
            packet = self._next(raw)
            return None if packet is None else _checked(_message(packet))
        except ProtocolError:
            raise
        except Exception as exc:
            raise ProtocolError("SIO_BAD_DATA", f"{self._packet_class.__name__} cannot read a packet: {exc!r}") from exc

    def _next(self, raw: str | bytes) -> Any:
        packet, self._partial = self._partial, None
        if packet is None:
            packet = self._packet_class(encoded_packet=self._value_of(raw) if isinstance(raw, str) else raw)
            is_whole = not getattr(packet, "attachment_count", 0)
        else:
            self._count_attachment(raw)
            is_whole = packet.add_attachment(raw)
        if is_whole or packet.packet_type not in (BINARY_EVENT, BINARY_ACK):
            self._count = self._size = 0
            return packet
        if packet.attachment_count > self._max_attachments:
            text = f"a packet announces {packet.attachment_count} attachments; at most {self._max_attachments} are accepted"
            raise ProtocolError("SIO_BAD_ATTACHMENTS", f"{text} (max_attachments)")
        self._partial = packet
        return None

    def _count_attachment(self, raw: str | bytes) -> None:
        """Look at an attachment before the class has it, whose own count may be anything."""
        if not isinstance(raw, bytes):
            raise ProtocolError("SIO_TEXT_FOR_ATTACHMENT", "a text packet came where an attachment was due")
        self._count += 1
        self._size += len(raw)
        if self._count > self._max_attachments or self._size > self._max_binary:
            text = f"{self._count} attachments of {self._size} bytes together (max_attachments, max_binary_packet)"
            raise ProtocolError("SIO_BAD_ATTACHMENTS", text)


def _message(packet: Any) -> SioMessage:
    type = {BINARY_EVENT: EVENT, BINARY_ACK: ACK}.get(packet.packet_type, packet.packet_type)
    return SioMessage(type, packet.namespace or "/", packet.id, packet.data)


def _checked(message: SioMessage) -> SioMessage:
    """Check a packet as the compiled decoder checks its own."""
    id, data = message.id, message.data
    if id is not None and not _is_number(id):
        raise ProtocolError("SIO_BAD_ID", f"an id of type {type(id).__name__}")
    if not _fits(message.type, id, data):
        raise ProtocolError("SIO_BAD_DATA", f"the data of a packet do not fit its type {message.type}")
    if message.type == EVENT and data[0] in RESERVED_EVENTS:
        raise ProtocolError("SIO_BAD_EVENT", f"an event with the reserved name {data[0]!r}")
    return message


def _fits(type: int, id: int | None, data: Any) -> bool:
    if type == CONNECT:
        return data is None or isinstance(data, dict)
    if type == DISCONNECT:
        return data is None
    if type == CONNECT_ERROR:
        return isinstance(data, (str, dict))
    if type == ACK:
        return isinstance(data, list) and id is not None
    return type == EVENT and isinstance(data, list) and bool(data) and (isinstance(data[0], str) or _is_number(data[0]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
