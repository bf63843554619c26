"""The support desk of the examples, on python-socketio and, with its one import changed, here: equal transcripts.

May import: transcripts, live servers. Python and JavaScript clients, plain uvicorn and the command `fastsio run`.
"""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from compat.side_by_side import Stage, hold, with_deviations
from compat.transcript import Guest, Transcript
from interop.processes import install_node_clients
from wire import raw
from wire.live import TESTS

DESK = TESTS.parent / "examples" / "support_desk"
IMPORT, OURS = "\nimport socketio\n", "\nimport fastsio as socketio\n"
SETTINGS = {"DESK_WATCH_EVERY": "0.05", "DESK_API_KEY": "secret"}
KEY = {"X-Api-Key": "secret"}


async def status(transcript: Transcript, ticket_id: int, text: str, **headers: str) -> None:
    """Change a ticket over REST, as another system would."""
    body = json.dumps({"status": text}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Type": "application/json"}
    response = await raw.fetch(transcript.port, "POST", f"/api/tickets/{ticket_id}/status", named, body)
    transcript.write("rest", f"status of {ticket_id}", [response.status, json.loads(response.body)])


async def hours(transcript: Transcript) -> None:
    """A day at the desk: people who may not come in, a ticket from its opening to its end."""
    for namespace, auth in (("/", None), ("/", {"token": "nobody"}), ("/agents", {"token": "ann-token"})):
        stranger = Guest(transcript, "stranger")
        await stranger.connect(namespaces=[namespace], auth=auth)
        await stranger.leave()
    zoe, ann = Guest(transcript, "zoe"), Guest(transcript, "ann")
    await zoe.connect(namespaces=["/agents"], auth={"token": "zoe-token"})
    await zoe.settle()
    await ann.connect(transport="upgrade", auth={"token": "ann-token"})
    await ann.call("open ticket", "My parcel")
    await ann.call("say", (1, "anybody there?"))
    await ann.call("say", (9, "not mine"))
    await zoe.call("take", 1, "/agents")
    await zoe.emit("say", (1, "I am"), "/agents")
    await ann.call("say", (1, "good"))
    await zoe.call("attach", (1, "label.png", b"\x89PNG\x00\xff"), "/agents")
    await status(transcript, 1, "paid", X_Api_Key="secret")
    await zoe.settle()
    await status(transcript, 1, "paid")
    await status(transcript, 77, "paid", X_Api_Key="secret")
    await script(transcript, zoe)
    await ann.leave()
    await zoe.settle()
    tickets = await raw.fetch(transcript.port, "GET", "/api/tickets", KEY)
    transcript.write("rest", "tickets", json.loads(tickets.body))
    page = await raw.fetch(transcript.port, "GET", "/")
    transcript.write("rest", "page", [page.status, page.body.decode() == (DESK / "static" / "index.html").read_text()])
    await ann.connect(transport="polling", auth={"token": "ann-token"})
    await ann.call("say", (1, "still my ticket"))
    await ann.leave()
    await zoe.leave()


async def script(transcript: Transcript, zoe: Guest) -> None:
    """Let Bob's page run; Zoe answers it."""
    page = await asyncio.create_subprocess_exec(
        "node", "desk_page.cjs", str(transcript.port), cwd=Path(__file__).parent, stdout=asyncio.subprocess.PIPE
    )
    assert page.stdout is not None
    while (line := (await page.stdout.readline()).decode()) and line != "waiting\n":
        transcript.write("page", *json.loads(line))
    await zoe.settle()
    await zoe.call("take", 2, "/agents")
    await zoe.call("attach", (2, "plan", b"\x00\x01"), "/agents")
    await status(transcript, 2, "solved", X_Api_Key="secret")
    for line in (await page.stdout.read()).decode().splitlines():
        transcript.write("page", *json.loads(line))
    assert await page.wait() == 0
    await zoe.settle()


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Transcripts of the day, by host."""
    install_node_clients()
    theirs, ours = tmp_path_factory.mktemp("desks") / "theirs", tmp_path_factory.mktemp("desks") / "ours"
    shutil.copytree(DESK, theirs)
    shutil.copytree(DESK, ours)
    source = (DESK / "app.py").read_text()
    assert source.count(IMPORT) == 1
    (ours / "app.py").write_text(source.replace(IMPORT, OURS))
    stages = {
        "reference": Stage("asgi", "app:app", "socketio", theirs),
        "uvicorn": Stage("asgi", "app:app", folder=ours),
        "native": Stage("native", "app:app", folder=ours),
    }
    return dict(zip(stages, asyncio.run(hold(hours, *stages.values(), environment=SETTINGS)), strict=True))


def test_the_reference_says_much(said: dict[str, list[str]]) -> None:
    assert len(said["reference"]) > 50
    assert any("upgraded" in line for line in said["reference"])


@pytest.mark.parametrize("host", ["uvicorn", "native"])
def test_one_line_is_changed(said: dict[str, list[str]], host: str) -> None:
    assert said[host] == with_deviations("desk", said["reference"])
