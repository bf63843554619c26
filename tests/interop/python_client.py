"""The checks of clients/checks.js for python-socketio's AsyncClient; usage: python_client.py TRANSPORT SERIALIZER URL.

One JSON line per check; exits 0 when all passed. Imports the real client only, never fastsio and never the tests.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import socketio
from engineio.payload import Payload

Payload.max_decode_packets = 10_000  # this client gives up when one poll brings more than 16 packets, unless told
PATIENCE = float(os.environ.get("INTEROP_PATIENCE", "10"))
STEADY_FOR = float(os.environ.get("INTEROP_STEADY_FOR", "3.5"))
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": None}
TEXTS = ("plain", "", "\u00e9 \u4e16\u754c \U0001f600\U0001f469\u200d\U0001f52c", 'quote " back \\ line\n\u2028')
NESTED = {"list": [1, -2.5, True, None, {"deep": ["\U0001f600", {}]}], "empty": [], "key \u00e9": "value"}
BYTES = bytes([0, 1, 4, 30, 127, 128, 254, 255])
LARGE = b"0123456789abcdef" * 6250


def same(got: Any, wanted: Any) -> None:
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}"[:500])


async def until(what: str, condition: Callable[[], Awaitable[bool]]) -> None:
    end = time.monotonic() + PATIENCE
    while not await condition():
        if time.monotonic() > end:
            raise AssertionError(f"never true: {what}")
        await asyncio.sleep(0.02)


class Notes(socketio.AsyncClientNamespace):  # type: ignore[misc]
    """Writes down everything a client is told, in every namespace, and answers the server's calls."""

    def __init__(self) -> None:
        super().__init__("*")
        self.seen: dict[tuple[str, str], list[tuple[Any, ...]]] = {}

    def of(self, event: str, namespace: str = "/") -> list[tuple[Any, ...]]:
        return self.seen.setdefault((namespace, event), [])

    async def trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        self.of(event, namespace).append(args)
        return ("answer", *args) if event == "question" else None


class Party:
    """One real client and its notes."""

    def __init__(self, url: str, transport: str, serializer: str) -> None:
        self.url, self.transports = url, TRANSPORTS[transport]
        self.client = socketio.AsyncClient(reconnection=False, serializer=serializer)
        self.notes = Notes()
        self.client.register_namespace(self.notes)

    async def connect(self, *namespaces: str, auth: Any = None) -> None:
        await self.client.connect(
            f"{self.url}?colour=blue", transports=self.transports, namespaces=list(namespaces), auth=auth,
            wait_timeout=PATIENCE,
        )  # fmt: skip

    async def ask(self, event: str, *args: Any, namespace: str = "/") -> Any:
        return await self.client.call(event, args, namespace=namespace, timeout=PATIENCE)

    async def echo(self, *args: Any, namespace: str = "/") -> None:
        """`args` come back as an event and as the acknowledgement, in /chat after the word "chat"."""
        wanted = args if namespace == "/" else ("chat", *args)
        events = self.notes.of("echoed", namespace)
        events.clear()
        answer = await self.ask("echo", *args, namespace=namespace)
        same(answer, None if not wanted else wanted[0] if len(wanted) == 1 else wanted)
        await until("the event came", lambda: truth(bool(events)))
        same(events, [wanted])

    async def question(self, *args: Any) -> None:
        same(await self.ask("ask", *args), ("answer", *args))


async def truth(value: bool) -> bool:
    return value


class Checks:
    """Each public method is one check, run in this order on one stage."""

    def __init__(self, transport: str, serializer: str, url: str) -> None:
        self.open = lambda: Party(url, transport, serializer)
        self.wanted = "polling" if transport == "polling" else "websocket"
        self.main, self.other = self.open(), self.open()

    async def connect(self) -> None:
        await self.main.connect("/", "/chat", auth={"token": "secret"})
        await self.other.connect("/")
        self.connected_at = time.monotonic()

    async def numbered_events_in_order(self) -> None:
        party = self.open()
        await party.connect("/")
        for number in range(200):
            await party.client.emit("numbered", number)
        seen = party.notes.of("numbered")
        await until("every number came back", lambda: truth(len(seen) >= 200))
        same(seen, [(number,) for number in range(200)])
        await party.client.disconnect()

    async def transport_query_auth_and_ids(self) -> None:
        me = await self.main.ask("whoami")
        same((me["transport"], self.main.client.transport()), (self.wanted, self.wanted))
        same((me["colour"], me["auth"]), ("blue", {"token": "secret"}))
        same(me["sid"], self.main.client.get_sid("/"))
        chat = await self.main.ask("whoami", namespace="/chat")
        same((chat["sid"], chat["auth"]), (self.main.client.get_sid("/chat"), {"token": "secret"}))

    async def texts_and_values_both_ways(self) -> None:
        for text in TEXTS:
            await self.main.echo(text)
        await self.main.echo(NESTED)
        await self.main.echo(1, "two", {"three": 3}, None, [5])
        await self.main.echo()

    async def binary_both_ways(self) -> None:
        await self.main.echo(BYTES)
        await self.main.echo(b"")
        await self.main.echo("with text", BYTES, {"nested": [BYTES, {"deeper": b"x"}]}, 7)
        await self.main.echo(LARGE, [LARGE, BYTES])

    async def server_calls_client(self) -> None:
        await self.main.question("how?")
        await self.main.question(*TEXTS, NESTED, 5)
        await self.main.question({"nested": [BYTES, LARGE]}, "text", b"end")

    async def rooms_and_skip_sid(self) -> None:
        main, other = self.main, self.other
        room = f"room of {main.client.get_sid()}"
        await main.ask("enter", room)
        await other.ask("say", room, "only one is in", False)
        await other.ask("enter", room)
        await other.ask("say", room, "both are in", False)
        await other.ask("say", room, "all but the sender", True)
        await main.ask("leave", room)
        await other.ask("say", room, "the first has left", False)
        await asyncio.gather(main.ask("whoami"), other.ask("whoami"))  # what was sent before has arrived by now
        same(main.notes.of("said"), [("only one is in",), ("both are in",), ("all but the sender",)])
        same(other.notes.of("said"), [("both are in",), ("the first has left",)])

    async def two_namespaces_on_one_connection(self) -> None:
        said = self.main.notes.of("said", "/chat")
        self.main.notes.of("said").clear()
        await self.main.client.emit("say_to_all", "hi", namespace="/chat")
        await self.main.echo("x", BYTES, namespace="/chat")
        await until("the broadcast came", lambda: truth(said == [("hi",)]))
        await self.main.echo("the default namespace still answers")
        same(self.main.notes.of("said"), [])

    async def refused_and_unknown_namespaces(self) -> None:
        refused = await self._refusal("/refused")
        same(refused, [({"message": "not allowed", "data": {"code": 42}},)])
        same(len(await self._refusal("/nobody-serves-this")), 1)

    async def _refusal(self, namespace: str) -> list[tuple[Any, ...]]:
        party = self.open()
        try:
            await party.connect(namespace)
        except socketio.exceptions.ConnectionError:
            return party.notes.of("connect_error", namespace)
        raise AssertionError(f"{namespace} let the client in")

    async def server_disconnects_a_namespace(self) -> None:
        await self.main.client.emit("kick", namespace="/chat")
        gone = self.main.notes.of("disconnect", "/chat")
        await until("the client noticed", lambda: truth(bool(gone)))
        await self.main.echo("the default namespace is still connected")

    async def client_disconnects(self) -> None:
        sid = self.other.client.get_sid()
        # on WebSocket this client closes the connection before its own goodbye has left
        closes = ["transport close"] if self.wanted == "websocket" else []
        same(await self.main.ask("farewell", sid), "")
        await self.other.client.disconnect()
        await self._farewell(self.main, sid, "client disconnect", *closes)

    async def _farewell(self, observer: Party, sid: str, *reasons: str) -> None:
        async def noticed() -> bool:
            return bool(await observer.ask("farewell", sid))

        await until("the server noticed", noticed)
        reason = await observer.ask("farewell", sid)
        if reason not in reasons:
            raise AssertionError(f"the server heard {reason!r}, not one of {reasons}")

    async def heartbeats(self) -> None:
        await asyncio.sleep(max(0.0, self.connected_at + STEADY_FOR - time.monotonic()))
        await self.main.echo("still connected")

    async def server_disconnects(self) -> None:
        observer, sid = self.open(), self.main.client.get_sid()
        await observer.connect("/")
        await self.main.client.emit("kick")
        gone = self.main.notes.of("disconnect")
        await until("the client noticed", lambda: truth(bool(gone)))
        await self._farewell(observer, sid, "server disconnect")
        await observer.client.disconnect()


ORDER = [name for name in vars(Checks) if not name.startswith("_")]


async def main(transport: str, serializer: str, url: str) -> bool:
    checks, passed = Checks(transport, serializer, url), True
    for name in ORDER:
        try:
            await getattr(checks, name)()
            report = {"check": name, "ok": True, "detail": ""}
        except Exception as error:
            passed = False
            report = {"check": name, "ok": False, "detail": f"{type(error).__name__}: {error}"}
        print(json.dumps(report), flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main(*sys.argv[1:4])) else 1)
