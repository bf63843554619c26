"""What Redis says, from bytes to values: RESP 2 and 3, and the messages of a channel without a detour.

May import: nothing of ours. Pure functions over a buffer; never touches a connection.
Every length is checked before it is used: what stands at the other end need not be Redis, nor well.
"""

from typing import Any

# Bytes of one message that is read. Redis throws out a subscriber that owes 32 MiB, unless it was told otherwise.
MOST_MESSAGE = 128 * 1024 * 1024
# Bytes of anything else that Redis says at a time, and how deep it may be nested.
MOST_OTHER = 256 * 1024
MOST_DEPTH = 8
# Bytes of a line: a number, a short answer, or an error.
MOST_LINE = 64 * 1024
# Digits of a length, and the end of its line.
LENGTH_SPAN = 24

_LINES = b":+-_#,("  # one value in one line
_STRINGS = b"$=!"  # bytes of a length
_LISTS = {0x2A: 1, 0x3E: 1, 0x7E: 1, 0x25: 2}  # * > ~ %, and values per counted element

Element = tuple[Any, int]  # a value, and where it ends


class UnexpectedReplyError(ConnectionError):
    """Redis said something else than was due; the connection cannot be used any more."""


class ErrorReply(str):
    """An error that Redis tells, such as "NOAUTH Authentication required."."""


def message_heads(channel: str) -> tuple[bytes, bytes]:
    """Give what stands before the length of a message of a channel, in RESP 2 and 3."""
    name = channel.encode()
    tail = b"3\r\n$7\r\nmessage\r\n$%d\r\n%b\r\n$" % (len(name), name)
    return b"*" + tail, b">" + tail


def take_messages(
    buffer: bytes | bytearray, heads: tuple[bytes, bytes], messages: list[bytes], others: list[Any]
) -> int:
    """Append the messages that are whole, and to `others` whatever else was said; give where what is not whole begins.

    Raises:
        UnexpectedReplyError, ValueError: something is not RESP, or too large. What came before it has been appended.
    """
    at, size, head = 0, len(buffer), len(heads[0])
    while at < size:
        if buffer.startswith(heads, at):
            begin = buffer.find(b"\r\n", at + head, at + head + LENGTH_SPAN) + 2
            if begin < 2:
                if size >= at + head + LENGTH_SPAN:
                    raise UnexpectedReplyError("a message without a length")
                break
            length = int(buffer[at + head : begin - 2])
            if not 0 <= length <= MOST_MESSAGE:
                raise UnexpectedReplyError(f"a message of {length} bytes; at most {MOST_MESSAGE} are read")
            end = begin + length
            if end + 2 > size:
                break
            messages.append(bytes(buffer[begin:end]))
            at = end + 2
        else:
            found = element(buffer, at)
            if found is None:
                if size - at > MOST_OTHER:
                    raise UnexpectedReplyError(f"more than {MOST_OTHER} bytes that are no message of the channel")
                break
            others.append(found[0])
            at = found[1]
    return at


def element(buffer: bytes | bytearray, at: int, depth: int = 0) -> Element | None:
    """Give the RESP value that begins at `at`, and where it ends; None when it is not there as a whole.

    A line is bytes without its kind, an error an `ErrorReply`, a list or map a list.

    Raises:
        UnexpectedReplyError, ValueError: it is not RESP, or too large.
    """
    end = buffer.find(b"\r\n", at, at + MOST_LINE)
    if end < 0:
        if len(buffer) - at >= MOST_LINE:
            raise UnexpectedReplyError(f"a line of more than {MOST_LINE} bytes")
        return None
    kind, rest = buffer[at], bytes(buffer[at + 1 : end])
    if kind in _STRINGS:
        return _string(buffer, kind, end + 2, int(rest))
    if kind in _LISTS:
        return _elements(buffer, end + 2, int(rest) * _LISTS[kind], depth + 1)
    if kind == 0x2D:
        return ErrorReply(rest.decode(errors="replace")), end + 2
    if kind in _LINES:
        return rest, end + 2
    raise UnexpectedReplyError(bytes(buffer[at:end][:200]).decode(errors="replace"))


def _string(buffer: bytes | bytearray, kind: int, begin: int, length: int) -> Element | None:
    if length == -1:
        return None, begin
    if not 0 <= length <= MOST_OTHER:
        raise UnexpectedReplyError(f"a string of {length} bytes; at most {MOST_OTHER} are read")
    if len(buffer) < begin + length + 2:
        return None
    value = bytes(buffer[begin : begin + length])
    return ErrorReply(value.decode(errors="replace")) if kind == 0x21 else value, begin + length + 2


def _elements(buffer: bytes | bytearray, at: int, count: int, depth: int) -> Element | None:
    if depth > MOST_DEPTH:
        raise UnexpectedReplyError(f"lists in more than {MOST_DEPTH} lists")
    if count > MOST_OTHER:
        raise UnexpectedReplyError(f"a list of {count} values")
    values = []
    for _ in range(count):
        found = element(buffer, at, depth)
        if found is None:
            return None
        values.append(found[0])
        at = found[1]
    return values, at
