"""Who is let in, in every form of `auth`, and that nobody hears anything before."""

import asyncio
from typing import Any

import pytest
import socketio as reference

import fastsio
from admin.served import LIBRARIES, Listener, make_server, served

GOOD = {"username": "admin", "password": "secret"}
BAD = {"username": "admin", "password": "guess"}


def by_function(auth: Any) -> bool:
    return auth == GOOD


async def by_coroutine(auth: Any) -> bool:
    await asyncio.sleep(0)
    return auth == GOOD


FORMS: dict[str, Any] = {
    "dict": GOOD,
    "list": [{"username": "x"}, GOOD],
    "function": by_function,
    "coroutine function": by_coroutine,
}


async def login(url: str, auth: Any) -> str:
    """Give "welcome", or the reason of the refusal."""
    client = reference.AsyncClient(reconnection=False)
    refusals: list[Any] = []
    client.on("connect_error", refusals.append, namespace="/admin")
    try:
        await client.connect(url, auth=auth, namespaces=["/admin"], transports=["websocket"], wait_timeout=2)
    except reference.exceptions.ConnectionError:
        return str(refusals[0]["message"])
    await client.disconnect()
    return "welcome"


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("form", FORMS)
async def test_forms_of_auth(library: str, form: str) -> None:
    sio = make_server(LIBRARIES[library])
    instrumented = sio.instrument(auth=FORMS[form], server_stats_interval=0.1)
    try:
        async with served(LIBRARIES[library], sio) as url:
            answers = [await login(url, auth) for auth in (GOOD, BAD, None)]
            await instrumented.shutdown()
    finally:
        instrumented.uninstrument()
    assert answers == ["welcome", "authentication failed", "authentication failed"]


async def test_no_auth_lets_everybody_in() -> None:
    sio = make_server(fastsio)
    sio.instrument(auth=False)
    async with served(fastsio, sio) as url:
        assert [await login(url, auth) for auth in (GOOD, BAD, None)] == ["welcome"] * 3


def test_auth_must_be_said() -> None:
    sio = make_server(fastsio)
    with pytest.raises(ValueError, match="auth must be specified"):
        sio.instrument()
    assert "/admin" not in sio.handlers


def test_a_server_is_instrumented_once() -> None:
    sio = make_server(fastsio)
    sio.instrument(auth=False)
    with pytest.raises(ValueError, match="instrumented already"):
        sio.instrument(auth=False, namespace="/other-admin")


@pytest.mark.parametrize("always_connect", [False, True])
async def test_nothing_is_heard_before_the_login(always_connect: bool) -> None:  # defect 8
    decided = asyncio.Event()

    async def think(auth: Any) -> bool:
        if auth == GOOD:
            return True
        await decided.wait()
        return False

    sio = make_server(fastsio, always_connect=always_connect)
    sio.instrument(auth=think, server_stats_interval=0.1)
    async with served(fastsio, sio) as url, Listener("/admin") as admin, Listener("/admin") as stranger:
        await admin.connect(url, auth=GOOD)
        attempt = asyncio.ensure_future(stranger.connect(url, auth=BAD))
        async with Listener() as ann:
            await ann.connect(url)
            await ann.call("enter", "lobby")
            await admin.until("room_joined", 3)
            await admin.until("server_stats", 3)
            decided.set()
            with pytest.raises(reference.exceptions.ConnectionError):
                await attempt
        assert stranger.heard == []


async def test_all_sockets_go_to_the_admin_who_has_come() -> None:  # defect 7
    sio = make_server(fastsio)
    sio.instrument(auth=False)
    async with served(fastsio, sio) as url, Listener("/admin") as one, Listener("/admin") as two, Listener() as ann:
        await one.connect(url)
        await one.until("all_sockets")
        await ann.connect(url)
        await two.connect(url)
        await two.until("all_sockets")
        assert [len(message[1]) for message in one.of("all_sockets")] == [1]
        assert {socket["id"] for socket in two.of("all_sockets")[0][1]} == {one.sid, two.sid, ann.sid}


async def test_another_namespace() -> None:
    sio = make_server(fastsio)
    sio.instrument(auth=GOOD, namespace="/backstage")
    async with served(fastsio, sio) as url, Listener("/backstage") as admin:
        await admin.connect(url, auth=GOOD)
        await admin.until("config")
        assert "/admin" not in sio.handlers
