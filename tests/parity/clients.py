"""A client that sends the frames it is told to, and writes down every frame that comes, over either transport.

May import: the raw clients. Never judges, and never speaks by itself but to answer pings.
"""

import asyncio
import json
import re
from typing import Any

from wire import raw

# Type digits, attachments, namespace and id of a Socket.IO packet, then its JSON.
PACKET = re.compile(r"(\d+(?:-)?(?:/[^,]*,)?\d*)([\[{\"].*)", re.DOTALL)
PATIENCE = 10.0  # s


def canonical_frame(text: str) -> str:
    """Give a frame with its JSON written in one way; what it says is compared, not how it is escaped."""
    found = PACKET.fullmatch(text)
    try:
        return found[1] + json.dumps(json.loads(found[2]), separators=(",", ":")) if found else text
    except ValueError:
        return text


class Client:
    """One Engine.IO 4 session."""

    def __init__(self, stage: Any, name: str, path: str = "/socket.io/", *, pongs: bool = True, **headers: str) -> None:
        self.stage = stage
        self.name = name
        self.path = path
        self.pongs = pongs
        self.headers = {header.replace("_", "-"): value for header, value in headers.items()}
        self.eio_sid = ""
        self.sids: dict[str, str] = {}
        self.socket: raw.WebSocket | None = None
        self._reader: asyncio.Task[None] | None = None

    def url(self, transport: str = "polling", extra: str = "") -> str:
        sid = f"&sid={self.eio_sid}" if self.eio_sid else ""
        return f"{self.path}?EIO=4&transport={transport}{sid}{extra}"

    def write(self, text: str) -> None:
        self.stage.transcript.add(f"{self.name} {text}")

    # --- opening

    async def websocket(self, extra: str = "") -> "Client":
        """Open a session over WebSocket; a refusal is written down."""
        opened = await raw.open_websocket(self.stage.port, self.url("websocket", extra), self.headers)
        if isinstance(opened, raw.Response):
            self.write(f"refused {opened.status}")
            return self
        self.socket = opened
        kind, text = await opened.receive()
        assert kind == "text" and str(text).startswith("0"), (kind, text)
        self.eio_sid = json.loads(str(text)[1:])["sid"]
        self._reader = asyncio.create_task(self._read(opened))
        return self

    async def polling(self, extra: str = "", polls: bool = True) -> "Client":
        """Open a session over long-polling; with `polls`, a GET is open all the time."""
        response = await raw.fetch(self.stage.port, "GET", self.url(extra=extra), self.headers)
        assert response.status == 200, response
        packets = response.body.decode().split("\x1e")
        self.eio_sid = json.loads(packets[0][1:])["sid"]
        for packet in packets[1:]:
            await self._packet(packet)
        if polls:
            self._reader = asyncio.create_task(self._poll_always())
        return self

    async def join(self, namespace: str = "/", auth: Any = None) -> str | None:
        """Ask for a namespace and let everything happen that follows; give the sid."""
        lead = "" if namespace == "/" else f"{namespace},"
        await self.send(f"40{lead}{'' if auth is None else json.dumps(auth)}")
        return self.sids.get(namespace)

    @property
    def sid(self) -> str:
        """The sid in the default namespace."""
        return self.sids["/"]

    # --- speaking

    async def send(self, *frames: str | bytes, settle: bool = True) -> None:
        """Send frames over whatever transport is in use."""
        if self.socket is not None:
            try:
                for frame in frames:
                    await self.socket.send(frame)
            except (ConnectionError, RuntimeError):
                self.write("cannot send any more")
        else:
            await self.post("\x1e".join(map(str, frames)))
        if settle:
            await self.stage.settle()

    async def post(self, body: str) -> raw.Response | None:
        """Post a body; an answer other than 200 is written down."""
        try:
            response = await raw.fetch(self.stage.port, "POST", self.url(), self.headers, body.encode())
        except (raw.Reset, TimeoutError) as error:
            self.stage.transcript.add(f"{self.name}.post {type(error).__name__}")
            return None
        if response.status != 200:
            self.stage.transcript.add(f"{self.name}.post {response.status} {response.body.decode()}")
        return response

    async def emit(self, event: Any, *args: Any, namespace: str = "/", id: int | None = None) -> None:
        """Send an event packet."""
        lead = "" if namespace == "/" else f"{namespace},"
        await self.send(f"42{lead}{'' if id is None else id}{json.dumps([event, *args])}")

    async def ask(self, event: Any, *args: Any, namespace: str = "/", id: int = 7) -> None:
        """Send an event packet that wants an acknowledgement."""
        await self.emit(event, *args, namespace=namespace, id=id)

    async def leave(self) -> None:
        """Close the WebSocket as a client does, or post a CLOSE packet."""
        if self.socket is not None:
            await self.socket.send_bytes(raw.frame(raw.CLOSE, b"\x03\xe8"))
        else:
            await self.post("1")
        await self.stage.settle()

    def abort(self) -> None:
        """Lose the network."""
        if self._reader is not None:
            self._reader.cancel()
        if self.socket is not None:
            self.socket.abort()

    # --- listening

    async def begin_poll(self) -> raw.Exchange:
        """Open a GET and do not wait for its answer."""
        return await raw.begin(self.stage.port, "GET", self.url(), self.headers)

    async def poll(self, timeout: float = raw.TIMEOUT) -> raw.Response | None:
        """Poll once and write down what came."""
        try:
            response = await (await raw.begin(self.stage.port, "GET", self.url(), self.headers)).response(timeout)
        except (raw.Reset, TimeoutError) as error:
            self.write(f"poll {type(error).__name__}")
            return None
        body = response.body.decode()
        if response.status != 200:
            self.write(f"poll {response.status} {body}")
        for packet in body.split("\x1e") if response.status == 200 else ():
            await self._packet(packet)
        return response

    async def upgrade(self, *frames: str) -> raw.WebSocket:
        """Open a probing WebSocket, send these frames, and make it the one in use after a `5`."""
        probe = await raw.websocket(self.stage.port, self.url("websocket"))
        for frame in frames:
            await probe.send(frame)
            if frame == "2probe":
                self.write(f"probe < {(await probe.receive())[1]}")
        if frames and frames[-1] == "5":
            self.stop_reading()
            self.socket = probe
            self._reader = asyncio.create_task(self._read(probe))
        await self.stage.settle()
        return probe

    def stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.cancel()

    async def _poll_always(self) -> None:
        while (response := await self.poll(PATIENCE)) is not None and response.status == 200:
            pass

    async def _read(self, socket: raw.WebSocket) -> None:
        while True:
            kind, value = await socket.receive(PATIENCE)
            if kind == "text":
                await self._packet(str(value))
            else:
                self.write(f"{kind} {value}")
            if kind in ("close", "broken"):
                await self._answer_close(socket, kind)
                return

    async def _answer_close(self, socket: raw.WebSocket, kind: str) -> None:
        try:
            await socket.send_bytes(raw.frame(raw.CLOSE, b"\x03\xe8"))
            await asyncio.sleep(0)
        except (ConnectionError, RuntimeError):
            pass
        socket.abort()

    async def _packet(self, packet: str) -> None:
        self.write(f"< {canonical_frame(packet)}")
        if packet.startswith("40"):
            namespace, _, data = packet[2:].rpartition(",") if packet[2:3] == "/" else ("", "", packet[2:])
            self.sids[namespace or "/"] = json.loads(data).get("sid", "") if data else ""
        if packet == "2" and self.pongs:
            await self.send("3", settle=False)
