"""Holds one conversation of the vector format with a server, and tells what differs from what was expected.

May import: `raw`. Never knows which server answers, nor why an answer is expected.
A step of an HTTP exchange is {"request", "response"}, one of a WebSocket session is {"client": …} or {"server": …}.
"""

import asyncio
import json
import re
from typing import Any

from wire import raw

Json = dict[str, Any]

SETTLE = 0.03  # s in which a message that must not come would have come
SILENCE = 0.3  # s after which an open request counts as unanswered
# The headers that mean something to a client; the rest is the host's business.
COMPARED = re.compile(r"content-type|set-cookie|vary|access-control-.*")
# As JSON has it, or as a JSON string within a JSONP script has it.
SID = re.compile(r'\\?"sid\\?":\\?"([\w-]+)')


class Names:
    """Session ids by their placeholders: bound in order of appearance, then replaced in what is sent."""

    def __init__(self) -> None:
        self.sids: list[str] = []

    def hide(self, text: str) -> str:
        """Give a text of the server with each session id as its placeholder."""
        for sid in SID.findall(text):
            if sid not in self.sids:
                self.sids.append(sid)
        for number, sid in enumerate(self.sids, 1):
            text = text.replace(sid, f"$SID{number}")
        return text

    def reveal(self, text: str) -> str:
        for number, sid in enumerate(self.sids, 1):
            text = text.replace(f"$SID{number}", sid)
        return text


# --- HTTP


async def replay_http(port: int, steps: list[Json], pauses: dict[int, float] | None = None) -> list[str]:
    """Send the requests, those of "pending" steps without waiting; give one line for each difference."""
    names, problems = Names(), []
    waiting: list[tuple[int, asyncio.Task[Json]]] = []
    for index, step in enumerate(steps):
        await asyncio.sleep((pauses or {}).get(index, 0))
        exchange = await _begin(port, step["request"], names)
        if step.get("pending_while_next_steps_run"):
            waiting.append((index, asyncio.create_task(_answer(exchange, names))))
            await asyncio.sleep(SETTLE)
            continue
        is_silent = step["response"].get("silent")
        got = await _answer(exchange, names, SILENCE if is_silent else raw.TIMEOUT)
        problems += _compare(index, step["response"], got)
    for index, answer in waiting:
        problems += _compare(index, steps[index]["response"], await answer)
    return problems


async def _begin(port: int, request: Json, names: Names) -> raw.Exchange:
    path = names.reveal(request["path"].replace("$SID", "$SID1"))
    text = request.get("body")
    body = bytes.fromhex(request["body_hex"]) if "body_hex" in request else text if text is None else text.encode()
    missing = 10 if "part of the announced body" in request.get("note", "") else 0
    return await raw.begin(port, request["method"], path, request.get("headers"), body, missing)


async def _answer(exchange: raw.Exchange, names: Names, timeout: float = raw.TIMEOUT) -> Json:
    try:
        response = await exchange.response(timeout)
    except raw.Reset:
        return {"reset": True}
    except TimeoutError:
        return {"silent": True}
    if response.headers.get("content-type") == "application/octet-stream":
        body: Json = {"body_hex": response.body.hex()}
    else:
        body = {"body": names.hide(response.body.decode())}
    headers = {name: names.hide(value) for name, value in response.headers.items() if COMPARED.fullmatch(name)}
    return {"status": response.status, "headers": headers} | body


def _compare(index: int, expected: Json, got: Json) -> list[str]:
    if expected.get("ended"):  # a request that nobody will finish: refused or cut, but not left open
        return [] if got.get("reset") or got.get("status", 0) >= 400 else [f"step {index}: left open: {got}"]
    expected = dict(expected)
    if "headers" in expected:
        expected["headers"] = {
            name: value.replace("$SID", "$SID1")
            for name, value in expected["headers"].items()
            if COMPARED.fullmatch(name)
        }
    if "body" in expected:
        expected["body"] = expected["body"].replace("$SID", "$SID1")
    return [] if expected == got else [f"step {index}:\n  expected {expected}\n  got      {got}"]


# --- WebSocket


async def replay_websocket(port: int, path: str, steps: list[Json]) -> list[str]:
    """Send the client's steps and read one message for each of the server's; give the differences."""
    names = Names()
    opened = await raw.open_websocket(port, path)
    if isinstance(opened, raw.Response):
        return _compare_event(0, steps[0].get("server"), refusal_event(opened))
    try:
        for index, step in enumerate(steps):
            if index and "client" in step and "client" in steps[index - 1]:
                await asyncio.sleep(SETTLE)  # the recordings were not made in one breath
            problems = await _run_step(opened, index, step, names)
            if problems:
                return problems
    finally:
        opened.abort()
    return []


async def _run_step(socket: raw.WebSocket, index: int, step: Json, names: Names) -> list[str]:
    if "server" in step:
        return _compare_event(index, step["server"], await _next_event(socket, names))
    client = step["client"]
    if "close" in client:
        await asyncio.sleep(SETTLE)
        late = await socket.close()
        return [f"step {index}: not expected: {late}"] if late else []
    if "text" in client:
        await socket.send(names.reveal(client["text"]))
    else:
        await socket.send(bytes.fromhex(client["hex"]))
    return []


async def _next_event(socket: raw.WebSocket, names: Names) -> Json:
    try:
        kind, value = await socket.receive()
    except TimeoutError:
        return {"silent": True}
    if kind == "broken":
        return {"client_library_error": value}
    return {kind: names.hide(value) if kind == "text" else value}  # type: ignore[arg-type]


def refusal_event(response: raw.Response) -> Json:
    """Give a refused handshake as the step of a session."""
    content_type = response.headers.get("content-type")
    return {"http_status": response.status, "content_type": content_type, "body": response.body.decode()}


def _compare_event(index: int, expected: Json | None, got: Json) -> list[str]:
    if expected is not None and "client_library_error" in expected:
        expected = {"client_library_error": got.get("client_library_error", "…")}
    if _parsed(expected) == _parsed(got):
        return []
    return [f"step {index}:\n  expected {expected}\n  got      {got}"]


def _parsed(event: Json | None) -> Any:
    """Give an event with its JSON parsed: key order and spacing of an OPEN packet are nobody's concern."""
    text = (event or {}).get("text", "")
    if not text.startswith("0{"):
        return event
    return {"open": json.loads(text[1:])}
