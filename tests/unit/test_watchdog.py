"""The watchdog names what holds the loop."""

import asyncio
import logging
import time

import fastsio


def hog(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def server(limit: float) -> tuple[fastsio.AsyncServer, list[str]]:
    lines: list[str] = []
    logger = logging.Logger("watched", logging.INFO)
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger.addHandler(handler)
    return fastsio.AsyncServer(async_mode="asgi", engineio_logger=logger, watchdog=limit), lines


async def test_code_that_computes_is_named_with_its_line():
    sio, lines = server(0.1)
    sio.eio._registry.attach_loop()
    await asyncio.sleep(0.2)
    assert lines == []
    hog(0.4)
    await asyncio.sleep(0.1)
    (line,) = lines
    assert line.startswith("the event loop was held for 0.") and "hog (test_watchdog.py:" in line
    assert sio.eio._registry.counters["stalls"] == 1
    hog(0.3)
    await asyncio.sleep(0.1)
    assert len(lines) == 2
    sio.eio._registry.watchdog.stop()


async def test_the_caller_of_a_library_is_named():
    sio, lines = server(0.1)
    sio.eio._registry.attach_loop()
    await asyncio.sleep(0)
    import subprocess

    subprocess.run(["sleep", "0.4"], check=True)
    await asyncio.sleep(0.1)
    (line,) = lines
    assert "test_the_caller_of_a_library_is_named (test_watchdog.py:" in line and "which called" in line
    sio.eio._registry.watchdog.stop()


async def test_nobody_watches_unless_asked():
    sio, _ = server(0)
    sio.eio._registry.attach_loop()
    assert sio.eio._registry.watchdog is None
