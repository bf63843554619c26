"""`fastsio doctor` at the server itself, and at what is no server: names, ports, TLS, paths, origins, revisions.

May import: proxies, reading, live servers, awkward servers.
"""

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from doctor.proxies import holding
from doctor.reading import consult
from load.awkward import Connection, serving
from tests.ports import free_port
from wire.live import Server

QUICK = "--quick"


def start(
    app: str = "app", wire: str = "native", options: dict[str, object] | None = None, **environment: str
) -> Server:
    return Server(wire, f"doctor.applications:{app}", {"DOCTOR_OPTIONS": json.dumps(options or {}), **environment})


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = start(options={"ping_interval": 2})
    yield running
    running.stop()


def test_the_server_itself_is_healthy(server: Server) -> None:
    reading = consult(f"http://127.0.0.1:{server.port}")
    assert reading.status == 0
    assert all(line["state"] == "ok" for check, line in reading.checks.items() if check != "TLS")
    assert reading.checks["heartbeat, polling, EIO 3"]["state"] == "ok"


def test_an_unknown_name() -> None:
    reading = consult("http://no-such-host.invalid")
    assert (reading.status, reading.causes) == (10, ["name"])
    assert reading.state("heartbeat, WebSocket, EIO 3") == "skipped"


def test_nothing_listens() -> None:
    reading = consult(f"http://127.0.0.1:{free_port()}")
    assert (reading.status, reading.causes) == (11, ["nothing-listening"])
    assert "--host 0.0.0.0" in reading.failure("nothing-listening")


def test_a_server_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reading = consult(f"http://127.0.0.1:{listener.getsockname()[1]}", "--timeout", "0.5")
    assert (reading.status, reading.causes) == (11, ["nothing-listening"])
    assert "no answer within 0.5 s" in reading.failure("nothing-listening")


# --- TLS


def certificate(folder: Path, name: str) -> list[str]:
    """Make a certificate for a name that only itself vouches for; give uvicorn's options."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return [str(key), str(cert)]


@pytest.fixture
def secure(server: Server, tmp_path: Path) -> Iterator[int]:
    """A port that ends TLS and passes what is inside to the server."""
    key, cert = certificate(tmp_path, "example.test")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)

    def handle(connection: Connection) -> None:
        with context.wrap_socket(connection.sock, server_side=True) as client:
            client.settimeout(5)
            request = client.recv(65536)
            with socket.create_connection(("127.0.0.1", server.port), 5) as behind:
                behind.sendall(request)
                while data := behind.recv(65536):
                    client.sendall(data)

    with serving(handle) as port:
        yield port


def test_a_certificate_that_nobody_vouches_for(secure: int) -> None:
    reading = consult(f"https://127.0.0.1:{secure}", QUICK, "--eio", "4", "--timeout", "1")
    assert reading.status == 12 and reading.causes[0] == "tls"
    assert "self-signed" in reading.failure("tls") and "SSL_CERT_FILE" in reading.failure("tls")
    assert reading.state("path") == "ok"  # the examination goes on


def test_http_where_https_is_wanted(secure: int) -> None:
    reading = consult(f"http://127.0.0.1:{secure}", "--timeout", "2")
    assert (reading.status, reading.causes) == (12, ["tls"])
    assert "use https://" in reading.failure("tls")


def test_https_where_http_is_spoken(server: Server) -> None:
    reading = consult(f"https://127.0.0.1:{server.port}", "--timeout", "1")
    assert (reading.status, reading.causes) == (12, ["tls"])
    assert "use http://" in reading.failure("tls")


# --- what answers


def test_the_namespace_in_the_place_of_the_path(server: Server) -> None:
    reading = consult(f"http://127.0.0.1:{server.port}/admin", QUICK)
    assert (reading.status, reading.causes) == (14, ["wrong-path"])
    assert "Socket.IO is at /socket.io/" in reading.failure("wrong-path")
    assert "is a namespace, not a path" in reading.failure("wrong-path")


def test_a_mount_below_the_given_path() -> None:
    mounted = start(DOCTOR_PATH="live/feed/socket.io")
    try:
        assert consult(f"http://127.0.0.1:{mounted.port}", QUICK).causes == ["not-socketio"]
        reading = consult(f"http://127.0.0.1:{mounted.port}/live/feed", QUICK)
        assert "Socket.IO is at /live/feed/socket.io/" in reading.failure("wrong-path")
    finally:
        mounted.stop()


def test_a_web_server_without_socketio() -> None:
    plain = start("plain", "asgi")
    try:
        reading = consult(f"http://127.0.0.1:{plain.port}")
        assert (reading.status, reading.causes) == (13, ["not-socketio"])
        assert "a web page" in reading.failure("not-socketio")
    finally:
        plain.stop()


def test_a_server_that_fails() -> None:
    broken = start("broken", "asgi")
    try:
        reading = consult(f"http://127.0.0.1:{broken.port}", QUICK)
        assert reading.causes == ["not-socketio"]
        assert "what serves this path has failed: look into its log" in reading.failure("not-socketio")
    finally:
        broken.stop()


def test_something_else_than_http() -> None:
    def greet(connection: Connection) -> None:
        connection.send(b"SSH-2.0-OpenSSH_9.2\r\n")
        connection.more()

    with serving(greet) as port:
        reading = consult(f"http://127.0.0.1:{port}", "--timeout", "1")
    assert (reading.status, reading.causes) == (13, ["not-socketio"])
    assert "does not speak HTTP" in reading.failure("not-socketio")


# --- what the server itself decides


def test_origins() -> None:
    strict = start(options={"cors_allowed_origins": ["https://app.example.org"]})
    try:
        url = f"http://127.0.0.1:{strict.port}"
        assert consult(url, QUICK, "--origin", "https://app.example.org").status == 0
        reading = consult(url, QUICK, "--origin", "https://app.example.com")
        assert (reading.status, reading.causes) == (17, ["origin"])
        assert 'cors_allowed_origins=["https://app.example.com"]' in reading.failure("origin")
        reading = consult(url, QUICK)
        assert reading.causes == ["origin"]
        assert "nothing is wrong: run this again with --origin" in reading.failure("origin")
    finally:
        strict.stop()


def test_an_origin_that_only_browsers_refuse() -> None:
    silent = start(options={"cors_allowed_origins": []})  # CORS is left to somebody else, who does nothing
    try:
        reading = consult(f"http://127.0.0.1:{silent.port}", QUICK, "--origin", "https://app.example.org")
        assert (reading.status, reading.causes) == (17, ["origin"])
        assert "browsers hide it" in reading.failure("origin")
    finally:
        silent.stop()


def test_a_revision_that_is_not_served() -> None:
    theirs = start("theirs", "asgi")  # python-socketio serves Engine.IO 4 alone
    try:
        url = f"http://127.0.0.1:{theirs.port}"
        reading = consult(url, QUICK)
        assert (
            reading.status == 0
            and reading.state("Engine.IO 3") == "skipped"
            and reading.state("upgrade, EIO 4") == "ok"
        )
        reading = consult(url, QUICK, "--eio", "3")
        assert (reading.status, reading.causes) == (18, ["version"])
    finally:
        theirs.stop()


def test_engine_io_3_alone() -> None:
    old = start(options={"protocols": [3]})
    try:
        url = f"http://127.0.0.1:{old.port}"
        reading = consult(url, QUICK)
        assert (
            reading.status == 0
            and reading.state("Engine.IO 4") == "skipped"
            and reading.state("upgrade, EIO 3") == "ok"
        )
        assert consult(url, QUICK, "--eio", "4").status == 18
    finally:
        old.stop()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_one_transport_is_no_failure(transport: str) -> None:
    single = start(options={"transports": [transport], "ping_interval": 1})
    try:
        reading = consult(f"http://127.0.0.1:{single.port}")
        assert reading.status == 0
        other = "WebSocket" if transport == "polling" else "polling"
        states = {kind: reading.state(f"{kind}, EIO 4") for kind in ("polling", "WebSocket", "upgrade")}
        assert states == {"polling": "ok", "WebSocket": "ok"} | {other: "skipped", "upgrade": "skipped"}
    finally:
        single.stop()


def test_a_connect_handler_that_refuses_is_no_failure() -> None:
    refusing = start(DOCTOR_REFUSES="1")
    try:
        reading = consult(f"http://127.0.0.1:{refusing.port}", QUICK)
        assert reading.status == 0
        assert 'a client without credentials: {"message":"log in first"' in reading.checks["polling, EIO 4"]["detail"]
        reading = consult(f"http://127.0.0.1:{refusing.port}", QUICK, "--auth", '{"name": "doctor"}')
        assert "refuses these credentials: " in reading.checks["polling, EIO 4"]["detail"]
        for transport in ("polling", "WebSocket"):
            assert "(Engine.IO 3 cannot carry --auth): " in reading.checks[f"{transport}, EIO 3"]["detail"]
    finally:
        refusing.stop()


def test_nobody_answers_for_the_namespace() -> None:
    bare = start("engine", "asgi")
    try:
        reading = consult(f"http://127.0.0.1:{bare.port}", QUICK, "--eio", "4", "--timeout", "0.5")
        assert (reading.status, reading.causes) == (25, ["no-connect"])
    finally:
        bare.stop()


def test_frames_are_held_back(server: Server) -> None:
    with holding(server.port) as port:
        reading = consult(f"http://127.0.0.1:{port}", QUICK, "--eio", "4", "--timeout", "1")
    assert (reading.status, reading.causes) == (21, ["late"])
    assert reading.state("polling, EIO 4") == "ok" and reading.state("WebSocket, EIO 4") == "failed"
