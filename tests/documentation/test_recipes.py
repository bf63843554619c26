"""Recipes that need other servers beside ours: nginx with the page's own configuration, a Redis, a certificate."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
import socketio

from doctor.proxies import NGINX, needs_nginx, wait_for_nginx
from doctor.reading import consult
from documentation.blocks import BLOCKS, ROOT
from tests.cluster.processes import Redis
from tests.ports import free_port
from wire.live import Server


def block(page: str, start: str) -> str:
    return next(block.text for block in BLOCKS if block.page == page and block.text.startswith(start))


@contextmanager
def serving(folder: Path, page: str, module: str = "", **environment: str) -> Iterator[Server]:
    """Serve the application of a page, or a module beside it, from a folder of its own."""
    for each in BLOCKS:
        if each.page == page and each.file:
            (folder / each.file).write_text(each.text)
    (folder / "page.html").write_text("<!doctype html><title>the page</title>")
    name = module or ("chat" if (folder / "chat.py").exists() else "app")
    path = f"{folder}{os.pathsep}{ROOT}"
    server = Server("native", f"{name}:app", {"PYTHONPATH": path, **environment}, folder=folder)
    try:
        yield server
    finally:
        server.stop()


WHO = """
import fastsio
from chat import sio


async def who(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{scope['client'][0]} {scope['scheme']}".encode()})


app = fastsio.ASGIApp(sio, who)
"""


def _who(port: int) -> str:
    """Ask from 127.0.0.2, which no proxy has, and claim to be somebody else."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5, source_address=("127.0.0.2", 0))
    claimed = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    connection.request("GET", "/who", headers=claimed)
    with connection.getresponse() as answer:
        return answer.read().decode()


@needs_nginx
def test_nginx_of_the_recipe_lets_everything_through(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "who.py").write_text(WHO)
    with serving(tmp_path, "docs/tutorial.md", "who") as server:
        text = block("docs/recipes/proxies.md", "map $http_upgrade").replace(
            "127.0.0.1:5001", f"127.0.0.1:{server.port}"
        )
        assert "listen 80;" in text
        text = text.replace("listen 80;", f"listen 127.0.0.1:{port};")
        paths = "".join(f"{name}_temp_path {tmp_path}/{name};" for name in ("proxy", "fastcgi", "uwsgi", "scgi"))
        (tmp_path / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {tmp_path}/pid; events {{}}"
            f"http {{ access_log off; client_body_temp_path {tmp_path}/body; {paths}\n{text}}}"
        )
        command = [
            str(NGINX),
            "-p",
            str(tmp_path),
            "-e",
            str(tmp_path / "error.log"),
            "-c",
            str(tmp_path / "nginx.conf"),
        ]
        process = subprocess.Popen(command)
        try:
            wait_for_nginx(process, port, tmp_path)
            reading = consult(f"http://127.0.0.1:{port}", "--auth", '{"name": "doctor"}', "--eio", "4", "--quick")
            assert reading.status == 0, reading.checks
            assert _who(port) == "127.0.0.2 http"
        finally:
            process.terminate()
            process.wait(10)


def test_the_location_of_the_tutorial_is_that_of_the_recipe() -> None:
    short = block("docs/tutorial.md", "location /socket.io/")
    lines = {line.strip() for line in short.splitlines()} - {"proxy_pass http://127.0.0.1:5001;"}
    whole = {
        line.partition("#")[0].strip() for line in block("docs/recipes/proxies.md", "map $http_upgrade").splitlines()
    }
    assert lines <= whole


def test_options_of_the_service_are_those_of_the_command() -> None:
    unit = block("docs/tutorial.md", "[Unit]")
    options = set(re.findall(r"--[\w-]+", unit))
    known = subprocess.run(
        [sys.executable, "-m", "fastsio", "run", "--help"], capture_output=True, text=True, check=True
    )
    assert options <= set(re.findall(r"--[\w-]+", known.stdout))


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
async def test_a_job_reaches_clients_of_the_server(tmp_path: Path) -> None:
    redis = Redis(tmp_path / "redis.log")
    redis.start()
    url = {"REDIS_URL": f"redis://127.0.0.1:{redis.port}/0"}
    try:
        with serving(tmp_path, "docs/recipes/other-processes.md", **url) as server:
            client = socketio.AsyncSimpleClient()
            await client.connect(f"http://127.0.0.1:{server.port}")
            for _ in range(20):  # the server begins to listen when its first client comes
                environment = os.environ | url | {"PYTHONPATH": str(ROOT)}
                subprocess.run([sys.executable, "job.py"], cwd=tmp_path, env=environment, check=True)
                try:
                    assert await client.receive(timeout=1) == ["report", {"number": 7, "rows": [1, 2, 3]}]
                    break
                except socketio.exceptions.TimeoutError:
                    await asyncio.sleep(0.1)
            else:
                raise AssertionError(f"nothing came; the server's log: {server.log()}")
            await client.disconnect()
    finally:
        redis.stop()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_certificate_of_the_recipe_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = next(line for line in block("docs/recipes/tls.md", "openssl").splitlines() if line.startswith("openssl"))
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    run = block("docs/recipes/tls.md", "fastsio run")
    options = " ".join(re.findall(r"--ssl-\w+ \S+", run)).split()
    assert options == ["--ssl-certfile", "cert.pem", "--ssl-keyfile", "key.pem"]
    (tmp_path / "app.py").write_text("import fastsio\napp = fastsio.ASGIApp(fastsio.AsyncServer(async_mode='asgi'))\n")
    server = Server(
        "native", "app:app", {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}, folder=tmp_path, options=options
    )
    try:
        reading = consult(f"https://127.0.0.1:{server.port}", "--quick", "--eio", "4")
        assert reading.causes == ["tls"]
        assert reading.state("WebSocket, EIO 4") == "ok"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        assert consult(f"https://localhost:{server.port}", "--quick").status == 0
    finally:
        server.stop()
