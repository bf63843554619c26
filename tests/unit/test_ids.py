"""Ids of sessions and members: nobody has the id of another, in whatever thread or process it was made."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from fastsio.engine._ids import generate_sid
from fastsio.engineio.base_server import BaseServer

# The ids that one draw of random bytes is enough for, and some more.
MANY = 200


def _ids(count: int) -> list[str]:
    return [generate_sid() for _ in range(count)]


@pytest.mark.threat("T053")
def test_every_id_is_another_and_of_the_same_form() -> None:
    ids = _ids(10_000)
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[\w-]{20}", one, re.ASCII) for one in ids)


@pytest.mark.threat("T053")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_gives_none_of_its_parents_ids() -> None:
    generate_sid()  # bytes have been drawn, and most are left
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, "\n".join(_ids(MANY)).encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        theirs = pipe.read().split("\n")
    os.waitpid(child, 0)
    ours = _ids(MANY)
    assert len(theirs) == MANY
    assert len({*theirs, *ours}) == 2 * MANY


@pytest.mark.threat("T053")
def test_threads_share_no_ids() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [one for some in pool.map(_ids, [5_000] * 4) for one in some]
    assert len(set(made)) == len(made)


def test_generate_id_gives_such_ids() -> None:
    assert re.fullmatch(r"[\w-]{20}", BaseServer().generate_id(), re.ASCII)


def test_generate_id_may_be_replaced_at_any_time_and_on_any_level(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(BaseServer):
        def generate_id(self) -> str:
            return "own"

    server, own = BaseServer(), Own()
    make, make_own = server._registry.new_sid, own._registry.new_sid
    assert len(make()) == 20 and make_own() == "own"
    monkeypatch.setattr(server, "generate_id", lambda: "assigned")
    assert make() == "assigned"
    monkeypatch.undo()
    assert len(make()) == 20
    monkeypatch.setattr(BaseServer, "generate_id", lambda self: "patched")
    assert make() == BaseServer()._registry.new_sid() == "patched" and make_own() == "own"


def test_an_id_that_is_no_text_is_refused_where_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    server = BaseServer()
    monkeypatch.setattr(server, "generate_id", lambda: None)
    with pytest.raises(TypeError, match="gave None; an id is a str"):
        server._registry.new_sid()
