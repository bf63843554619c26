"""The code blocks of the documentation."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "bench" / "README.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCE = re.compile(r"^( *)```([\w-]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# ([\w/]+\.py)\n")


@dataclass(frozen=True)
class Block:
    """One block between fences.

    Attributes:
        page: where it stands, from the top of the repository.
        line: of the page, counted from 1, where its text begins.
        language: what the fence says, "" for a terminal.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that it is, when its first line says so."""
        found = FILE.match(self.text)
        return found[1] if found else None


def blocks_of(path: Path) -> list[Block]:
    text = path.read_text()
    page = str(path.relative_to(ROOT))
    return [
        Block(
            page,
            text.count("\n", 0, found.start(3)) + 1,
            found[2],
            re.sub(f"^{found[1]}", "", found[3], flags=re.MULTILINE),
        )
        for found in FENCE.finditer(text)
    ]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
