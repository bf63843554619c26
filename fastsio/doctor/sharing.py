"""What stands between a page and one server: caches, and several servers without sticky sessions.

May import: `causes`, `session`. Opens a few sessions, each with requests on connections of their own, as proxies see them.
"""

import contextlib

from fastsio.doctor.causes import Finding, failed, ok, skipped
from fastsio.doctor.engineio import Refusal, kind_of
from fastsio.doctor.session import Polling, open_session
from fastsio.doctor.wire import NO_ANSWER, Browser, why

CHECKS = ("no cache", "sticky sessions")
SESSIONS = 4
REQUESTS = 6  # of each session
STICKY_ADVICE = (
    "send all requests of one client to one server: `ip_hash;` or `hash $remote_addr consistent;` in nginx's upstream, a cookie "
    'elsewhere; with --workers use one port for each process; or let clients use WebSocket only: transports: ["websocket"]'
)


def check_sharing(browser: Browser, eio: int, findings: list[Finding]) -> bool:
    """Check both; tell whether sessions can be relied on over long-polling."""
    sessions: list[Polling] = []
    with contextlib.ExitStack() as closing:
        return _check(browser, eio, findings, sessions, closing)


def _check(
    browser: Browser, eio: int, findings: list[Finding], sessions: list[Polling], closing: contextlib.ExitStack
) -> bool:
    try:
        for _ in range(SESSIONS):
            opened = open_session(browser, eio)
            if isinstance(opened, Refusal):
                detail = f"a handshake was refused after {len(sessions)} had been answered: {opened.answer.brief}"
                cause = "access" if opened.kind == "access" else "polling"
                advice = "several servers with different settings may answer, or a rate limit: look into their logs"
                findings += [skipped("no cache", "handshakes differ"), failed("sticky sessions", cause, detail, advice)]
                return False
            sessions.append(closing.enter_context(opened))
        ids = {session.opened.sid for session in sessions}
        if len(ids) < len(sessions):
            detail = f"{len(sessions)} handshakes got {len(ids)} session ids"
            advice = "take the path of Socket.IO out of the cache of the proxy or CDN (nginx: proxy_cache off)"
            findings += [
                failed("no cache", "cached", detail, advice),
                skipped("sticky sessions", "needs sessions of its own"),
            ]
            return False
        findings.append(ok("no cache", f"{len(sessions)} handshakes, {len(ids)} session ids"))
        finding = _check_sticky(sessions)
        findings.append(finding)
        return finding.state == "ok"
    except NO_ANSWER as error:
        done = {finding.check for finding in findings}
        findings += [skipped(check, f"no answer: {why(error)}") for check in CHECKS if check not in done]
        return False


def _check_sticky(sessions: list[Polling]) -> Finding:
    unknown = asked = 0
    for session in sessions:
        packet = "3" if session.opened.eio == 4 else "2"  # what a heartbeat is answered with, or begins with
        for _ in range(REQUESTS):
            answer = session.post(packet)
            asked += 1
            unknown += answer.status != 200 and kind_of(answer) == "session"
    if not unknown:
        return ok("sticky sessions", f"{asked} requests of {len(sessions)} sessions all found their server")
    detail = f'{unknown} of {asked} requests of {len(sessions)} sessions were answered "Invalid session"'
    return failed("sticky sessions", "not-sticky", detail, STICKY_ADVICE)
