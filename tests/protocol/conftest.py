"""A registry on an invented loop: what the engine floor needs, without sockets and without asyncio."""

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from fastsio._http import Exchange, Request, Response
from fastsio.engine import _admission
from fastsio.engine._session import Link, MessageSink, Session
from fastsio.engine.registry import Registry
from fastsio.options import Options
from finalizers import collected  # noqa: F401 -- a fixture


class Loop:
    """Runs callbacks when told to."""

    def __init__(self) -> None:
        self.ready: deque[Callable[[], Any]] = deque()

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> None:
        self.ready.append(lambda: callback(*args))

    def call_later(self, delay: float, callback: Callable[..., Any]) -> Any:
        return self

    def cancel(self) -> None:
        pass

    def is_closed(self) -> bool:
        return False

    def turn(self) -> None:
        """Run everything that is ready, and what that makes ready."""
        while self.ready:
            self.ready.popleft()()


class Recorder(MessageSink):
    """A sink that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.reasons: list[str] = []
        self.on_message: Callable[[Any], Any] = lambda data: None

    def message(self, data: Any) -> None:
        self.heard.append(data)
        self.on_message(data)

    def closed(self, reason: str) -> None:
        self.reasons.append(reason)


class WebSocket(Link):
    """A WebSocket that writes down what is sent over it."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.close_code: int | None = None

    def _record(self, events: list[dict[str, Any]]) -> None:
        self.sent += [event.get("text", event.get("bytes")) for event in events]

    def flush(self) -> int:
        self._record(self.take_events())
        return 0

    def write_now(self, message: Any) -> int:
        self._record(message.events(4, False))
        return 0

    def finish(self, code: int, farewell: Any) -> int:
        self.flush()
        if farewell is not None:
            self.write_now(farewell)
        self.close_code = code
        return 0


class Call(Exchange):
    """A request that writes down its answer."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.response: Response | None = None
        self.link: WebSocket | None = None

    @property
    def body(self) -> bytes | None:
        return None if self.response is None else self.response.body

    def respond(self, response: Response) -> None:
        assert self.response is None, "answered twice"
        self.response = response

    def upgrade(self, session: Session, is_probe: bool) -> WebSocket:
        self.link = WebSocket()
        return self.link


class Server:
    """One registry, and what clients may ask of it."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.options = Options()
        self.registry = Registry(self.options, logging.getLogger("tests.protocol"))
        self.registry.belong_to(self.loop)
        self.registry.accept = self._accept
        self.sinks: dict[str, Recorder] = {}

    def _accept(self, session: Session) -> None:
        session.sink = self.sinks[session.sid] = Recorder()

    def request(
        self, method: str = "GET", sid: str | None = None, upgrade: bool = False, eio: int = 4, **more: str
    ) -> Call:
        from fastsio.engine import _polling

        query = {"EIO": str(eio), "transport": "websocket" if upgrade else "polling", **({"sid": sid} if sid else {})}
        body = more.pop("body", "").encode()
        text = "&".join(f"{name}={value}" for name, value in {**query, **more}.items())
        call = Call(Request(method, "/engine.io/", text.encode(), []))
        call.is_upgrade = upgrade
        call.content_length = len(body)
        session = _admission.admit(self.registry, call)
        if session is not None:
            _polling.post(self.registry, session, call, body)
        self.loop.turn()
        return call

    def connect(self, upgrade: bool = False, eio: int = 4, **more: str) -> tuple[Session, Recorder, Call]:
        call = self.request(upgrade=upgrade, eio=eio, **more)
        session = list(self.registry.sessions.values())[-1]
        return session, self.sinks[session.sid], call

    def poll(self, session: Session) -> Call:
        return self.request(sid=session.sid, eio=session.version)

    def post(self, session: Session, body: str) -> Call:
        return self.request("POST", session.sid, eio=session.version, body=body)


@pytest.fixture
def server() -> Server:
    return Server()
