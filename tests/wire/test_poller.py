"""Sockets that are the server's own (`fastsio run` on Linux): what loops do for others has to be right here too."""

import asyncio
import gc
import importlib
import logging
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn

import fastsio
from fastsio.net import _poller
from fastsio.net._native import NativeConnection
from fastsio.net.loops import best_loop
from fastsio.net.stopping import StoppingServer
from finalizers import CollectAt
from wire import raw
from wire.sessions import Client

pytestmark = pytest.mark.skipif(
    not _poller.can_poll() or best_loop() != "uvloop", reason="the loop has all sockets there"
)
HANDSHAKE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def start(
    app: Any, host: str = "127.0.0.1", sockets: list[socket.socket] | None = None
) -> tuple[StoppingServer, asyncio.Task[None]]:
    """Start `fastsio run`'s server here."""
    config = uvicorn.Config(app, http=NativeConnection, host=host, port=0, lifespan="off", log_level="error")
    server = StoppingServer(config, None)
    task = asyncio.create_task(server.serve(sockets))
    while not server.started:
        await asyncio.sleep(0.01)
    return server, task


@asynccontextmanager
async def serving(
    app: Any, host: str = "127.0.0.1", sockets: list[socket.socket] | None = None
) -> AsyncIterator[StoppingServer]:
    """The same, and stop it in the end."""
    server, task = await start(app, host, sockets)
    try:
        yield server
    finally:
        server.should_exit = True
        await task


def port_of(server: StoppingServer) -> int:
    return int(server.servers[0].sockets[0].getsockname()[1])


def run(main: Callable[[], Awaitable[Any]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(30):
            await main()

    with asyncio.Runner(loop_factory=importlib.import_module(best_loop()).new_event_loop) as runner:
        runner.run(limited())


def make() -> fastsio.AsyncServer:
    sio = fastsio.AsyncServer(async_mode="asgi")
    sio.on("echo", lambda sid, *args: args)
    return sio


def make_noting() -> tuple[fastsio.AsyncServer, list[dict[str, Any]]]:
    """Give a server, and the environs of whoever connects."""
    sio, environs = make(), []
    sio.on("connect", lambda sid, environ, auth=None: environs.append(environ))
    return sio, environs


async def no_content(scope: Any, receive: Any, send: Any) -> None:
    """An application that is not for clients of Socket.IO."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def member(port: int) -> tuple[raw.WebSocket, str]:
    """Connect; give the WebSocket and the sid of the member."""
    link = await Client(port, 4, "/socket.io/").live_websocket()
    await link.send("40")
    kind, text = await link.receive()
    assert kind == "text" and str(text).startswith('40{"sid":"')
    return link, str(text)[10:30]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("is_forced", [False, True])
def test_nothing_is_left_when_it_stops(is_forced: bool) -> None:
    async def main() -> None:
        writers = []
        async with serving(fastsio.ASGIApp(make())) as server:
            assert type(server.servers[0]) is _poller.Listener
            for _ in range(3):
                await member(port_of(server))
                writers.append((await asyncio.open_connection("127.0.0.1", port_of(server)))[1])
            server.force_exit = is_forced
        assert not server.server_state.connections or is_forced
        for writer in writers:
            writer.close()
        await asyncio.sleep(0.05)

    run(partial(asyncio.sleep, 0))  # the first loop leaves what all of them share
    before = descriptors()
    run(main)
    assert descriptors() <= before, os.listdir("/proc/self/fd")


def test_what_is_not_for_the_server_goes_to_uvicorn() -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        said = b"%d %d" % (len(body), scope["client"][1])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
        await send({"type": "http.response.body", "body": said})

    async def main() -> None:
        async with serving(fastsio.ASGIApp(make(), page)) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
            own = writer.get_extra_info("sockname")[1]
            poll = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n"
            for size in (0, 10, 700_000):
                head = b"POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
                for part in (head[:11], head[11:] + b"x" * (size // 2), b"x" * (size - size // 2)):
                    writer.write(part)
                    await asyncio.sleep(0.01)
                response = await raw.read_response(reader)
                assert (response.status, response.body) == (200, b"%d %d" % (size, own))
            writer.write(poll)
            assert (await raw.read_response(reader)).body.startswith(b"0{")
            writer.close()
            # Several requests in one write, the first for the server.
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
            writer.write(poll + b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
            assert (await raw.read_response(reader)).body.startswith(b"0{")
            for _ in range(2):
                assert (await raw.read_response(reader)).body.startswith(b"0 ")
            writer.close()

    run(main)


def test_a_client_that_reads_late_gets_everything_in_order() -> None:
    sio = make()

    async def main() -> None:
        async with serving(fastsio.ASGIApp(sio)) as server:
            link, sid = await member(port_of(server))
            for number in range(300):
                await sio.emit("news", (number, "x" * (number * 40)), to=sid)
                if number % 20 == 0:
                    await asyncio.sleep(0)
            assert sio.buffered(sid)[0] > 0
            for number in range(300):
                assert await link.receive() == ("text", f'42["news",{number},"{"x" * (number * 40)}"]')
            assert sio.buffered(sid)[0] == 0
            await link.send('420["echo",1]')
            assert await link.receive() == ("text", "430[1]")
            link.abort()

    run(main)


def test_clients_of_one_turn_that_put_out_one_another() -> None:
    sio = make()
    reasons: list[str] = []
    sio.on("disconnect", lambda sid, reason: reasons.append(reason))

    async def kick(sid: str, other: str) -> None:
        await sio.disconnect(other)

    sio.on("kick", kick)

    async def main() -> None:
        async with serving(fastsio.ASGIApp(sio)) as server:
            members = [await member(port_of(server)) for _ in range(40)]
            for number, (link, _) in enumerate(members):
                other = members[number - 1][1]
                link.writer.write(raw.frame(raw.TEXT, f'42["kick","{other}"]'.encode()) * 3)
            time.sleep(0.05)  # all of them are there when the loop looks
            for link, _ in members:
                link.writer.write(raw.frame(raw.TEXT, b'42["echo"]'))
            while len(reasons) < 39:
                await asyncio.sleep(0.01)
            for link, _ in members:
                link.abort()
            while len(reasons) < 40:
                await asyncio.sleep(0.01)
            while server.server_state.connections:
                await asyncio.sleep(0.01)
            link, _ = await member(port_of(server))
            link.abort()

    run(main)
    assert reasons.count("server disconnect") >= 20, reasons


def test_many_sockets_do_not_hold_the_loop_and_nobody_is_passed_over() -> None:
    """Who is ready when the time of a turn is up comes first in the next."""
    sio = make()
    turns = [0]  # events that were handled in each turn of the loop
    last: list[int] = []  # whose event it was, in order

    def slow(sid: str, client: int) -> None:
        end = time.perf_counter() + 0.0005
        while time.perf_counter() < end:
            pass
        turns[-1] += 1
        last.append(client)
        if len(last) < 1200:  # whoever is heard has more to say at once
            members[client][0].writer.write(raw.frame(raw.TEXT, f'42["slow",{client}]'.encode()))

    sio.on("slow", slow)
    members: list[tuple[Any, str]] = []

    async def main() -> None:
        async with serving(fastsio.ASGIApp(sio)) as server:
            loop = asyncio.get_running_loop()
            members.extend([await member(port_of(server)) for _ in range(40)])
            for number, (link, _) in enumerate(members):
                link.writer.write(raw.frame(raw.TEXT, f'42["slow",{number}]'.encode()) * 30)
            time.sleep(0.1)  # all of them are there when the loop looks

            def turn() -> None:
                turns.append(0)
                if len(last) < 2399:
                    loop.call_soon(turn)

            loop.call_soon(turn)
            while len(last) < 2399:
                await asyncio.sleep(0.01)
            for link, _ in members:
                link.abort()

    run(main)
    assert max(turns) <= 100, turns  # 10 ms and what one socket brought; a turn for all would be 900 of them
    assert set(last[:1500]) == set(range(40)), (
        "each has its first 30 heard, and no more, before others have more of theirs"
    )


@pytest.mark.parametrize("ending", ["half", "reset"])
def test_a_client_that_is_gone(ending: str) -> None:
    sio = make()
    heard: list[Any] = []
    sio.on("last", lambda sid, *args: heard.append(args))
    sio.on("disconnect", lambda sid, reason: heard.append(reason))

    async def main() -> None:
        async with serving(fastsio.ASGIApp(sio)) as server:
            link, _ = await member(port_of(server))
            link.writer.write(raw.frame(raw.TEXT, b'42["last",1]') * 2)
            if ending == "half":
                link.writer.write_eof()
                assert await link.receive() == ("close", 1006), "and it is closed from the other side"
            else:
                await asyncio.sleep(0.05)
                sock = link.writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                link.abort()
            while len(heard) < 3:
                await asyncio.sleep(0.01)
            assert not server.server_state.connections

    run(main)
    assert heard == [(1,), (1,), "transport close"]


@pytest.mark.parametrize("allocation", range(4))
def test_a_client_that_a_finalizer_ends_in_the_middle_of_its_message(collected: CollectAt, allocation: int) -> None:
    """The kernel takes a part; to keep the rest makes objects, and so may run the garbage collector."""
    sio = make()

    async def abandoned(session_id: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await sio.eio.disconnect(session_id)

    async def main() -> None:
        async with serving(fastsio.ASGIApp(sio)) as server:
            server.servers[0].sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            link, sid = await member(port_of(server))
            link.writer.transport.pause_reading()
            session = sio.eio._registry.sessions[sio.manager.eio_sid_from_sid(sid, "/")]
            coroutine = abandoned(session.sid)
            coroutine.send(None)
            text = "x" * 3_000_000
            await sio.emit("large", text, to=sid)
            collected(allocation, coroutine.close)
            session.link.flush()
            gc.collect()
            link.writer.transport.resume_reading()
            assert await link.receive() == ("text", f'42["large","{text}"]')
            link.abort()

    run(main)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_client_has_its_address_even_when_it_is_gone(host: str) -> None:
    """All that it says has come when the server looks, its end too: to ask for its address is too late then."""
    sio, environs = make_noting()

    async def main() -> None:
        async with serving(fastsio.ASGIApp(sio), host) as server:
            with socket.create_connection((host, port_of(server))) as sock:
                name = sock.getsockname()[:2]
                sock.sendall(HANDSHAKE + raw.frame(raw.TEXT, b"40"))
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await asyncio.sleep(0.1)
        assert [environ["REMOTE_ADDR"] for environ in environs] == [host]
        assert tuple(environs[0]["asgi.scope"]["client"]) == name

    run(main)


def test_a_half_closed_client_gets_what_its_last_message_asks_for() -> None:
    """The end is read behind a message that fills what was reserved for it: the answer goes out first, in one piece."""
    sio = make()

    async def main() -> None:
        async with serving(fastsio.ASGIApp(sio)) as server:
            link, _ = await member(port_of(server))
            link.writer.transport.pause_reading()
            text = "x" * 900_000
            frame = raw.frame(raw.TEXT, f'421["echo","{text}"]'.encode())
            link.writer.write(frame[:100_000])
            await asyncio.sleep(0.05)
            link.writer.write(frame[100_000:])
            link.writer.write_eof()
            await asyncio.sleep(0.1)
            link.writer.transport.resume_reading()
            assert await link.receive() == ("text", f'431["{text}"]')
            assert await link.receive() == ("close", 1006)

    run(main)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_both_ends_have_their_names(host: str) -> None:
    sio, environs = make_noting()

    async def main() -> None:
        async with serving(fastsio.ASGIApp(sio), host) as server:
            with socket.create_connection((host, port_of(server))) as sock:
                sock.sendall(
                    b"GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                )
                while not environs:
                    await asyncio.sleep(0.01)
                scope = environs[0]["asgi.scope"]
                assert tuple(scope["client"]) == sock.getsockname()[:2]
                assert tuple(scope["server"]) == sock.getpeername()[:2]
                assert environs[0]["REMOTE_ADDR"] == host

    run(main)


def test_a_listener_that_cannot_accept_says_so_once_and_does_not_spin(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with serving(fastsio.ASGIApp(make())) as server:
            link, _ = await member(port_of(server))
            server.servers[0].sockets[0].shutdown(socket.SHUT_RDWR)  # to accept is an error from now on
            start = time.process_time()
            for number in range(12):
                await asyncio.sleep(0.1)
                await link.send(f'42{number}["echo"]')
                assert await link.receive() == ("text", f"43{number}[]"), "who is here already is served"
            assert time.process_time() - start < 0.5
            link.abort()

    with caplog.at_level(logging.ERROR, logger="fastsio.server"):
        run(main)
    lines = [record.getMessage() for record in caplog.records if "cannot be accepted" in record.getMessage()]
    assert lines == ["connections cannot be accepted: Invalid argument; tried again every 1 s. (this is said once)"]


async def test_the_loop_keeps_sockets_that_it_has_to_keep() -> None:
    """An application that must see every request itself is not taken for one that need not."""

    async with serving(no_content) as server:
        assert type(server.servers[0]) is not _poller.Listener
        response = await raw.fetch(port_of(server), "GET", "/")
        assert response.status == 204


def test_a_client_that_has_said_its_last_word_gets_all_of_its_answers() -> None:
    sio = make()

    async def main() -> None:
        async with serving(fastsio.ASGIApp(sio)) as server:
            link, sid = await member(port_of(server))
            for number in range(300):
                await sio.emit("news", (number, "x" * 40_000), to=sid)
            await asyncio.sleep(0.05)  # the kernel has what it takes
            assert sio.buffered(sid)[0] > 0
            link.writer.write_eof()
            for number in range(300):
                assert await link.receive() == ("text", f'42["news",{number},"{"x" * 40_000}"]')
            assert await link.receive() == ("close", 1006)

    run(main)


def test_an_upload_is_not_taken_faster_than_the_application_reads() -> None:
    """The first read brings more than uvicorn keeps: it must not be read on."""
    may_read = asyncio.Event()
    received: list[int] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await may_read.wait()
        more = True
        while more:
            message = await receive()
            received.append(len(message.get("body", b"")))
            more = message.get("more_body", False)
        await no_content(scope, receive, send)

    async def main() -> None:
        size, sent = 60_000_000, 0
        async with serving(fastsio.ASGIApp(make(), slow)) as server:
            with socket.create_connection(("127.0.0.1", port_of(server))) as sock:
                sock.setblocking(False)
                sock.sendall(b"POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
                end = time.monotonic() + 1.0
                while time.monotonic() < end:
                    try:
                        sent += sock.send(bytes(min(1_000_000, size - sent)))
                    except BlockingIOError:
                        await asyncio.sleep(0.01)
                assert 200_000 < sent < 20_000_000, "what kernels hold, and not all"
                may_read.set()
                while sent < size:
                    try:
                        sent += sock.send(bytes(min(1_000_000, size - sent)))
                    except BlockingIOError:
                        await asyncio.sleep(0.01)
                while sum(received) < size:
                    await asyncio.sleep(0.01)

    run(main)


def test_uvicorn_counts_only_its_own_against_its_limit() -> None:
    async def main() -> None:
        async with serving(fastsio.ASGIApp(make(), no_content)) as server:
            server.config.limit_concurrency = 10
            answers = await asyncio.gather(*(raw.fetch(port_of(server), "GET", "/") for _ in range(8)))
            assert [answer.status for answer in answers] == [204] * 8

    run(main)


@pytest.mark.parametrize("lacking", ["dup", "open"])
def test_without_descriptors_the_loop_keeps_its_listeners(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*args: Any) -> int:
        raise OSError(24, "Too many open files")

    async def main() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, lacking, none_left)
            server, task = await start(fastsio.ASGIApp(make()))
        # The spare one for worse times can be done without.
        assert (type(server.servers[0]) is _poller.Listener) == (lacking == "open")
        link, _ = await member(port_of(server))
        link.abort()
        server.should_exit = True
        await task

    run(main)


def test_nothing_listens_any_more_when_serving_is_cancelled() -> None:
    async def main() -> None:
        server, task = await start(fastsio.ASGIApp(make()))
        port = port_of(server)
        link, _ = await member(port)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        assert await link.receive() == ("close", 1006)

    run(main)


def test_sockets_that_are_lent_are_left_to_who_lends_them() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with serving(fastsio.ASGIApp(make()), sockets=[listener]) as server:
                assert type(server.servers[0]) is not _poller.Listener
                link, _ = await member(listener.getsockname()[1])
                assert listener.fileno() > 0
                link.abort()

    run(main)
