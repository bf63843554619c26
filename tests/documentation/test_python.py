"""Every Python block of the documentation is run.

A block whose first line is `# name.py` is that file: all files of a page lie in one folder, are imported, and those named
`test_*.py` are handed to pytest. The other blocks of a page are one program, run from top to bottom, with the names that the
page's readers have already (`stage.py`).
"""

import ast
import asyncio
import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from documentation.blocks import BLOCKS, ROOT, Block
from documentation.stage import NOT_RUN, Stage

PYTHON = [block for block in BLOCKS if block.language == "python"]
WITH_FILES = sorted({block.page for block in PYTHON if block.file})
LOOSE = sorted({block.page for block in PYTHON if not block.file} - set(NOT_RUN))


def test_there_are_blocks() -> None:
    assert len(PYTHON) > 25
    assert set(NOT_RUN) <= {block.page for block in PYTHON}


@pytest.mark.parametrize("page", WITH_FILES)
def test_files_of_a_page_work(page: str, tmp_path: Path) -> None:
    files = {block.file: block.text for block in PYTHON if block.page == page and block.file}
    for name, text in files.items():
        (tmp_path / str(name)).write_text(text)
    (tmp_path / "page.html").write_text("<!doctype html>")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    modules = [str(name)[:-3] for name in files if not str(name).startswith("test_")]
    runs = [[sys.executable, "-c", f"import {', '.join(modules)}"]]
    if any(str(name).startswith("test_") for name in files):
        runs.append([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)])
    for command in runs:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", LOOSE)
async def test_what_stands_alone_runs(page: str) -> None:
    async with Stage() as stage:
        for block in PYTHON:
            if block.page == page and not block.file:
                await run(block, stage.names)


async def run(block: Block, names: dict[str, Any]) -> None:
    """Run a block, which may await, with line numbers of its page."""
    source = "\n" * (block.line - 1) + block.text
    code = compile(source, block.page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert isinstance(code, CodeType)
    outcome = eval(code, names)
    if inspect.iscoroutine(outcome):
        await asyncio.wait_for(outcome, 10)
