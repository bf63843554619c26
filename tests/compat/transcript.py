"""What a scripted client saw: every event, answer and refusal in order, with ids, ports and dates made equal.

May import: python-socketio's client, the raw HTTP client. Never the server.
"""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import socketio

from wire import raw

SID = re.compile(r"(?<![\w-])[\w-]{20}(?![\w-])")
TIMESTAMP = re.compile(r"&t=[\d.]+")
# Headers that belong to the host or to the moment.
HOST_HEADERS = set("date server connection transfer-encoding content-length cache-control keep-alive etag".split())
TOO_LATE = object()  # an answer that comes when nobody waits for it
QUIET = 0.15  # s without an event after which a scene is over


class Transcript:
    """Lines, in which the first session id is $1, the second $2, and so on."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.lines: list[str] = []
        self.last_event = 0.0
        self._names: dict[str, str] = {}
        self._scene = 0

    def end_scene(self) -> None:
        """What different clients saw in one scene has no order between them."""
        self.lines[self._scene :] = sorted(self.lines[self._scene :], key=lambda line: line.split(" ")[0])
        self._scene = len(self.lines)

    def write(self, who: str, what: str, value: Any = None) -> None:
        text = json.dumps(value, default=lambda data: f"bytes {bytes(data).hex()}", sort_keys=True)
        self.add(f"{who} {what} {text}")

    def add(self, line: str) -> None:
        """Take a line, without what changes from run to run."""
        line = SID.sub(lambda found: self._names.setdefault(found[0], f"${len(self._names) + 1}"), line)
        self.lines.append(TIMESTAMP.sub("", line).replace(str(self.port), "$port"))

    async def http(self, method: str, path: str, **headers: str) -> raw.Response:
        """Make a request, and write its answer down."""
        response = await self.fetch(method, path, **headers)
        kept = {name: value for name, value in response.headers.items() if name not in HOST_HEADERS}
        self.write("http", f"{method} {path}", [response.status, kept, canonical(response.body.decode())])
        return response

    async def fetch(self, method: str, path: str, **headers: str) -> raw.Response:
        """Make a request, of which nothing is written down."""
        self.end_scene()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await raw.fetch(self.port, method, path, named, b"" if method == "POST" else None)


async def settled(port: int, last_event: Callable[[], float]) -> None:
    """Wait until nothing has come for a while; a while in which this process or the server was too busy does not count."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    while (rest := max(start, last_event()) + QUIET - loop.time()) > 0:
        asleep = loop.time()
        await asyncio.sleep(rest)
        await raw.fetch(port, "GET", "/is-anybody-there")
        if loop.time() - asleep > rest + QUIET / 3:
            start = loop.time()


def canonical(body: str) -> str:
    """Give an OPEN packet with its keys in one order: clients read it as an object."""
    if not body.startswith("0{"):
        return body
    return "0" + json.dumps(json.loads(body[1:]), sort_keys=True)


class Guest:
    """One python-socketio client whose life is written down."""

    def __init__(self, transcript: Transcript, name: str, answers: dict[str, Any] | None = None) -> None:
        self.transcript = transcript
        self.name = name
        self.answers = answers or {}
        self.client = socketio.AsyncClient(reconnection=False)

    def listen(self, *namespaces: str) -> None:
        """Write down what comes in these namespaces."""
        for namespace in namespaces:
            self.client.on("*", self._event, namespace=namespace)
            self.client.on("connect", self._note(namespace, "connected"), namespace=namespace)
            self.client.on("connect_error", self._note(namespace, "connect_error"), namespace=namespace)
            self.client.on("disconnect", self._note(namespace, "disconnected"), namespace=namespace)

    async def _event(self, event: str, *args: Any) -> Any:
        self.transcript.last_event = asyncio.get_running_loop().time()
        self.transcript.write(self.name, f"got {event}", args)
        answer = self.answers.get(event)
        if answer is TOO_LATE:
            await asyncio.sleep(4 * QUIET)
            return None
        return answer

    def _note(self, namespace: str, what: str) -> Any:
        async def note(*args: Any) -> None:
            self.transcript.write(self.name, f"{what} {namespace}", args)

        return note

    async def connect(self, path: str = "socket.io", *, transport: str = "websocket", **options: Any) -> None:
        namespaces = options.pop("namespaces", ["/"])
        self.listen(*namespaces)
        try:
            await self.client.connect(
                f"http://127.0.0.1:{self.transcript.port}",
                socketio_path=path,
                transports=[transport] if transport != "upgrade" else None,
                headers={"X-Name": self.name},
                namespaces=namespaces,
                wait_timeout=2,
                **options,
            )
        except socketio.exceptions.ConnectionError as error:
            self.transcript.write(self.name, "not connected", str(error))

    async def emit(self, event: str, data: Any = None, namespace: str = "/") -> None:
        """Send an event, and let everything that follows from it happen."""
        await self.client.emit(event, data, namespace=namespace)
        await self.settle()

    async def call(self, event: str, data: Any = None, namespace: str = "/") -> None:
        """Send an event, and write its acknowledgement down."""
        try:
            answer = await self.client.call(event, data, namespace=namespace, timeout=2)
            self.transcript.write(self.name, f"called {event}", answer)
        except socketio.exceptions.TimeoutError:
            self.transcript.write(self.name, f"called {event}", "no answer")
        await self.settle()

    async def settle(self) -> None:
        """Wait until no event has come to anybody for a while."""
        await settled(self.transcript.port, lambda: self.transcript.last_event)
        self.transcript.end_scene()

    async def leave(self) -> None:
        """Disconnect. The reference leaves the poll of a client that has said goodbye open: it is not waited for."""
        try:
            async with asyncio.timeout(1):
                await self.client.disconnect()
        except TimeoutError:
            await self.client.eio.http.close()
        await asyncio.sleep(0.1)
