"""Where the transcript differs from python-socketio's on purpose: the lines that change, what they become, and why.

May import: nothing. An entry whose line does not occur fails, and so does a difference without an entry.
"""

from collections.abc import Callable

HELD_BACK = "What a connect handler emits to its own client is held until CONNECT has been written."


def vary(line: str) -> str:
    """Caches must not give one origin's answer to another, so `Vary: Origin` goes with each echoed origin."""
    if '"access-control-allow-origin"' not in line:
        return line
    head, mark, body = line.partition("}, ")
    return f'{head}, "vary": "Origin"{mark}{body}'


RULES: dict[Callable[[str], str], str] = {vary: str(vary.__doc__)}

# (conversation, line of python-socketio) -> (the lines here, reason)
DEVIATIONS: dict[tuple[str, str], tuple[list[str], str]] = {}

PUT = "http PUT /socket.io/?EIO=4&transport=polling "
CORS = '{"access-control-allow-credentials": "true", "content-type": '
DEVIATIONS["rooms", f'{PUT}[405, {CORS}"text/plain"}}, "Method Not Found"]'] = (
    [PUT + f'[400, {CORS}"application/json"}}, ' + r'"{\"code\":2,\"message\":\"Bad handshake method\"}"]'],
    "The official suites expect 400 for any other method without a session.",
)


def comes_first(conversation: str, line: str, others: str) -> None:
    """Enter that a client hears `line` before `others`, and not after it."""
    DEVIATIONS[conversation, others] = ([line, others], HELD_BACK)
    DEVIATIONS[conversation, line] = ([], HELD_BACK)


comes_first("rooms", 'ann connected / []', 'ann got my response [{"data": "Connected", "from": "ann"}]')
comes_first("rooms", 'bob connected / []', 'bob got my response [{"data": "Connected", "from": "bob"}]')
comes_first("rooms", 'cat connected / []', 'cat got my response [{"data": "Connected", "from": "cat"}]')
comes_first("fiddle", 'ann connected / []', 'ann got hello [1, 2, {"auth": {"token": "abc"}, "hello": "you"}]')
comes_first("fiddle", 'bob connected / []', 'bob got hello [1, 2, {"auth": null, "hello": "you"}]')
for guest in ("ann", "bob"):
    comes_first("board", f"{guest} connected / []", f'{guest} got notice [{{"number": 0, "text": "welcome"}}]')
for guest, auth in (("ann", '{"token": "abc"}'), ("bob", "null"), ("cat", "null")):
    comes_first("litestar", f"{guest} connected / []", f'{guest} got hello [1, 2, {{"auth": {auth}, "hello": "you"}}]')
for guest in ("ann", "bob", "cat"):
    for framework in ("aiohttp", "sanic", "tornado"):
        hello = f'{{"auth": {{"token": "{guest}"}}, "hello": "{guest}"}}'
        comes_first(framework, f"{guest} connected / []", f"{guest} got hello [1, 2, {hello}]")
comes_first("desk", "zoe connected /agents []", "zoe got tickets [[]]")
