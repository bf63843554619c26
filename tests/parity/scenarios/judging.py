"""Who is let in (contract 2.5, 2.6, 2.16): outcomes of connect handlers, accepted namespaces."""

import builtins
from collections.abc import Callable
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage


def refused(*args: Any) -> Callable[[Stage], Any]:
    """Give what raises the module's own refusal."""

    def outcome(stage: Stage) -> Any:
        raise stage.socketio.exceptions.ConnectionRefusedError(*args)

    return outcome


def raising(error: BaseException) -> Callable[[Stage], Any]:
    def outcome(stage: Stage) -> Any:
        raise error

    return outcome


def giving(value: Any) -> Callable[[Stage], Any]:
    return lambda stage: value


OUTCOMES: dict[str, Callable[[Stage], Any]] = {
    "false": giving(False),
    "none": giving(None),
    "true": giving(True),
    "zero": giving(0),
    "empty_text": giving(""),
    "empty_list": giving([]),
    "empty_dict": giving({}),
    "text": giving("x"),
    "refused": refused(),
    "refused_message": refused("m"),
    "refused_dict": refused({"a": 1}),
    "refused_data": refused("m", {"code": 1}),
    "refused_more_data": refused("m", 1, [2]),
    "refused_none": refused(None),
    "builtin_refusal": raising(builtins.ConnectionRefusedError("m")),
    "exception": raising(ValueError("of the application")),
}


def judging_server(stage: Stage, outcome: Callable[[Stage], Any], **options: Any) -> Any:
    sio = stage.server(namespaces=["/", "/x"], **options)

    @sio.on("connect")
    @sio.on("connect", namespace="/x")
    async def connect(sid: str, environ: Any, auth: Any) -> Any:
        return outcome(stage)

    sio.on("disconnect", stage.noting("disconnect"))
    sio.on("E", stage.noting("E", returns="still here"))
    return sio


@scenario("2.5", OUTCOMES)
async def connect_outcomes(stage: Stage, outcome: Callable[[Stage], Any]) -> None:
    sio = judging_server(stage, outcome)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    stage.note("members", [len(sio.manager.rooms.get(namespace, {}).get(None, {})) for namespace in ("/", "/x")])
    await ann.leave()
    stage.note("left behind", dict(sio.environ))


@scenario("2.6", {name: OUTCOMES[name] for name in ("false", "none", "refused", "refused_data", "exception")})
async def always_connect(stage: Stage, outcome: Callable[[Stage], Any]) -> None:
    sio = judging_server(stage, outcome, always_connect=True)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    stage.note("members", len(sio.manager.rooms.get("/", {}).get(None, {})))
    await ann.ask("E")


@scenario("2.5")
async def refused_and_again(stage: Stage) -> None:
    """After a refusal the connection stays, and may ask again."""
    sio = stage.server()

    @sio.event
    async def connect(sid: str, environ: Any, auth: Any) -> bool:
        return auth is not None

    sio.on("disconnect", stage.noting("disconnect"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join(auth={"token": 1})
    await ann.send("41")
    await ann.join(auth={"token": 2})
    await ann.leave()


@scenario("2.5")
async def a_refusal_of_python_socketio(stage: Stage) -> None:
    """A refusal class of another library counts by its name and its `error_args`."""
    import socketio

    sio = judging_server(stage, raising(socketio.exceptions.ConnectionRefusedError("theirs", 1)))
    await stage.serve(sio)
    await stage.guest("ann")


@scenario("2.5")
async def a_pending_client_hears(stage: Stage) -> None:
    """Broadcasts reach a client whose connect handler still runs; here, once it has been let in."""
    sio = stage.server()

    @sio.event
    async def connect(sid: str, environ: Any, auth: Any) -> bool:
        await sio.emit("news")
        return auth is not None

    await stage.serve(sio)
    await stage.guest("ann")
    await stage.guest("bob", auth="let me in")


# --- namespaces (2.16)

NAMESPACES: dict[str, Any] = {
    "default": {},
    "all": {"namespaces": "*"},
    "list": {"namespaces": ["/foo"]},
    "tuple": {"namespaces": ("/", "/foo")},
    "set": {"namespaces": {"/foo"}},
    "empty": {"namespaces": []},
    "one_name": {"namespaces": "/foo"},
}


@scenario("2.16", NAMESPACES)
async def accepted_namespaces(stage: Stage, options: dict[str, Any]) -> None:
    sio = stage.server(**options)
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    for namespace in ("/", "/foo", "/bar", "/f"):
        await ann.join(namespace)


@scenario("2.16")
async def handlers_open_namespaces(stage: Stage) -> None:
    sio = stage.server(namespaces=["/"])
    sio.on("E", stage.noting("E"), namespace="/function")
    sio.on("E", stage.noting("E"), namespace="*")
    sio.register_namespace(stage.socketio.AsyncNamespace("/class"))
    sio.register_namespace(stage.socketio.AsyncNamespace("*"))
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    for namespace in ("/function", "/class", "/other", "/"):
        await ann.join(namespace)


@scenario("2.16")
async def namespaces_are_apart(stage: Stage) -> None:
    sio = stage.server(namespaces="*")
    for namespace in ("/", "/x"):
        sio.on("E", stage.noting(f"E in {namespace}", returns=namespace), namespace=namespace)
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    await ann.ask("E")
    await ann.ask("E", namespace="/x")
    await sio.emit("news", "root")
    await sio.emit("news", "x", namespace="/x")
    await stage.settle()
    await sio.enter_room(ann.sids["/x"], "room", namespace="/x")
    stage.note(
        "rooms", sio.rooms(ann.sid), sio.rooms(ann.sids["/x"], namespace="/x"), sio.rooms(ann.sid, namespace="/x")
    )
    await ann.send("41/x,")
    await ann.ask("E")
