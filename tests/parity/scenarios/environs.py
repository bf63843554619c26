"""The handshake as applications see it (contract 2.15)."""

from typing import Any

from parity.scenario import scenario
from parity.stage import Stage

REQUEST_HEADERS = {
    "X_One": "1",
    "Cookie": "a=b; c=d",
    "User_Agent": "parity",
    "X_Text": "caf\u00e9",
    "Origin": "http://127.0.0.1",
    "Authorization": "Bearer abc",
}
IGNORED = {
    "wsgi.input",
    "wsgi.errors",
    "asgi.scope",
    "asgi.receive",
    "asgi.send",
    "HTTP_SEC_WEBSOCKET_KEY",
    "REMOTE_PORT",
}


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
        stage.note(
            "scope", *(scope[key] for key in ("type", "method", "path", "query_string", "http_version", "scheme"))
        )
        stage.note("client", scope["client"][0], scope["server"][0], bytes(scope["raw_path"]))
        stage.note("headers", dict(scope["headers"]).get(b"x-name"))
        stage.note(
            "errors",
            hasattr(environ["wsgi.errors"], "write"),
            callable(environ["asgi.receive"]),
            callable(environ["asgi.send"]),
        )

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
    stage.note(
        "gone", sio.get_environ(ann.sid), dict(sio.environ), sio.get_environ("unknown"), sio.get_environ("x", "/none")
    )


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
