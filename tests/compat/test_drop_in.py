"""Applications for python-socketio, served by python-socketio and by this server: the transcripts are equal.

May import: the conversations. Under an ASGI server the reference is python-socketio in the same process host; the
frameworks with servers of their own are their own reference.
"""

import asyncio

import pytest

from compat import conversations, site_conversations
from compat.side_by_side import Script, Stage, all_of, hold, with_deviations
from deviations.applications import APPLICATIONS, RULES

SCRIPTS: dict[str, Script] = {
    "rooms": conversations.rooms,
    "fiddle": conversations.fiddle,
    "classes": conversations.classes,
    "board": conversations.board,
    "litestar": conversations.litestar,
    "engine": site_conversations.engine,
}
FRAMEWORKS = ("aiohttp", "sanic", "tornado")
WITH_RULES = ("rooms", "classes")
Said = dict[str, dict[str, list[str]]]


def stages(name: str) -> dict[str, Stage]:
    """Give where a conversation is held: first the reference, then our hosts."""
    if name in FRAMEWORKS:
        app = f"compat.app_frameworks {name}"
        return {"reference": Stage("module", app, "socketio"), "framework": Stage("module", app)}
    app = f"compat.app_{name}:app"
    return {"reference": Stage("asgi", app, "socketio"), "uvicorn": Stage("asgi", app), "native": Stage("native", app)}


CASES = [(name, host) for name in (*SCRIPTS, *FRAMEWORKS) for host in stages(name) if host != "reference"]


@pytest.fixture(scope="module")
def said(request: pytest.FixtureRequest) -> Said:
    """Transcripts, by conversation and host: of all conversations that the selected tests ask for, held at once."""
    specs = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    names = {spec.params["name"] for spec in specs if spec is not None} | set(WITH_RULES)
    return asyncio.run(hold_all([name for name in (*SCRIPTS, *FRAMEWORKS) if name in names]))


async def hold_all(names: list[str]) -> Said:
    few = asyncio.Semaphore(2)

    async def one(name: str) -> dict[str, list[str]]:
        async with few:
            lines = await hold(SCRIPTS.get(name, site_conversations.site), *stages(name).values())
        return dict(zip(stages(name), lines, strict=True))

    return dict(zip(names, await all_of(*map(one, names)), strict=True))


@pytest.mark.parametrize(("name", "host"), CASES)
def test_same_transcript(said: Said, name: str, host: str):
    lines = said[name]
    assert lines[host] == with_deviations(name, lines["reference"])


@pytest.mark.parametrize("name", [*SCRIPTS, *FRAMEWORKS])
def test_the_reference_says_much(said: Said, name: str):
    """A conversation that says nothing would be equal everywhere, and a deviation that is none would go unseen."""
    lines = said[name]["reference"]
    assert len(lines) > 20
    for conversation, line in APPLICATIONS:
        assert conversation != name or line in lines


def test_rules_have_cases(said: Said):
    lines = [line for name in WITH_RULES for line in said[name]["reference"]]
    for rule in RULES:
        assert any(rule(line) != line for line in lines)
