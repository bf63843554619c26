"""XOR masking: every kernel, every short length, every alignment, against the definition.

May import: `_frames`. Never measures time.
"""

import pytest

from fastsio import _frames

KEY = b"\x01\x80\xff\x5a"
PLAIN = bytes((i * 131 + 7) & 0xFF for i in range(400))
XORED = bytes(byte ^ KEY[i % 4] for i, byte in enumerate(PLAIN))
KERNELS = {"auto": 0, "portable": 1, "sse2": 2, "avx2": 3}


def mask_or_skip(data: bytearray, start: int, kernel: int) -> None:
    try:
        _frames.mask_in_place(data, KEY, start, kernel)
    except ValueError as error:
        if "kernel" not in str(error):
            raise
        pytest.skip("this machine lacks the kernel")


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS.keys())
def test_every_length_and_offset_T241(kernel: int) -> None:
    for offset in range(64):
        for size in range(301):
            data = bytearray(b"\xa5" * offset + PLAIN[:size])
            mask_or_skip(data, offset, kernel)
            assert data == b"\xa5" * offset + XORED[:size], (offset, size)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 63, 64, 65, 1000, 65_536, 1_000_003])
def test_masking_twice_gives_the_original(size: int) -> None:
    data = (PLAIN * (size // 400 + 1))[:size]
    assert _frames.mask(_frames.mask(data, KEY), KEY) == data


def test_key_zero_changes_nothing_T134() -> None:
    assert _frames.mask(PLAIN, bytes(4)) == PLAIN


def test_mask_leaves_its_argument_alone_T243() -> None:
    data = bytes(PLAIN)
    _frames.mask(data, KEY)
    assert data == PLAIN


@pytest.mark.parametrize("key", [b"", b"abc", b"abcde"])
def test_a_key_has_four_bytes(key: bytes) -> None:
    with pytest.raises(ValueError, match="4 bytes"):
        _frames.mask(b"data", key)


@pytest.mark.parametrize("start", [-1, 5])
def test_start_lies_inside(start: int) -> None:
    with pytest.raises(ValueError, match="inside"):
        _frames.mask_in_place(bytearray(4), KEY, start)


@pytest.mark.parametrize("kernel", [-1, 4, 99])
def test_an_unknown_kernel_is_refused_and_touches_nothing(kernel: int) -> None:
    data = bytearray(PLAIN)
    with pytest.raises(ValueError, match="kernel"):
        _frames.mask_in_place(data, KEY, 0, kernel)
    assert data == PLAIN
