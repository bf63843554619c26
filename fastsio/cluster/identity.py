"""The name of a node in its cluster, which a fork must not copy.

May import: nothing of ours.
Nodes ignore what bears their own name: workers forked after the manager was made would otherwise not hear each other.
"""

import os
import uuid
import weakref
from typing import Any

# What a child must neither use nor close: a transport that is closed here would be taken out of the parent's event loop.
_of_parent: list[Any] = []
_nodes: "weakref.WeakSet[Any]" = weakref.WeakSet()


def new_host_id() -> str:
    return uuid.uuid4().hex


def renew_when_forked(node: Any) -> None:
    """Have `node._after_fork()` called in each child process."""
    _nodes.add(node)


def leave_to_parent(*connections: Any) -> None:
    """Keep what a fork has copied from being collected in this process."""
    _of_parent.append(connections)


def _after_fork() -> None:
    for node in list(_nodes):
        node._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
