"""nginx as it is packaged, with a configuration of the test's, and a proxy that holds back what it should pass.

May import: the standard library, `wire.live`, `load.awkward` (connections on threads).
"""

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from load.awkward import Connection, serving
from tests.ports import free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx")
START_SECONDS = 10.0
# What nginx needs so that nothing is wrong.
PASS_HOST = "proxy_set_header Host $http_host;"
PASS_UPGRADE = 'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'

CONFIGURATION = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=shop:1m;
  upstream servers {{ {servers} }}
  server {{ listen 127.0.0.1:{port}{tls}; {outside} location {location} {{ {inside} proxy_pass http://servers{onto}; }} }}
}}
"""


@contextlib.contextmanager
def nginx(
    folder: Path,
    ports: list[int],
    inside: str,
    *,
    location: str = "/",
    onto: str = "",
    outside: str = "",
    balance: str = "",
    tls: str = "",
) -> Iterator[int]:
    """Run nginx in front of servers on these ports; give its own."""
    port = free_port()
    servers = balance + " ".join(f"server 127.0.0.1:{number};" for number in ports)
    text = CONFIGURATION.format(
        folder=folder, port=port, servers=servers, inside=inside, location=location, onto=onto, outside=outside, tls=tls
    )
    (folder / "nginx.conf").write_text(text)
    command = [str(NGINX), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_for_nginx(process, port, folder)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def wait_for_nginx(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    """Return when it accepts connections; `folder` has its `output` and `error.log`."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(
        "nginx did not start:\n" + (folder / "output").read_text() + (folder / "error.log").read_text()
    )


@contextlib.contextmanager
def holding(port: int) -> Iterator[int]:
    """Run a proxy that passes on heads, and of a WebSocket's frames nothing until its buffer of 4096 bytes is full."""

    def pump(source: socket.socket, sink: socket.socket, holds: bool) -> None:
        held = b""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                held += data
                if holds and b"HTTP/1.1 101" in held:
                    head, end, held = held.partition(b"\r\n\r\n")
                    sink.sendall(head + end)
                    while len(held) < 4096 and (data := source.recv(65536)):
                        held += data
                    holds = False
                sink.sendall(held)
                held = b""
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def relay(client: Connection) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            towards = threading.Thread(target=pump, args=(client.sock, server, False), daemon=True)
            towards.start()
            pump(server, client.sock, True)
            towards.join(30)

    with serving(relay) as own:
        yield own
