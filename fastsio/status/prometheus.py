"""The numbers of a server in Prometheus' text format, version 0.0.4.

May import: `stats`. Source: https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fastsio.status.stats import DIRECTIONS, FATES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# A sample: labels and value.
Sample = tuple[Mapping[str, str], float]


def text_of(stats: Mapping[str, Any]) -> str:
    """Give what `stats_of` gave as the body of an answer to Prometheus."""
    sessions, events, packets, bytes_, backlog = (
        stats[name] for name in ("sessions", "events", "packets", "bytes", "backlog")
    )
    parts = (
        _metric(
            "uptime_seconds",
            "gauge",
            "Seconds since the server was made, or moved on to another event loop.",
            [({}, stats["uptime"])],
        ),
        _metric(
            "sessions", "gauge", "Open Engine.IO sessions.", _labelled("transport", sessions, ("polling", "websocket"))
        ),
        _metric(
            "sessions_opened_total", "counter", "Engine.IO handshakes that were answered.", [({}, sessions["opened"])]
        ),
        _metric(
            "upgrades_total", "counter", "Sessions that went from polling to WebSocket.", [({}, sessions["upgraded"])]
        ),
        _metric("disconnects_total", "counter", "Sessions that ended.", _labelled("reason", stats["disconnects"])),
        _metric("clients", "gauge", "Clients in each namespace.", _of_namespaces(stats, "clients")),
        _metric(
            "rooms",
            "gauge",
            "Rooms in each namespace, without those of single clients.",
            _of_namespaces(stats, "rooms"),
        ),
        _metric("events_received_total", "counter", "Events of clients.", [({}, events["received"])]),
        _metric("events_failed_total", "counter", "Event handlers that raised.", [({}, events["failed"])]),
        _metric(
            "events_emitted_total", "counter", "Calls of emit that reached this process.", [({}, events["emitted"])]
        ),
        *(
            _histogram("handler_seconds", "How long event handlers took.", "event", stats["handlers"])
            if stats["handlers"]
            else ()
        ),
        _metric("packets_total", "counter", "Engine.IO packets.", _labelled("direction", packets)),
        _metric("bytes_total", "counter", "Bytes of Engine.IO packets.", _labelled("direction", bytes_)),
        _metric("backlog_bytes", "gauge", "Bytes that wait in outboxes.", [({}, backlog["bytes"])]),
        _metric("backlog_packets", "gauge", "Packets that wait in outboxes.", [({}, backlog["packets"])]),
        _metric(
            "backlog_largest_bytes", "gauge", "Bytes that wait for the slowest client.", [({}, backlog["largest"])]
        ),
        _metric("dropped_total", "counter", "Messages that slow clients did not get.", [({}, stats["dropped"])]),
        _metric("replaced_total", "counter", "Messages that a later one took the place of.", [({}, stats["replaced"])]),
        _metric(
            "refusals_total",
            "counter",
            "Requests and clients that were refused.",
            _labelled("cause", stats["refusals"]),
        ),
        _metric("faults_total", "counter", "Exceptions of the server itself.", [({}, stats["faults"])]),
        _metric("stalls_total", "counter", "Times that the watchdog saw the loop held.", [({}, stats["stalls"])]),
        *(_of_cluster(stats["cluster"]) if stats["cluster"] else ()),
    )
    return "".join(parts)


def _of_cluster(cluster: Mapping[str, Any]) -> Iterable[str]:
    up: list[Sample] = [({"direction": name}, int(cluster[name])) for name in DIRECTIONS]
    yield _metric("cluster_up", "gauge", "Whether the node publishes to the broker, and hears from it.", up)
    yield _metric("cluster_buffered", "gauge", "Messages that wait for the broker.", [({}, cluster["buffered"])])
    messages = _labelled("fate", cluster, FATES)
    yield _metric("cluster_messages_total", "counter", "Messages between nodes, by what became of them.", messages)
    reconnects: list[Sample] = [({}, cluster["reconnects"])]
    yield _metric("cluster_reconnects_total", "counter", "Subscriptions that were made again.", reconnects)


def _labelled(label: str, values: Mapping[str, float], names: Iterable[str] | None = None) -> list[Sample]:
    return [({label: name}, values[name]) for name in (values if names is None else names)]


def _of_namespaces(stats: Mapping[str, Any], name: str) -> list[Sample]:
    return [({"namespace": namespace}, counts[name]) for namespace, counts in stats["namespaces"].items()]


def _histogram(name: str, help: str, label: str, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = [f"# HELP fastsio_{name} {help}", f"# TYPE fastsio_{name} histogram"]
    for value, row in found.items():
        own = f'{label}="{_escaped(value)}"'
        lines += [f'fastsio_{name}_bucket{{{own},le="{bound}"}} {count}' for bound, count in row["buckets"].items()]
        lines.append(f'fastsio_{name}_bucket{{{own},le="+Inf"}} {row["count"]}')
        lines += [f"fastsio_{name}_sum{{{own}}} {row['seconds']}", f"fastsio_{name}_count{{{own}}} {row['count']}"]
    return ["\n".join(lines) + "\n"]


def _metric(name: str, kind: str, help: str, samples: list[Sample]) -> str:
    lines = [f"# HELP fastsio_{name} {help}", f"# TYPE fastsio_{name} {kind}"]
    for labels, value in samples:
        inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        lines.append(f"fastsio_{name}{{{inner}}} {value}" if inner else f"fastsio_{name} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
