"""What comes over a connection, until a moment: a server that sends a byte now and then does not hold anybody up.

May import: nothing of ours.
"""

import io
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Unfinished(TimeoutError):
    """An answer has begun, and not come to its end in time."""


class Stream(io.RawIOBase):
    """The bytes of a socket. `deadline`, of `time.monotonic`, may be moved."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self.deadline, self._has_begun = sock, deadline, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read what has come.

        Raises:
            TimeoutError: nothing has come by the deadline; `Unfinished` when there was something before.
            OSError: the connection has broken.
        """
        try:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
            size = self._sock.recv_into(buffer)
        except TimeoutError:
            raise (Unfinished if self._has_begun else TimeoutError)("no answer in time") from None
        self._has_begun = True
        return size

    def makefile(self, *_: object) -> io.BufferedReader:
        """Give what `http.client` reads from."""
        return io.BufferedReader(self)
