"""What applications look into though no documentation names it (contract 1.8, 5): managers and tables."""

from typing import Any

from parity.scenario import scenario
from parity.stage import Stage


@scenario("5")
async def rooms_table(stage: Stage) -> None:
    """`manager.rooms` as the nested mapping that applications read."""
    sio = stage.server()
    rooms = sio.manager.rooms
    stage.note("empty", len(rooms), rooms.get("/"), "/" in rooms)
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.guest("bob")
    await sio.enter_room(ann.sid, "r")
    await sio.enter_room(bob.sid, "r")
    await sio.enter_room(bob.sid, "s")
    rooms = sio.manager.rooms
    stage.note("namespaces", list(rooms), list(rooms.keys()), "/" in rooms, "/x" in rooms, len(rooms))
    stage.note("names", set(rooms["/"]) == {None, "r", "s", ann.sid, bob.sid}, len(rooms["/"]), None in rooms["/"])
    stage.note("room", dict(rooms["/"]["r"]), len(rooms["/"]["r"]), ann.sid in rooms["/"]["s"], rooms["/"].get("none"))
    stage.note("all", list(rooms["/"][None].items()), list(rooms["/"][None].values()))
    stage.note("inverse", rooms["/"]["s"].inverse[bob.eio_sid])
    stage.note("items", [(name, dict(members)) for name, members in rooms["/"].items() if name == "r"])
    for key in ("/x", None):
        await stage.outcome("missing", lambda: rooms[key])
    await stage.outcome("missing room", lambda: rooms["/"]["none"])
    stage.note("get", rooms.get("/x", {}).get("r", {}), rooms["/"].get("r", {}).get(ann.sid))
    await ann.leave()
    stage.note("live", len(sio.manager.rooms["/"][None]), list(sio.manager.rooms["/"]["r"]) == [bob.sid])


@scenario("5")
async def questions_to_the_manager(stage: Stage) -> None:
    sio = stage.server(namespaces="*")
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    manager = sio.manager
    x = ann.sids["/x"]
    stage.note(
        "connected",
        manager.is_connected(ann.sid, "/"),
        manager.is_connected(ann.sid, "/x"),
        manager.is_connected("u", "/"),
    )
    stage.note(
        "ids", manager.eio_sid_from_sid(ann.sid, "/") == ann.eio_sid, manager.sid_from_eio_sid(ann.eio_sid, "/x") == x
    )
    stage.note(
        "unknown",
        manager.eio_sid_from_sid("u", "/"),
        manager.sid_from_eio_sid("u", "/"),
        manager.sid_from_eio_sid("u", "/y"),
    )
    stage.note("namespaces", sorted(manager.get_namespaces()), len(manager.get_namespaces()))
    participants = manager.get_participants(namespace="/", room=None)
    stage.note("participants", type(participants).__name__, list(participants) == [(ann.sid, ann.eio_sid)])
    stage.note("rooms", manager.get_rooms(ann.sid, "/"), manager.get_rooms("u", "/"))
    stage.note(
        "sid rooms",
        manager.is_sid_room("/", ann.sid),
        manager.is_sid_room("/", "r"),
        manager.is_pre_connected(ann.sid, "/"),
    )
    stage.note(
        "can disconnect", bool(await manager.can_disconnect(ann.sid, "/")), bool(await manager.can_disconnect("u", "/"))
    )


@scenario("1.8")
async def the_manager_by_hand(stage: Stage) -> None:
    """Tests make up clients with the manager's own methods."""
    sio = stage.server()
    manager = sio.manager
    sid = await manager.connect("eio-1", "/")
    stage.note("connected", manager.is_connected(sid, "/"), manager.eio_sid_from_sid(sid, "/"))
    pending = await manager.pre_connect("eio-2", "/")
    stage.note("pending", manager.is_connected(pending, "/"), manager.is_pre_connected(pending, "/"))
    await manager.connect(pending, "/")
    stage.note("promoted", manager.is_connected(pending, "/"), await manager.pre_connect("eio-2", "/"))
    manager.basic_enter_room(sid, "/", "r")
    await manager.enter_room(pending, "/", "r")
    stage.note(
        "room",
        [eio for _, eio in manager.get_participants("/", "r")],
        [eio for _, eio in manager.get_participants("/", ["r", None])],
    )
    manager.basic_leave_room(sid, "/", "r")
    manager.basic_close_room("r", "/")
    stage.note("rooms", "r" in manager.rooms["/"])
    stage.note("leaving", manager.pre_disconnect(sid, "/"), manager.is_connected(sid, "/"))
    await manager.disconnect(sid, "/")
    await manager.disconnect(pending, "/")
    stage.note("left", dict(manager.rooms))


@scenario("1.8")
async def initialize_is_called_once(stage: Stage) -> None:
    calls: list[str] = []

    class Manager(stage.socketio.AsyncManager):
        def initialize(self) -> None:
            calls.append("initialize")
            super().initialize()

        def set_server(self, server: Any) -> None:
            calls.append("set_server")
            super().set_server(server)

    sio = stage.server(client_manager=Manager())
    await stage.serve(sio)
    stage.note("before", calls, sio.manager_initialized)
    await stage.guest("ann")
    await stage.guest("bob")
    stage.note("after", calls, sio.manager_initialized)


@scenario("1.8")
async def a_manager_with_its_own_methods(stage: Stage) -> None:
    """Overridden methods are the ones that the server calls."""

    class Manager(stage.socketio.AsyncManager):
        async def connect(self, sid: str, namespace: str) -> Any:
            stage.note("connect", namespace)
            return await super().connect(sid, namespace)

        async def disconnect(self, sid: str, namespace: str, **options: Any) -> Any:
            stage.note("disconnect", namespace)
            return await super().disconnect(sid, namespace, **options)

        async def emit(self, event: str, data: Any, namespace: str, **options: Any) -> None:
            stage.note("emit", event, data, namespace, sorted(name for name, value in options.items() if value))
            await super().emit(event, data, namespace, **options)

        async def enter_room(self, sid: str, namespace: str, room: str, **options: Any) -> None:
            stage.note("enter", namespace, room)
            await super().enter_room(sid, namespace, room, **options)

    sio = stage.server(client_manager=Manager())

    @sio.event
    async def E(sid: str) -> None:
        await sio.enter_room(sid, "r")
        await sio.emit("news", 1, to="r")
        await sio.emit("news", 2)

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.emit("E")
    await ann.leave()


@scenario("5")
async def a_manager_assigned_later(stage: Stage) -> None:
    sio = stage.server()
    manager = stage.socketio.AsyncManager()
    sio.manager = manager
    manager.set_server(sio)
    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.enter_room(ann.sid, "r")
    await sio.emit("news", to="r")
    await ann.ask("E")
    stage.note("manager", sio.manager is manager, manager.is_connected(ann.sid, "/"))


@scenario("5")
async def sockets(stage: Stage) -> None:
    """`eio.sockets`, and what its values know."""
    sio = stage.server()
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.poller("bob")
    table = sio.eio.sockets
    stage.note(
        "table", len(table), set(table.keys()) == {ann.eio_sid, bob.eio_sid}, ann.eio_sid in table, table.get("unknown")
    )
    for client in (ann, bob):
        one = sio.eio.sockets[client.eio_sid]
        stage.note(
            "socket", one.sid == client.eio_sid, one.server is sio.eio, one.connected, one.upgraded, one.upgrading
        )
        stage.note("state", one.closing, one.closed, one.session, one.last_ping is None or one.last_ping > 0)
    stage.note("upgraded", sum(1 for one in sio.eio.sockets.values() if one.upgraded))
    await ann.leave()
    stage.note("left", list(sio.eio.sockets) == [bob.eio_sid])


@scenario("5")
async def environ_table(stage: Stage) -> None:
    """`sio.environ` is read, iterated, and entries are deleted."""
    sio = stage.server()
    sio.on("connect", stage.noting("connect"))
    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(sio)
    ann, bob = await stage.guest("ann"), await stage.guest("bob")
    stage.note(
        "table", isinstance(sio.environ, dict), list(sio.environ) == [ann.eio_sid, bob.eio_sid], len(sio.environ)
    )
    stage.note("values", [environ["REQUEST_METHOD"] for environ in sio.environ.values()], bob.eio_sid in sio.environ)
    stage.note("same", sio.environ[ann.eio_sid] is sio.get_environ(ann.sid))
    sio.environ[ann.eio_sid]["REMOTE_USER"] = "ann"
    stage.note("kept", sio.get_environ(ann.sid)["REMOTE_USER"])
    del sio.environ[bob.eio_sid]
    stage.note("deleted", sio.get_environ(bob.sid), len(sio.environ))
    await bob.ask("E")
    await bob.leave()
    await ann.leave()
    stage.note("empty", dict(sio.environ))


@scenario("5")
async def handlers_tables(stage: Stage) -> None:
    sio = stage.server()
    E = stage.noting("E", returns=1)
    sio.on("E", E)
    namespace = stage.socketio.AsyncNamespace("/x")
    namespace.on_E = stage.noting("class", returns=2)  # type: ignore[attr-defined]
    sio.register_namespace(namespace)
    stage.note("tables", sio.handlers["/"]["E"] is E, sio.namespace_handlers["/x"] is namespace)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    await ann.ask("E", namespace="/x")
    del sio.namespace_handlers["/x"]
    await ann.ask("E", namespace="/x")
    await ann.send("41/x,")
    await ann.join("/x")
    sio.handlers.clear()
    await ann.ask("E")
