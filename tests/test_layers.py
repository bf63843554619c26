"""The import table of DESIGN.md, checked: who may import, or cimport, whom."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "fastsio"
SOURCES = sorted(path for pattern in ("*.py", "*.pyx", "*.pxd") for path in ROOT.rglob(pattern))
IMPORT = re.compile(
    r"^\s*(?:from\s+(fastsio[\w.]*)\s+c?import\s+([\w, ]+|\()|c?import\s+(fastsio[\w.]*))", re.MULTILINE
)

FOR_ALL = {"errors", "options"}
FLOOR_0 = {"_bytes", "_cache", "_collector", "_dicts", "_json", "_codec", "_frames", "_head", "_http", "_mask"}
# Room (or the folder it is in) -> what it may import, beside rooms of its own folder.
MAY_IMPORT = {
    "errors": set(),
    "options": set(),
    "_bytes": set(),
    "_cache": set(),
    "_collector": set(),
    "_dicts": set(),
    "lenient": set(),
    "logs": set(),
    "telemetry": set(),
    "_json": {"_bytes", "lenient"},
    "serial": FOR_ALL | {"_json", "lenient"},
    "_codec": FOR_ALL | {"_bytes", "_json"},
    "_frames": FOR_ALL | {"_bytes"},
    "_head": {"_bytes"},
    "_http": FOR_ALL | {"_bytes", "_head"},
    "cluster": FOR_ALL | {"serial"},
    "engine": FOR_ALL | FLOOR_0,
    "hub": FOR_ALL | FLOOR_0 | {"engine", "serial"},
    "net": FOR_ALL | FLOOR_0 | {"engine", "logs"},
    "testing": FOR_ALL | FLOOR_0 | {"engine", "net", "packet"},
    "cli": {"net", "patch", "load", "doctor", "versions", "__version__"},
    "load": set(),
    "status": set(),
    "doctor": set(),
    "_build": set(),
    "versions": {"_build", "net"},
    "patch": {"fastsio"},
    "__main__": {"cli"},
}


def room_of(name: str) -> str:
    """Give the first part below the package: the folder, or the module."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(path: Path) -> set[str]:
    found = set()
    for source, names, plain in IMPORT.findall(path.read_text()):
        module = source or plain
        if module == "fastsio":
            found |= {name.strip() for name in names.split(",") if name.strip()}
        else:
            found.add(room_of(module))
    return found


def module_room(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards(path: Path):
    room = module_room(path)
    allowed = MAY_IMPORT.get(room)
    if allowed is None:
        return  # the public floor may import everything below
    assert imports(path) - allowed - {room, room_of("fastsio." + room)} <= set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_begin_with_what_they_are(path: Path):
    assert path.read_text().lstrip().startswith('"""')
