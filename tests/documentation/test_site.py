"""The site has every page, and pictures are what their script draws. `make docs` builds it, warnings being errors."""

import importlib.util
import re
from pathlib import Path

import pytest

from documentation.blocks import ROOT

DOCS = ROOT / "docs"


def load(path: Path) -> object:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_navigation() -> None:
    named = set(re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert pages <= named
    pytest.importorskip("mkdocs")
    elsewhere = load(DOCS / "hooks.py").ELSEWHERE  # type: ignore[attr-defined]
    assert named == pages | set(elsewhere)


def test_pictures_are_what_is_drawn() -> None:
    pictures = load(DOCS / "pictures" / "draw.py").PICTURES  # type: ignore[attr-defined]
    assert pictures
    for name, text in pictures.items():
        assert (DOCS / "pictures" / name).read_text() == text, f"{name}: run python docs/pictures/draw.py"


def test_links_lead_somewhere() -> None:
    """On GitHub, where pages are read as they are."""
    lost = []
    for page in [
        *DOCS.rglob("*.md"),
        *ROOT.glob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        ROOT / "bench" / "README.md",
    ]:
        if "node_modules" in page.parts:
            continue
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", text):
            if not re.match(r"\w+:", target) and not (page.parent / target).exists():
                lost.append(f"{page.relative_to(ROOT)}: {target}")
    assert lost == []
