"""A slow, obvious reader and writer of WebSocket frames: what the compiled codec is compared with.

May import: the standard library. Never imports fastsio, never aims at speed.
"""

import zlib
from dataclasses import dataclass, field

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
KINDS = {TEXT: "text", BINARY: "binary", PING: "ping", PONG: "pong"}
KEY = b"\x37\xfa\x21\x3d"
MAX_FRAGMENTS = 4096

Event = tuple[str, int, bytes]


class Refused(Exception):
    """The peer broke a rule; `code` is the close code, `name` the error's stable name."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(name)
        self.code = code
        self.name = name


class Incomplete(Exception):
    """The bytes so far hold no whole frame, and nothing wrong."""


def write_length(size: int, form: int | None = None) -> bytes:
    """The length field, minimal or in the form asked for: 7, 16 or 64 bits."""
    if form is None:
        form = 7 if size < 126 else 16 if size < 65_536 else 64
    if form == 7:
        return bytes([size])
    return bytes([126]) + size.to_bytes(2, "big") if form == 16 else bytes([127]) + size.to_bytes(8, "big")


def write_header(
    opcode: int, size: int, *, is_final: bool = True, rsv: int = 0, key: bytes | None = KEY, form: int | None = None
) -> bytes:
    length = bytearray(write_length(size, form))
    if key is not None:
        length[0] |= 0x80
    return bytes([(0x80 if is_final else 0) | rsv << 4 | opcode]) + bytes(length) + (key or b"")


def xor(data: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(data))


def write_frame(
    opcode: int,
    data: bytes = b"",
    *,
    is_final: bool = True,
    rsv: int = 0,
    key: bytes | None = KEY,
    form: int | None = None,
) -> bytes:
    """One frame as a client sends it; `key=None` leaves the mask out, as a server does."""
    header = write_header(opcode, len(data), is_final=is_final, rsv=rsv, key=key, form=form)
    return header + (data if key is None else xor(data, key))


def write_close(code: int, reason: bytes = b"") -> bytes:
    return write_frame(CLOSE, code.to_bytes(2, "big") + reason)


@dataclass
class OracleDeflate:
    """Inflates by starting over: all that came so far, every time."""

    window_bits: int = 15
    takeover: bool = False
    history: bytes = b""

    def inflate(self, data: bytes, limit: int) -> bytes:
        whole = self.history + data + b"\x00\x00\xff\xff"
        before = len(zlib.decompressobj(-self.window_bits).decompress(self.history))
        stream = zlib.decompressobj(-self.window_bits)
        try:
            output = stream.decompress(whole, before + limit + 1)
            if len(output) > before + limit:
                raise Refused(1009, "WS_TOO_LARGE")
            if stream.eof:
                if stream.unused_data != b"\x00\x00\x00\xff\xff":
                    raise Refused(1007, "WS_BAD_DEFLATE")
                self.history = b""
                return output[before:]
            # An empty last block ends the stream, and adds nothing, only if no block was left open.
            more = stream.decompress(stream.unconsumed_tail + b"\x03\x00")
        except zlib.error:
            raise Refused(1007, "WS_BAD_DEFLATE") from None
        if more or not stream.eof or stream.unused_data:
            raise Refused(1007, "WS_BAD_DEFLATE")
        self.history = whole if self.takeover else b""
        return output[before:]


@dataclass
class OracleReader:
    """Reads the frames of a client out of one growing `bytes`."""

    deflate: OracleDeflate | None = None
    error: str | None = None
    waiting: bytes = b""
    is_over: bool = False
    opcode: int = 0
    is_compressed: bool = False
    fragments: list[bytes] = field(default_factory=list)

    def feed(self, data: bytes, limit: int = 1_000_000) -> list[Event]:
        events: list[Event] = []
        self.waiting += data
        while not self.is_over:
            try:
                event = self.read_one(limit)
            except Incomplete:
                break
            except Refused as refused:
                self.error = refused.name
                event = ("error", refused.code, b"")
            if event is not None:
                events.append(event)
                self.is_over = event[0] in ("close", "error")
        return events

    def take(self, at: int, size: int) -> bytes:
        if len(self.waiting) < at + size:
            raise Incomplete
        return self.waiting[at : at + size]

    def read_one(self, limit: int) -> Event | None:
        """Read one frame and drop it from `waiting`; a fragment gives None."""
        first = self.take(0, 1)[0]
        is_final, rsv, opcode = bool(first & 0x80), first >> 4 & 7, first & 15
        starts = self.deflate is not None and not self.fragments and opcode in (TEXT, BINARY)
        if rsv & 3 or (rsv & 4 and not starts):
            raise Refused(1002, "WS_BAD_RSV")
        if opcode not in (0, TEXT, BINARY, CLOSE, PING, PONG):
            raise Refused(1002, "WS_BAD_OPCODE")
        second = self.take(1, 1)[0]
        if second < 128:
            raise Refused(1002, "WS_UNMASKED")
        short = second - 128
        if opcode >= 8 and (short > 125 or not is_final):
            raise Refused(1002, "WS_BAD_CONTROL")
        wide = {126: 2, 127: 8}.get(short, 0)
        size = int.from_bytes(self.take(2, wide), "big") if wide else short
        if size >= 1 << 63 or len(write_length(size)) != 1 + wide:
            raise Refused(1002, "WS_BAD_LENGTH")
        if opcode < 8:
            self.judge_place(opcode, size, limit)
        key = self.take(2 + wide, 4)
        if opcode < 8:
            self.look_ahead(opcode, rsv, size, xor(self.waiting[6 + wide : 6 + wide + size], key))
        payload = xor(self.take(6 + wide, size), key)
        self.waiting = self.waiting[6 + wide + size :]
        if opcode == CLOSE:
            return self.read_close(payload)
        if opcode >= 8:
            return KINDS[opcode], 0, payload
        if opcode:
            self.opcode, self.is_compressed = opcode, rsv == 4
        self.fragments.append(payload)
        return self.collect(is_final, limit)

    def look_ahead(self, opcode: int, rsv: int, size: int, part: bytes) -> None:
        """Refuse an unfinished frame of text that cannot become UTF-8 any more."""
        is_compressed = rsv == 4 if opcode else self.is_compressed
        if len(part) < size and (opcode or self.opcode) == TEXT and not is_compressed:
            check_utf8(b"".join(self.fragments) + part, False)

    def judge_place(self, opcode: int, size: int, limit: int) -> None:
        if sum(map(len, self.fragments)) + size > limit:
            raise Refused(1009, "WS_TOO_LARGE")
        if (opcode == 0) != bool(self.fragments):
            raise Refused(1002, "WS_BAD_CONTINUATION")
        if len(self.fragments) == MAX_FRAGMENTS:
            raise Refused(1008, "WS_TOO_MANY_FRAGMENTS")

    def collect(self, is_final: bool, limit: int) -> Event | None:
        message = b"".join(self.fragments)
        if self.is_compressed:
            if not is_final:
                return None
            assert self.deflate is not None
            message = self.deflate.inflate(message, limit)
        if self.opcode == TEXT:
            check_utf8(message, is_final)
        if not is_final:
            return None
        self.fragments = []
        return KINDS[self.opcode], 0, message

    def read_close(self, payload: bytes) -> Event:
        if not payload:
            return "close", 1005, b""
        code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else 0
        if code not in {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}:
            raise Refused(1002, "WS_BAD_CLOSE")
        check_utf8(payload[2:], True)
        return "close", code, payload[2:]


# Whatever is missing of the last code point, one of these supplies it: E0 and F0 want high bytes, ED and F4 low ones.
COMPLETIONS = (b"", b"\x80", b"\xbf", b"\x80\x80", b"\xbf\xbf", b"\x80\x80\x80", b"\xbf\xbf\xbf")


def check_utf8(data: bytes, is_final: bool) -> None:
    """Refuse what is not UTF-8, or, of an unfinished text, what cannot become UTF-8 any more."""
    for end in (b"",) if is_final else COMPLETIONS:
        try:
            (data + end).decode("utf-8")
        except UnicodeDecodeError:
            continue
        return
    raise Refused(1007, "WS_BAD_UTF8")
