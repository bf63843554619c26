"""Lines of the example applications' transcripts that differ on purpose: (conversation, line) -> the lines here.

May import: the shape. An entry whose line does not occur fails, and so does a difference without an entry.
"""

from deviations import Deviation, Rule
from deviations.decisions import HELD_BACK, SUITE_METHOD


def vary(line: str) -> str:
    """Caches must not give one origin's answer to another, so `Vary: Origin` goes with each echoed origin."""
    if '"access-control-allow-origin"' not in line:
        return line
    head, mark, body = line.partition("}, ")
    return f'{head}, "vary": "Origin"{mark}{body}'


RULES: dict[Rule, str] = {vary: str(vary.__doc__)}

APPLICATIONS: dict[tuple[str, str], Deviation] = {}

PUT = "http PUT /socket.io/?EIO=4&transport=polling "
CORS = '{"access-control-allow-credentials": "true", "content-type": '
APPLICATIONS["rooms", f'{PUT}[405, {CORS}"text/plain"}}, "Method Not Found"]'] = Deviation(
    [PUT + f'[400, {CORS}"application/json"}}, ' + r'"{\"code\":2,\"message\":\"Bad handshake method\"}"]'],
    SUITE_METHOD,
)


def comes_first(conversation: str, line: str, others: str) -> None:
    """Enter that a client hears `line` before `others`, and not after it."""
    APPLICATIONS[conversation, others] = Deviation([line, others], HELD_BACK)
    APPLICATIONS[conversation, line] = Deviation([], HELD_BACK)


comes_first("rooms", "ann connected / []", 'ann got my response [{"data": "Connected", "from": "ann"}]')
comes_first("rooms", "bob connected / []", 'bob got my response [{"data": "Connected", "from": "bob"}]')
comes_first("rooms", "cat connected / []", 'cat got my response [{"data": "Connected", "from": "cat"}]')
comes_first("fiddle", "ann connected / []", 'ann got hello [1, 2, {"auth": {"token": "abc"}, "hello": "you"}]')
comes_first("fiddle", "bob connected / []", 'bob got hello [1, 2, {"auth": null, "hello": "you"}]')
for guest in ("ann", "bob"):
    comes_first("board", f"{guest} connected / []", f'{guest} got notice [{{"number": 0, "text": "welcome"}}]')
for guest, auth in (("ann", '{"token": "abc"}'), ("bob", "null"), ("cat", "null")):
    comes_first("litestar", f"{guest} connected / []", f'{guest} got hello [1, 2, {{"auth": {auth}, "hello": "you"}}]')
for guest in ("ann", "bob", "cat"):
    for framework in ("aiohttp", "sanic", "tornado"):
        hello = f'{{"auth": {{"token": "{guest}"}}, "hello": "{guest}"}}'
        comes_first(framework, f"{guest} connected / []", f"{guest} got hello [1, 2, {hello}]")
comes_first("desk", "zoe connected /agents []", "zoe got tickets [[]]")
