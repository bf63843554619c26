"""Redis servers and nodes as processes, and real clients that note what they hear.

Imports python-socketio's client; never imports the server under test.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGTERM
from typing import Any

import socketio

from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 10.0


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port}; the log ends:\n{log.read_text()[-3000:]}")


class Process:
    """A child process with a log, on a port of its own that it keeps over restarts."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def environ(self) -> dict[str, str]:
        return {}

    def launch(self) -> None:
        with self.log.open("ab") as log:
            environ = {**os.environ, **self.environ()}
            self.process = subprocess.Popen(self.command(), cwd=ROOT, env=environ, stdout=log, stderr=log)

    def wait(self) -> None:
        assert self.process is not None
        wait_for_port(self.port, self.process, self.log)

    def start(self) -> None:
        self.launch()
        self.wait()

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, number: int = SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


class Redis(Process):
    """A redis-server, or another of its kind, without persistence."""

    program = "redis-server"

    def __init__(self, log: Path, *options: str) -> None:
        super().__init__(log)
        self.options = options

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        bare = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        return [self.program, *self.ports(), *bare, *self.options]

    def ports(self) -> list[str]:
        return ["--port", str(self.port)]

    def cli(self, *words: str) -> str:
        command = ["redis-cli", "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout


class RabbitMQ(Process):
    """A RabbitMQ of its own: node name, folders and Erlang name server, all beside its log."""

    def __init__(self, log: Path) -> None:
        super().__init__(log)
        self.home = log.parent / "rabbitmq"
        self.home.mkdir()
        self.name_server_port, self.distribution_port = free_port(), free_port()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def command(self) -> list[str]:
        return ["/usr/lib/rabbitmq/bin/rabbitmq-server"]

    def environ(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "ERL_EPMD_PORT": str(self.name_server_port),
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_NODENAME": "fastsio@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_MNESIA_BASE": str(self.home / "data"),
            "RABBITMQ_LOG_BASE": str(self.home / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.home / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.home / "none"),
        }

    def control(self, *words: str) -> None:
        environ = {**os.environ, **self.environ()}
        command = ["/usr/lib/rabbitmq/bin/rabbitmqctl", "-n", "fastsio@localhost", *words]
        subprocess.run(command, env=environ, check=True, timeout=30, capture_output=True)

    def stop_name_server(self) -> None:
        """Erlang leaves it running; it is alone on its port."""
        environ = {**os.environ, **self.environ()}
        subprocess.run(["epmd", "-kill"], env=environ, timeout=10, capture_output=True, check=False)


class Node(Process):
    """One server process of node_app.py."""

    def __init__(self, log: Path, module: str, wire: str, broker: Any, channel: str, **settings: str) -> None:
        super().__init__(log)
        self.module, self.wire, self.broker, self.channel, self.settings = module, wire, broker, channel, settings

    def command(self) -> list[str]:
        runner = ["fastsio", "run"] if self.wire == "native" else ["uvicorn"]
        arguments = ["tests.cluster.node_app:app", "--host", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-m", *runner, *arguments]

    def environ(self) -> dict[str, str]:
        return {"SIO_MODULE": self.module, "BROKER_URL": self.broker.url, "CHANNEL": self.channel, **self.settings}


class Client:
    """A real client of one node, and all that it heard."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.heard: list[list[Any]] = []
        self.sio = socketio.AsyncClient(reconnection=False)
        self.sio.on("*", self._note)
        self.sio.on("question", self._answer)
        self.arrived = asyncio.Event()

    async def _note(self, event: str, *args: Any) -> None:
        self.heard.append([event, *args])
        self.arrived.set()

    async def _answer(self, *args: Any) -> Any:
        return ("answer", *args)

    async def connect(self) -> None:
        await self.sio.connect(f"http://127.0.0.1:{self.node.port}", transports=["websocket"], wait_timeout=PATIENCE)

    @property
    def sid(self) -> str:
        return str(self.sio.get_sid())

    async def do(self, method: str, *args: Any, **options: Any) -> Any:
        return await self.sio.call("do", (method, list(args), options), timeout=PATIENCE)

    async def do_manager(self, method: str, *args: Any, **options: Any) -> Any:
        return await self.sio.call("do_manager", (method, list(args), options), timeout=PATIENCE)

    async def health(self) -> dict[str, Any]:
        state: dict[str, Any] = await self.sio.call("health", timeout=PATIENCE)
        return state

    async def hear(self, event: list[Any], patience: float = PATIENCE) -> list[list[Any]]:
        """Wait for an event; give all that came before it, and forget it."""
        async with asyncio.timeout(patience):
            while event not in self.heard:
                self.arrived.clear()
                await self.arrived.wait()
        at = self.heard.index(event)
        before, self.heard = self.heard[:at], self.heard[at + 1 :]
        return before
