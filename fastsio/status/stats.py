"""One look at a server as a plain dict: what `sio.stats()` gives.

May import: nothing of ours; knows servers by what they can do. Counters only grow; what is there now is counted when asked for.
"""

from typing import Any

# Counters of the registry that are no refusals.
OTHERS = ("faults", "stalls")
# Of a manager's health: whether each direction works, and what became of messages.
DIRECTIONS = ("publishes", "hears")
FATES = ("published", "received", "dropped", "refused", "malformed", "duplicates", "missed")
CLUSTER = (*DIRECTIONS, "buffered", *FATES, "reconnects")


def stats_of(sio: Any) -> dict[str, Any]:
    """Give the numbers of a Socket.IO server; see `AsyncServer.stats`.

    Takes a few nanoseconds for each client, since what all of them are owed is added up.
    """
    registry, hub, halls = sio.eio._registry, sio._hub, sio.manager._rooms.halls
    traffic, counters = registry.traffic, registry.counters
    backlog = registry.backlog()
    open_now = len(registry.sessions)
    return {
        "uptime": registry.uptime(),
        "sessions": {
            "open": open_now,
            "polling": traffic.polling,
            "websocket": open_now - traffic.polling,
            "opened": registry.opened,
            "closed": registry.closed,
            "upgraded": traffic.upgraded,
        },
        "namespaces": {
            name: {"clients": len(hall.members), "rooms": len(hall.rooms)} for name, hall in sorted(halls.items())
        },
        "events": {"received": hub.received, "failed": hub.failed, "emitted": hub.emitted},
        "handlers": {} if hub.durations is None else hub.durations.report(),
        "packets": {"received": traffic.packets_in, "sent": traffic.packets_out},
        "bytes": {"received": traffic.bytes_in, "sent": traffic.bytes_out},
        "backlog": {"bytes": backlog[0], "packets": backlog[1], "largest": backlog[2]},
        "dropped": traffic.dropped,
        "replaced": traffic.replaced,
        "disconnects": dict(sorted(registry.ends().items())),
        "refusals": {name: count for name, count in sorted(counters.items()) if name not in OTHERS},
        "faults": counters["faults"],
        "stalls": counters["stalls"],
        "cluster": _of_cluster(getattr(sio.manager, "health", None)),
    }


def _of_cluster(health: Any) -> dict[str, Any]:
    """Give what a manager knows of the broker and of the other nodes; nothing where there are none."""
    return {} if health is None else {name: getattr(health, name) for name in CLUSTER}
