"""One Engine.IO session over long-polling, as a page has it.

May import: `engineio`, `wire`. Never judges; errors of the wire pass through.
"""

import contextlib
import time

from fastsio.doctor.engineio import Handshake, Refusal, decode, encode, query, read_handshake
from fastsio.doctor.wire import NO_ANSWER, Answer, Browser

# Polls that may be needed before a packet that is waited for has come: an application may talk.
MAX_POLLS = 1000


class Broken(Exception):
    """A request of the session got another answer than 200."""

    def __init__(self, answer: Answer, what: str) -> None:
        super().__init__(f"{what}: {answer.brief}")
        self.answer = answer


class Polling:
    """An open session; a context manager that closes it."""

    def __init__(self, browser: Browser, opened: Handshake, opened_at: float) -> None:
        self.browser, self.opened, self.opened_at = browser, opened, opened_at
        self.waiting = list(opened.packets)
        self.polled_at = opened_at  # when the poll began that is open, or was the last

    def __enter__(self) -> "Polling":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(*NO_ANSWER):
            self.post("1")

    def post(self, packet: str) -> Answer:
        """Send a packet."""
        fields = query(self.opened.eio, "polling", self.opened.sid)
        return self.browser.request(fields, encode(packet, self.opened.eio))

    def send(self, packet: str) -> None:
        """Send a packet.

        Raises:
            Broken: it was not taken.
        """
        answer = self.post(packet)
        if answer.status != 200:
            raise Broken(answer, "POST")

    def poll(self, timeout: float) -> list[str]:
        """Give what the next poll brings.

        Raises:
            Broken: it was refused.
        """
        self.polled_at = time.monotonic()
        answer = self.browser.request(query(self.opened.eio, "polling", self.opened.sid), timeout=timeout)
        if answer.status != 200:
            raise Broken(answer, "GET")
        return decode(answer.text, self.opened.eio)

    def wait_for(self, starts: tuple[str, ...], deadline: float) -> str:
        """Give the next packet that begins with one of `starts`; answers pings meanwhile.

        Raises:
            Broken: a poll was refused.
            TimeoutError: it has not come by `deadline`, of `time.monotonic`.
        """
        for _ in range(MAX_POLLS):
            while self.waiting:
                packet = self.waiting.pop(0)
                if packet.startswith(starts):
                    return packet
                if packet == "2":
                    self.send("3")
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self.waiting = self.poll(left)
        raise TimeoutError


def open_session(browser: Browser, eio: int) -> Polling | Refusal:
    """Open a session on a page of its own."""
    page = browser.fresh()
    found = read_handshake(page.request(query(eio, "polling")))
    return found if isinstance(found, Refusal) else Polling(page, found, time.monotonic())
