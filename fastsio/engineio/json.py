"""The JSON functions of python-engineio: the standard module, but for integers too long to be honest.

May import: nothing.
"""

import functools
import json
from json import JSONDecodeError, dump, dumps

__all__ = ["JSONDecodeError", "dump", "dumps", "load", "loads"]

MAX_INTEGER_DIGITS = 100


def _bounded_integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits; at most {MAX_INTEGER_DIGITS} are accepted")
    return int(digits)


load = functools.partial(json.load, parse_int=_bounded_integer)
loads = functools.partial(json.loads, parse_int=_bounded_integer)
