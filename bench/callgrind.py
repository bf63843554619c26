"""Reads what callgrind has counted: instructions of each function, by itself and with all that it calls.

May import: nothing.
"""

import re
from collections import Counter
from pathlib import Path

_RECURSION = re.compile(r"'\d+$")
_NAME = re.compile(r"\((\d+)\)(?: (.*))?$")


class Profile:
    """The counts of one file."""

    def __init__(self, path: Path) -> None:
        self.calls: Counter[str] = Counter()
        self.inclusive: Counter[str] = Counter()  # what callers paid for it, recursion counted again
        self.total = 0
        self._names: dict[str, str] = {}
        self._read(path)

    def _read(self, path: Path) -> None:
        callee, pending = "", 0
        for line in path.read_text().splitlines():
            if line.startswith("fn="):
                self._name(line[3:])
            elif line.startswith("cfn="):
                callee = self._name(line[4:])
            elif line.startswith("calls="):
                pending = int(line[6:].split()[0])
            elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
                cost = int(line.split()[1])
                if pending:
                    self.calls[callee] += pending
                    self.inclusive[callee] += cost
                    pending = 0
                else:
                    self.total += cost

    def _name(self, text: str) -> str:
        """Names stand in full where they come first, and as a number from then on."""
        found = _NAME.match(text)
        if found is None:
            return _RECURSION.sub("", text)
        if found[2]:
            self._names[found[1]] = found[2]
        return _RECURSION.sub("", self._names[found[1]])

    def find(self, ending: str) -> str:
        """Give the name of the one function whose name ends like this; of several, the one that is called most."""
        names = [name for name in self.calls if name.split("[")[0].strip().endswith(ending)]
        return max(names, key=lambda name: self.calls[name], default="")

    def of(self, *endings: str) -> int:
        """Give the instructions of functions and of what they call."""
        return sum(self.inclusive[self.find(ending)] for ending in endings)
