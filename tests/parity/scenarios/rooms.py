"""Rooms and sessions (contract 2.13, 2.14)."""

from parity.scenario import scenario
from parity.scenarios.emitting import company
from parity.stage import Stage


@scenario("2.13")
async def rooms(stage: Stage) -> None:
    sio = stage.server()
    ann, bob, cat = await company(stage, sio)
    stage.note("rooms", sio.rooms(ann.sid), sio.rooms(bob.sid), sio.rooms("unknown"), sio.rooms(ann.sid, "/x"))
    await sio.leave_room(bob.sid, "a")
    await sio.leave_room(bob.sid, "never entered")
    await sio.leave_room("unknown", "a")
    await sio.emit("a", to="a")
    await sio.close_room("b")
    await sio.emit("b", to="b")
    stage.note("rooms", sio.rooms(bob.sid), sio.rooms(cat.sid))
    await sio.enter_room(ann.sid, "a")
    await sio.enter_room(ann.sid, ("a", 1))
    await sio.enter_room(ann.sid, None)
    stage.note("rooms", sio.rooms(ann.sid))
    stage.note(
        "participants", list(sio.manager.get_participants("/", "a")), len(list(sio.manager.get_participants("/", None)))
    )


@scenario("2.13")
async def errors_of_rooms(stage: Stage) -> None:
    sio = stage.server()
    ann, bob, _ = await company(stage, sio)
    await stage.outcome("no such namespace", sio.enter_room(ann.sid, "a", namespace="/x"))
    await stage.outcome("unknown sid", sio.enter_room("unknown", "a"))
    await stage.outcome("room of another", sio.enter_room(ann.sid, bob.sid))
    await stage.outcome("own room", sio.enter_room(ann.sid, ann.sid))
    await stage.outcome("close a client's", sio.close_room(bob.sid))
    await stage.outcome("close unknown", sio.close_room("unknown"))
    await stage.outcome("close elsewhere", sio.close_room("a", namespace="/x"))
    await stage.outcome("leave elsewhere", sio.leave_room(ann.sid, "a", namespace="/x"))


@scenario("2.13")
async def leaving_the_own_room(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.leave_room(ann.sid, ann.sid)
    await sio.emit("to the sid", to=ann.sid)
    await sio.emit("to all")
    stage.note("rooms", sio.rooms(ann.sid), sio.manager.is_connected(ann.sid, "/"))
    await stage.settle()
    await ann.leave()
    stage.note("left", dict(sio.manager.rooms))


@scenario("2.13")
async def rooms_change_while_emitting(stage: Stage) -> None:
    """Handlers change the very room that is being served."""
    sio = stage.server()

    @sio.event
    async def E(sid: str) -> None:
        await sio.enter_room(sid, "r")
        await sio.emit("in", to="r")
        await sio.close_room("r")
        await sio.emit("out", to="r")
        await sio.enter_room(sid, "r")
        await sio.emit("again", to="r")
        stage.note("rooms", sio.rooms(sid))

    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.guest("bob")
    await ann.emit("E")
    await bob.emit("E")


# --- sessions (2.14)


@scenario("2.14")
async def sessions(stage: Stage) -> None:
    sio = stage.server(namespaces="*")
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    session = await sio.get_session(ann.sid)
    session["in place"] = 1
    stage.note("live", await sio.get_session(ann.sid), await sio.get_session(ann.sid) is session)
    await sio.save_session(ann.sid, {"saved": 2})
    async with sio.session(ann.sid) as session:
        session["in a block"] = 3
    stage.note("saved", await sio.get_session(ann.sid), await sio.get_session(ann.sids["/x"], namespace="/x"))
    try:
        async with sio.session(ann.sid) as session:
            session["though it raised"] = 4
            raise ValueError
    except ValueError:
        stage.note("raised", await sio.get_session(ann.sid))
    await stage.outcome("unknown", sio.get_session("unknown"))
    await stage.outcome("unknown", sio.save_session("unknown", {}))
    await stage.outcome("elsewhere", sio.get_session(ann.sid, namespace="/x"))
    stage.note("of the connection", await sio.eio.get_session(ann.eio_sid))


@scenario("2.14")
async def sessions_end_with_the_connection(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def disconnect(sid: str, reason: str) -> None:
        stage.note(
            "disconnect", reason, await sio.get_session(sid), sio.rooms(sid), sio.transport(sid), sio.get_environ(sid)
        )

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.save_session(ann.sid, {"name": "ann"})
    await ann.leave()
    await stage.outcome("session", sio.get_session(ann.sid))
    await stage.outcome("transport", lambda: sio.transport(ann.sid))
    stage.note("rest", sio.rooms(ann.sid), sio.get_environ(ann.sid))


@scenario("2.13")
async def room_order(stage: Stage) -> None:
    """Rooms are listed in the order in which they came to be."""
    sio = stage.server()
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.guest("bob")
    for room in ("z", "a", "m"):
        await sio.enter_room(bob.sid, room)
    for room in ("m", "z"):
        await sio.enter_room(ann.sid, room)
    stage.note("order", sio.rooms(bob.sid), sio.rooms(ann.sid))
