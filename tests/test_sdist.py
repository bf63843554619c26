"""What is packed for others to build from is all that a build needs."""

import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
# The .c files beside these two are Cython's.
SOURCES = ("*.py", "*.pyi", "*.pyx", "*.pxd", "*.h", "_mask.c", "_sha1.c", "py.typed", "page.html")


def test_the_sdist_has_every_source(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "setup.py",
        "-q",
        "egg_info",
        "--egg-base",
        str(tmp_path),
        "sdist",
        "--dist-dir",
        str(tmp_path),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as packed:
        found = {name.partition("/")[2] for name in packed.getnames()}
    wanted = {str(path.relative_to(ROOT)) for pattern in SOURCES for path in (ROOT / "fastsio").rglob(pattern)}
    assert wanted - found == set()
