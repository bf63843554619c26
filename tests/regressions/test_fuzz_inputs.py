"""Every target of the fuzzers, without a fuzzer: seeds, findings, and a second of seeds that were changed at random.

The changes are the same on every run; FASTSIO_FUZZ_SEED gives others, FASTSIO_FUZZ_SECONDS more.
"""

import os
import random
import time
from pathlib import Path

import pytest

from fuzz.targets import TARGETS

HERE = Path(__file__).parent
SEED = int(os.environ.get("FASTSIO_FUZZ_SEED", "1"))
SECONDS = float(os.environ.get("FASTSIO_FUZZ_SECONDS", "1"))
FINDINGS = sorted(
    path for path in HERE.rglob("*") if path.parent != HERE and path.is_file() and path.parent.name in TARGETS
)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.threat("T231")
def test_seeds(name: str) -> None:
    seeds = TARGETS[name].seeds()
    assert seeds
    for seed in seeds:
        TARGETS[name].function(seed)


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_findings(path: Path) -> None:
    TARGETS[path.parent.name].function(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.threat(
    "T002",
    "T007",
    "T034",
    "T046",
    "T077",
    "T080",
    "T082",
    "T086",
    "T126",
    "T127",
    "T135",
    "T156",
    "T162",
    "T167",
    "T172",
    "T210",
    "T231",
    "T232",
    "T242",
)
def test_changed_seeds(name: str) -> None:
    target, chance = TARGETS[name], random.Random(f"{name} {SEED}")
    seeds, end = target.seeds(), time.monotonic() + SECONDS
    while time.monotonic() < end:
        data = changed(chance, seeds, target.words)
        try:
            target.function(data[: target.max_length])
        except Exception as error:
            pytest.fail(f"{name}: {data!r} (FASTSIO_FUZZ_SEED={SEED}): {error!r}")


def changed(chance: random.Random, seeds: list[bytes], words: list[str]) -> bytes:
    """Put bytes, words and parts of other seeds into a seed, and take parts away."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(data))
        kind = chance.randrange(4)
        if kind == 0:
            data[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(1, 3))
        elif kind == 1:
            del data[at : at + chance.randint(1, 20)]
        elif kind == 2 and words:
            data[at:at] = chance.choice(words).encode("latin-1")
        else:
            other = chance.choice(seeds)
            start = chance.randint(0, len(other))
            data[at:at] = other[start : start + chance.randint(1, 40)]
    return bytes(data)


def test_folders_are_named_after_targets() -> None:
    folders = {path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= set(TARGETS)
