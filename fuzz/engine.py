"""Runs one target under libFuzzer, in this process: `python -m fuzz.engine TARGET [libFuzzer's options] CORPUS`.

May import: `targets`, atheris. The runtime of the sanitizers must have been loaded before Python (`fuzz.__main__` does it).
"""

import logging
import sys

import atheris

from fuzz.targets import TARGETS


def main() -> None:
    name, *options = sys.argv[1:]
    logging.getLogger("uvicorn.error").disabled = True  # a line for each request that is none
    # What is written in Python is counted too; the compiled modules have counters of their own.
    with atheris.instrument_imports(include=["fastsio"], enable_loader_override=False):
        function = TARGETS[name].function
    atheris.Setup([sys.argv[0], *options], function)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
