"""Planted faults are seen by the sanitizers, and named: so a silence of theirs about the rest means something."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.skipif(
    find_spec("fastsio.testing._planted") is None or "FASTSIO_REPORTS" not in os.environ,
    reason="this build has no sanitizers: make sanitize",
)

FAULTS = {
    "read_past_the_end(40)": "AddressSanitizer: heap-buffer-overflow",
    "read_what_was_freed(40)": "AddressSanitizer: heap-use-after-free",
    # The header of a bytes object has 32 bytes, its data end with a zero.
    "read_past_bytes(bytes(100), 101)": "AddressSanitizer: heap-buffer-overflow",
    "overflow(1)": "runtime error: signed integer overflow",
    "take_for_a_tuple([1])": "Assertion `PyTuple_Check",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.threat("T230", "T231", "T242", "T255", "T256")
def test_a_planted_fault_is_reported(fault: str) -> None:
    code = f"from fastsio.testing import _planted; _planted.{fault}"
    environment = os.environ | {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert FAULTS[fault] in done.stderr
    assert "_planted" in done.stderr  # with a place in our code


def test_what_is_no_fault_is_not_reported() -> None:
    code = "from fastsio.testing import _planted; assert _planted.read_past_bytes(b'abc', 3) == 0; assert _planted.overflow(0)"
    environment = os.environ | {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
