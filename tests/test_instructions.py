"""No operation takes more instructions than were written down; see bench/instructions.py."""

import shutil

import pytest

from bench import instructions


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind counts the instructions; it is not installed")
def test_no_operation_has_grown():
    written = instructions.written_down()
    if not written:
        pytest.skip(f"nothing is written down for {instructions.place()}")
    assert instructions.grown(instructions.count(), written) == []


def test_growth_is_seen_beyond_the_tolerance():
    before = {"echo": 1000, "ack": 1000, "gone": 1000}
    assert instructions.grown({"echo": 1049, "ack": 1051, "new": 5}, before) == [
        "ack: 1051 instructions, 1000 were written down; up to 5% more are accepted"
    ]
