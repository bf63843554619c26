"""A WebSocket as an Engine.IO link: waits for packets, answers pings.

May import: `engineio`, `frames`. Never judges.
"""

import time

from fastsio.doctor.engineio import Handshake, read_open
from fastsio.doctor.frames import Closed, WebSocket

MAX_PACKETS = 100_000  # that may come before the one that is waited for


class NoOpen(Exception):
    """The WebSocket is open, and nothing comes."""


class Link:
    """One WebSocket; `timeout` is what an answer may take, in seconds."""

    def __init__(self, socket: WebSocket, timeout: float) -> None:
        self.socket, self.timeout = socket, timeout

    def open(self, eio: int) -> Handshake:
        """Give what the server opens the session with.

        Raises:
            NoOpen: it does not come in time.
            Closed: it will not come, or is something else.
        """
        try:
            opened = read_open(self.socket.read(time.monotonic() + self.timeout), eio)
        except TimeoutError:
            raise NoOpen from None
        if opened is None:
            raise Closed(None, "the first message opens no session")
        return opened

    def wait_for(self, starts: tuple[str, ...], deadline: float | None = None) -> str:
        """Give the next packet that begins with one of `starts`; answers pings meanwhile.

        Raises:
            TimeoutError: it has not come by `deadline`, of `time.monotonic`; None is `timeout` from now.
            Closed: it will not come.
        """
        until = time.monotonic() + self.timeout if deadline is None else deadline
        for _ in range(MAX_PACKETS):
            packet = self.socket.read(until)
            if packet.startswith(starts):
                return packet
            if packet == "2":
                self.socket.send("3")
            elif packet[:1] == "1":
                raise Closed(1000, "the server has ended the session")
        raise TimeoutError
