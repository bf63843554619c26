"""OpenTelemetry hears of handlers and numbers, through its own SDK; log lines as JSON."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import fastsio
from fastsio.logs import JsonFormatter, ShortSids
from fastsio.telemetry import instrument
from fastsio.testing import client
from wire.live import REFERENCE, TESTS, Server
from wire.sessions import Client

pytestmark = pytest.mark.skipif(REFERENCE is not None, reason="python-socketio has neither")


def server() -> fastsio.AsyncServer:
    sio = fastsio.AsyncServer(async_mode="asgi")

    @sio.event
    async def add(sid: str, a: int, b: int) -> int:
        trace.get_current_span().set_attribute("sum", a + b)
        return a + b

    @sio.event
    async def wrong(sid: str) -> None:
        raise ValueError("as it should")

    return sio


def metrics(reader: InMemoryMetricReader) -> dict[str, list[Any]]:
    data: Any = reader.get_metrics_data()
    found = data.resource_metrics[0].scope_metrics[0].metrics
    return {metric.name: list(metric.data.data_points) for metric in found}


async def test_spans_and_metrics() -> None:
    sio, spans, reader = server(), InMemorySpanExporter(), InMemoryMetricReader()
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(SimpleSpanProcessor(spans))
    hook = instrument(sio, tracer_provider=tracer_provider, meter_provider=MeterProvider([reader]))
    with pytest.raises(ValueError, match="already"):
        instrument(sio)
    async with client(sio) as anna:
        assert await anna.call("add", 1, 2) == 3
        await anna.emit("wrong")
        now = metrics(reader)
    ended = {span.name: span for span in spans.get_finished_spans()}
    assert list(ended) == ["connect /", "add /", "wrong /", "disconnect /"]
    assert ended["add /"].kind is trace.SpanKind.SERVER
    attributes = dict(ended["add /"].attributes or {})
    assert len(str(attributes.pop("socketio.sid"))) == 6
    assert attributes == {"socketio.event": "add", "socketio.namespace": "/", "sum": 3}
    assert ended["wrong /"].status.description == "ValueError: as it should"
    assert [point.value for point in now["fastsio.sessions"]] == [0, 1]
    assert {point.attributes["what"]: point.value for point in now["fastsio.events"]}["received"] == 2
    assert {point.attributes["socketio.event"] for point in now["fastsio.handler.duration"]} >= {"add", "wrong"}
    hook.uninstrument()
    hook.uninstrument()
    async with client(sio) as anna:
        assert await anna.call("add", 1, 2) == 3
    assert len(spans.get_finished_spans()) == 4, "it is as it was"
    assert sio._is_trigger_hooked is False


def formatted(message: str, *args: Any, **extra: Any) -> dict[str, Any]:
    record = logging.LogRecord("socketio.server", logging.INFO, "", 1, message, args, None)
    vars(record).update(extra)
    found: dict[str, Any] = json.loads(JsonFormatter().format(record))
    return found


def test_lines_are_objects() -> None:
    line = formatted('received event "%s" from %s [%s]', "chat\n", "abc", "/")
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO", "logger": "socketio.server", "message": 'received event "chat\n" from abc [/]',
        "event": "chat\n", "sid": "abc", "namespace": "/",
    }  # fmt: skip
    assert "sid" not in formatted("plain %d", 1)
    assert formatted("x", kind="EIO_BAD_TYPE", sid="abcdef")["kind"] == "EIO_BAD_TYPE"


def test_an_exception_is_in_its_line() -> None:
    try:
        raise ValueError("this one")
    except ValueError:
        record = logging.LogRecord("a", logging.ERROR, "", 1, "failed", (), sys.exc_info())
    text = JsonFormatter().format(record)
    assert "\n" not in text
    assert "ValueError: this one" in json.loads(text)["exception"]


async def test_the_command_logs_json_only() -> None:
    server = Server("native", "status.talkative:app", log_level="info", options=["--log-format", "json"])
    try:
        link = await Client(server.port, 4, "/socket.io/").live_websocket()
        await link.send("40")
        await link.receive()
        await link.send('42["say","hello"]')
        await link.receive()
        await link.send("9")
        await link.receive()
    finally:
        server.stop()
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert any(line["logger"] == "uvicorn.error" for line in lines)
    event = next(line for line in lines if line.get("event") == "say")
    assert event["namespace"] == "/"
    refusal = next(line for line in lines if line.get("kind") == "EIO_BAD_TYPE")
    assert refusal["level"] == "ERROR" and len(refusal["sid"]) == 6


def test_without_the_package_the_error_names_it() -> None:
    code = "import sys; sys.modules['opentelemetry'] = None\nimport fastsio.telemetry"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert "opentelemetry" in done.stderr.splitlines()[-1]


# --- access logs


def test_session_ids_in_access_logs_are_cut() -> None:
    args = (
        "127.0.0.1:5",
        "GET",
        "/socket.io/?EIO=4&sid=oV7rSgbay8-tN-ZGjXZq&transport=polling&xsid=whole-one",
        "1.1",
        200,
    )
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 1, '%s - "%s %s HTTP/%s" %d', args, None)
    assert ShortSids().filter(record)
    assert "?EIO=4&sid=oV7rSg...&transport=polling&xsid=whole-one HTTP/1.1" in record.getMessage()


@pytest.mark.parametrize("options", ["", "--log-format json"])
async def test_the_command_cuts_session_ids(options: str) -> None:
    """HTTP/1.0, which is what nginx speaks unless it is told, goes over the ASGI wire, and so into the access log."""
    app = f"fastsio run leaks.app:plain --app-dir {TESTS} {options} --port"
    server = Server("module", app)
    try:
        client = await Client(server.port, 4, "/socket.io/").open()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        path = f"/socket.io/?EIO=4&transport=polling&sid={client.sid}"
        writer.write(f"POST {path} HTTP/1.0\r\nContent-Length: 1\r\n\r\n1".encode())
        assert b" 200 OK" in await reader.read()
        writer.close()
    finally:
        server.stop()
    assert client.sid not in server.log()
    assert f"sid={client.sid[:6]}..." in server.log()
