"""Whether quiet connections live as long as the ping interval, and pings come when they are due.

May import: `causes`, `session`, `links`. Takes as long as the server's ping interval: both transports are watched at once.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from fastsio.doctor import links
from fastsio.doctor.causes import LATE, LATE_ADVICE, Finding, failed, ok, skipped
from fastsio.doctor.engineio import Handshake, Refusal, kind_of, query
from fastsio.doctor.frames import Closed
from fastsio.doctor.session import Broken, open_session
from fastsio.doctor.wire import NO_ANSWER, Browser, NotSwitched, why

# Longer intervals than this are not waited for.
MAX_INTERVAL = 120.0
# An end this close to the interval is not the proxy's impatience.
NEAR = 0.9


def check_heartbeats(watches: list[tuple[str, Callable[[], Finding]]]) -> list[Finding]:
    """Run checks of several seconds at once; give their findings in order."""
    findings: dict[str, Finding] = {}

    def run(name: str, watch: Callable[[], Finding]) -> None:
        try:
            findings[name] = watch()
        except NO_ANSWER as error:
            findings[name] = skipped(name, f"no answer: {why(error)}")

    threads = [threading.Thread(target=run, args=watch, daemon=True) for watch in watches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [findings[name] for name, _ in watches if name in findings]


def watch_polling(name: str, browser: Browser, eio: int) -> Finding:
    """Leave a session quiet over long-polling until the heartbeat is due."""
    session = open_session(browser, eio)
    if isinstance(session, Refusal):
        return skipped(name, session.answer.brief)
    opened = session.opened
    if opened.ping_interval > MAX_INTERVAL:
        return _too_long(name, opened)
    with session:
        due = session.opened_at + opened.ping_interval
        try:
            if eio == 4:
                session.send("40" + browser.auth)
            with _pinging(eio, due, lambda: session.post("2")):
                session.wait_for(("2",) if eio == 4 else ("3",), due + _patience(browser.timeout, opened))
            if eio == 4:
                session.send("3")
        except TimeoutError:
            return _never(name, opened, browser)
        except Broken as error:
            if kind_of(error.answer) == "gateway":
                return _cut(name, time.monotonic() - session.polled_at, opened, error.answer.brief)
            return failed(name, "polling", str(error), "look into the server's log for the reason")
        except NO_ANSWER as error:
            return _cut(name, time.monotonic() - session.polled_at, opened, why(error))
        return _came(name, time.monotonic() - due, opened)


@contextlib.contextmanager
def _pinging(eio: int, due: float, send: Callable[[], object]) -> Iterator[None]:
    """Engine.IO 3: the client pings, with `send`, when it is due."""

    def ping() -> None:
        with contextlib.suppress(Closed, *NO_ANSWER):
            send()

    timer = threading.Timer(max(0.0, due - time.monotonic()), ping)
    timer.daemon = True
    if eio == 3:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def watch_websocket(name: str, browser: Browser, eio: int) -> Finding:
    """Leave a session quiet over a WebSocket until the heartbeat is due."""
    try:
        with browser.fresh().websocket(query(eio, "websocket")) as socket:
            link = links.Link(socket, browser.timeout)
            opened, opened_at = link.open(eio), time.monotonic()
            if opened.ping_interval > MAX_INTERVAL:
                return _too_long(name, opened)
            try:
                return _watch(name, link, opened, opened_at, browser.auth)
            except TimeoutError:
                return _never(name, opened, browser)
            except Closed as error:
                lived = time.monotonic() - opened_at
                if error.code in (None, 1001, 1006):
                    return _cut(name, lived, opened, str(error))
                advice = "the server, or the proxy in its name, ends it: look into their logs"
                return failed(name, "websocket", f"{error} after {lived:.1f} s", advice)
    except (NotSwitched, links.NoOpen, Closed) as error:
        return skipped(name, f"needs a WebSocket: {error}")


def _watch(name: str, link: links.Link, opened: Handshake, opened_at: float, auth: str) -> Finding:
    due = opened_at + opened.ping_interval
    late = due + _patience(link.timeout, opened)
    if opened.eio == 4:
        link.socket.send("40" + auth)
        link.wait_for(("2",), late)
        link.socket.send("3")
    else:
        with _pinging(opened.eio, due, lambda: link.socket.send("2")):
            link.wait_for(("3",), late)
    return _came(name, time.monotonic() - due, opened)


def _patience(timeout: float, opened: Handshake) -> float:
    """Give the seconds beyond the interval after which clients give up, or the doctor does."""
    return min(opened.ping_timeout, max(LATE, timeout))


def _came(name: str, late: float, opened: Handshake) -> Finding:
    if late > LATE:
        return failed(name, "late", f"came {late:.1f} s late (interval {opened.ping_interval:g} s)", LATE_ADVICE)
    return ok(name, f"a quiet connection lives {opened.ping_interval:g} s, and its heartbeat comes in time")


def _never(name: str, opened: Handshake, browser: Browser) -> Finding:
    waited = opened.ping_interval + _patience(browser.timeout, opened)
    return failed(name, "late", f"nothing came in {waited:.0f} s (interval {opened.ping_interval:g} s)", LATE_ADVICE)


def _cut(name: str, lived: float, opened: Handshake, said: str) -> Finding:
    interval = opened.ping_interval
    if lived > interval * NEAR:
        return failed(name, "websocket" if "Socket" in name else "polling", f"{said} after {lived:.1f} s", LATE_ADVICE)
    advice = (
        f"let quiet connections live longer than {interval:g} s (nginx: `proxy_read_timeout {interval * 2 + 10:.0f}s;`, HAProxy: "
        f"timeout tunnel), or set the server's ping_interval below {max(1, int(lived))} s"
    )
    return failed(
        name, "idle-timeout", f"ended after {lived:.1f} s, before the ping interval of {interval:g} s: {said}", advice
    )


def _too_long(name: str, opened: Handshake) -> Finding:
    return skipped(
        name, f"the ping interval of {opened.ping_interval:g} s is not waited for (more than {MAX_INTERVAL:g} s)"
    )
