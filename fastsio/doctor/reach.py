"""The way to the server: its name, its port, TLS, and the path where Engine.IO answers.

May import: `causes`, `engineio`, `stream`, `wire`. Never opens more than a handshake.
"""

import contextlib
import http.client
import socket
import ssl

from fastsio.doctor.causes import LATE, LATE_ADVICE, Finding, failed, ok, skipped
from fastsio.doctor.engineio import Handshake, Refusal, query, read_handshake
from fastsio.doctor.stream import Unfinished
from fastsio.doctor.target import Target
from fastsio.doctor.wire import NO_ANSWER, Answer, Browser, tls_context, why

CHECKS = ("name", "port", "TLS", "path", "answer time")
# OpenSSL's words for an answer that is no TLS.
PLAIN_SIGNS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")


class Unreachable(Exception):
    """The way ends here: nothing that follows can be checked."""


def check_reach(browser: Browser, findings: list[Finding]) -> None:
    """Check name, port and TLS. A certificate that is not accepted is one failure; what follows goes on without it.

    Raises:
        Unreachable: the findings say why.
    """
    target = browser.target
    try:
        addresses = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        advice = (
            "look for a typing error in the host name, and whether this machine resolves it: getent hosts "
            + target.host
        )
        findings.append(failed("name", "name", f"{target.host}: {error}", advice))
        raise Unreachable from None
    findings.append(ok("name", ", ".join(dict.fromkeys(str(address[4][0]) for address in addresses))))
    try:
        socket.create_connection((target.host, target.port), browser.timeout).close()
    except OSError as error:
        findings.append(
            failed("port", "nothing-listening", f"port {target.port}: {why(error)}", _port_advice(target, error))
        )
        raise Unreachable from None
    findings.append(ok("port", f"{target.port} accepts connections"))
    if target.is_secure:
        _check_tls(browser, findings)
    else:
        findings.append(skipped("TLS", "the URL is http"))


def _port_advice(target: Target, error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return (
            "start the server, or correct the port; a server that listens on 127.0.0.1 is not reached from other machines or "
            "out of a container: --host 0.0.0.0"
        )
    return "a firewall or security group may drop the connection, or the host is down"


def _check_tls(browser: Browser, findings: list[Finding]) -> None:
    try:
        with browser.connect() as sock:
            version = sock.version() if isinstance(sock, ssl.SSLSocket) else None
    except ssl.SSLCertVerificationError as error:
        findings.append(
            failed("TLS", "tls", f"the certificate is refused: {error.verify_message}", _certificate_advice(error))
        )
        browser.verify = False
    except OSError as error:
        if getattr(error, "reason", None) in PLAIN_SIGNS or _speaks_plain(browser):
            advice = f"use http:// for port {browser.target.port}, or the port on which the proxy ends TLS"
            findings.append(failed("TLS", "tls", f"port {browser.target.port} speaks plain HTTP", advice))
        else:
            advice = "look into the log of whatever ends TLS on that port; openssl s_client -connect shows its side"
            findings.append(failed("TLS", "tls", f"no TLS connection: {why(error)}", advice))
        raise Unreachable from None
    else:
        findings.append(ok("TLS", f"{version}, certificate accepted"))


def _certificate_advice(error: ssl.SSLCertVerificationError) -> str:
    said = error.verify_message.lower()
    if "expired" in said:
        return "renew the certificate, and reload the server that holds it"
    if "mismatch" in said or "not valid for" in said:
        return "use a host name that the certificate has, or get one for this name"
    return (
        "use a certificate of a known authority with its whole chain (fullchain.pem); for one of your own set SSL_CERT_FILE, "
        "and make browsers trust it as well"
    )


def _speaks_plain(browser: Browser) -> bool:
    """Tell whether the port answers HTTP without TLS."""
    with contextlib.suppress(*NO_ANSWER):
        address = (browser.target.host, browser.target.port)
        with socket.create_connection(address, browser.timeout) as sock:
            sock.sendall(f"GET / HTTP/1.1\r\nHost: {browser.target.authority}\r\nConnection: close\r\n\r\n".encode())
            http.client.HTTPResponse(sock).begin()
            return True
    return False


def _speaks_tls(browser: Browser) -> bool:
    """Tell whether the port of an http URL ends TLS."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection((browser.target.host, browser.target.port), browser.timeout) as sock,
        tls_context(False).wrap_socket(sock, server_hostname=browser.target.host),
    ):
        return True
    return False


# --- the path


def check_path(browser: Browser, eio: int, findings: list[Finding]) -> Handshake | Refusal:
    """Find the path where Engine.IO answers; when it is another one the browser goes on there. Give that answer.

    Raises:
        Unreachable: nothing of the kind is there; the findings say what is.
    """
    target = browser.target
    try:
        answer = browser.request(query(eio, "polling"))
    except NO_ANSWER as error:
        findings.append(_no_answer(browser, error))
        raise Unreachable from None
    found = read_handshake(answer)
    if isinstance(found, Handshake) or found.is_engineio:
        findings.append(ok("path", f"{target.path} is Engine.IO"))
        _check_time(browser, eio, answer, findings)
        return found
    if found.kind in ("gateway", "access", "moved", "tls"):
        findings.append(_stopped(target, found))
        raise Unreachable
    other = _look_elsewhere(browser, eio)
    if other is None:
        findings.append(_not_socketio(target, answer))
        raise Unreachable
    path, found, found_at = other
    browser.target = target.at(path)
    advice = f'give clients path: "{path}", or make the proxy and the server agree on {target.path}'
    if target.given_path:
        advice += "; what follows the host in io(url) is a namespace, not a path"
    findings.append(failed("path", "wrong-path", f"{target.path}: {answer.brief}; Socket.IO is at {path}", advice))
    _check_time(browser, eio, found_at, findings)
    return found


def _check_time(browser: Browser, eio: int, answer: Answer, findings: list[Finding]) -> None:
    """Check that handshakes are answered at once: the second one, when the first may have woken somebody up.

    Raises:
        Unreachable: they are not; what follows would only repeat it.
    """
    with contextlib.suppress(*NO_ANSWER):
        if answer.seconds > LATE:
            answer = browser.fresh().request(query(eio, "polling"))
    if answer.seconds > LATE:
        findings.append(failed("answer time", "late", f"a handshake took {answer.seconds:.1f} s", LATE_ADVICE))
        raise Unreachable
    findings.append(ok("answer time", f"a handshake takes {answer.seconds * 1000:.0f} ms"))


def _look_elsewhere(browser: Browser, eio: int) -> tuple[str, Handshake | Refusal, Answer] | None:
    for path in browser.target.likely_paths():
        page = browser.fresh()
        page.target = browser.target.at(path)
        with contextlib.suppress(*NO_ANSWER):
            answer = page.request(query(eio, "polling"))
            found = read_handshake(answer)
            if isinstance(found, Handshake) or found.is_engineio:
                return path, found, answer
    return None


def _no_answer(browser: Browser, error: BaseException) -> Finding:
    target = browser.target
    if isinstance(error, Unfinished):
        return failed("path", "late", f"an answer began, and did not end within {browser.timeout:g} s", LATE_ADVICE)
    if not target.is_secure and not isinstance(error, TimeoutError) and _speaks_tls(browser):
        return failed("path", "tls", f"port {target.port} speaks TLS", f"use https:// or wss:// for port {target.port}")
    if isinstance(error, TimeoutError):
        advice = (
            "the process may hang (a blocking call on its event loop), or what listens there waits for another protocol"
        )
        return failed("path", "nothing-listening", f"no answer within {browser.timeout:g} s", advice)
    advice = f"look which program has port {target.port}: ss -ltnp"
    return failed("path", "not-socketio", f"what listens there does not speak HTTP: {why(error)}", advice)


def _stopped(target: Target, refusal: Refusal) -> Finding:
    answer = refusal.answer
    if refusal.kind == "tls":
        return failed(
            "path", "tls", f"port {target.port} wants TLS: {answer.brief}", f"use https:// for port {target.port}"
        )
    if refusal.kind == "gateway":
        advice = "start the server behind the proxy, or correct its address there (upstream, proxy_pass); see the proxy's log"
        return failed("path", "gateway", answer.brief, advice)
    if refusal.kind == "moved":
        place = answer.headers.get("Location") or "nowhere"
        advice = "give clients the address that it redirects to: WebSockets do not follow redirects"
        return failed("path", "wrong-path", f"HTTP {answer.status}, redirects to {place[:200]}", advice)
    advice = "something in front of Socket.IO wants a log-in, a token, or fewer requests: let the path pass there"
    return failed("path", "access", answer.brief, advice)


def _not_socketio(target: Target, answer: Answer) -> Finding:
    server = answer.headers.get("Server")
    made = f" (server: {server[:60]})" if server else ""
    advice = (
        f"{len(target.likely_paths()) + 1} paths were tried: is this the right port, is the server mounted, and does the proxy "
        "pass its path? --path tries another one"
    )
    if answer.status >= 500:
        advice = f"what serves this path has failed: look into its log. Else: {advice}"
    if answer.status == 200 and "upgrade" in answer.text.lower():
        advice += "; a plain WebSocket server is not Socket.IO"
    return failed("path", "not-socketio", f"{target.path}: {answer.brief}{made}", advice)
