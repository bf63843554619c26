"""Pages of the site that stand elsewhere in the repository, and links between both, which GitHub shows as they are.

May import: mkdocs. Never changes a file.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
# Page of the site -> file of the repository.
ELSEWHERE = {
    "design.md": "DESIGN.md",
    "security.md": "SECURITY.md",
    "changes.md": "CHANGES.md",
    "contributing.md": "CONTRIBUTING.md",
    "bench.md": "bench/README.md",
}
PAGES = {file: page for page, file in ELSEWHERE.items()} | {"README.md": "index.md"}
LINK = re.compile(r"(!?)\[([^\]]+)\]\(([^)\s]+)\)")


def on_files(files: Files, config: Any) -> Files:
    for page, file in ELSEWHERE.items():
        files.append(File.generated(config, page, content=(ROOT / file).read_text()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    here = page.file.src_uri
    source = ELSEWHERE.get(here, f"docs/{here}")

    def relink(found: "re.Match[str]") -> str:
        is_picture, text, target = found[1], found[2], found[3]
        if re.match(r"\w+:|#", target):
            return found[0]
        path, _, anchor = target.partition("#")
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        on_site = PAGES.get(wanted, wanted.removeprefix("docs/") if wanted.startswith("docs/") else None)
        if on_site is None or wanted == "README.md":
            return text  # a file of the repository that is no page
        link = posixpath.relpath(on_site, posixpath.dirname(here) or ".")
        return f"{is_picture}[{text}]({link}{'#' + anchor if anchor else ''})"

    return LINK.sub(relink, markdown)
