"""Values to JSON and back, with the semantics of the standard module where applications rely on them."""

import math
from collections import OrderedDict, namedtuple
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import pytest

from fastsio.packet import packet_class_for
from fastsio.serial import CustomJson, Json, MsgPack

Point = namedtuple("Point", "x y")


class Level(IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a", 1, None, True, {"b": [1.5]}], '["a",1,null,true,{"b":[1.5]}]'),
        (2**70, "1180591620717411303424"),
        ({1: "a", 1.5: "b", True: "c", None: "d"}, '{"1":"c","1.5":"b","null":"d"}'),
        ({True: 1}, '{"true":1}'),
        (OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        ([Point(1, 2)], "[[1,2]]"),
        ([Level.HIGH], "[3]"),
        ([math.nan, math.inf, -math.inf], "[null,null,null]"),
        ({1: [math.nan]}, '{"1":[null]}'),
        ("\ud800", '"\\ud800"'),
        (1e22, "1e+22"),
    ],
)
def test_written(value: Any, text: str) -> None:
    written, attachments = Json().encode(value)
    assert written.decode() == text
    assert not attachments


def test_binary_values_leave_placeholders_in_depth_first_order() -> None:
    value = {"a": [b"0", {"b": bytearray(b"1")}], "c": (b"2",), 2**70: b"3"}
    text, attachments = Json().encode(value)
    assert attachments == [b"0", b"1", b"2", b"3"]
    assert text.decode().count("_placeholder") == 4


@pytest.mark.parametrize("value", [object(), {1, 2}, [object()], {"a": memoryview(b"")}])
def test_what_is_not_json_is_the_callers_error(value: Any) -> None:
    with pytest.raises(TypeError):
        Json().encode(value)


@pytest.mark.threat("T178", "T248")
def test_a_value_that_holds_itself_is_an_error() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises((ValueError, RecursionError, TypeError)):
        Json().encode(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'["a",1.5,null]', ["a", 1.5, None]),
        (b"[1180591620717411303424]", [2**70]),
        (b"[Infinity]", [math.inf]),
        (b'["\\ud800"]', ["\ufffd"]),
        (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
        (b'{"a":1,"a":2}', {"a": 2}),
    ],
)
def test_read(text: bytes, value: Any) -> None:
    assert Json().decode(text) == value


NOT_JSON = [b"", b"[", b"['a']", b"[1,]", b"nul", b"[" * 100_000, b"[" * 100_000 + b'"\\ud800"' + b"]" * 100_000]
NOT_JSON += ["\ufeff[]".encode(), "[1]".encode("utf-16-le"), "[1]".encode("utf-32"), b"\x000"]


@pytest.mark.parametrize("text", NOT_JSON)
@pytest.mark.threat("T167", "T171")
def test_what_is_not_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):
        Json().decode(text)


def test_a_module_is_called_as_python_socketio_calls_it() -> None:
    calls: list[Any] = []

    class Module:
        @staticmethod
        def dumps(value: Any, **kwargs: Any) -> str:
            calls.append(kwargs)
            return "[]"

        @staticmethod
        def loads(text: Any) -> Any:
            return ["read", text]

    assert CustomJson(Module).encode(["a"]) == (b"[]", [])
    assert calls == [{"separators": (",", ":")}]
    assert CustomJson(Module).decode(b"x") == ["read", "x"]


class TestMsgPack:
    def test_data_that_are_not_there_have_no_key(self) -> None:
        assert MsgPack().decode(MsgPack().encode(1, "/", None, None)) == {"type": 1, "nsp": "/"}

    def test_the_extensions_of_the_javascript_library(self) -> None:
        undefined = bytes.fromhex("83a47479706500a464617461d40000a36e7370a12f")
        assert MsgPack().decode(undefined)["data"] is None
        date = bytes.fromhex("83a47479706502a46461746192a164d7000000018bcfe5687ba36e7370a12f")
        assert MsgPack().decode(date)["data"][1] == datetime.fromtimestamp(1700000000.123, UTC)

    @pytest.mark.parametrize(
        "data", [b"", b"\x93", b"\x01", b"\x81\xa1a\x01\x02", b"\x81\x90\x01", b"\xd7\x00" + b"\x7f" * 8]
    )
    def test_what_is_not_one_map_is_a_value_error(self, data: bytes) -> None:
        with pytest.raises(ValueError):
            MsgPack().decode(data)


def test_an_unknown_serializer_is_refused() -> None:
    with pytest.raises(ValueError, match="pickle"):
        packet_class_for("pickle")
