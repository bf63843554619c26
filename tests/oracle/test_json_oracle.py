"""JSON as it is read in place, and lists of texts as they are written, against the standard module.

May import: `serial`, the public server (for its hub). Types count: 1, 1.0 and True are three values.
"""

import json
import random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import fastsio
from fastsio.serial import Json

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
decimals = st.builds(lambda digits, places: digits / 10**places, st.integers(-(10**16), 10**16), st.integers(0, 18))
scalars = st.none() | st.booleans() | numbers | decimals | texts
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5), max_leaves=20
)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r ")])
MARKS = b'[]{},:"\\0123456789eE.+- \t\n\x00\x1f\x7f\x80\xff/untfalserb'
# Everything here has once been, or might be, taken for what it is not.
ODD = [
    b"-0",
    b"-0.0",
    b"01",
    b"-01",
    b"1.",
    b".5",
    b"-",
    b"1e5",
    b"1E+5",
    b"1.5e-7",
    b"1e",
    b"1.e1",
    b"+1",
    b"0x1",
    b"--1",
]
ODD += [
    b"123456789012345678",
    b"1234567890123456789",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"0.1",
    b"00.1",
]
ODD += [b"123456789012345.6", b"99999999999999.9", b"0.000000000000001", b"0.30000000000000004", b"9007199254740993.0"]
ODD += [b"1.7976931348623157e308", b"5e-324", b"1" * 400, b"0." + b"1" * 400, b"tru", b"truex", b"nulll", b"true false"]
ODD += [
    b'"',
    b'"\\',
    b'"\\"',
    b'"a\nb"',
    b'"\\x"',
    b'"\\u12"',
    b'"a\\u00e9\xc3\xa9"',
    b'"\xc3"',
    b'"\xed\xa0\x80"',
    b'"\x7f"',
]
ODD += [
    b"[",
    b"[1",
    b"[1,",
    b"[1,]",
    b"[,1]",
    b"[1 2]",
    b"[]]",
    b"{",
    b'{"a"',
    b'{"a":',
    b'{"a":1',
    b'{"a":1,',
    b"{1:2}",
]
ODD += [
    b'{"a":1,}',
    b'{"a" 1}',
    b'{"a":1 "b":2}',
    b"{}{}",
    b"",
    b" ",
    b" 1 ",
    b"\n[ ]\t",
    b"[1]\x00",
    b"\x00[1]",
    b"\xef\xbb\xbf[]",
]
ODD += [b"[" * 64 + b"]" * 64, b"[" * 65 + b"]" * 65, b'{"a":' * 70 + b"1" + b"}" * 70, b'{"a":1,"a":2,"b":3}']


def outcome(data: bytes) -> Any:
    try:
        return repr(Json().decode(data))
    except ValueError:
        return "refused"


def expected(data: bytes) -> Any:
    try:
        return repr(
            json.loads(
                data.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            )
        )
    except (ValueError, RecursionError):
        return "refused"


@given(documents, separators, st.booleans())
def test_documents_are_read_as_they_were_meant(value: Any, marks: tuple[str, str], is_ascii: bool) -> None:
    data = json.dumps(value, separators=marks, ensure_ascii=is_ascii).encode()
    assert outcome(data) == repr(value)


@pytest.mark.parametrize("data", ODD)
def test_what_looks_odd_is_read_or_refused_as_by_the_standard_module(data: bytes) -> None:
    wrapped = (data, b"[" + data + b"]", b'{"key":' + data + b"}", b'["event",' + data + b"]")
    for text in wrapped:
        if len(data) < 400 or b"." in data:  # else an integer that is refused for its length
            assert outcome(text) == expected(text), text


@given(
    documents, separators, st.lists(st.tuples(st.integers(0), st.sampled_from(MARKS), st.integers(0, 2)), max_size=3)
)
@example(["a", 1], (",", ":"), [])
def test_damaged_documents_are_read_or_refused_as_by_the_standard_module(
    value: Any, marks: tuple[str, str], damage: list[tuple[int, int, int]]
) -> None:
    data = bytearray(json.dumps(value, separators=marks, ensure_ascii=False).encode())
    for place, mark, kind in damage:
        at = place % (len(data) + 1)
        data[at : at + (kind != 1)] = bytes([mark] if kind else [])
    if b"\\u" not in data and b"\xed" not in data:
        assert outcome(bytes(data)) == expected(bytes(data))


MARKED = ['"', "\\", "\n", "\x1f", "\x7f", " ", "!", "#", "[", "]", "\x80", "é", "€", "\U0001f600", "~"]


@pytest.mark.parametrize("mark", MARKED)
def test_a_mark_is_seen_wherever_it_stands(mark: str) -> None:
    hub = fastsio.AsyncServer(async_mode="asgi")._hub
    for size in (*range(150), 255, 256, 257, 300, 383, 400):
        for at in {*range(0, size, 7), max(0, size - 17), max(0, size - 1), size}:
            value = ["event", "x" * at + mark + "y" * (size - at)]
            text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
            assert Json().decode(text.encode()) == value
            written = hub.encode(2, "/", None, value).events(4, False)[0]["text"]
            assert json.loads(written.removeprefix("42")) == value


@given(st.lists(texts | st.text(max_size=40) | st.integers(), max_size=5))
@example([])
@example([""])
@example(["", ""])
def test_lists_of_texts_are_written_as_by_the_library(value: list[Any]) -> None:
    hub = fastsio.AsyncServer(async_mode="asgi")._hub
    try:
        plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode().decode()
    except UnicodeEncodeError:
        return
    written = hub.encode(3, "/ns", 7, value).events(4, False)[0]["text"]
    assert json.loads(written.removeprefix("43/ns,7")) == value
    if plain.isascii() and "\\" not in plain and "\x7f" not in plain:
        assert written == "43/ns,7" + plain


def test_a_text_that_only_says_it_is_one_is_not_written_in_place() -> None:
    class Shout(str):
        __slots__ = ()

    hub = fastsio.AsyncServer(async_mode="asgi")._hub
    assert hub.encode(2, "/", None, ["a", Shout("b")]).events(4, False)[0]["text"] == '42["a","b"]'


def test_remembered_keys_push_each_other_out_and_stay_right() -> None:
    chance = random.Random(1)
    keys = [f"key{number}" for number in range(5000)] + ["x" * size for size in range(40)]
    for _ in range(3):
        chance.shuffle(keys)
        value = ["event", dict.fromkeys(keys, 1)]
        assert Json().decode(json.dumps(value).encode()) == value
