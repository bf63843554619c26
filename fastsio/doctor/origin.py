"""Whether a page of an origin may talk to the server: the server's own refusal, and the browser's.

May import: `causes`, `engineio`, `wire`.
"""

from fastsio.doctor.causes import Finding, failed, ok, skipped
from fastsio.doctor.engineio import Handshake, Refusal, query, read_handshake
from fastsio.doctor.wire import NO_ANSWER, Answer, Browser, why

CHECK = "origin"
ALLOW = "Access-Control-Allow-Origin"


def check_origin(browser: Browser, eio: int) -> Finding:
    """Check the browser's origin. When it is refused the browser goes on without one, as programs that are no browsers do."""
    origin = browser.origin
    if origin is None:
        return skipped(CHECK, "no origin is sent")
    is_own = origin == browser.target.origin
    try:
        answer = browser.fresh().request(query(eio, "polling"))
        found = read_handshake(answer)
        if isinstance(found, Refusal) and found.kind == "origin":
            return _refused(browser, answer, is_own)
        if isinstance(found, Refusal) and found.kind != "transport":
            return _refused_or_other(browser, eio, found, is_own)
    except NO_ANSWER as error:
        return skipped(CHECK, f"no answer: {why(error)}")
    return ok(CHECK, f"{origin}, the server's own") if is_own else _seen_by_browser(origin, answer, found)


def _refused_or_other(browser: Browser, eio: int, refusal: Refusal, is_own: bool) -> Finding:
    """A refusal in other words: it is about the origin when a request without one is served."""
    page = browser.fresh()
    page.origin = None
    if isinstance(read_handshake(page.request(query(eio, "polling"))), Handshake):
        return _refused(browser, refusal.answer, is_own)
    return skipped(CHECK, f"needs a handshake: {refusal.answer.brief}")


def _refused(browser: Browser, answer: Answer, is_own: bool) -> Finding:
    origin, browser.origin = browser.origin, None
    if is_own:
        advice = (
            "if the pages are on another origin and the server lists only that, nothing is wrong: run this again with --origin "
            "https://that.page. Else the server believes to be at another address: let the proxy pass it on (nginx: "
            "`proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;`), or set "
            f'cors_allowed_origins=["{origin}"]'
        )
        return failed(CHECK, "origin", f"{origin}, the server's own, is refused: {answer.brief}", advice)
    advice = f'set cors_allowed_origins=["{origin}"] on the server, scheme and port included'
    return failed(CHECK, "origin", f"{origin} is refused: {answer.brief}", advice)


def _seen_by_browser(origin: str, answer: Answer, found: Handshake | Refusal) -> Finding:
    """Read the answer's permission as a browser does, for a page of another origin (Fetch standard, CORS check)."""
    if isinstance(found, Refusal):
        return skipped(CHECK, "long-polling is not served, and WebSockets are judged by the server alone")
    values = answer.headers.get_all(ALLOW) or []
    if values in (["*"], [origin]):
        return ok(CHECK, f"{origin} is allowed ({ALLOW}: {values[0]})")
    if not values:
        advice = f'allow it on the server: cors_allowed_origins=["{origin}"] (JavaScript: cors: {{origin: "{origin}"}})'
        return failed(CHECK, "origin", f"no {ALLOW} in the answer: browsers hide it from {origin}", advice)
    if len(values) > 1 or "," in values[0]:
        advice = "let one place alone send it: take add_header out of the proxy, or set cors_allowed_origins=[] on the server"
        return failed(CHECK, "origin", f"{ALLOW} is there more than once ({', '.join(values)[:100]})", advice)
    advice = f'set cors_allowed_origins=["{origin}"]; scheme, host and port must be those of the page'
    return failed(CHECK, "origin", f"{ALLOW} is {values[0][:100]}, not {origin}", advice)
