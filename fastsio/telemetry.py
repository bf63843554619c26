"""OpenTelemetry for a server: a span for each handler, how long they take, and the server's numbers as metrics.

May import: nothing of ours; knows servers by what they can do. Needs the package opentelemetry-api: the extra `opentelemetry`.
Costs nothing until `instrument` is called; then each event goes through one more coroutine.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter
from opentelemetry.trace import SpanKind, TracerProvider, get_tracer

NAME = "fastsio"
# Metric -> kind, unit, description, and how to find its observations in what `sio.stats()` gives.
METRICS: dict[str, tuple[str, str, str, Callable[[Any], Iterable[Observation]]]] = {
    "fastsio.sessions": (
        "gauge", "{session}", "Open Engine.IO sessions.",
        lambda stats: [Observation(stats["sessions"][name], {"transport": name}) for name in ("polling", "websocket")],
    ),
    "fastsio.clients": (
        "gauge", "{client}", "Clients in each namespace.",
        lambda stats: [Observation(row["clients"], {"namespace": name}) for name, row in stats["namespaces"].items()],
    ),
    "fastsio.events": (
        "counter", "{event}", "Events received, failed and emitted.",
        lambda stats: [Observation(count, {"what": name}) for name, count in stats["events"].items()],
    ),
    "fastsio.io": (
        "counter", "By", "Bytes of Engine.IO packets.",
        lambda stats: [Observation(count, {"direction": name}) for name, count in stats["bytes"].items()],
    ),
    "fastsio.backlog": (
        "gauge", "By", "Bytes that wait for clients.", lambda stats: [Observation(stats["backlog"]["bytes"])],
    ),
    "fastsio.dropped": (
        "counter", "{event}", "Events that slow clients did not get.", lambda stats: [Observation(stats["dropped"])],
    ),
    "fastsio.disconnects": (
        "counter", "{session}", "Sessions that ended.",
        lambda stats: [Observation(count, {"reason": name}) for name, count in stats["disconnects"].items()],
    ),
    "fastsio.refusals": (
        "counter", "{request}", "What was refused.",
        lambda stats: [Observation(count, {"cause": name}) for name, count in stats["refusals"].items()],
    ),
}  # fmt: skip


class Instrumentation:
    """What `instrument` has done to a server."""

    def __init__(self, sio: Any, tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None) -> None:
        self._sio, self._is_over = sio, False
        self._tracer = get_tracer(NAME, tracer_provider=tracer_provider)
        meter = get_meter(NAME, meter_provider=meter_provider)
        self._duration = meter.create_histogram("fastsio.handler.duration", "s", "How long handlers took.")
        for name, (kind, unit, description, find) in METRICS.items():
            create = meter.create_observable_gauge if kind == "gauge" else meter.create_observable_counter
            create(name, [self._observer(find)], unit, description)
        self._inner = sio._trigger_event
        sio._trigger_event = self._trigger_event

    def uninstrument(self) -> None:
        """Leave the server as it was. Metrics have nothing to say from now on."""
        if not self._is_over:
            self._is_over = True
            del self._sio._trigger_event

    def _observer(
        self, find: Callable[[Any], Iterable[Observation]]
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(options: CallbackOptions) -> Iterable[Observation]:
            return [] if self._is_over else find(self._sio.stats())

        return observe

    async def _trigger_event(self, event: Any, namespace: str, sid: str, *args: Any) -> Any:
        about = {"socketio.event": str(event), "socketio.namespace": namespace}
        begun = time.perf_counter()
        with self._tracer.start_as_current_span(
            f"{event} {namespace}", kind=SpanKind.SERVER, attributes={**about, "socketio.sid": sid[:6]}
        ):
            try:
                return await self._inner(event, namespace, sid, *args)
            finally:
                self._duration.record(time.perf_counter() - begun, about)


def instrument(
    sio: Any, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> Instrumentation:
    """Tell OpenTelemetry about a server: spans of its handlers, connect and disconnect included, and metrics.

    Session ids are cut to six characters: a whole one may be a secret.

    Args:
        sio: an `AsyncServer`.
        tracer_provider: in place of the global one.
        meter_provider: in place of the global one.

    Returns:
        An object whose `uninstrument()` undoes it.

    Raises:
        ValueError: it is instrumented already.
    """
    if isinstance(getattr(sio._trigger_event, "__self__", None), Instrumentation):
        raise ValueError("this server is instrumented for OpenTelemetry already")
    return Instrumentation(sio, tracer_provider, meter_provider)
