"""Making servers (contract 1.4, 1.5): options, errors, what can be assigned later."""

import asyncio
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage

POLL = "/socket.io/?EIO=4&transport=polling"

# --- constructors (1.4, 1.5)

OPTIONS: dict[str, dict[str, Any]] = {
    "async_mode": {"async_mode": "nonsense"},
    "mode_of_threads": {"async_mode": "threading"},
    "no_transports": {"transports": []},
    "no_valid_transport": {"transports": ["carrier pigeon"]},
    "unknown_option": {"no_such_option": 1},
    "transports_tuple": {"transports": ("websocket",)},
}


@scenario("1.5", OPTIONS)
async def constructor_errors(stage: Stage, options: dict[str, Any]) -> None:
    for make in (stage.socketio.AsyncServer, stage.engineio.AsyncServer):
        try:
            make(**({"async_mode": "asgi"} | options))
            stage.note("made")
        except ValueError as error:
            stage.note("ValueError", str(error).partition(":")[0].partition(" '")[0])


@scenario("1.4")
async def attributes_of_a_new_server(stage: Stage) -> None:
    sio = stage.server()
    stage.note("server", sio.async_mode, sio.async_handlers, sio.always_connect, sio.handlers, sio.namespace_handlers)
    stage.note("tables", dict(sio.environ), sio.manager_initialized, sio.namespaces, sio.not_handled is not None)
    stage.note("manager", type(sio.manager).__name__, sio.manager.server is sio, dict(sio.manager.rooms))
    stage.note("packets", sio.packet_class is stage.module("packet").Packet)
    eio = sio.eio
    stage.note("engine", eio.ping_interval == 25, eio.ping_timeout == 20, eio.max_http_buffer_size, eio.allow_upgrades)
    stage.note("engine", eio.http_compression, eio.compression_threshold, eio.cookie, eio.cors_allowed_origins)
    stage.note(
        "engine", eio.cors_credentials, eio.async_handlers, list(eio.transports), dict(eio.sockets), eio.async_mode
    )
    stage.note("engine", eio.handlers.keys() >= {"connect"}, eio.start_service_task)


@scenario("1.4")
async def keywords_reach_the_engine(stage: Stage) -> None:
    manager = stage.socketio.AsyncManager()
    sio = stage.server(
        client_manager=manager,
        ping_interval=3,
        ping_timeout=4,
        max_http_buffer_size=5,
        cookie="c",
        allow_upgrades=False,
        http_compression=False,
        compression_threshold=6,
        cors_allowed_origins="*",
        cors_credentials=False,
    )
    eio = sio.eio
    stage.note("engine", eio.ping_interval == 3, eio.ping_timeout == 4, eio.max_http_buffer_size, eio.cookie)
    stage.note("engine", eio.allow_upgrades, eio.http_compression, eio.compression_threshold, eio.cors_credentials)
    stage.note("manager", sio.manager is manager, manager.server is sio)


@scenario("1.5")
async def options_are_live(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    await stage.http("GET", POLL)
    sio.eio.ping_interval, sio.eio.ping_timeout, sio.eio.max_http_buffer_size = 7, 8, 9000
    sio.eio.cookie = "late"
    await stage.http("GET", POLL)


@scenario("1.5")
async def async_handlers_are_live(stage: Stage) -> None:
    """`sio.async_handlers`, changed after construction."""
    sio = stage.server()

    @sio.event
    async def slow(sid: str, number: int) -> int:
        await asyncio.sleep(0.005 / number)
        return number

    await stage.serve(sio)
    ann = await stage.guest("ann")
    for value in (True, False):
        sio.async_handlers = value
        await ann.send('421["slow",1]', '422["slow",5]')
        await asyncio.sleep(0.01)
        await stage.settle()
