"""Engine.IO packets and payloads and Socket.IO packets, between bytes and values.

May import: `_bytes`, `_runs.h`, `_json`, `errors`. Never does input or output, and knows no sessions, clients or clocks.
The first half works on views without touching Python; the second half is what Python code may use as well.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport (
    PyUnicode_1BYTE_DATA, PyUnicode_AsUTF8AndSize, PyUnicode_Concat, PyUnicode_DecodeUTF8, PyUnicode_GET_LENGTH,
    PyUnicode_New,
)
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcmp, memcpy, strchr

from fastsio._bytes cimport View, base64_size, view_bytes, view_of, view_skip, write_base64
from fastsio._json cimport Json

from fastsio import errors
from fastsio.errors import ProtocolError

cdef extern from "_runs.h":
    Py_ssize_t fastsio_ascii_run(const unsigned char* data, Py_ssize_t size) noexcept nogil

cdef extern from "Python.h":
    Py_UCS4 PyUnicode_MAX_CHAR_VALUE(object text)   # 0x7F exactly when all characters are ASCII

# Digits of an Engine.IO 3 length: 99,999,999 is more than any body may have.
cdef Py_ssize_t MAX_LENGTH_DIGITS = 8

# Digits of an attachment count and of an acknowledgement id, as python-socketio accepts them.
cdef Py_ssize_t MAX_ATTACHMENT_DIGITS = 10
cdef Py_ssize_t MAX_ID_DIGITS = 100

cdef Py_ssize_t MAX_NAMESPACE_BYTES = 256

# Digits of a JSONP index.
cdef int64_t MAX_JSONP_INDEX = 9_999_999_999

# Levels of lists and dictionaries searched for placeholders; keeps the C stack small.
cdef int MAX_DEPTH = 1000

# Namespaces of one client that are kept as strings; those beyond are built for each packet.
cdef Py_ssize_t MAX_INTERNED = 64

# Names that a peer may not send, since handlers of these names hear of the life of a connection.
RESERVED_EVENTS = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)

cdef enum:
    SEPARATOR = 0x1E    # between the packets of an Engine.IO 4 payload
    BINARY_END = 0xFF   # after the length of an item of an Engine.IO 3 binary payload


# --- UTF-8 and UTF-16

cdef inline int utf8_width(unsigned char lead) noexcept nogil:
    """Bytes of the character that starts with `lead`, in text known to be UTF-8."""
    return 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


cdef inline int utf8_character(const unsigned char* at, Py_ssize_t size) noexcept nogil:
    """Bytes of the well-formed character at the start of a non-empty text, or 0 (Unicode, table 3-7)."""
    cdef unsigned char lead = at[0]
    cdef unsigned char low = 0x80, high = 0xBF
    cdef int width, i
    if lead < 0x80:
        return 1
    if lead < 0xC2 or lead > 0xF4:
        return 0
    width = utf8_width(lead)
    if width > size:
        return 0
    if lead == 0xE0:
        low = 0xA0      # shorter forms exist
    elif lead == 0xED:
        high = 0x9F     # surrogates
    elif lead == 0xF0:
        low = 0x90      # shorter forms exist
    elif lead == 0xF4:
        high = 0x8F     # past U+10FFFF
    if at[1] < low or at[1] > high:
        return 0
    for i in range(2, width):
        if at[i] & 0xC0 != 0x80:
            return 0
    return width


cdef bint is_utf8(View text) noexcept nogil:
    """Whether a borrowed text is well-formed UTF-8: no overlong forms, no surrogates."""
    cdef Py_ssize_t at = 0
    cdef int width
    while at < text.size:
        at += fastsio_ascii_run(text.data + at, text.size - at)
        if at == text.size:
            break
        width = utf8_character(text.data + at, text.size - at)
        if width == 0:
            return False
        at += width
    return True


cdef Py_ssize_t utf16_length(const unsigned char* text, Py_ssize_t size) noexcept nogil:
    """Count the UTF-16 code units of UTF-8, as JavaScript counts the length of a string."""
    cdef Py_ssize_t at = 0, units
    units = at = fastsio_ascii_run(text, size)
    while at < size:
        # Each character starts with a byte that is no continuation; those of four bytes are surrogate pairs.
        units += (text[at] & 0xC0 != 0x80) + (text[at] >= 0xF0)
        at += 1
    return units


cdef Py_ssize_t utf16_prefix(View text, Py_ssize_t units) noexcept nogil:
    """Bytes of the first `units` UTF-16 code units of UTF-8; -1 if they end past the text or within a character."""
    cdef Py_ssize_t at = 0, step
    while units > 0:
        step = fastsio_ascii_run(text.data + at, min(units, text.size - at))
        at += step
        units -= step
        if units == 0:
            break
        if at >= text.size:
            return -1
        units -= 2 if text.data[at] >= 0xF0 else 1
        at += utf8_width(text.data[at])
    return at if units == 0 and at <= text.size else -1


# --- base64 (RFC 4648 4, canonical form only)

cdef const char* BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

# The value of each character, 0xFF for the others. Filled at import.
cdef unsigned char[256] BASE64_VALUES


cdef void fill_base64_values() noexcept nogil:
    cdef int i
    for i in range(256):
        BASE64_VALUES[i] = 0xFF
    for i in range(64):
        BASE64_VALUES[<unsigned char> BASE64_ALPHABET[i]] = <unsigned char> i


fill_base64_values()


cdef inline Py_ssize_t base64_padding(View text) noexcept nogil:
    """Count the padding of a text that is not empty and whose size is a multiple of four."""
    if text.data[text.size - 1] != c"=":
        return 0
    return 2 if text.data[text.size - 2] == c"=" else 1


cdef inline uint32_t base64_group(const unsigned char* at) noexcept nogil:
    """The 24 bits of four characters; with bits above them when one of the four is not in the alphabet."""
    cdef uint32_t a = BASE64_VALUES[at[0]], b = BASE64_VALUES[at[1]]
    cdef uint32_t c = BASE64_VALUES[at[2]], d = BASE64_VALUES[at[3]]
    if (a | b | c | d) & 0x80:
        return 0xFFFFFFFF
    return a << 18 | b << 12 | c << 6 | d


cdef inline uint32_t base64_last_group(const unsigned char* at, Py_ssize_t padding) noexcept nogil:
    """As `base64_group` for the last four characters; bits that the padding cuts off must be zero."""
    cdef unsigned char[4] group
    cdef uint32_t bits
    memcpy(group, at, 4)
    if padding >= 1:
        group[3] = c"A"
    if padding == 2:
        group[2] = c"A"
    bits = base64_group(group)
    if padding == 1 and bits & 0xFF or padding == 2 and bits & 0xFFFF:
        return 0xFFFFFFFF
    return bits


cdef bint is_base64(View text) noexcept nogil:
    """Whether a borrowed text is canonical base64: standard alphabet, full padding, no bits left over."""
    cdef Py_ssize_t at = 0, last = text.size - 4
    if text.size == 0:
        return True
    if text.size % 4:
        return False
    while at < last:
        if base64_group(text.data + at) > 0xFFFFFF:
            return False
        at += 4
    return base64_last_group(text.data + last, base64_padding(text)) <= 0xFFFFFF


cdef bytes decode_base64(View text):
    """Decode canonical base64; None if it is something else.

    Shape: `text` is borrowed.
    Allocates: the result.
    """
    cdef Py_ssize_t at = 0, last = text.size - 4, padding
    cdef bytes data
    cdef unsigned char* out
    if text.size == 0:
        return b""
    if text.size % 4:
        return None
    padding = base64_padding(text)
    data = PyBytes_FromStringAndSize(NULL, text.size // 4 * 3 - padding)
    out = <unsigned char*> PyBytes_AS_STRING(data)
    while at < last:
        if not put_base64_group(base64_group(text.data + at), out, 3):
            return None
        out += 3
        at += 4
    return data if put_base64_group(base64_last_group(text.data + last, padding), out, 3 - padding) else None


cdef inline bint put_base64_group(uint32_t bits, unsigned char* out, Py_ssize_t count) noexcept nogil:
    if bits > 0xFFFFFF:
        return False
    out[0] = <unsigned char> (bits >> 16)
    if count > 1:
        out[1] = <unsigned char> (bits >> 8)
    if count > 2:
        out[2] = <unsigned char> bits
    return True


cdef bytes base64_packet(bytes prefix, bytes data):
    """Give `prefix` and the standard base64 of `data`.

    Allocates: the result.
    """
    cdef Py_ssize_t head = PyBytes_GET_SIZE(prefix), size = PyBytes_GET_SIZE(data)
    cdef bytes packet = PyBytes_FromStringAndSize(NULL, head + base64_size(size))
    cdef unsigned char* out = <unsigned char*> PyBytes_AS_STRING(packet)
    memcpy(out, PyBytes_AS_STRING(prefix), head)
    write_base64(BASE64_ALPHABET, <const unsigned char*> PyBytes_AS_STRING(data), size, out + head)
    return packet


# --- decimal numbers

cdef inline bint is_digit(unsigned char character) noexcept nogil:
    return c"0" <= character <= c"9"


cdef inline Py_ssize_t count_digits(View text) noexcept nogil:
    """Count the ASCII digits that `text` starts with."""
    cdef Py_ssize_t count = 0
    while count < text.size and is_digit(text.data[count]):
        count += 1
    return count


cdef inline int64_t parse_decimal(const unsigned char* digits, Py_ssize_t count) noexcept nogil:
    """The value of at most 18 digits, each either ASCII or a byte 0 to 9."""
    cdef int64_t value = 0
    cdef Py_ssize_t i
    for i in range(count):
        value = value * 10 + (digits[i] & 0x0F)
    return value


cdef inline int write_decimal(unsigned char* out, uint64_t value, unsigned char zero) noexcept nogil:
    """Write at most 20 digits, most significant first, the digit 0 being `zero`. Gives their count."""
    cdef unsigned char[20] digits
    cdef int count = 0, i
    while True:
        digits[count] = <unsigned char> (zero + value % 10)
        value //= 10
        count += 1
        if value == 0:
            break
    for i in range(count):
        out[i] = digits[count - 1 - i]
    return count


# --- Engine.IO packets, inwards

cdef Status parse_text(View packet, int version, EioPacket* out) noexcept nogil:
    """Read the type of a text packet. Base64 is not looked into."""
    if packet.size == 0:
        return EMPTY_PACKET
    out.is_binary = out.is_base64 = packet.data[0] == c"b"
    if out.is_base64:
        view_skip(&packet, 1)
        if version == 4:
            out.type = MESSAGE
            out.data = packet
            return OK
        if packet.size == 0:
            return BAD_TYPE
    if packet.data[0] < c"0" or packet.data[0] > c"6":
        return BAD_TYPE
    out.type = <EioType> (packet.data[0] - c"0")
    view_skip(&packet, 1)
    out.data = packet
    if packet.size == 5 and not out.is_binary and memcmp(packet.data, b"probe", 5) == 0:
        if out.type == PING:
            out.type = PING_PROBE
        elif out.type == PONG:
            out.type = PONG_PROBE
    return OK


cdef Status parse_binary(View packet, int version, EioPacket* out) noexcept nogil:
    """Read the type of a binary packet: the first byte in revision 3, always a message in revision 4."""
    out.is_binary = True
    out.is_base64 = False
    out.type = MESSAGE
    out.data = packet
    if version == 4:
        return OK
    if packet.size == 0:
        return EMPTY_PACKET
    if packet.data[0] > 6:
        return BAD_TYPE
    out.type = <EioType> packet.data[0]
    view_skip(&out.data, 1)
    return OK


cdef Status decode_packet_view(View message, int version, bint is_binary, EioPacket* out) noexcept nogil:
    """Read one WebSocket message.

    Shape: `message` is borrowed; `out.data` is a view into the same memory. Text is not checked to be UTF-8 here,
        since the frame reader has done it.
    Errors: EMPTY_PACKET, BAD_TYPE; BAD_BASE64 unless base64 is canonical. An empty binary frame is an empty message in
        revision 4. In revision 3 official servers ignore an empty binary frame (EMPTY_PACKET) and one whose type byte
        is over 6 (BAD_TYPE): whether to end the session is left to the caller.
    Source: Engine.IO protocol, "Packet encoding", WebSocket.
    """
    cdef Status status
    if is_binary:
        return parse_binary(message, version, out)
    status = parse_text(message, version, out)
    if status == OK and out.is_base64 and not is_base64(out.data):
        return BAD_BASE64
    return status


# --- Engine.IO payloads, inwards

cdef Status split_v4(View* body, View* packet) noexcept nogil:
    """Split off the packet before the first separator."""
    cdef const unsigned char* end = <const unsigned char*> memchr(body.data, SEPARATOR, body.size)
    packet[0] = body[0]
    if end == NULL:
        view_skip(body, body.size)
        return OK
    packet.size = end - body.data
    view_skip(body, packet.size + 1)
    # A separator stands between two packets, so one at the end announces an empty packet.
    return OK if body.size else EMPTY_PACKET


cdef Status take_length(View* body, Py_ssize_t count, unsigned char zero, unsigned char end, Py_ssize_t* length) \
        noexcept nogil:
    """Take a length of `count` digits and the `end` after it. Leading zeros are no length."""
    if count == 0 or count > MAX_LENGTH_DIGITS or count >= body.size or body.data[count] != end:
        return BAD_LENGTH
    if body.data[0] == zero:
        return EMPTY_PACKET if count == 1 else BAD_LENGTH
    length[0] = <Py_ssize_t> parse_decimal(body.data, count)
    view_skip(body, count + 1)
    return OK


cdef Status split_v3_text(View* body, View* packet) noexcept nogil:
    """Split off `<length>:<packet>`; the length counts UTF-16 code units."""
    cdef Py_ssize_t units = 0
    cdef Status status = take_length(body, count_digits(body[0]), c"0", c":", &units)
    if status != OK:
        return status
    packet.data = body.data
    packet.size = utf16_prefix(body[0], units)
    if packet.size < 0:
        return BAD_LENGTH
    view_skip(body, packet.size)
    return OK


cdef Status split_v3_binary(View* body, View* packet, bint* is_binary) noexcept nogil:
    """Split off a kind byte, a length in bytes written as digit bytes 0 to 9, 0xFF, and the packet."""
    cdef Py_ssize_t count = 0, length = 0
    cdef Status status
    if body.data[0] > 1:
        return BAD_TYPE
    is_binary[0] = body.data[0] == 1
    view_skip(body, 1)
    while count < body.size and body.data[count] <= 9:
        count += 1
    status = take_length(body, count, 0, BINARY_END, &length)
    if status != OK:
        return status
    if length > body.size:
        return BAD_LENGTH
    packet.data = body.data
    packet.size = length
    view_skip(body, length)
    return OK


cdef inline Status split(View* body, int version, bint is_binary, View* packet, bint* packet_is_binary) noexcept nogil:
    packet_is_binary[0] = False
    if body.size == 0:
        return EMPTY_PACKET
    if version == 4:
        return split_v4(body, packet)
    if is_binary:
        return split_v3_binary(body, packet, packet_is_binary)
    return split_v3_text(body, packet)


cdef Status next_packet_view(View* body, int version, bint is_binary, EioPacket* out) noexcept nogil:
    """Split the first packet off a payload that `check_payload_view` has found good.

    Shape: `body` is borrowed and advanced past the packet; `out.data` is a view into the same memory.
    Units: lengths of revision 3 count UTF-16 code units in text bodies and bytes in binary ones.
    Errors: as `check_payload_view`, but UTF-8 and base64 are not looked into again. `body` is then unspecified.
    Source: Engine.IO protocol, "Packet encoding", HTTP long-polling.
    """
    cdef View packet
    cdef bint packet_is_binary
    cdef Status status = split(body, version, is_binary, &packet, &packet_is_binary)
    if status != OK:
        return status
    return parse_binary(packet, version, out) if packet_is_binary else parse_text(packet, version, out)


cdef Status check_packet(View* body, int version, bint is_binary) noexcept nogil:
    """Split the first packet off a payload and look into all of it."""
    cdef View packet
    cdef EioPacket parsed
    cdef bint packet_is_binary
    cdef Status status = split(body, version, is_binary, &packet, &packet_is_binary)
    if status != OK:
        return status
    if is_binary and not packet_is_binary and not is_utf8(packet):
        return BAD_UTF8
    return decode_packet_view(packet, version, packet_is_binary, &parsed)


cdef Py_ssize_t check_payload_view(View body, int version, bint is_binary, Py_ssize_t limit, Status* why) \
        noexcept nogil:
    """Look through a whole polling body before any of its packets is delivered.

    Shape: `body` is borrowed. `is_binary` says that it came as application/octet-stream.
    Units: gives the number of packets, at most `limit`.
    Errors: -1, and the reason in `why`. EMPTY_PACKET: no body, a separator at an end or doubled, a length of zero.
        BAD_TYPE: an unknown type character, type byte or kind byte; a binary body in revision 4, which has none.
        BAD_LENGTH: not 1 to 8 plain digits, or past the end. BAD_UTF8, BAD_BASE64, TOO_MANY_PACKETS.
    Source: Engine.IO protocol, "Packet encoding", HTTP long-polling.
    """
    cdef Py_ssize_t count = 0
    why[0] = OK
    if body.size == 0:
        why[0] = EMPTY_PACKET
    elif is_binary and version == 4:
        why[0] = BAD_TYPE
    elif not is_binary and not is_utf8(body):
        why[0] = BAD_UTF8
    while why[0] == OK and body.size:
        why[0] = check_packet(&body, version, is_binary) if count < limit else TOO_MANY_PACKETS
        count += 1
    return count if why[0] == OK else -1


# --- Engine.IO 3 payloads, outwards

cdef bytes v3_text_item(View packet):
    """Give `<length>:<packet>`, the length in UTF-16 code units, for a text body of revision 3.

    Shape: `packet` is borrowed UTF-8, type digit first.
    Allocates: the result.
    """
    cdef unsigned char[20] digits
    cdef int count = write_decimal(digits, <uint64_t> utf16_length(packet.data, packet.size), c"0")
    cdef bytes item = PyBytes_FromStringAndSize(NULL, count + 1 + packet.size)
    cdef char* out = PyBytes_AS_STRING(item)
    memcpy(out, digits, count)
    out[count] = c":"
    memcpy(out + count + 1, packet.data, packet.size)
    return item


cdef bytes v3_binary_item(View packet, bint is_binary):
    """Give the kind byte, the length in bytes as digit bytes, 0xFF, and the packet, for a binary body of revision 3.

    Shape: `packet` is borrowed: UTF-8 with the type digit first, or bytes with the type byte first.
    Allocates: the result.
    """
    cdef unsigned char[20] digits
    cdef int count = write_decimal(digits, <uint64_t> packet.size, 0)
    cdef bytes item = PyBytes_FromStringAndSize(NULL, count + 2 + packet.size)
    cdef unsigned char* out = <unsigned char*> PyBytes_AS_STRING(item)
    out[0] = is_binary
    memcpy(out + 1, digits, count)
    out[count + 1] = BINARY_END
    memcpy(out + count + 2, packet.data, packet.size)
    return item


# --- Socket.IO packets, inwards

cdef Status take_attachments(View* rest, SioPacket* out) noexcept nogil:
    """Take `<count>-`, which binary packets must have."""
    cdef Py_ssize_t count = count_digits(rest[0])
    if count == 0 or count > MAX_ATTACHMENT_DIGITS or count == rest.size or rest.data[count] != c"-":
        return BAD_ATTACHMENTS
    out.attachments = <Py_ssize_t> parse_decimal(rest.data, count)
    view_skip(rest, count + 1)
    return OK


cdef Status take_namespace(View* rest, SioPacket* out) noexcept nogil:
    """Take the namespace: from a slash to the first comma, or to the end."""
    cdef const unsigned char* comma
    if rest.size == 0 or rest.data[0] != c"/":
        return OK
    comma = <const unsigned char*> memchr(rest.data, c",", rest.size)
    out.namespace.data = rest.data
    out.namespace.size = rest.size if comma == NULL else comma - rest.data
    if out.namespace.size > MAX_NAMESPACE_BYTES:
        return BAD_NAMESPACE
    view_skip(rest, out.namespace.size + (comma != NULL))
    if out.namespace.size == 1:
        out.namespace.size = 0
    return OK


cdef Status take_id(View* rest, SioPacket* out) noexcept nogil:
    """Take the digits of the acknowledgement id; leading zeros are cut, as a number has none."""
    cdef Py_ssize_t count = count_digits(rest[0])
    if count > MAX_ID_DIGITS:
        return BAD_ID
    out.id.data = rest.data
    out.id.size = count
    view_skip(rest, count)
    while out.id.size > 1 and out.id.data[0] == c"0":
        view_skip(&out.id, 1)
    return OK


cdef Status decode_sio(View text, SioPacket* out) noexcept nogil:
    """Take a Socket.IO packet apart; its JSON is not looked into.

    Shape: `text` is borrowed UTF-8; the views of `out` are into the same memory.
    Units: `attachments` as announced, which may be any number of up to ten digits. `50-` announces none, legally.
    Errors: EMPTY_PACKET, BAD_TYPE; BAD_ATTACHMENTS when a binary packet has no count; BAD_NAMESPACE over 256 bytes;
        BAD_ID over 100 digits. A `?query` stays part of the namespace: revision 3 callers split it off.
    Source: Socket.IO protocol, "Packet encoding".
    """
    cdef Status status
    out.attachments = -1
    out.namespace.data = NULL
    out.namespace.size = 0
    if text.size == 0:
        return EMPTY_PACKET
    if text.data[0] < c"0" or text.data[0] > c"6":
        return BAD_TYPE
    out.type = <SioType> (text.data[0] - c"0")
    view_skip(&text, 1)
    if out.type >= BINARY_EVENT:
        status = take_attachments(&text, out)
        if status != OK:
            return status
    status = take_namespace(&text, out)
    if status == OK:
        status = take_id(&text, out)
    out.data = text
    return status


cdef object id_of(View digits):
    """The acknowledgement id as an int, or None."""
    if digits.size == 0:
        return None
    if digits.size <= 18:
        return parse_decimal(digits.data, digits.size)
    return int(view_bytes(digits))


cdef object reconstruct(object data, list attachments, Py_ssize_t limit):
    """Put the attachments where their placeholders are, in place where that is possible; gives the result.

    Units: `limit` is in bytes, of all attachments wherever they are put: one that is used again counts again, since
        whoever sends the data on sends it again.
    Errors: ProtocolError SIO_BAD_PLACEHOLDER for a number that is no attachment, SIO_BAD_ATTACHMENTS beyond the limit,
        SIO_BAD_DATA for data that are nested too deeply. The data are then half done: drop them.
    Source: Socket.IO protocol 5, "Packet encoding", binary.
    """
    cdef Py_ssize_t room = limit
    return fill_placeholders(data, attachments, MAX_DEPTH, &room)


cdef object fill_placeholders(object node, list attachments, int depth, Py_ssize_t* room):
    cdef Py_ssize_t i
    if depth == 0:
        raise ProtocolError("SIO_BAD_DATA", f"the data of a binary packet have more than {MAX_DEPTH} levels")
    if isinstance(node, list):
        for i in range(len(<list> node)):
            item = (<list> node)[i]
            if isinstance(item, (list, dict)):
                (<list> node)[i] = fill_placeholders(item, attachments, depth - 1, room)
    elif isinstance(node, dict):
        if (<dict> node).get("_placeholder") is True:
            return attachment_of(<dict> node, attachments, room)
        for key in list(<dict> node):
            item = (<dict> node)[key]
            if isinstance(item, (list, dict)):
                (<dict> node)[key] = fill_placeholders(item, attachments, depth - 1, room)
    return node


cdef object attachment_of(dict placeholder, list attachments, Py_ssize_t* room):
    cdef bytes data
    number = placeholder.get("num")
    if type(number) is not int or number < 0 or number >= len(attachments):
        raise coded_error("SIO_BAD_PLACEHOLDER")
    data = attachments[number]
    if PyBytes_GET_SIZE(data) > room[0]:
        raise ProtocolError("SIO_BAD_ATTACHMENTS", "attachments that are used so often that they are too many bytes together")
    room[0] -= PyBytes_GET_SIZE(data)
    return data


# --- Socket.IO packets, outwards

# Heads of packets for "/" without an id, by type; the type digits of Engine.IO are the same.
cdef tuple PLAIN_HEADS = (b"0", b"1", b"2", b"3", b"4", b"5", b"6")


cdef bytes sio_head(SioType type, Py_ssize_t attachments, str namespace, object id):
    """Give what stands before the JSON of a packet, for example ``51-/ns,12``.

    Units: `attachments` is written for binary types only, and only when it is not negative; a namespace other than "/"
        is written with its comma; `id` is an int, or None for none.
    Allocates: the result, except for packets of "/" without an id.
    """
    cdef unsigned char[24] start
    cdef unsigned char[20] digits
    cdef int start_size = 1, digit_count = 0
    cdef View name
    if id is None and namespace == "/" and (attachments < 0 or type < BINARY_EVENT):
        return <bytes> PLAIN_HEADS[<int> type]
    if id is not None:
        if is_large(id):
            return sio_head(type, attachments, namespace, None) + str(id).encode()
        digit_count = write_decimal(digits, <uint64_t> id, c"0")
    start[0] = <unsigned char> (c"0" + <int> type)
    if type >= BINARY_EVENT and attachments >= 0:
        start_size += write_decimal(start + 1, <uint64_t> attachments, c"0") + 1
        start[start_size - 1] = c"-"
    name.size = 0
    if namespace != "/":
        name = text_view(namespace)
    return joined_head(start, start_size, name, digits, digit_count)


cdef bytes joined_head(const unsigned char* start, int start_size, View name, const unsigned char* digits, int count):
    cdef Py_ssize_t comma = name.size != 0
    cdef bytes head = PyBytes_FromStringAndSize(NULL, start_size + name.size + comma + count)
    cdef char* out = PyBytes_AS_STRING(head)
    memcpy(out, start, <size_t> start_size)
    out += start_size
    if comma:
        memcpy(out, name.data, <size_t> name.size)
        out[name.size] = c","
        out += name.size + 1
    memcpy(out, digits, <size_t> count)
    return head


cdef inline bint is_large(object id):
    """Whether an id is more than C arithmetic writes here, or no plain int at all."""
    return type(id) is not int or id < 0 or id > 0x7FFFFFFF


# --- errors

cdef dict EIO_CODES = {
    EMPTY_PACKET: "EIO_EMPTY_PACKET",
    BAD_TYPE: "EIO_BAD_TYPE",
    BAD_LENGTH: "EIO_BAD_LENGTH",
    BAD_UTF8: "EIO_BAD_UTF8",
    BAD_BASE64: "EIO_BAD_BASE64",
    TOO_MANY_PACKETS: "EIO_TOO_MANY_PACKETS",
}
cdef dict SIO_CODES = {
    EMPTY_PACKET: "SIO_EMPTY_PACKET",
    BAD_TYPE: "SIO_BAD_TYPE",
    BAD_ATTACHMENTS: "SIO_BAD_ATTACHMENTS",
    BAD_ID: "SIO_BAD_ID",
    BAD_NAMESPACE: "SIO_BAD_NAMESPACE",
}


cdef object protocol_error(Status status):
    """The exception for what an Engine.IO function answered (for a Socket.IO one where the two do not share a name)."""
    return coded_error(EIO_CODES[status] if status in EIO_CODES else SIO_CODES[status])


cdef object coded_error(str code):
    return ProtocolError(code, errors.CODES[code])


# --- a buffer that grows

cdef struct Buffer:
    unsigned char* data     # owned; freed by whoever declared the Buffer
    Py_ssize_t size
    Py_ssize_t capacity


cdef unsigned char* buffer_extend(Buffer* buffer, Py_ssize_t count) except NULL:
    """Make room for `count` more bytes, which the caller must write at once."""
    cdef unsigned char* grown
    cdef Py_ssize_t capacity
    if count > buffer.capacity - buffer.size:
        capacity = buffer.size + max(count, buffer.size, 256)
        grown = <unsigned char*> realloc(buffer.data, <size_t> capacity)
        if grown == NULL:
            raise MemoryError()
        buffer.data = grown
        buffer.capacity = capacity
    buffer.size += count
    return buffer.data + buffer.size - count


cdef inline int buffer_put(Buffer* buffer, bytes data) except -1:
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    memcpy(buffer_extend(buffer, size), PyBytes_AS_STRING(data), <size_t> size)
    return 0


cdef inline bytes buffer_bytes(Buffer* buffer):
    return PyBytes_FromStringAndSize(<char*> buffer.data, buffer.size)


# --- Python: Engine.IO packets

cdef tuple TYPE_TEXTS = ("0", "1", "2", "3", "4", "5", "6")


cdef inline int check_version(int version) except -1:
    if version != 4 and version != 3:
        raise ValueError(f"Engine.IO revision {version}; 3 and 4 are known")
    return 0


cdef inline int check_type(int type, int last) except -1:
    if type < 0 or type > last:
        raise ValueError(f"packet type {type}; 0 to {last} can be sent")
    return 0


cdef inline bytes binary_of(object data):
    """The binary data of a packet as `bytes`; copies what could change later."""
    if isinstance(data, bytes):
        return <bytes> data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"packet data must be str, bytes or None, not {type(data).__name__}")


cdef inline View text_view(str text) except *:
    """Borrow the UTF-8 of `text`; valid while the caller holds it. Lone surrogates raise UnicodeEncodeError."""
    cdef View view
    view.data = <const unsigned char*> PyUnicode_AsUTF8AndSize(text, &view.size)
    return view


cdef inline object text_of(View text):
    """The text of a packet as `str`, or None when it has none."""
    return PyUnicode_DecodeUTF8(<const char*> text.data, text.size, NULL) if text.size else None


cdef inline str joined_ascii(const void* head, Py_ssize_t head_size, const void* tail, Py_ssize_t tail_size):
    """Two pieces of ASCII as one string, copied once."""
    cdef str text = PyUnicode_New(head_size + tail_size, 0x7F)
    cdef char* out = <char*> PyUnicode_1BYTE_DATA(text)
    memcpy(out, head, <size_t> head_size)
    memcpy(out + head_size, tail, <size_t> tail_size)
    return text


cdef inline str text_packet(int type, str data):
    cdef unsigned char digit = <unsigned char> (c"0" + type)
    if PyUnicode_MAX_CHAR_VALUE(data) != 0x7F:
        return PyUnicode_Concat(TYPE_TEXTS[type], data)
    return joined_ascii(&digit, 1, PyUnicode_1BYTE_DATA(data), PyUnicode_GET_LENGTH(data))


def encode_packet(int type, data=None, int version=4, bint b64=False):
    """Encode one packet as one WebSocket message.

    Args:
        type: 0 to 6; only messages (4) carry binary data in revision 4.
        data: None for none. Binary data are copied unless they are bytes.
        version: Engine.IO revision, 4 or 3.
        b64: the peer cannot take binary messages: binary data go out as base64 text.

    Returns:
        str for a text message, bytes for a binary one.

    Raises:
        ValueError: unknown type or version, or binary data in a revision 4 packet that is no message.
        TypeError: data of another type.

    Example:
        >>> encode_packet(4, "hello")
        '4hello'
    """
    check_version(version)
    check_type(type, NOOP)
    if data is None:
        return TYPE_TEXTS[type]
    if isinstance(data, str):
        return text_packet(type, <str> data)
    packet = binary_packet(type, binary_of(data), version, b64)
    return packet.decode("ascii") if b64 else packet


# What stands before base64, by type; revision 4 has it for messages only, without a digit.
cdef tuple V3_BASE64_PREFIXES = (b"b0", b"b1", b"b2", b"b3", b"b4", b"b5", b"b6")


cdef bytes binary_packet(int type, bytes data, int version, bint b64):
    """One binary packet, as bytes in either form."""
    if version == 3:
        return base64_packet(<bytes> V3_BASE64_PREFIXES[type], data) if b64 else bytes((type,)) + data
    if type != MESSAGE:
        raise ValueError(f"binary data in a packet of type {type}; in revision 4 only messages carry them")
    return base64_packet(b"b", data) if b64 else data


def decode_packet(message not None, int version=4):
    """Decode one WebSocket message.

    Args:
        message: str for a text message, bytes for a binary one.
        version: Engine.IO revision, 4 or 3.

    Returns:
        The type, and the data: str for text, bytes for binary, None when a text packet has none.

    Raises:
        ProtocolError: EIO_EMPTY_PACKET, EIO_BAD_TYPE or EIO_BAD_BASE64.

    Example:
        >>> decode_packet("4hello")
        (4, 'hello')
    """
    cdef EioPacket packet
    cdef Py_UCS4 first
    cdef Status status
    cdef bytes owner
    check_version(version)
    if isinstance(message, str):
        first = (<str> message)[0] if len(<str> message) else 0
        if c"0" <= first <= c"6":
            return (<int> first - c"0", (<str> message)[1:] if len(<str> message) > 1 else None)
        if first == c"b":
            return decode_base64_packet(<str> message, version)
        raise protocol_error(BAD_TYPE if len(<str> message) else EMPTY_PACKET)
    owner = binary_of(message)
    status = decode_packet_view(view_of(owner), version, True, &packet)
    if status != OK:
        raise protocol_error(status)
    return (<int> packet.type, view_bytes(packet.data))


cdef tuple decode_base64_packet(str message, int version):
    cdef EioPacket packet
    cdef Status status = BAD_BASE64     # which other characters certainly are not
    if message.isascii():
        status = decode_packet_view(text_view(message), version, False, &packet)
    if status != OK:
        raise protocol_error(status)
    return (<int> packet.type, decode_base64(packet.data))


# --- Python: Engine.IO payloads

def encode_payload(packets not None, int version=4, bint b64=False):
    r"""Encode packets as one polling body.

    Args:
        packets: pairs of type and data, as for `encode_packet`. A text with U+001E does not survive revision 4.
        version: Engine.IO revision, 4 or 3.
        b64: the peer cannot take a binary body. Revision 4 never has one; revision 3 has one when a packet is binary
            and this is false, and it goes out as application/octet-stream.

    Raises:
        ValueError, TypeError: as `encode_packet`; UnicodeEncodeError for lone surrogates.

    Example:
        >>> encode_payload([(4, "hello"), (4, b"\x01")])
        b'4hello\x1ebAQ=='
    """
    check_version(version)
    if version == 4:
        return encode_v4(packets)
    if not packets:
        return b"0:"
    return encode_v3(packets, not b64 and has_binary(packets))


cdef inline bint is_binary_data(data):
    return data is not None and not isinstance(data, str)


cdef bytes encode_v4(packets):
    cdef Buffer buffer
    buffer.data = NULL
    buffer.size = buffer.capacity = 0
    try:
        for type, data in packets:
            if buffer.size:
                buffer_extend(&buffer, 1)[0] = SEPARATOR
            if is_binary_data(data):
                buffer_put(&buffer, packet_bytes(type, data, 4, True))
            else:
                put_text_packet(&buffer, type, data)
        return buffer_bytes(&buffer)
    finally:
        free(buffer.data)


cdef inline int put_text_packet(Buffer* buffer, int type, str data) except -1:
    cdef Py_ssize_t size = 0
    cdef const char* text = NULL
    check_type(type, NOOP)
    if data is not None:
        text = PyUnicode_AsUTF8AndSize(data, &size)
    cdef unsigned char* out = buffer_extend(buffer, size + 1)
    out[0] = <unsigned char> (c"0" + type)
    if size:
        memcpy(out + 1, text, <size_t> size)
    return 0


cdef bytes packet_bytes(int type, data, int version, bint b64):
    """One packet as it stands in a polling body, without its framing."""
    check_type(type, NOOP)
    if is_binary_data(data):
        return binary_packet(type, binary_of(data), version, b64)
    return PLAIN_HEADS[type] if data is None else <bytes> PLAIN_HEADS[type] + (<str> data).encode()


cdef bytes encode_v3(packets, bint is_binary):
    cdef list items = []
    cdef bytes packet
    for type, data in packets:
        packet = packet_bytes(type, data, 3, not is_binary)
        if is_binary:
            items.append(v3_binary_item(view_of(packet), is_binary_data(data)))
        else:
            items.append(v3_text_item(view_of(packet)))
    return b"".join(items)


cdef bint has_binary(packets) except -1:
    for _, data in packets:
        if is_binary_data(data):
            return True
    return False


def decode_payload(body not None, int version=4, bint binary=False, Py_ssize_t limit=10_000):
    r"""Decode one polling body; all of it is looked through before the first packet is given.

    Args:
        body: the bytes of the body.
        version: Engine.IO revision, 4 or 3.
        binary: the body came as application/octet-stream (revision 3 only).
        limit: the most packets it may hold.

    Returns:
        Pairs of type and data, as `decode_packet` gives them.

    Raises:
        ProtocolError: EIO_EMPTY_PACKET, EIO_BAD_TYPE, EIO_BAD_LENGTH, EIO_BAD_UTF8, EIO_BAD_BASE64 or
            EIO_TOO_MANY_PACKETS.

    Example:
        >>> decode_payload(b"4hello\x1ebAQ==")
        [(4, 'hello'), (4, b'\x01')]
    """
    cdef bytes owner = binary_of(body)
    cdef View rest = view_of(owner)
    cdef EioPacket packet
    cdef Status why
    cdef list packets = []
    check_version(version)
    if check_payload_view(rest, version, binary, limit, &why) < 0:
        raise protocol_error(why)
    while rest.size and next_packet_view(&rest, version, binary, &packet) == OK:
        packets.append((wire_type(packet.type), packet_data(&packet)))
    return packets


cdef inline int wire_type(EioType type) noexcept:
    return PING if type == PING_PROBE else PONG if type == PONG_PROBE else type


cdef inline object packet_data(EioPacket* packet):
    if not packet.is_binary:
        return text_of(packet.data)
    return decode_base64(packet.data) if packet.is_base64 else view_bytes(packet.data)


# --- Python: JSONP (Engine.IO protocol 3, "JSONP")

def encode_jsonp(payload not None, index):
    """Wrap a polling body in the call that a JSONP client waits for.

    Besides what JavaScript demands, U+2028, U+2029, `<` and `>` are escaped, so that nothing in it reads as markup.

    Args:
        payload: UTF-8, from `encode_payload`; it must be text, so revision 3 needs `b64`.
        index: which call, 0 to 9,999,999,999.

    Raises:
        ValueError: the index is out of range.

    Example:
        >>> encode_jsonp(b"2:4a", 0)
        b'___eio[0]("2:4a");'
    """
    cdef bytes body = binary_of(payload)
    cdef View rest = view_of(body)
    cdef Buffer buffer
    if not 0 <= index <= MAX_JSONP_INDEX:
        raise ValueError(f"JSONP index {index}; at most ten digits are accepted")
    buffer.data = NULL
    buffer.size = buffer.capacity = 0
    try:
        buffer_put(&buffer, b'___eio[%d]("' % index)
        while rest.size:
            put_escaped(&buffer, &rest)
        buffer_put(&buffer, b'");')
        return buffer_bytes(&buffer)
    finally:
        free(buffer.data)


# The letter after the backslash for the characters that have one.
cdef const char* SHORT_ESCAPED = b"\"\\\b\f\n\r\t"
cdef const char* SHORT_ESCAPES = b"\"\\bfnrt"


cdef inline bint is_plain(unsigned char character) noexcept nogil:
    return character >= 0x20 and character not in (c'"', c"\\", c"<", c">", 0xE2)


cdef int put_escaped(Buffer* buffer, View* rest) except -1:
    """Move the plain characters in front, and the one after them, into a JavaScript string."""
    cdef Py_ssize_t plain = 0
    cdef unsigned char* out
    while plain < rest.size and is_plain(rest.data[plain]):
        plain += 1
    memcpy(buffer_extend(buffer, plain), rest.data, <size_t> plain)
    view_skip(rest, plain)
    if rest.size == 0:
        return 0
    if rest.data[0] == 0xE2:
        return put_separator(buffer, rest)
    cdef const char* known = strchr(SHORT_ESCAPED, rest.data[0]) if rest.data[0] else NULL
    if known != NULL:
        out = buffer_extend(buffer, 2)
        out[0] = c"\\"
        out[1] = SHORT_ESCAPES[known - SHORT_ESCAPED]
    else:
        buffer_put(buffer, b"\\u%04x" % rest.data[0])
    view_skip(rest, 1)
    return 0


cdef int put_separator(Buffer* buffer, View* rest) except -1:
    """Escape U+2028 and U+2029, line ends to older JavaScript; keep other characters that begin like them."""
    if rest.size >= 3 and rest.data[1] == 0x80 and rest.data[2] in (0xA8, 0xA9):
        buffer_put(buffer, b"\\u2028" if rest.data[2] == 0xA8 else b"\\u2029")
        view_skip(rest, 3)
    else:
        buffer_extend(buffer, 1)[0] = 0xE2
        view_skip(rest, 1)
    return 0


def decode_jsonp(body not None):
    """Take the polling body out of the form that a JSONP client posts.

    Args:
        body: application/x-www-form-urlencoded with the one field `d`.

    Raises:
        ProtocolError: EIO_BAD_JSONP: there is no such field, or another one, or a broken escape.

    Example:
        >>> decode_jsonp(b"d=6%3A4hello")
        b'6:4hello'
    """
    cdef bytes form = binary_of(body)
    if not form.startswith(b"d=") or b"&" in form:
        raise coded_error("EIO_BAD_JSONP")
    return restore_newlines(decode_form(form[2:]))


cdef inline int hex_value(unsigned char character) noexcept nogil:
    """The value of a hexadecimal digit; -1 for others."""
    if is_digit(character):
        return character - c"0"
    character |= 0x20
    return character - c"a" + 10 if c"a" <= character <= c"f" else -1


cdef bytes decode_form(bytes value):
    """Undo the form encoding of one value: plus signs and percent escapes (WHATWG URL, urlencoded parsing)."""
    cdef Py_ssize_t at = 0, size = 0, end = PyBytes_GET_SIZE(value)
    cdef const unsigned char* source = <const unsigned char*> PyBytes_AS_STRING(value)
    cdef bytes result = PyBytes_FromStringAndSize(NULL, end)
    cdef unsigned char* out = <unsigned char*> PyBytes_AS_STRING(result)
    while at < end:
        if source[at] != c"%":
            out[size] = c" " if source[at] == c"+" else source[at]
            at += 1
        else:
            if end - at < 3 or hex_value(source[at + 1]) < 0 or hex_value(source[at + 2]) < 0:
                raise coded_error("EIO_BAD_JSONP")
            out[size] = <unsigned char> (hex_value(source[at + 1]) << 4 | hex_value(source[at + 2]))
            at += 3
        size += 1
    return result[:size]


cdef bytes restore_newlines(bytes text):
    r"""Undo the client's escaping: ``\n`` is a newline, ``\\n`` is ``\n``, other backslashes stand for themselves."""
    cdef Py_ssize_t at = 0, size = 0, end = PyBytes_GET_SIZE(text)
    cdef const unsigned char* source = <const unsigned char*> PyBytes_AS_STRING(text)
    cdef bytes result = PyBytes_FromStringAndSize(NULL, end)
    cdef unsigned char* out = <unsigned char*> PyBytes_AS_STRING(result)
    while at < end:
        if end - at >= 3 and memcmp(source + at, b"\\\\n", 3) == 0:
            out[size] = c"\\"
            out[size + 1] = c"n"
            size += 2
            at += 3
        elif end - at >= 2 and memcmp(source + at, b"\\n", 2) == 0:
            out[size] = c"\n"
            size += 1
            at += 2
        else:
            out[size] = source[at]
            size += 1
            at += 1
    return result[:size]


# --- Python: Socket.IO packets

def encode_sio(serializer not None, int type, data=None, str namespace not None="/", id=None):
    r"""Encode one Socket.IO packet.

    Args:
        serializer: has `encode(value)`, which gives the JSON as UTF-8 and a list of attachments.
        type: 0 to 4; an event (2) or ack (3) becomes its binary kind when there are attachments.
        data: None for none.
        id: acknowledgement id, None for none.

    Returns:
        The text, then the attachments.

    Raises:
        ValueError: unknown type, or attachments in a packet that is neither event nor ack; what the serializer raises.

    Example:
        >>> encode_sio(Json(), 2, ["hello", b"\x01"])
        ['51-["hello",{"_placeholder":true,"num":0}]', b'\x01']
    """
    cdef bytes text
    cdef list attachments
    check_type(type, CONNECT_ERROR)
    if data is None:
        return [sio_head(<SioType> type, -1, namespace, id).decode()]
    text, attachments = serializer.encode(data)
    if not attachments:
        return [joined_text(sio_head(<SioType> type, -1, namespace, id), text)]
    if type != EVENT and type != ACK:
        raise ValueError(f"binary data in a packet of type {type}; only events and acks carry them")
    head = sio_head(<SioType> (type + BINARY_EVENT - EVENT), len(attachments), namespace, id)
    return [joined_text(head, text), *attachments]


cdef str joined_text(bytes head, bytes tail):
    """Two pieces of UTF-8 as one string."""
    cdef Py_ssize_t head_size = PyBytes_GET_SIZE(head), tail_size = PyBytes_GET_SIZE(tail)
    if head.isascii() and tail.isascii():
        return joined_ascii(PyBytes_AS_STRING(head), head_size, PyBytes_AS_STRING(tail), tail_size)
    return (head + tail).decode()


@cython.final
@cython.freelist(64)
cdef class SioMessage:
    """One complete Socket.IO packet; binary events and acks have become events (2) and acks (3).

    Attributes:
        type: 0 to 4.
        namespace: "/" when the packet names none; with its query, if it has one.
        id: acknowledgement id, or None.
        data: None when the packet has none; a list for events and acks.
    """

    # Garbage collection stays on: an application can put a message into its own data.

    def __init__(self, int type, str namespace not None="/", id=None, data=None):
        self.type = type
        self.namespace = namespace
        self.id = id
        self.data = data

    def __repr__(self):
        return f"SioMessage({self.type}, {self.namespace!r}, {self.id!r}, {self.data!r})"


@cython.final
@cython.no_gc    # it refers to a serializer and to packets, never to who feeds it
cdef class PacketDecoder:
    """Turns the messages of one client into Socket.IO packets, attachments included.

    After an error the decoder is as new, and takes the next packet.
    """

    def __init__(self, serializer not None, Py_ssize_t max_attachments=64, Py_ssize_t max_binary=10_000_000):
        """Start with nothing.

        Args:
            serializer: has `decode(bytes)`, which gives a value or raises.
            max_attachments: the most attachments one packet may announce.
            max_binary: the most bytes that all attachments of one packet may have together.
        """
        self._serializer = serializer
        self._json = serializer if type(serializer) is Json else None
        self._max_attachments = max_attachments
        self._max_binary = max_binary
        self._namespaces = {}

    def feed_text(self, text not None):
        """Take one text message.

        Args:
            text: str, or its UTF-8 as bytes.

        Returns:
            The packet, or None while its attachments are due.

        Raises:
            ProtocolError: the message is malformed, or its data do not fit its type; `errors.CODES` lists the codes.
        """
        if isinstance(text, str):
            try:
                return self.feed_text_view(text_view(<str> text))
            except UnicodeEncodeError:
                raise coded_error("EIO_BAD_UTF8") from None
        cdef bytes owner = binary_of(text)
        if not is_utf8(view_of(owner)):
            raise coded_error("EIO_BAD_UTF8")
        return self.feed_text_view(view_of(owner))

    def feed_binary(self, data not None):
        """Take one binary message, an attachment.

        Returns:
            The packet, if this was its last attachment; else None.

        Raises:
            ProtocolError: no attachment is due, there are too many bytes, or a placeholder names no attachment.
        """
        return self.feed_binary_bytes(binary_of(data))

    cdef SioMessage feed_text_view(self, View text):
        """As `feed_text`; `text` is borrowed, and known to be UTF-8."""
        cdef SioPacket packet
        cdef Status status
        if self._pending is not None:
            self._reset()
            raise coded_error("SIO_TEXT_FOR_ATTACHMENT")
        status = decode_sio(text, &packet)
        if status != OK:
            raise coded_error(SIO_CODES[status])
        if packet.attachments > self._max_attachments:
            raise ProtocolError("SIO_BAD_ATTACHMENTS", f"a packet announces {packet.attachments} attachments; "
                                f"at most {self._max_attachments} are accepted (max_attachments)")
        return self._begin(&packet)

    cdef SioMessage _begin(self, SioPacket* packet):
        cdef SioMessage message = SioMessage.__new__(SioMessage)
        message.type = packet.type if packet.type < BINARY_EVENT else packet.type - (BINARY_EVENT - EVENT)
        message.namespace = "/" if packet.namespace.size == 0 else self._namespace_of(packet.namespace)
        message.id = id_of(packet.id)
        if packet.data.size:
            message.data = self._value_of(packet.data)
        check_message(message, packet.data.size != 0)
        if packet.attachments < 0:
            return message
        self._pending = message
        self._attachments = []
        self._due = packet.attachments
        self._binary_size = 0
        return None if self._due else self._complete()

    cdef SioMessage feed_binary_bytes(self, bytes data):
        """As `feed_binary`."""
        if self._pending is None:
            raise coded_error("SIO_STRAY_ATTACHMENT")
        if PyBytes_GET_SIZE(data) > self._max_binary - self._binary_size:
            self._reset()
            raise ProtocolError("SIO_BAD_ATTACHMENTS", f"attachments of more than {self._max_binary} bytes (max_binary_packet)")
        self._binary_size += PyBytes_GET_SIZE(data)
        self._attachments.append(data)
        return self._complete() if len(self._attachments) == self._due else None

    cdef SioMessage _complete(self):
        cdef SioMessage message = self._pending
        cdef list attachments = self._attachments
        self._reset()
        message.data = reconstruct(message.data, attachments, self._max_binary)
        return message

    cdef int _reset(self) except -1:
        self._pending = None
        self._attachments = None
        return 0

    cdef object _value_of(self, View text):
        try:
            if self._json is not None:
                return self._json.load(text)
            return self._serializer.decode(view_bytes(text))
        except Exception as exc:    # a module given as `json=` may raise anything for what is not JSON
            raise coded_error("SIO_BAD_JSON") from exc

    cdef str _namespace_of(self, View name):
        """The namespace as a string; built once for each of the first names that a client uses."""
        cdef bytes key = view_bytes(name)
        cdef str known = self._namespaces.get(key)
        if known is None:
            known = key.decode()
            if len(self._namespaces) < MAX_INTERNED:
                self._namespaces[key] = known
        return known


cdef int check_message(SioMessage message, bint has_data) except -1:
    """Refuse data that do not fit the type. What a CONNECT or CONNECT_ERROR may carry is judged further up."""
    if message.type == EVENT:
        return check_event(message.data, has_data)
    if message.type == ACK:
        if message.id is None:
            raise ProtocolError("SIO_BAD_ID", "an acknowledgement has no id")
        if not isinstance(message.data, list):
            raise coded_error("SIO_BAD_DATA")
    elif message.type == DISCONNECT and has_data:
        raise coded_error("SIO_BAD_DATA")
    return 0


cdef inline int check_event(object data, bint has_data) except -1:
    if not has_data:
        return 0    # an event without a name: decodable, and for nobody
    if not isinstance(data, list):
        raise coded_error("SIO_BAD_DATA")
    if not <list> data:
        raise coded_error("SIO_BAD_EVENT")
    name = (<list> data)[0]
    if type(name) is not int and not (isinstance(name, str) and name not in <frozenset> RESERVED_EVENTS):
        raise coded_error("SIO_BAD_EVENT")
    return 0
