"""What an HTTP answer means that is not the wanted one, and what a person can try then.

May import: `errors`, `plan`, `tls`. Never: raises; the caller does. A WebSocket refused without a word, as ASGI servers do it, is
asked about over long-polling.
"""

import http.client

from fastsio.load.errors import LoadError
from fastsio.load.plan import Plan
from fastsio.load.tls import tls_context

ASK_SECONDS = 3.0


def refusal(status: int, body: bytes, plan: Plan) -> LoadError:
    """Explain the answer with this status and body, as an exception."""
    text = body[:300].decode(errors="replace").strip()
    said = f"the server answers HTTP {status}" + (f": {text}" if text else "")
    if plan.transport == "websocket" and status in (400, 403):
        asked = _ask_over_polling(plan)
        if asked is not None and asked[0] != 200:
            status, text = asked
            said += f"; over long-polling it answers HTTP {status}" + (f": {text}" if text else "")
        elif asked is not None:
            return LoadError(said, f"Long-polling is answered; WebSocket is not. {_hint(status, text, plan)}".strip())
    return LoadError(said, _hint(status, text, plan))


def _ask_over_polling(plan: Plan) -> tuple[int, str] | None:
    """Give status and text of a first GET, None when that does not work either."""
    target = plan.target
    headers = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in plan.headers)}
    connection = http.client.HTTPConnection(target.host, target.port, timeout=ASK_SECONDS)
    if (context := tls_context(plan)) is not None:
        connection = http.client.HTTPSConnection(target.host, target.port, timeout=ASK_SECONDS, context=context)
    try:
        connection.request("GET", f"{target.path}?EIO={plan.eio}&transport=polling", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(300).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _hint(status: int, text: str, plan: Plan) -> str:
    said, other = text.replace(" ", "").lower(), 7 - plan.eio
    if status == 404:
        return f"Nothing is served under {plan.target.path}: put the path of the Socket.IO server into the URL."
    if '"code":5' in said or "protocolversion" in said or "unsupportedversion" in said:
        return f"Try --eio {other}: the server does not speak Engine.IO {plan.eio}."
    if '"code":0' in said or "transport" in said:
        transport = "polling" if plan.transport == "websocket" else "websocket"
        return f"The server may not allow the transport {plan.transport}; try --transport {transport}."
    if status in (301, 302, 307, 308):
        return "The server sends elsewhere: is it http or https, and is the path right?"
    if status in (401, 403):
        return "If the server wants a header (Origin, Authorization, Cookie), give it with --header."
    if status == 400:
        return (
            f"If it speaks only the other protocol, --eio {other} helps; if its path is another, put it into the URL."
        )
    return ""
