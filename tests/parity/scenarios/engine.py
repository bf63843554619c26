"""The Engine.IO server by itself (contract 1.13)."""

from parity.scenario import scenario
from parity.stage import Stage


@scenario("1.13")
async def engine_messages(stage: Stage) -> None:
    eio = stage.engineio.AsyncServer(async_mode="asgi")
    eio.on("connect", stage.noting("connect"))
    eio.on("message", stage.noting("message"))

    @eio.on("disconnect")
    async def disconnect(sid: str, reason: str) -> None:
        stage.note("disconnect", sid, reason)

    await stage.serve(eio)
    ann = await stage.client("ann", "/engine.io/").websocket()
    await stage.settle()
    for text in ("hello", '{"a":1}', "true", "null", "-1", "12", "1.5", " 1", '"q"', "", "[1", "NaN"):
        await ann.send(f"4{text}")
    await ann.send(b"\x00\x01")
    await ann.leave()


@scenario("1.13")
async def engine_sends(stage: Stage) -> None:
    eio = stage.engineio.AsyncServer(async_mode="asgi")
    await stage.serve(eio)
    for client in (
        await stage.client("ann", "/engine.io/").websocket(),
        await stage.client("bob", "/engine.io/").polling(),
    ):
        for data in ("text", b"\x00\x01", {"a": [1]}, [1, 2], None, True, 5, 1.5, ""):
            await stage.outcome("send", eio.send(client.eio_sid, data))
            await stage.settle()
    await stage.outcome("unknown", eio.send("unknown", "x"))
    stage.logs()
    await stage.outcome("event", lambda: eio.on("no such event", print))


@scenario("1.13")
async def engine_sessions(stage: Stage) -> None:
    eio = stage.engineio.AsyncServer(async_mode="asgi")
    await stage.serve(eio)
    ann = await stage.client("ann", "/engine.io/").websocket()
    await eio.save_session(ann.eio_sid, {"a": 1})
    async with eio.session(ann.eio_sid) as session:
        session["b"] = 2
    await stage.outcome("session", eio.get_session(ann.eio_sid))
    await stage.outcome("unknown", eio.get_session("unknown"))
    stage.note("id", len(eio.generate_id()), eio.is_asyncio_based(), "asgi" in eio.async_modes())
    stage.note(
        "primitives",
        type(eio.create_queue()).__name__,
        type(eio.create_event()).__name__,
        eio.get_queue_empty_exception().__name__,
    )
    await stage.outcome("disconnect unknown", eio.disconnect("unknown"))


@scenario("1.13", {"plain_one": 1, "plain_two": 2})
async def engine_disconnect_handlers(stage: Stage, parameters: int) -> None:
    eio = stage.engineio.AsyncServer(async_mode="asgi", async_handlers=False)
    eio.on("message", lambda sid, data: stage.note("message", data))
    if parameters == 1:
        eio.on("disconnect", lambda sid: stage.note("disconnect", sid))
    else:
        eio.on("disconnect", lambda sid, reason: stage.note("disconnect", sid, reason))
    await stage.serve(eio)
    ann = await stage.client("ann", "/engine.io/").websocket()
    await ann.send("4text")
    await ann.leave()
