"""The client's end of a WebSocket (RFC 6455), as far as a few short messages need it.

May import: `stream`. Never reads on after a timeout, which may have come in the middle of a frame.
"""

import http.client
import socket
from os import urandom

from fastsio.doctor.stream import Stream

MAX_MESSAGE = 1 << 20  # bytes of one message
MAX_FRAMES = 10_000  # frames read for one message, controls included
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Closed(Exception):
    """The WebSocket has ended; `code` is the server's, None when the connection simply went."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(
            reason or "the connection was cut" if code is None else f"closed with code {code} {reason}".rstrip()
        )
        self.code = code


class WebSocket:
    """An open WebSocket; a context manager that closes it. `response` has read its head, and may have read more."""

    def __init__(self, sock: socket.socket, stream: Stream, response: http.client.HTTPResponse) -> None:
        self._sock, self._stream, self._response = sock, stream, response

    def __enter__(self) -> "WebSocket":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._send(CLOSE, (1000).to_bytes(2, "big"))
        except OSError:
            pass  # it has gone already
        self._sock.close()

    def send(self, text: str) -> None:
        """Send a text message.

        Raises:
            Closed: the connection has gone.
        """
        try:
            self._send(TEXT, text.encode())
        except TimeoutError:
            raise
        except OSError:
            raise Closed(None) from None

    def read(self, deadline: float) -> str:
        """Give the next message; of a binary one its bytes as Latin-1. `deadline` is of `time.monotonic`.

        Raises:
            TimeoutError: none has come.
            Closed: none will come.
        """
        message = b""
        for _ in range(MAX_FRAMES):
            opcode, is_final, data = self._frame(deadline)
            if opcode == PING:
                self._send(PONG, data)
            elif opcode == CLOSE:
                code = int.from_bytes(data[:2], "big") if len(data) >= 2 else 1005
                raise Closed(code, data[2:].decode("utf-8", "replace"))
            elif opcode != PONG:
                message += data
                if len(message) > MAX_MESSAGE:
                    raise Closed(None, f"a message is longer than {MAX_MESSAGE} bytes")
                if is_final:
                    return (
                        message.decode("utf-8") if opcode != BINARY and _is_text(message) else message.decode("latin-1")
                    )
        raise Closed(None)

    def _frame(self, deadline: float) -> tuple[int, bool, bytes]:
        first, second = self._exactly(2, deadline)
        size = second & 127
        if size > 125:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8, deadline), "big")
        if size > MAX_MESSAGE or second & 128:  # servers do not mask (RFC 6455 5.1)
            raise Closed(None, "what comes is no WebSocket frame, or too long a one")
        return first & 15, bool(first & 128), self._exactly(size, deadline)

    def _exactly(self, size: int, deadline: float) -> bytes:
        self._stream.deadline = deadline
        try:
            data = self._response.fp.read(size)
        except TimeoutError:
            raise
        except OSError:
            raise Closed(None) from None
        if len(data) < size:
            raise Closed(None)
        return data

    def _send(self, opcode: int, data: bytes) -> None:
        size = len(data)
        length = bytes([128 | size]) if size < 126 else bytes([254]) + size.to_bytes(2, "big")
        mask = urandom(4)
        masked = bytes(byte ^ mask[place & 3] for place, byte in enumerate(data))
        self._sock.sendall(bytes([128 | opcode]) + length + mask + masked)


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
