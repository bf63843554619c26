"""The client in memory that applications test themselves with: it hears what a client over a socket would."""

import asyncio
from typing import Any

import pytest

import fastsio
from fastsio.testing import ConnectionRefused, client

pytest_plugins = ["fastsio.testing.plugin"]


@pytest.fixture
def sio() -> fastsio.AsyncServer:
    sio = fastsio.AsyncServer(async_mode="asgi", namespaces=["/", "/news"])
    sio.seen = []  # type: ignore[attr-defined]

    @sio.event
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        sio.seen.append(("connect", sid, auth))  # type: ignore[attr-defined]
        if auth == "wrong":
            raise fastsio.exceptions.ConnectionRefusedError("who are you?", {"code": 7})
        await sio.save_session(sid, {"cookie": environ.get("HTTP_COOKIE"), "query": environ["QUERY_STRING"]})
        await sio.enter_room(sid, "everybody")

    @sio.event
    async def disconnect(sid: str, reason: str) -> None:
        sio.seen.append(("disconnect", sid, reason))  # type: ignore[attr-defined]

    @sio.event
    async def say(sid: str, *args: Any) -> Any:
        await sio.emit("said", args, room="everybody", skip_sid=sid)
        return args

    @sio.event
    async def session(sid: str) -> dict[str, Any]:
        return await sio.get_session(sid)

    @sio.event
    async def later(sid: str) -> str:
        await asyncio.sleep(30)
        return "done"

    @sio.event
    async def ask_back(sid: str) -> Any:
        return await sio.call("question", {"n": 1}, to=sid, timeout=5)

    return sio


@pytest.mark.parametrize("eio", [4, 3])
async def test_two_clients_talk(sio: fastsio.AsyncServer, eio: int) -> None:
    async with client(sio, eio=eio) as anna, client(sio) as bert:
        assert await anna.call("say", "hello", 2) == ("hello", 2)
        assert await bert.receive("said") == ("hello", 2)
        await bert.emit("say", {"picture": b"\x00\x01", "text": "ü"})
        assert await anna.receive("said") == {"picture": b"\x00\x01", "text": "ü"}
        assert await anna.receives_nothing() and await bert.receives_nothing("said")
        assert {anna.sid, bert.sid} == {entry[1] for entry in sio.seen}
        assert anna.sid in dict(sio.manager.get_participants("/", "everybody"))
    assert [entry[2] for entry in sio.seen if entry[0] == "disconnect"] == ["client disconnect"] * 2
    assert not sio.eio._registry.sessions


async def test_the_handshake_is_the_clients_own(sio: fastsio.AsyncServer, sio_client: Any) -> None:
    async with sio_client(sio, auth={"token": "x"}, headers={"Cookie": "a=b"}, query={"room": "7"}) as anna:
        assert await anna.call("session") == {"cookie": "a=b", "query": "EIO=4&transport=websocket&room=7"}
        assert sio.seen[0] == ("connect", anna.sid, {"token": "x"})


async def test_refusals_say_what_the_client_is_told(sio: fastsio.AsyncServer) -> None:
    with pytest.raises(ConnectionRefused) as refused:
        async with client(sio, auth="wrong"):
            pass
    assert refused.value.data == {"message": "who are you?", "data": {"code": 7}} and refused.value.status is None
    with pytest.raises(ConnectionRefused) as unknown:
        async with client(sio, namespace="/nowhere"):
            pass
    assert unknown.value.data == {"message": "Invalid namespace"}
    with pytest.raises(ConnectionRefused) as foreign:
        async with client(sio, headers={"Origin": "http://elsewhere.example"}):
            pass
    assert foreign.value.status == 400 and "not an accepted origin" in foreign.value.data


async def test_acknowledgements_of_the_client(sio: fastsio.AsyncServer) -> None:
    async with client(sio) as anna:

        @anna.on("question")
        async def answer(data: dict[str, int]) -> tuple[str, int]:
            return "answer", data["n"]

        assert await anna.call("ask_back") == ("answer", 1)


async def test_time_is_moved_not_waited_for(sio: fastsio.AsyncServer) -> None:
    begun = asyncio.get_running_loop().time
    async with client(sio) as anna:
        assert anna.clock.moves_the_loop
        waiting = asyncio.ensure_future(anna.call("later", timeout=100))
        await anna.clock.advance(29)
        assert not waiting.done()
        await anna.clock.advance(2)
        assert await waiting == "done"
        await anna.clock.advance(300)
        assert anna.is_connected, "it has answered every ping"
        timed_out = asyncio.ensure_future(anna.call("ask_back"))
        await anna.emit("say", "x")
        await anna.clock.advance(1)
        assert [name for name, _ in anna.received] == ["question"]
        timed_out.cancel()
    assert begun() > 300


async def test_a_silent_client_times_out(sio: fastsio.AsyncServer) -> None:
    async with client(sio) as anna:
        anna.answers_pings = False
        await anna.clock.advance(44)
        assert anna.is_connected
        await anna.clock.advance(3)
        assert not anna.is_connected
        assert sio.seen[-1] == ("disconnect", anna.sid, "ping timeout")
        with pytest.raises(ConnectionError, match="not connected"):
            await anna.emit("say", "x")


async def test_lost_and_back(sio: fastsio.AsyncServer) -> None:
    async with client(sio) as anna:
        before = anna.sid
        await anna.lose()
        assert sio.seen[-1] == ("disconnect", before, "transport close") and anna.close_code == 1006
        await anna.connect()
        assert anna.sid != before and await anna.call("say", 1) == 1
        await sio.disconnect(anna.sid)
        assert sio.seen[-1] == ("disconnect", anna.sid, "server disconnect")
    assert sio.seen[-1][0] == "disconnect"


async def test_namespaces(sio: fastsio.AsyncServer) -> None:
    async with client(sio) as anna:
        await anna.join("/news")
        await sio.emit("headline", "rain", namespace="/news")
        assert await anna.receive("headline") == "rain"
        await anna.leave("/news")
        await sio.emit("headline", "sun", namespace="/news")
        assert await anna.receives_nothing("headline")
        assert not list(sio.manager.get_participants("/news", None))


async def test_what_did_not_come_is_said_with_what_did(sio: fastsio.AsyncServer) -> None:
    async with client(sio) as anna:
        await sio.emit("other", 1)
        with pytest.raises(
            TimeoutError, match=r"no event 'said' came within 0.05 s; what came: \[\('other', \(1,\)\)\]"
        ):
            await anna.receive("said", timeout=0.05)


def test_a_loop_that_cannot_be_moved_says_so(sio: fastsio.AsyncServer) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def talk() -> None:
        async with client(sio) as anna:
            assert not anna.clock.moves_the_loop
            assert await anna.call("say", 1) == 1
            anna.answers_pings = False
            await anna.clock.advance(50)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(talk())
