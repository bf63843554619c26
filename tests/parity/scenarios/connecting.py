"""Joining a namespace (contract 2.4 to 2.6, 2.15, 2.16): who is let in, what the handler is given, what it may do."""

import builtins
import json
from collections.abc import Callable
from typing import Any

from parity.scenario import scenario
from parity.stage import Stage

# --- the call (2.4)


def shapes(stage: Stage) -> dict[str, Any]:
    """Give connect handlers of every signature in use."""

    async def two(sid: str, environ: Any) -> None:
        stage.note("two", sid, environ)

    async def three(sid: str, environ: Any, auth: Any) -> None:
        stage.note("three", sid, environ, auth)

    async def optional(sid: str, environ: Any, auth: Any = "default") -> None:
        stage.note("optional", sid, environ, auth)

    async def any_number(*args: Any) -> None:
        stage.note("any number", *args)

    def plain(sid: str, environ: Any, auth: Any) -> None:
        stage.note("plain", sid, environ, auth)

    def plain_two(sid: str, environ: Any) -> None:
        stage.note("plain two", sid, environ)

    return {handler.__name__: handler for handler in (two, three, optional, any_number, plain, plain_two)}


AUTHS: dict[str, Any] = {"none": None, "dict": {"a": 1}, "empty": {}, "text": "secret", "zero": 0, "list": [1], "false": False}
SHAPES = ("two", "three", "optional", "any_number", "plain", "plain_two")


@scenario("2.4", {name: name for name in SHAPES})
async def connect_handler_without_auth(stage: Stage, shape: str) -> None:
    sio = stage.server()
    sio.on("connect", shapes(stage)[shape])
    await stage.serve(sio)
    await stage.guest("ann")


@scenario("2.4", {name: name for name in SHAPES})
async def connect_handler_with_auth(stage: Stage, shape: str) -> None:
    sio = stage.server()
    sio.on("connect", shapes(stage)[shape])
    await stage.serve(sio)
    await stage.guest("ann", auth={"a": 1})
    stage.faults()


@scenario("2.4", AUTHS)
async def auth_payloads(stage: Stage, auth: Any) -> None:
    sio = stage.server()
    sio.on("connect", shapes(stage)["three"])
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    await ann.send("40" + json.dumps(auth))


@scenario("2.4")
async def a_type_error_inside_the_handler(stage: Stage) -> None:
    """A handler that itself raises TypeError is run once."""
    sio = stage.server()

    @sio.event
    async def connect(sid: str, environ: Any, auth: Any = None) -> None:
        stage.note("connect")
        raise TypeError("of the application")

    await stage.serve(sio)
    await stage.guest("ann")
    stage.faults()


@scenario("2.4")
async def no_connect_handler(stage: Stage) -> None:
    sio = stage.server()
    await stage.serve(sio)
    ann = await stage.guest("ann")
    stage.note("connected", sio.manager.is_connected(ann.sid, "/"))


@scenario("2.4")
async def class_namespace_connects(stage: Stage) -> None:
    sio = stage.server()

    class Chat(stage.socketio.AsyncNamespace):
        def on_connect(self, sid: str, environ: Any) -> None:
            stage.note("connect", sid, environ)

        async def on_disconnect(self, sid: str) -> None:
            stage.note("disconnect", sid)

    sio.register_namespace(Chat("/chat"))
    await stage.serve(sio)
    ann = await stage.guest("ann", "/chat")
    await ann.send("41/chat,")


@scenario("2.4")
async def inside_the_connect_handler(stage: Stage) -> None:
    """What works while a client is pending: emit, rooms, sessions, environ; not disconnect."""
    sio = stage.server()

    @sio.event
    async def connect(sid: str, environ: Any, auth: Any) -> None:
        stage.note("connected", sio.manager.is_connected(sid, "/"), sio.manager.is_pre_connected(sid, "/"))
        await sio.enter_room(sid, "room")
        await sio.save_session(sid, {"name": "ann"})
        stage.note("rooms", sio.rooms(sid), sio.transport(sid), sio.get_environ(sid) is environ)
        await sio.emit("welcome", to=sid)
        await sio.emit("to the room", to="room")
        await sio.emit("to all")
        await sio.disconnect(sid)

    @sio.event
    async def E(sid: str) -> Any:
        return await sio.get_session(sid)

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.ask("E")


@scenario("2.4")
async def events_before_and_while_joining(stage: Stage) -> None:
    """Frames that follow the CONNECT wait for the connect handler."""
    sio = stage.server()

    @sio.event
    async def connect(sid: str, environ: Any, auth: Any) -> None:
        stage.note("connect begins")
        await sio.sleep(0.01)
        stage.note("connect ends")

    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    await ann.send("40", '421["E"]')
    await sio.sleep(0.02)
    await stage.settle()


@scenario("2.4")
async def an_event_for_a_namespace_never_joined(stage: Stage) -> None:
    sio = stage.server(namespaces=["/", "/x"])
    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    await ann.send('421["E"]')
    await ann.join()
    await ann.ask("E")


@scenario("2.4")
async def a_second_connect(stage: Stage) -> None:
    sio = stage.server()
    sio.on("E", stage.noting("E", returns=1))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.send("40")
    await ann.ask("E")


@scenario("2.4")
async def leaving_and_joining_again(stage: Stage) -> None:
    sio = stage.server()
    sio.on("connect", stage.noting("connect"))
    sio.on("disconnect", stage.noting("disconnect"))
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await sio.save_session(ann.sid, {"kept": True})
    await ann.send("41")
    await ann.send('421["E"]')
    await ann.join()
    stage.note("session", await sio.get_session(ann.sid))


@scenario("2.4")
async def ids(stage: Stage) -> None:
    """Session ids have one form, and every namespace has its own."""
    sio = stage.server(namespaces="*")
    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    every = [ann.eio_sid, *ann.sids.values()]
    stage.note("ids", len(set(every)), {len(sid) for sid in every})
    stage.note("tables", list(sio.environ) == [ann.eio_sid], list(sio.eio.sockets) == [ann.eio_sid])


@scenario("2.4")
async def a_query_in_the_namespace(stage: Stage) -> None:
    sio = stage.server(namespaces=["/foo"])
    sio.on("connect", stage.noting("connect"), namespace="/foo")
    await stage.serve(sio)
    ann = await stage.client("ann").websocket()
    await ann.send('40/foo?x=1,{"token":2}')
    await ann.send("40/bar?x=1,")


# --- outcomes (2.5, 2.6)


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
    stage.note("rooms", sio.rooms(ann.sid), sio.rooms(ann.sids["/x"], namespace="/x"), sio.rooms(ann.sid, namespace="/x"))
    await ann.send("41/x,")
    await ann.ask("E")


# --- environ (2.15)

REQUEST_HEADERS = {
    "X_One": "1",
    "Cookie": "a=b; c=d",
    "User_Agent": "parity",
    "X_Text": "caf\u00e9",
    "Origin": "http://127.0.0.1",
    "Authorization": "Bearer abc",
}
IGNORED = {"wsgi.input", "wsgi.errors", "asgi.scope", "asgi.receive", "asgi.send", "HTTP_SEC_WEBSOCKET_KEY", "REMOTE_PORT"}


@scenario("2.15", {"websocket": True, "polling": False})
async def environ_keys(stage: Stage, is_websocket: bool) -> None:
    sio = stage.server(cors_allowed_origins="*")

    @sio.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        for key in sorted(set(environ) - IGNORED):
            stage.note(key, environ[key])
        stage.note("port", environ["REMOTE_PORT"].isdigit())

    await stage.serve(sio)
    ann = stage.client("ann", **REQUEST_HEADERS)
    await (ann.websocket if is_websocket else ann.polling)("&x=1%20y&x=2")
    await ann.join()


@scenario("2.15")
async def environ_extras(stage: Stage) -> None:
    """The keys whose values are objects: the body, and the ASGI triple of the handshake."""
    sio = stage.server()

    @sio.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        stage.note("body", await environ["wsgi.input"].read())
        scope = environ["asgi.scope"]
        stage.note("scope", *(scope[key] for key in ("type", "method", "path", "query_string", "http_version", "scheme")))
        stage.note("client", scope["client"][0], scope["server"][0], bytes(scope["raw_path"]))
        stage.note("headers", dict(scope["headers"]).get(b"x-name"))
        stage.note("errors", hasattr(environ["wsgi.errors"], "write"), callable(environ["asgi.receive"]), callable(environ["asgi.send"]))

    await stage.serve(sio)
    await stage.poller("ann", X_Name="ann")


@scenario("2.15")
async def environ_is_one_dict(stage: Stage) -> None:
    """One mutable dict for the whole connection: shared by namespaces, found again in `sio.environ`, gone afterwards."""
    sio = stage.server(namespaces="*")
    seen: list[Any] = []

    @sio.on("connect", namespace="*")
    async def connect(namespace: str, sid: str, environ: dict[str, Any], auth: Any) -> None:
        seen.append(environ)
        environ["mine"] = environ.get("mine", 0) + 1

    @sio.on("disconnect", namespace="*")
    async def disconnect(namespace: str, sid: str, reason: str) -> None:
        seen.append(sio.get_environ(sid, namespace))

    await stage.serve(sio)
    ann = await stage.guest("ann")
    await ann.join("/x")
    environ = sio.get_environ(ann.sid)
    stage.note("dict", type(environ) is dict, environ["mine"], sio.environ[ann.eio_sid] is environ)
    await ann.leave()
    stage.note("the same", all(one is environ for one in seen), len(seen))
    stage.note("gone", sio.get_environ(ann.sid), dict(sio.environ), sio.get_environ("unknown"), sio.get_environ("x", "/none"))


@scenario("2.15")
async def repeated_headers(stage: Stage) -> None:
    sio = stage.server()

    @sio.event
    async def connect(sid: str, environ: dict[str, Any]) -> None:
        stage.note("x", environ["HTTP_X_ONE"], environ.get("CONTENT_TYPE"), environ["wsgi.url_scheme"])

    await stage.serve(sio)
    ann = stage.client("ann", X_One="1\r\nX-One: 2", Content_Type="text/x-odd", X_Forwarded_Proto="https")
    await ann.polling()
    await ann.join()
