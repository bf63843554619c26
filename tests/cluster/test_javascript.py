"""JavaScript clients of both generations on fastsio nodes of a mixed cluster, spoken to from each make.

Imports processes.py beside it and the JavaScript clients of tests/interop.
"""

import asyncio
import json
from typing import Any

import pytest

from tests.cluster.processes import PATIENCE, ROOT, Client, Node
from tests.interop.processes import install_node_clients

# Every other one polls; on python-socketio none may, since binary broadcasts break polling there (defect 36).
LISTENERS = [("2.5.0", "fast-1"), ("2.5.0", "fast-2"), ("4.8.4", "ref-1"), ("4.8.4", "fast-2"), ("4.8.4", "fast-1")]


@pytest.mark.parametrize("actor", ["fast-1", "ref-2"])
async def test_both_generations_hear_both_makes(nodes: dict[str, Node], clients: dict[str, Client], actor: str):
    install_node_clients()
    targets = [f"{version}=http://127.0.0.1:{nodes[name].port}" for version, name in LISTENERS]
    program = await asyncio.create_subprocess_exec(
        "node", "tests/cluster/listen.js", *targets, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        sids = await line(program)
        speaker = clients[actor]
        await speaker.do("emit", "ev", {"text": "é 😀", "n": [1, None]})
        await speaker.do("emit", "bin", [{"x": b"\x00\xff"}, b""], as_tuple=True)
        for sid in sids[:3]:
            await speaker.do("enter_room", sid, "some")
        await speaker.do("emit", "room", None, room=["some", sids[4]], skip_sid=sids[0])
        for (version, _), sid in zip(LISTENERS, sids, strict=True):
            assert await speaker.do("call", "question", 1, to=sid, timeout=5) == {"result": ["answer", version]}
        await speaker.do("emit", "end", None)
        common = [["ev", {"text": "é 😀", "n": [1, None]}], ["bin", {"x": {"$bytes": "00ff"}}, {"$bytes": ""}]]
        assert await line(program) == [common + [["room"]] * (index in (1, 2, 4)) for index in range(5)]
        assert await asyncio.wait_for(program.wait(), PATIENCE) == 0
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()


async def line(program: asyncio.subprocess.Process) -> Any:
    assert program.stdout is not None
    return json.loads(await asyncio.wait_for(program.stdout.readline(), PATIENCE))
