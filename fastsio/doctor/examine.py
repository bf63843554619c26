"""The examination: which checks, in which order, and which of them have nothing to stand on.

May import: everything in this folder but `command`.
"""

from collections.abc import Callable
from functools import partial

from fastsio.doctor import heartbeat, reach, sharing, transports
from fastsio.doctor.causes import OK, Finding, failed, ok, skipped
from fastsio.doctor.engineio import Handshake, Refusal, query, read_handshake
from fastsio.doctor.origin import CHECK as ORIGIN
from fastsio.doctor.origin import check_origin
from fastsio.doctor.target import Target
from fastsio.doctor.wire import NO_ANSWER, Browser, why

CLIENTS = {4: "JavaScript clients 3 and 4, python-socketio 5", 3: "JavaScript clients 1 and 2"}
Watch = tuple[str, Callable[[], Finding]]


def examine(
    target: Target,
    origin: str | None = None,
    eio: int | None = None,
    timeout: float = 5.0,
    quick: bool = False,
    auth: str = "",
) -> list[Finding]:
    """Examine a server; give what each check found, in the order in which a connection meets them.

    Args:
        target: where it should be.
        origin: of the page that connects; the server's own when None.
        eio: the one revision that has to be served; both are tried when None, and one of them is enough.
        timeout: seconds that an answer may take.
        quick: leave out what takes as long as the ping interval.
        auth: JSON that clients of Engine.IO 4 pass as `auth`, "" for none.
    """
    findings: list[Finding] = []
    browser = Browser(target, origin or target.origin, timeout, auth=auth)
    try:
        reach.check_reach(browser, findings)
        first = reach.check_path(browser, eio or 4, findings)
    except reach.Unreachable:
        return findings + _left_out(findings, eio, quick)
    findings.append(check_origin(browser, eio or first_revision(first)))
    served = _check_versions(browser, eio, findings)
    has_polling = {revision for revision, found in served.items() if isinstance(found, Handshake)}
    is_shared = False
    if has_polling:
        is_shared = not sharing.check_sharing(browser, max(has_polling), findings)
    else:
        findings += [skipped(check, "needs long-polling") for check in sharing.CHECKS]
    for revision, found in served.items():
        findings += _check_transports(browser, revision, found, is_shared)
    findings += _check_heartbeats(browser, served, findings, quick)
    return findings


def first_revision(found: Handshake | Refusal) -> int:
    """Give the revision in which a server is asked further."""
    return (
        3
        if (isinstance(found, Handshake) and found.eio == 3) or (isinstance(found, Refusal) and found.kind == "version")
        else 4
    )


def _check_versions(browser: Browser, wanted: int | None, findings: list[Finding]) -> dict[int, Handshake | Refusal]:
    """Ask for each revision; give those that are served, over long-polling (a handshake) or without it (a refusal)."""
    served: dict[int, Handshake | Refusal] = {}
    said: dict[int, str] = {}
    for revision in (4, 3) if wanted is None else (wanted,):
        try:
            found = read_handshake(browser.fresh().request(query(revision, "polling")))
        except NO_ANSWER as error:
            said[revision] = why(error)
            continue
        if isinstance(found, Handshake):
            if found.eio == revision:
                served[revision] = found
            else:
                said[revision] = f"asked for Engine.IO {revision}, the server answers in Engine.IO {found.eio}"
        elif found.kind == "transport":
            served |= _without_polling(browser, revision, found)
            said[revision] = f"neither transport is served: {found.answer.brief}"
        else:
            said[revision] = found.answer.brief
    for revision in said.keys() | served.keys():
        said.setdefault(revision, "")
    for revision in sorted(said, reverse=True):
        findings.append(_version(revision, served, said[revision], wanted))
    return served


def _without_polling(browser: Browser, revision: int, refusal: Refusal) -> dict[int, Handshake | Refusal]:
    """Ask over WebSocket, where long-polling is switched off."""
    finding = transports.check_websocket(browser, revision, offered=False)
    return {revision: refusal} if finding.state == OK else {}


def _version(revision: int, served: dict[int, Handshake | Refusal], said: str, wanted: int | None) -> Finding:
    name = f"Engine.IO {revision}"
    if revision in served:
        return ok(name, f"served ({CLIENTS[revision]})")
    if served:
        return skipped(name, f"not served: {CLIENTS[revision]} cannot connect; --eio {revision} makes that a failure")
    advice = (
        f"serve it (fastsio: protocols=(4, 3); JavaScript: allowEIO3), or use other clients than {CLIENTS[revision]}"
    )
    if wanted is None:
        advice = "look into the server's log: it refuses both revisions"
    return failed(name, "version", said, advice)


def _check_transports(browser: Browser, eio: int, found: Handshake | Refusal, is_shared: bool) -> list[Finding]:
    names = [f"{kind}, EIO {eio}" for kind in ("polling", "WebSocket", "upgrade")]
    if isinstance(found, Refusal):
        refused = f'the server does not offer long-polling: transports: ["websocket"] in clients ({found.answer.brief})'
        socket = transports.check_websocket(browser, eio, True)
        return [skipped(names[0], refused), socket, skipped(names[2], "needs long-polling")]
    socket = transports.check_websocket(browser, eio, "websocket" in found.upgrades)
    if is_shared:
        return [skipped(names[0], "needs sessions of its own"), socket, skipped(names[2], "needs sessions of its own")]
    polling = transports.check_polling(browser, eio)
    if polling.state != OK or socket.state != OK:
        needed = "long-polling" if polling.state != OK else "WebSocket"
        return [polling, socket, skipped(names[2], f"needs {needed}")]
    return [polling, socket, transports.check_upgrade(browser, eio)]


def _check_heartbeats(
    browser: Browser, served: dict[int, Handshake | Refusal], findings: list[Finding], quick: bool
) -> list[Finding]:
    states = {finding.check: finding.state for finding in findings}
    watches: list[Watch] = []
    left_out: list[Finding] = []
    for eio in served:
        for kind, watch in (("polling", heartbeat.watch_polling), ("WebSocket", heartbeat.watch_websocket)):
            name = f"heartbeat, {kind}, EIO {eio}"
            if quick:
                left_out.append(skipped(name, "--quick"))
            elif states.get(f"{kind}, EIO {eio}") != OK:
                left_out.append(skipped(name, f"needs {'long-polling' if kind == 'polling' else kind}"))
            else:
                watches.append((name, partial(watch, name, browser, eio)))
    return heartbeat.check_heartbeats(watches) + left_out


def _left_out(findings: list[Finding], eio: int | None, quick: bool) -> list[Finding]:
    """Give the checks that nothing could be asked for."""
    revisions = (4, 3) if eio is None else (eio,)
    names = [*reach.CHECKS, ORIGIN, *(f"Engine.IO {revision}" for revision in revisions), *sharing.CHECKS]
    names += [f"{kind}, EIO {revision}" for revision in revisions for kind in ("polling", "WebSocket", "upgrade")]
    if not quick:
        names += [f"heartbeat, {kind}, EIO {revision}" for revision in revisions for kind in ("polling", "WebSocket")]
    done = {finding.check for finding in findings}
    cause = next(finding.check for finding in reversed(findings) if finding.state == "failed")
    return [skipped(name, f"needs the {cause}") for name in names if name not in done]
