"""One Engine.IO revision over each transport: long-polling, WebSocket, and the upgrade from one to the other.

May import: `causes`, `session`, `links`, `stream`. Each check opens a session, joins the namespace ``/``, and leaves.
"""

import time

from fastsio.doctor import links
from fastsio.doctor.causes import LATE, LATE_ADVICE, Finding, failed, ok, skipped
from fastsio.doctor.engineio import Handshake, Refusal, kind_of, query
from fastsio.doctor.frames import Closed
from fastsio.doctor.session import Broken, Polling, open_session
from fastsio.doctor.sharing import STICKY_ADVICE
from fastsio.doctor.stream import Unfinished
from fastsio.doctor.wire import NO_ANSWER, Answer, Browser, NotSwitched, why

JOINED = ("40", "44")
CONNECT_ADVICE = (
    "let the connect handler return (a database or log-in that it waits for?); a bare Engine.IO server has no namespaces, and "
    "needs an Engine.IO client"
)
PROXY_ADVICE = (
    "let the proxy pass the upgrade on; in nginx's location: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    'proxy_set_header Connection "upgrade";`; without a proxy: uvicorn needs the package websockets or wsproto'
)


def check_polling(browser: Browser, eio: int) -> Finding:
    """Open a session over long-polling and join the namespace."""
    name = f"polling, EIO {eio}"
    try:
        opened = open_session(browser, eio)
        if isinstance(opened, Refusal):
            return failed(name, "polling", opened.answer.brief, "look into the server's log for the reason")
        with opened as session:
            if eio == 4:
                session.send("40" + browser.auth)
            packet = session.wait_for(JOINED, time.monotonic() + browser.timeout)
            return _joined(name, packet, eio, browser.auth)
    except Broken as error:
        return _broken(name, error)
    except Unfinished as error:
        return failed(name, "late", why(error), LATE_ADVICE)
    except TimeoutError:
        return failed(name, "no-connect", f"no answer from namespace / within {browser.timeout:g} s", CONNECT_ADVICE)
    except NO_ANSWER as error:
        return failed(name, "polling", why(error), "look into the logs of proxy and server for this moment")


def _broken(name: str, error: Broken) -> Finding:
    kind = kind_of(error.answer)
    if kind == "gateway":
        advice = "raise the proxy's limit (nginx: `proxy_read_timeout 60s;`, more than the server's ping interval)"
        return failed(name, "idle-timeout", f"a waiting poll was ended: {error}", advice)
    if kind == "session":  # it was there a moment ago
        return failed(name, "not-sticky", str(error), STICKY_ADVICE)
    if error.answer.status == 413:
        return failed(name, "polling", str(error), "raise the proxy's limit for bodies (nginx: client_max_body_size)")
    if error.answer.status == 405:
        return failed(name, "polling", str(error), "let the proxy pass POST for this path")
    return failed(name, "polling", str(error), "look into the server's log for the reason")


def _joined(name: str, packet: str, eio: int, auth: str) -> Finding:
    if packet.startswith("44"):
        whom = "these credentials" if auth and eio == 4 else "a client without credentials"
        hint = " (Engine.IO 3 cannot carry --auth)" if auth and eio == 3 else ""
        return ok(name, f"works; the connect handler refuses {whom}{hint}: {packet[2:100]}")
    return ok(name, "connected to namespace /")


def check_websocket(browser: Browser, eio: int, offered: bool) -> Finding:
    """Open a WebSocket at once, as clients do that have ``transports: ["websocket"]``, and join the namespace.

    `offered` is whether the server announces the transport.
    """
    name = f"WebSocket, EIO {eio}"
    try:
        socket = browser.fresh().websocket(query(eio, "websocket"))
    except NotSwitched as error:
        return _not_switched(name, error.answer, browser, offered)
    except TimeoutError:
        return failed(name, "late", f"the upgrade was not answered within {browser.timeout:g} s", LATE_ADVICE)
    except NO_ANSWER as error:
        return failed(name, "no-upgrade" if offered else "websocket", why(error), PROXY_ADVICE)
    try:
        with socket:
            link = links.Link(socket, browser.timeout)
            link.open(eio)
            if eio == 4:
                socket.send("40" + browser.auth)
            return _joined(name, link.wait_for(JOINED), eio, browser.auth)
    except links.NoOpen:
        return failed(name, "late", f"switched, but no packet came within {browser.timeout:g} s", LATE_ADVICE)
    except TimeoutError:
        return failed(name, "no-connect", f"no answer from namespace / within {browser.timeout:g} s", CONNECT_ADVICE)
    except Closed as error:
        return failed(name, "websocket", str(error), "look into the logs of proxy and server for this moment")


def _not_switched(name: str, answer: Answer, browser: Browser, offered: bool) -> Finding:
    """Say why a WebSocket was not opened. Long-polling has shown that the server itself is there."""
    kind = kind_of(answer)
    if answer.status == 101:
        advice = "something between here and the server answers in its place, and is not a WebSocket server"
        return failed(name, "no-upgrade", "the accept key of the answer is wrong", advice)
    if not offered:
        return skipped(name, f"the server does not offer WebSocket ({answer.brief})")
    if kind == "origin":
        advice = "allow the origin on the server: cors_allowed_origins"
        return failed(name, "origin", f"{browser.origin} is refused: {answer.brief}", advice)
    if kind == "access":
        advice = (
            "the proxy or the server refuses WebSockets alone: a firewall rule, a log-in, or a limit of connections"
        )
        return failed(name, "websocket", answer.brief, advice)
    return failed(name, "no-upgrade", f"the server offers WebSocket, but the answer is {answer.brief}", PROXY_ADVICE)


def check_upgrade(browser: Browser, eio: int) -> Finding:
    """Begin over long-polling and move to a WebSocket, as clients do by default."""
    name = f"upgrade, EIO {eio}"
    try:
        opened = open_session(browser, eio)
        if isinstance(opened, Refusal):
            return skipped(name, f"needs long-polling: {opened.answer.brief}")
        with opened as session:
            return _upgrade(name, session, opened.opened)
    except NotSwitched as error:
        return failed(name, "no-upgrade", f"the answer to the probe is {error.answer.brief}", PROXY_ADVICE)
    except (Broken, Closed) as error:
        return failed(name, "websocket", str(error), "look into the logs of proxy and server for this moment")
    except TimeoutError:
        return failed(name, "late", f"the probe was not answered within {browser.timeout:g} s", LATE_ADVICE)
    except NO_ANSWER as error:
        return failed(name, "websocket", why(error), "look into the logs of proxy and server for this moment")


def _upgrade(name: str, session: Polling, opened: Handshake) -> Finding:
    if "websocket" not in opened.upgrades:
        return skipped(name, "the server does not offer it: clients stay with long-polling")
    page = session.browser
    with page.websocket(query(opened.eio, "websocket", opened.sid)) as socket:
        link = links.Link(socket, page.timeout)
        start = time.monotonic()
        socket.send("2probe")
        link.wait_for(("3probe",))
        took = time.monotonic() - start
        if took > LATE:
            return failed(name, "late", f"the probe was answered after {took:.1f} s", LATE_ADVICE)
        socket.send("5")
        if opened.eio == 4:
            socket.send("40" + page.auth)
            link.wait_for(JOINED)
        else:
            socket.send("2")
            link.wait_for(("3",))
        return ok(name, f"probe answered in {took * 1000:.0f} ms, upgraded")
