"""The JSON functions of python-engineio: the standard module, but for integers too long to be honest.

May import: nothing.
"""

import functools
import json
from json import JSONDecodeError, dump, dumps
from typing import Any

__all__ = ["JSONDecodeError", "dump", "dumps", "load", "loads"]

MAX_INTEGER_DIGITS = 100


def _bounded_integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits; at most {MAX_INTEGER_DIGITS} are accepted")
    return int(digits)


load = functools.partial(json.load, parse_int=_bounded_integer)


def loads(*args: Any, **kwargs: Any) -> Any:
    """Read JSON; `parse_int` may still be given."""
    return json.loads(*args, **({"parse_int": _bounded_integer} | kwargs))
