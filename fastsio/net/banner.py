"""What `fastsio run` says before it serves: where, what, within which limits, and which settings are unsafe.

May import: nothing of ours. Looks at servers of either make from outside. Never changes or starts anything.
"""

import ipaddress
from collections.abc import Iterator
from typing import Any

# Applications inside applications are looked at this deep.
MAX_DEPTH = 8
# A message limit from which a few clients can fill the memory of a process.
LARGE_MESSAGE = 100_000_000
GENERATIONS = {4: "4 (JavaScript clients 3 and 4, python-socketio 5)", 3: "3 (JavaScript clients 1 and 2)"}


def banner(app: Any, version: str, host: str, port: int, is_native: bool, options: dict[str, Any]) -> str:
    """Give the lines that say what is served.

    Args:
        app: the application, None when only other processes import it.
        version: of fastsio.
        host: address to listen on.
        port: port to listen on, 0 for any.
        is_native: whether the native wire serves an application that allows it.
        options: those of uvicorn.
    """
    lines = [f"fastsio {version}   {_address(host, port, options)}"]
    loop = str(options.get("loop", "auto")).partition(":")[0]
    if app is None:
        how = "--reload" if options.get("reload") else f"{options['workers']} workers"
        lines += [
            f"  serving    {how}: each process imports the application itself",
            f"  wire       of each process, on {loop}",
        ]
        return "\n".join(lines)
    servers = servers_in(app)
    if not servers:
        lines.append("  Socket.IO  none was found in the application; what it serves is its own affair")
    for path, server in servers:
        lines += _served(path, server)
    route = getattr(app, "native_route", None)
    wire = (
        "native" if is_native and route is not None and route() is not None and not options.get("root_path") else "ASGI"
    )
    return "\n".join([*lines, f"  wire       {wire}, on {loop}"])


def _address(host: str, port: int, options: dict[str, Any]) -> str:
    if options.get("uds"):
        return f"unix:{options['uds']}"
    scheme = "https" if options.get("ssl_certfile") else "http"
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" + (f":{port}" if port else ", on a port that the system chooses")


def _served(path: str, server: Any) -> list[str]:
    eio = getattr(server, "eio", server)
    revisions = [GENERATIONS[revision] for revision in sorted(getattr(eio, "protocols", (4,)), reverse=True)]
    transports = ", ".join(getattr(eio, "transports", None) or ("polling", "websocket"))
    kind = "Socket.IO" if hasattr(server, "eio") else "Engine.IO"
    lines = [
        f"  {kind}  {path or 'every path'}   over {transports}",
        f"  Engine.IO  {', '.join(revisions)}" if kind == "Socket.IO" else f"  revisions  {', '.join(revisions)}",
        f"  heartbeat  a ping every {_seconds(eio, 'ping_interval')} s, {_seconds(eio, 'ping_timeout')} s to answer",
    ]
    limits = [f"{_size(eio.max_http_buffer_size)} a message"]
    ours = getattr(eio, "_options", None)
    if ours is not None:
        limits.append(f"{_size(ours.max_send_buffer)} or {ours.max_send_packets:,} packets waiting for one client")
    return [*lines, f"  limits     {', '.join(limits)}"]


def _seconds(eio: Any, name: str) -> str:
    return f"{getattr(eio, name):g}"


def _size(size: int) -> str:
    return f"{size / 1e6:.3g} MB" if size >= 1e6 else f"{size / 1e3:.3g} kB"


def servers_in(app: Any) -> list[tuple[str, Any]]:
    """Give each Socket.IO or Engine.IO server of an application with its path, "" for every path.

    An ASGIApp in another one of the same server and path counts once.
    """
    return list(dict.fromkeys(_servers_below(app, "", 0)))


def _servers_below(app: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    server = getattr(app, "engineio_server", None)
    if server is not None:
        path = getattr(app, "engineio_path", None)
        # A mount's prefix counts once, wherever it was written.
        yield (
            (prefix if path is None else path if prefix and path.startswith(prefix + "/") else prefix + _slashed(path)),
            server,
        )
    if depth == MAX_DEPTH:
        return
    for name in ("other_asgi_app", "app"):  # what stands behind it; what a middleware wraps
        inner = getattr(app, name, None)
        if callable(inner):
            yield from _servers_below(inner, prefix, depth + 1)
    routes = getattr(app, "routes", None)
    for mount in routes if isinstance(routes, list) else ():
        if hasattr(mount, "app") and hasattr(mount, "routes"):  # a Mount; a Route has an endpoint
            yield from _servers_below(mount.app, prefix + str(getattr(mount, "path", "")), depth + 1)


def _slashed(path: str) -> str:
    return f"/{path.strip('/')}/" if path.strip("/") else "/"


# --- what is unsafe


def warnings(app: Any, host: str, options: dict[str, Any]) -> list[str]:
    """Give a sentence for each setting that is unsafe, or unwise, where strangers can reach the server."""
    servers = [] if app is None else servers_in(app)
    said = [f"{path or '/'}: {text}" for path, server in servers for text in _of_server(server)]
    if options.get("reload"):
        said.append("--reload is for development: it watches files, and every change disconnects everybody")
    if options.get("log_level") in ("debug", "trace"):
        said.append(f"--log-level {options['log_level']} is slow, and may write what clients send into the log")
    if "*" in str(options.get("forwarded_allow_ips") or ""):
        said.append('--forwarded-allow-ips "*": every client can claim any address; name the proxies')
    if (options.get("workers") or 1) > 1:
        said.append(
            f"--workers {options['workers']}: rooms are per process without a client_manager, and long-polling fails, because "
            "nothing makes the requests of one client reach one worker; run one process for each port behind a balancer"
        )
    if options.get("ssl_certfile") is None and not options.get("uds") and _is_public(host):
        said.append(f"{host} is a public address, and there is no TLS: what clients send can be read on the way")
    return said


def _of_server(server: Any) -> Iterator[str]:
    eio = getattr(server, "eio", server)
    origins = getattr(eio, "cors_allowed_origins", None)
    if origins == "*" or (isinstance(origins, (list, tuple, set, frozenset)) and "*" in origins):
        yield 'cors_allowed_origins="*": every web page can connect with its visitors\' cookies; list the origins of yours'
    elif origins == []:
        yield "cors_allowed_origins=[] checks no origin: every web page can open a WebSocket with its visitors' cookies"
    admin = getattr(server, "_instrumentation", None)
    if admin is not None and not admin.auth:
        may = "sees everything"
        if not admin.read_only and admin.mode == "development":
            may += ", and can disconnect and emit"
        yield f"instrument(auth=False): whoever connects to {admin.admin_namespace} {may}; give it an auth"
    if getattr(eio, "jsonp", False) is True:
        yield "jsonp=True: pages of every origin can read answers, whatever cors_allowed_origins says"
    if eio.max_http_buffer_size >= LARGE_MESSAGE:
        size = _size(eio.max_http_buffer_size)
        yield f"max_http_buffer_size={eio.max_http_buffer_size}: a few clients with messages of {size} can fill the memory"


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return False
