"""The name of a node in its cluster, which a fork must not copy.

May import: nothing of ours.
Nodes ignore what bears their own name: workers forked after the manager was made would otherwise not hear each other.
"""

import os
import uuid
import weakref
from typing import Any

_nodes: "weakref.WeakSet[Any]" = weakref.WeakSet()


def new_host_id() -> str:
    return uuid.uuid4().hex


def renew_when_forked(node: Any) -> None:
    """Have `node._after_fork()` called in each child process."""
    _nodes.add(node)


def _after_fork() -> None:
    for node in list(_nodes):
        node._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
