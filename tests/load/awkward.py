"""A Socket.IO server of a few lines, on threads, that can be told to behave strangely.

May import: the standard library. Knows WebSocket and HTTP as far as the load generator speaks them.
"""

import contextlib
import itertools
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
UPGRADE = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n".encode()
OPEN = b'0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'
Answer = Callable[[bytes], bytes]


def frame(data: bytes, first: int = 0x81) -> bytes:
    """One frame of a server; `first` is its first byte."""
    if len(data) < 126:
        return bytes([first, len(data)]) + data
    return bytes([first, 126]) + len(data).to_bytes(2, "big") + data


class Connection:
    """One accepted connection. `pieces` cuts everything that is sent into pieces of so many bytes."""

    def __init__(self, sock: socket.socket, pieces: int | None = None) -> None:
        self.sock, self.pieces, self.data = sock, pieces, b""

    def send(self, data: bytes) -> None:
        if self.pieces is None:
            self.sock.sendall(data)
            return
        for start in range(0, len(data), self.pieces):
            self.sock.sendall(data[start : start + self.pieces])
            time.sleep(0.0003)  # so that each piece arrives by itself

    @staticmethod
    def pause() -> None:
        time.sleep(0.001)

    def more(self) -> None:
        got = self.sock.recv(65536)
        if not got:
            raise ConnectionError
        self.data += got

    def request(self) -> tuple[bytes, bytes]:
        """Read a request; give its head and its body."""
        while b"\r\n\r\n" not in self.data:
            self.more()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        found = re.search(rb"Content-Length: (\d+)", head)
        size = int(found[1]) if found else 0
        while len(self.data) < size:
            self.more()
        body, self.data = self.data[:size], self.data[size:]
        return head, body

    def frames(self) -> Iterator[bytes]:
        """Read frames of the client, unmasked, until it goes."""
        while True:
            while len(self.data) < 6 or len(self.data) < self.size():
                self.more()
            size = self.size()
            head, self.data = self.data[:size], self.data[size:]
            start = 2 + {126: 2, 127: 8}.get(head[1] & 127, 0)
            mask, masked = head[start : start + 4], head[start + 4 :]
            yield bytes(byte ^ key for byte, key in zip(masked, itertools.cycle(mask), strict=False))

    def size(self) -> int:
        length = self.data[1] & 127
        if length < 126:
            return 6 + length
        more = 2 if length == 126 else 8
        return 6 + more + int.from_bytes(self.data[2 : 2 + more], "big")

    def open(self, upgrade: bytes = UPGRADE) -> Iterator[bytes]:
        """Do everything up to the joined namespace; give the messages that follow."""
        self.request()
        self.send(upgrade + frame(OPEN))
        frames = self.frames()
        assert next(frames) == b"40"
        self.send(frame(b'40{"sid":"def"}'))
        return frames


@contextlib.contextmanager
def serving(handle: Callable[[Connection], None], pieces: int | None = None) -> Iterator[int]:
    """Run a handler for each connection, in a thread of its own; give the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock, contextlib.suppress(OSError):
            handle(Connection(sock, pieces))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
