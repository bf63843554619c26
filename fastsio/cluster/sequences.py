"""Which messages of which node have come: doubles are known, gaps are counted.

May import: nothing of ours.
A publisher sends again what it has no answer for, so a message can come twice; it is acted upon once.
"""

from collections import OrderedDict
from typing import Any

# Nodes remembered: each script that emits once is a node of its own.
MOST_HOSTS = 4096
# Characters of a node's name that is remembered; ours have 32.
MOST_NAME = 64


class Sequences:
    """The last number heard of each node."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, int] = OrderedDict()
        self.duplicates = 0
        self.missed = 0

    def is_new(self, host_id: Any, seq: Any) -> bool:
        """Tell whether a message was not heard before; those without a number are always new."""
        if not _is_numbered(host_id, seq):
            return True
        last = self._last.get(host_id)
        if last is not None and seq <= last:
            self.duplicates += 1
            return False
        if last is not None:
            self.missed += seq - last - 1
        self._remember(host_id, seq)
        return True

    def has_reached(self, host_id: Any, seq: Any) -> None:
        """A node says how far it has come: what was not heard up to there never will be."""
        if _is_numbered(host_id, seq):
            self.missed += max(0, seq - self._last.get(host_id, seq))
            self._remember(host_id, max(seq, self._last.get(host_id, seq)))

    def _remember(self, host_id: str, seq: int) -> None:
        self._last[host_id] = seq
        self._last.move_to_end(host_id)
        if len(self._last) > MOST_HOSTS:
            self._last.popitem(last=False)


def _is_numbered(host_id: Any, seq: Any) -> bool:
    return type(seq) is int and isinstance(host_id, str) and len(host_id) <= MOST_NAME and 0 <= seq < 2**63
