"""The same load over TLS, with a certificate that only --insecure accepts."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from load.awkward import serving
from load.conftest import Bench, Fails
from wire.live import Server


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    make_certificate(file)
    running = Server("module", "load.served_tls", {"LOAD_CERTIFICATE": str(file)})
    yield running
    running.stop()


def make_certificate(file: Path) -> None:
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    command = ["openssl", *options.split(), "-keyout", str(file), "-out", str(file.with_suffix(".crt"))]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())


@pytest.mark.parametrize("options", ["echo", "echo --payload 200000", "echo --window 16 --cork", "polling", "connect"])
def test_load_over_tls(tls_server: Server, bench: Bench, options: str) -> None:
    scenario, *more = options.split()
    url = f"https://127.0.0.1:{tls_server.port}"
    assert bench(url, "--insecure", "--scenario", scenario, *more)["messages"] > 10


def test_a_certificate_of_nobody(tls_server: Server, fails: Fails) -> None:
    said = fails(f"https://127.0.0.1:{tls_server.port}")
    assert "the certificate of 127.0.0.1 was not accepted" in said and "--insecure" in said


def test_tls_on_a_plain_port(fails: Fails) -> None:
    with serving(lambda connection: connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        said = fails(f"https://127.0.0.1:{port}")
    assert "no TLS handshake" in said and "Try http://" in said


def test_no_tls_on_a_tls_port(tls_server: Server, fails: Fails) -> None:
    assert "closed the connection of client" in fails(f"http://127.0.0.1:{tls_server.port}", "--clients", "1")
