"""python-socketio's own client (contract 2.4 to 2.19): what a library makes of the frames, over each way to connect."""

import asyncio
from typing import Any

from compat.transcript import Guest
from parity.scenario import scenario
from parity.stage import Stage


def library_server(stage: Stage) -> Any:
    sio = stage.server(namespaces=["/", "/x"])

    @sio.event
    async def connect(sid: str, environ: Any, auth: Any) -> None:
        if auth == {"token": "wrong"}:
            raise stage.socketio.exceptions.ConnectionRefusedError("wrong token", {"code": 1})

    @sio.event
    async def echo(sid: str, *args: Any) -> tuple[Any, ...]:
        return args

    @sio.event
    async def ask_back(sid: str) -> Any:
        return await sio.call("question", {"n": 1}, to=sid, timeout=1)

    @sio.event
    async def put_me_out(sid: str) -> None:
        await sio.disconnect(sid)

    sio.on("disconnect", stage.noting("disconnect"))
    return sio


@scenario("2.19", {way: way for way in ("websocket", "polling", "upgrade")})
async def a_library_client(stage: Stage, way: str) -> None:
    sio = library_server(stage)
    await stage.serve(sio)
    ann = Guest(stage.transcript, "ann", {"question": ("yes", b"\x01")})
    await ann.connect(transport=way, auth={"token": "right"}, namespaces=["/", "/x"])
    await ann.call("echo", (1, "two", {"three": [3, None]}))
    await ann.call("echo", {"bytes": [b"\x00\xff", b""]})
    await ann.call("ask_back")
    stage.note("transport", sio.transport(ann.client.get_sid()), ann.client.transport())
    await sio.emit("news", ("for", "all"))
    await sio.emit("news", "for x", namespace="/x")
    await stage.settle()
    await ann.leave()


@scenario("2.5", {"refused": {"token": "wrong"}, "let_in": {"token": "right"}})
async def a_library_client_is_judged(stage: Stage, auth: dict[str, str]) -> None:
    await stage.serve(library_server(stage))
    ann = Guest(stage.transcript, "ann")
    await ann.connect(auth=auth)
    await ann.leave()


@scenario("2.10", {"by_the_server": "put_me_out", "by_itself": ""})
async def a_library_client_leaves(stage: Stage, event: str) -> None:
    await stage.serve(library_server(stage))
    ann = Guest(stage.transcript, "ann")
    await ann.connect(transport="websocket")
    if event:
        await ann.client.emit(event)
        await asyncio.sleep(0.02)
    await ann.leave()
    stage.note("connected", ann.client.connected)
