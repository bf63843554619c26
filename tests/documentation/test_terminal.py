"""What the documentation types into a terminal exists: commands of `fastsio` parse, targets of make are there."""

import re
import shlex
import tomllib

import pytest

from documentation.blocks import BLOCKS, ROOT
from fastsio import cli

LINES = [
    (f"{block.page}:{block.line}", line.strip())
    for block in BLOCKS
    if block.language == ""
    for line in re.sub(r"\\\n\s*", "", block.text).splitlines()
]
FASTSIO = [(place, line) for place, line in LINES if re.match(r"(python -m )?fastsio ", line)]
MAKE = [(place, line) for place, line in LINES if line.startswith("make ")]
PIP = [(f"{block.page}:{block.line}", block.text) for block in BLOCKS]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
PLACEHOLDERS = {"URL": "http://127.0.0.1:5001", "N": "1"}


def test_there_are_lines() -> None:
    assert len(FASTSIO) > 10
    assert len(MAKE) > 2


@pytest.mark.parametrize(("place", "line"), FASTSIO)
def test_commands_of_fastsio_parse(place: str, line: str) -> None:
    words = [PLACEHOLDERS.get(word, word) for word in shlex.split(line, comments=True)]
    words = words[words.index("fastsio") + 1 :]
    parsed = cli._parser().parse_args(words)
    assert parsed.command or words == ["--version"], place


@pytest.mark.parametrize(("place", "line"), MAKE)
def test_targets_of_make_are_there(place: str, line: str) -> None:
    target = next(word for word in shlex.split(line, comments=True)[1:] if "=" not in word)
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), place


EXTRA = re.compile(r"(?:fastsio-engine|/path/to/the/clone)\[([\w-]+)\]")


def test_extras_are_there() -> None:
    named = {extra for _, text in PIP for extra in EXTRA.findall(text)}
    for page in (ROOT / "docs").rglob("*.md"):
        named |= set(EXTRA.findall(page.read_text()))
    assert named
    assert named <= set(EXTRAS)
