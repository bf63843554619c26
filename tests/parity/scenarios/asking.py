"""Callbacks and calls (contract 2.12)."""

import asyncio
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage


@scenario("2.12")
async def callbacks(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.poller("bob")
    await sio.emit("one", to=ann.sid, callback=stage.noting("callback of one"))
    await sio.emit("two", callback=lambda *args: stage.note("callback of two", *args))
    await stage.settle()
    stage.note("waiting", sorted(sorted(set(found) - {0}) for found in sio.manager.callbacks.values()))
    await ann.send("431[1,2]")
    await ann.send('432["ann"]')
    await bob.send("431[]")
    await ann.send("431[1,2]")
    await ann.send("4399[1]")
    stage.logs()
    await sio.emit("three", (1, 2), to=ann.sid, callback=stage.noting("callback of three"))
    await stage.settle()
    await ann.send("433[[1],null]")
    await ann.send("461-4[1]", b"\x01")


@scenario("2.12")
async def binary_acknowledgements(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.poller("bob")
    for client in (ann, bob):
        await sio.emit("one", to=client.sid, callback=stage.noting("callback"))
    await stage.settle()
    await ann.send('461-1[{"_placeholder":true,"num":0},2]', b"\x01\x02")
    await bob.send('461-1[{"_placeholder":true,"num":0}]', "bAQI=")


ANSWERS = {"none": "[]", "one": "[1]", "one_list": "[[1,2]]", "two": "[1,2]", "null": "[null]", "dict": '[{"a":1}]'}


@scenario("2.12", ANSWERS)
async def calls(stage: Stage, answer: str) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    call = asyncio.create_task(sio.call("question", {"n": 1}, to=ann.sid, timeout=1))
    await stage.settle()
    await ann.send(f"431{answer}")
    await stage.outcome("call", call)


@scenario("2.12")
async def calls_that_fail(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await stage.outcome("no answer", sio.call("question", to=ann.sid, timeout=0.01))
    await stage.outcome("to nobody", sio.call("question", timeout=0.01))
    await stage.outcome("unknown sid", sio.call("question", sid="unknown", timeout=0.01))
    await stage.outcome("no such namespace", sio.call("question", to=ann.sid, namespace="/x", timeout=0.01))
    call = asyncio.create_task(sio.call("question", to=ann.sid, timeout=0.03))
    await stage.settle()
    await ann.leave()
    await stage.outcome("leaves", call)
    error = stage.socketio.exceptions.TimeoutError
    stage.note("class", issubclass(error, TimeoutError), issubclass(error, stage.socketio.exceptions.SocketIOError))


@scenario("2.12")
async def a_late_answer(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await stage.outcome("call", sio.call("question", to=ann.sid, timeout=0.01))
    await ann.send("431[1]")
    await ann.send("432[1]")
    call = asyncio.create_task(sio.call("question", to=ann.sid, timeout=1))
    await stage.settle()
    await ann.send("432[2]")
    await stage.outcome("second call", call)


@scenario("2.12")
async def a_call_within_a_handler(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def E(sid: str) -> Any:
        return await sio.call("question", to=sid, timeout=1)

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")
    await ann.send('431["answer"]')


@scenario("2.12")
async def a_call_within_a_callback(stage: Stage) -> None:
    """Callbacks run in the reader, so an answer cannot be read while one runs."""
    sio = stage.server()

    async def answered(*args: Any) -> None:
        stage.note("callback", *args)
        await stage.outcome("call", sio.call("second", to=ann.sid, timeout=0.03))

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.emit("first", to=ann.sid, callback=answered)
    await stage.settle()
    await ann.send("431[1]")
    await ann.send("432[2]")
    await asyncio.sleep(0.03)


@scenario("2.12")
async def callbacks_in_namespaces(stage: Stage) -> None:
    """Acknowledgement ids are counted for each client of each namespace."""
    sio = stage.server(namespaces="*")
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    for namespace in ("/", "/x", "/x"):
        await sio.emit("question", namespace=namespace, callback=stage.noting(f"callback in {namespace}"))
    await stage.settle()
    await ann.send("43/x,1[1]", "431[0]", "43/x,2[2]", "43/x,1[3]")
