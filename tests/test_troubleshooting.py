"""docs/troubleshooting.md names texts that exist: what stands there as ours is in the source."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
SOURCE = "\n".join(path.read_text() for pattern in ("*.py", "*.pyx") for path in (ROOT / "fastsio").rglob(pattern))
# What browsers and other servers say.
THEIRS = ("xhr poll error", "websocket error", "connect_error", "has been blocked by CORS policy", "Session ID unknown")
SHORTEST = 10


def texts() -> list[str]:
    """Give every text of the first columns."""
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith(("| `", "| HTTP"))]
    return [text for row in rows for text in re.findall(r"`([^`]+)`", row) if not text.startswith(THEIRS)]


@pytest.mark.parametrize("text", texts())
def test_a_text_is_in_the_source(text: str) -> None:
    pieces = re.split(r"\.\.\.|\d[\d.,]* ?s?\b|\(|\)|/socket.io/", text)
    pieces = [piece.strip(" .`") for piece in pieces if len(piece.strip(" .`")) >= SHORTEST]
    if text.startswith(("Task exception", "transport close", "/socket.io/")):
        pytest.skip("asyncio's, or a word")
    for piece in pieces:
        assert piece in SOURCE, piece


def test_there_are_texts() -> None:
    assert len(texts()) >= 30
