"""Section 3 of the catalogue: sessions of Engine.IO that nobody means well."""

import asyncio
import base64
import math
import time
from typing import Any

import pytest

from fastsio import _build
from native.conftest import UPGRADE, MakeSite, Site, body_of, status_of

V4, V3 = "EIO=4&transport=polling", "EIO=3&transport=polling"
GONE = 400


def lives(here: Site, query: str) -> bool:
    return query.rpartition("sid=")[2].partition("&")[0] in here.registry.sessions


def framed(query: str, *packets: str) -> str:
    return "\x1e".join(packets) if "EIO=4" in query else "".join(f"{len(packet)}:{packet}" for packet in packets)


@pytest.mark.threat("T052")
@pytest.mark.parametrize(
    "sid", ["unknown", "a" * 8000, "%c3%a9", "__proto__", "constructor", "__class__", "..%2f", "%00", "0"]
)
def test_unknown_sessions(site: MakeSite, sid: str) -> None:
    here = site()
    for answer in (here.get(f"{V4}&sid={sid}"), here.post(f"{V4}&sid={sid}", "40")):
        assert status_of(answer) == GONE
        assert len(body_of(answer)) < 400
    assert status_of(here.get(f"{V4}&sid={sid}".replace("polling", "websocket"), UPGRADE)) == GONE


@pytest.mark.threat("T053")
def test_session_ids_are_random(site: MakeSite) -> None:
    here = site()
    ids = [here.registry.new_sid() for _ in range(100_000)]
    assert len(set(ids)) == len(ids)
    assert {len(one) for one in ids} == {20}
    bits = [base64.urlsafe_b64decode(one) for one in ids[:20_000]]
    for bit in range(120):
        ones = sum(one[bit // 8] >> bit % 8 & 1 for one in bits)
        assert 9_500 < ones < 10_500, bit


@pytest.mark.threat("T053")
def test_an_id_of_revision_4_is_not_the_session(site: MakeSite) -> None:
    here = site()
    query = here.open()
    here.post(query, "40")
    public = body_of(here.get(query)).decode().partition('"sid":"')[2].partition('"')[0]
    assert public not in query
    assert status_of(here.get(f"{V4}&sid={public}")) == GONE


@pytest.mark.threat("T054", "T055", "T056", "T057")
@pytest.mark.parametrize(
    "query",
    [
        "transport=polling",
        "EIO=5&transport=polling",
        "EIO=&transport=polling",
        "EIO=4",
        "EIO=4&transport=",
        "EIO=4&transport=websocket",
        "EIO=4.0&transport=polling",
        "",
    ],
)
def test_handshakes_that_are_none(site: MakeSite, query: str) -> None:
    here = site()
    before = len(here.registry.sessions)
    assert status_of(here.get(query)) == 400
    assert status_of(here.post("EIO=4&transport=polling", "40")) == 400
    assert len(here.registry.sessions) == before


@pytest.mark.threat("T054", "T055")
def test_what_is_switched_off_is_not_served(site: MakeSite) -> None:
    here = site(has_canary=True, protocols=4, transports=["websocket"])
    assert status_of(here.get(V4)) == 400
    assert status_of(here.get("EIO=3&transport=websocket", UPGRADE)) == 400


@pytest.mark.threat("T058")
@pytest.mark.parametrize("revision", ["EIO=3", "EIO=5", "EIO="])
def test_another_revision_does_not_touch_a_session(site: MakeSite, revision: str) -> None:
    here = site()
    query = here.open()
    other = query.replace("EIO=4", revision)
    if revision != "EIO=":
        assert status_of(here.get(other)) == 400
        assert status_of(here.get(other.replace("polling", "websocket"), UPGRADE)) == 400
    assert lives(here, query)


@pytest.mark.threat("T059")
def test_polling_a_session_that_is_on_a_websocket(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    sid = list(here.registry.sessions)[-1]
    assert status_of(here.get(f"{V4}&sid={sid}")) == 400
    assert status_of(here.post(f"{V4}&sid={sid}", '42["x"]')) == 400
    link.send('421["still here"]')
    assert link.heard() == ["431[]"]
    assert here.names() == ["connect", "still here"]


@pytest.mark.threat("T061", "T062")
def test_abandoned_sessions_end(site: MakeSite) -> None:
    here = site(has_canary=False)
    for number in range(2000):
        query = here.open(4 if number % 2 else 3)
        if number % 3 == 0:
            here.post(query, framed(query, "40"))
    assert len(here.registry.sessions) == 2000
    here.skip(100)  # those of revision 3 that have said something have twice their time
    assert not here.registry.sessions


@pytest.mark.threat("T063", "T064")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_overlapping_requests_end_the_session(site: MakeSite, method: str) -> None:
    here = site()
    query = here.open()
    here.post(query, "40")
    here.get(query)
    first, head = here.connect(), f"{method} /socket.io/?{query} HTTP/1.1\nHost: x"
    body = "\nContent-Length: 10" if method == "POST" else ""
    assert here.request(first, head + body) == b""
    assert status_of(here.request(here.connect(), head + body)) == 400
    assert not lives(here, query)
    assert here.names() == ["connect", "disconnect"]


@pytest.mark.threat("T066")
@pytest.mark.parametrize("body", [b"", b"40", b"\x04abc", b"\x00" * 100])
def test_binary_bodies_of_revision_4(site: MakeSite, body: bytes) -> None:
    here = site()
    for _ in range(20):
        query = here.open()
        assert status_of(here.post(query, body, "Content-Type: application/octet-stream")) == 400
        assert not lives(here, query)


BODIES = {
    "empty": (V4, ""), "separators": (V4, "\x1e\x1e"), "an empty packet": (V4, "40\x1e\x1e41"), "a letter": (V4, "x"),
    "type 7": (V4, "7"), "a ping of the client": (V4, "2"), "bad base64": (V4, "bA"), "base64 with a blank": (V4, "bAQ=="[:3] + " ="),
    "loose bits": (V4, "bAR=="), "padding inside": (V4, "bAQ==AQ=="), "a long number": (V4, "4" + "x" * 50 + "\x1e9"),
    "v3: too long": (V3, "9:40"), "v3: zero": (V3, "0:"), "v3: negative": (V3, "-1:4"), "v3: leading zero": (V3, "02:40"),
    "v3: no colon": (V3, "240"), "v3: 20 digits": (V3, "1" * 20 + ":40"), "v3: other digits": (V3, "\u0662:40"),
    "v3: half a pair": (V3, "2:4\U0001f600"), "v3: empty": (V3, ""), "v3: bad base64": (V3, "4:b4A="),
}  # fmt: skip


@pytest.mark.threat("T067", "T068", "T071", "T077", "T080", "T081")
@pytest.mark.parametrize("name", BODIES)
def test_bad_bodies_end_the_session_and_run_nothing(site: MakeSite, name: str) -> None:
    kind, body = BODIES[name]
    here = site()
    query = here.open(4 if kind == V4 else 3)
    here.loop.settle()
    here.events.clear()
    assert status_of(here.post(query, body)) == 400
    assert not lives(here, query)
    assert not {"connect"} & set(here.names())


@pytest.mark.threat("T078")
@pytest.mark.parametrize(
    "data", [b"4\xff", b"4\xc0\x80", b"4\xed\xa0\x80", b"4\xe2\x82", b"4\xf4\x90\x80\x80", b"\x80"]
)
def test_bodies_that_are_no_utf8(site: MakeSite, data: bytes) -> None:
    here = site()
    for revision in (4, 3):
        query = here.open(revision)
        body = data if revision == 4 else b"%d:" % len(data) + data
        assert status_of(here.post(query, body)) == 400
        assert not lives(here, query)


@pytest.mark.threat("T079", "T050")
@pytest.mark.parametrize("revision", [4, 3])
def test_a_body_cut_anywhere_is_the_same(site: MakeSite, revision: int) -> None:
    here = site()
    packets = ["40"] if revision == 4 else []
    words = '42["\u20ac\U0001f600"]'
    body = framed("EIO=4", *packets, words, words) if revision == 4 else f"{len(words) + 1}:{words}" * 2
    data = body.encode()
    for cut in range(1, len(data)):
        query = here.open(revision)
        here.loop.settle()
        here.events.clear()
        link = here.connect()
        here.request(link, f"POST /socket.io/?{query} HTTP/1.1\nHost: x\nContent-Length: {len(data)}", data[:cut])
        assert status_of(here.say(link, data[cut:])) == 200
        assert here.names()[-2:] == ["\u20ac\U0001f600"] * 2


@pytest.mark.threat("T082")
@pytest.mark.parametrize(
    "body",
    [
        b"\x00\x0a\xff40",
        b"\x00\x0240",
        b"\x02\x02\xff40",
        b"\x00" + b"\x09" * 20 + b"\xff",
        b"\x01\x05\xff\x04a",
        b"\xff",
        b"\x00\xff",
        b"\x01\x01\xff\x07",
    ],
)
def test_binary_framing_of_revision_3(site: MakeSite, body: bytes) -> None:
    here = site()
    query = here.open(3)
    assert status_of(here.post(query, body, "Content-Type: application/octet-stream")) == 400
    assert not lives(here, query)


@pytest.mark.threat("T069")
@pytest.mark.parametrize("packet", ["0", "6", "5", "3", "0{}"])
def test_packets_out_of_place_are_ignored(site: MakeSite, packet: str) -> None:
    here = site()
    query = here.open()
    assert status_of(here.post(query, packet)) == 200
    assert lives(here, query)
    link = here.websocket().joined()
    link.send(packet, '421["x"]')
    assert link.heard() == ["431[]"]


@pytest.mark.threat("T070", "T071")
@pytest.mark.parametrize(
    ("packet", "reason"), [("1", "client disconnect"), ("2", "transport error"), ("9", "transport error")]
)
def test_packets_that_end_a_session(site: MakeSite, packet: str, reason: str) -> None:
    here = site()
    here.websocket().joined().send(packet, '42["late"]')
    query = here.open()
    here.post(query, "40")
    here.get(query)
    here.post(query, packet)
    here.loop.settle()
    ends = [event[2] for event in here.events if event[0] == "disconnect"]
    assert ends == [reason] * 2
    assert "late" not in here.names()


@pytest.mark.threat("T072")
def test_a_flood_of_pongs(site: MakeSite) -> None:
    here = site()
    link = here.websocket().joined()
    tasks = len(here.registry.tasks)
    link.send(*["3"] * 10_000)
    query = here.open()
    assert status_of(here.post(query, "\x1e".join(["3"] * 9_000))) == 200
    assert len(here.registry.tasks) == tasks
    here.skip(25)
    assert "2" in link.heard(), "the next ping comes when it was due"


@pytest.mark.threat("T073", "T074")
@pytest.mark.parametrize("is_talking", [False, True])
def test_a_pong_that_does_not_come(site: MakeSite, is_talking: bool) -> None:
    here = site(has_canary=False)
    here.websocket().joined()
    link = here.websocket().joined()
    here.skip(25.2)
    assert "2" in link.heard()
    if is_talking:  # data extend the wait, once
        link.send('42["x"]')
        here.skip(21)
        assert lives(here, f"sid={list(here.registry.sessions)[-1]}")
        here.skip(21)
    else:
        here.skip(19.5)
        assert len(here.registry.sessions) == 2
        here.skip(1.0)
    assert not here.registry.sessions
    assert {event[2] for event in here.events if event[0] == "disconnect"} == {"ping timeout"}


@pytest.mark.threat("T075", "T083")
@pytest.mark.skipif(_build.PROFILE == "trace", reason="every line is slower while coverage is told of it")
@pytest.mark.parametrize("revision", [4, 3])
def test_more_packets_than_the_limit(site: MakeSite, revision: int) -> None:
    here = site()
    query = here.open(revision)
    here.events.clear()
    start = time.process_time()
    assert status_of(here.post(query, framed(query, *['42["x"]'] * 10_001))) == 400
    assert "x" not in here.names()
    assert time.process_time() - start < 0.5
    query = here.open(revision)
    assert status_of(here.post(query, framed(query, *["3"] * 10_000))) == 200


@pytest.mark.threat("T076")
@pytest.mark.skipif(_build.PROFILE == "trace", reason="every line is slower while coverage is told of it")
def test_a_packet_of_digits(site: MakeSite) -> None:
    here = site()
    start = time.process_time()
    for packet in ("4" + "9" * 900_000, "42" + "9" * 900_000, "4" * 900_000):
        query = here.open()
        here.post(query, packet)
    assert time.process_time() - start < 0.5


@pytest.mark.threat("T084")
@pytest.mark.parametrize("value", ["1", "0", "true", "x"])
def test_b64_of_revision_3(site: MakeSite, value: str) -> None:
    here = site()
    assert status_of(here.get(f"{V3}&b64={value}")) == 200


@pytest.mark.threat("T086")
@pytest.mark.parametrize(
    "index", ["alert(1)", "1;x", "-1", "99999999999", "%3Cscript%3E", "1.0", "\u0661".encode().hex()]
)
def test_jsonp_indices(site: MakeSite, index: str) -> None:
    here = site(jsonp=True)
    assert status_of(here.get(f"{V3}&j={index}")) == 400
    assert status_of(site().get(f"{V3}&j=1")) == 400, "it is off unless it is asked for"


@pytest.mark.threat("T086")
def test_jsonp_answers_are_scripts_and_nothing_else(site: MakeSite) -> None:
    here = site(jsonp=True)
    answer = here.get(f"{V3}&j=1")
    assert b"text/javascript" in answer and b"nosniff" in answer
    assert body_of(answer).startswith(b"___eio[1](")


@pytest.mark.threat("T087")
@pytest.mark.parametrize("body", ["", "x=1", "d=1&d=2", "d=%zz", "d=%4", "&".join(["a=1"] * 10_000), "d"])
def test_jsonp_bodies(site: MakeSite, body: str) -> None:
    here = site(jsonp=True)
    answer = here.get(f"{V3}&j=1").decode()
    sid = answer.partition('\\"sid\\":\\"')[2].partition("\\")[0]
    query = f"{V3}&sid={sid}&j=1"
    assert lives(here, query)
    assert status_of(here.post(query, body, "Content-Type: application/x-www-form-urlencoded")) == 400
    assert not lives(here, query)


# --- upgrades


@pytest.mark.threat("T088", "T089")
@pytest.mark.parametrize("first", ["2", "2prob", "5", "4x", '42["x"]', "3probe", "", b"\x01"])
def test_a_websocket_that_does_not_probe(site: MakeSite, first: str | bytes) -> None:
    here = site()
    query = here.open()
    here.post(query, "40")
    link = here.websocket(query).send(first)
    if first == b"\x01":  # a binary message is no probe either
        assert link.ended() in (1005, None)
    else:
        assert link.ended() == 1005
    assert lives(here, query)
    assert status_of(here.get(query)) == 200


@pytest.mark.threat("T090", "T092")
def test_a_probe_and_then_silence(site: MakeSite) -> None:
    here = site()
    query = here.open()
    here.post(query, "40")
    here.get(query)
    for _ in range(3):
        link = here.websocket(query).send("2probe")
        assert link.heard() == ["3probe"]
        here.skip(10.5) if _ == 0 else here.call(link.transport.reset)
        here.loop.settle()
        assert link.ended() in (1005, None)
        assert lives(here, query)
    link = here.websocket(query).send("2probe", "5", '421["x"]')
    assert link.heard() == ["3probe", "431[]"]


@pytest.mark.threat("T091")
def test_two_upgrades_at_once(site: MakeSite) -> None:
    here = site()
    query = here.open()
    here.post(query, "40")
    here.get(query)
    first = here.websocket(query).send("2probe")
    assert here.websocket(query).send("2probe").ended() == 1005
    assert first.send("5", '421["x"]').heard() == ["3probe", "431[]"]
    assert here.websocket(query).ended() == 1005
    assert first.send('422["x"]').heard() == ["432[]"]


@pytest.mark.threat("T093", "T094", "T097")
def test_traffic_during_an_upgrade_keeps_its_order(site: MakeSite) -> None:
    here = site()
    query = here.open()
    here.post(query, "40")
    got = body_of(here.get(query)).decode().split("\x1e")
    link = here.websocket(query).send("2probe")
    sent = iter(range(100))
    for _ in range(10):
        here.post(query, f'42["n",{next(sent)}]')
        here.call(lambda: here.sio.start_background_task(here.sio.emit, "m", next(sent)))
        got += body_of(here.get(query)).decode().split("\x1e")
    here.call(lambda: here.sio.start_background_task(here.sio.emit, "m", next(sent)))
    poll = here.connect()
    here.request(poll, f"GET /socket.io/?{query} HTTP/1.1\nHost: x")
    link.send("5")
    link.send(f'42["n",{next(sent)}]')
    got += body_of(bytes(poll.written)).decode().split("\x1e") + [str(one) for one in link.heard()]
    numbers = [int(one[7:-1]) for one in got if one.startswith('42["m"')]
    assert numbers == [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 20]
    assert [event[2] for event in here.events if event[0] == "n"] == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 21]


@pytest.mark.threat("T095", "T096")
@pytest.mark.parametrize("words", [[], ["2probe"], ["2probe", "5"]])
@pytest.mark.parametrize("leave", ["reset", "end"])
def test_an_upgrade_that_dies(site: MakeSite, words: list[str], leave: str) -> None:
    here = site()
    query = here.open()
    here.post(query, "40")
    here.get(query)
    link = here.websocket(query).send(*words)
    here.call(getattr(link.transport, leave))
    here.loop.settle()
    assert lives(here, query) == (words != ["2probe", "5"])
    if lives(here, query):
        here.post(query, '421["x"]')
        assert b"431[]" in body_of(here.get(query))


@pytest.mark.threat("T096")
def test_a_session_that_is_closed_while_it_upgrades(site: MakeSite) -> None:
    here = site()
    query = here.open()
    here.post(query, "40")
    here.get(query)
    link = here.websocket(query).send("2probe")
    link.heard()
    here.call(lambda: here.sio.start_background_task(here.sio.eio.disconnect, query.rpartition("=")[2]))
    here.loop.settle()
    assert link.ended() == 1005
    assert here.names() == ["connect", "disconnect"]


@pytest.mark.threat("T099")
def test_what_a_session_keeps_of_its_handshake_is_bounded(site: MakeSite) -> None:
    here = site()
    answer = here.get(V4, "\n".join(f"X-{i}: {'y' * 990}" for i in range(25)))
    assert status_of(answer) == 431  # 24 KiB of a head, kept or not


@pytest.mark.threat("T102")
def test_a_backlog_comes_in_several_polls(site: MakeSite) -> None:
    here = site(max_poll_response=5_000)
    query = here.open()
    here.post(query, "40")
    here.get(query)

    async def emit() -> None:
        for number in range(20):
            await here.sio.emit("m", [number, "x" * 1_000])

    here.call(lambda: here.sio.start_background_task(emit))
    here.loop.settle()
    numbers, polls = [], 0
    while len(numbers) < 20:
        body = body_of(here.get(query)).decode()
        assert len(body) < 7_000
        numbers += [int(one.partition(",[")[2].partition(",")[0]) for one in body.split("\x1e")]
        polls += 1
    assert numbers == list(range(20)) and polls >= 4


# --- handshakes that fail on our side


@pytest.mark.threat("T061")
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_connect_handler_that_is_cancelled_leaves_nothing_open(site: MakeSite, transport: str) -> None:
    here = site(has_canary=False)

    async def connect(sid: str, environ: Any) -> None:
        raise asyncio.CancelledError

    here.sio.eio.on("connect", connect)
    link = here.connect()
    answer = here.get(f"EIO=4&transport={transport}", UPGRADE if transport == "websocket" else "", link)
    assert status_of(answer) == 500
    assert not here.registry.sessions
    here.skip(10)
    assert not link.is_open
    here.sio.eio.handlers.update(here.sio._engine_handlers)


@pytest.mark.threat("T020", "T061")
@pytest.mark.parametrize("revision", [3, 4])
@pytest.mark.parametrize("waits", [False, True])
def test_a_handshake_that_cannot_be_answered_leaves_nobody(site: MakeSite, revision: int, waits: bool) -> None:
    here = site(has_canary=False, cookie={"name": "io", "path": "/\r\nX: y"})

    async def connect(sid: str, environ: Any) -> None:
        await asyncio.sleep(0)

    if waits:
        here.sio.eio.on("connect", connect)
    assert status_of(here.get(f"EIO={revision}&transport=polling")) == 500
    here.loop.settle()
    assert not here.registry.sessions and not here.sio.manager._rooms.halls
    here.sio.eio.cookie = None
    here.sio.eio.handlers.update(here.sio._engine_handlers)
    assert any("must not contain line breaks" in text for text in here.complaints.found)
    here.complaints.found.clear()


def test_each_server_writes_its_own_options_into_open(site: MakeSite) -> None:
    one, other = site(ping_interval=11, ping_timeout=7), site(ping_interval=13, max_http_buffer_size=5000)
    for _ in range(2):
        assert b'"pingInterval":11000,"pingTimeout":7000,"maxPayload":1000000' in one.get(V4)
        assert b'"pingInterval":13000,"pingTimeout":20000,"maxPayload":5000' in other.get(V4)


def test_options_that_cannot_be_written_stay_those_that_cannot(site: MakeSite) -> None:
    here = site(has_canary=False, ping_interval=11)
    assert b'"pingInterval":11000' in here.get(V4)
    here.registry.options.ping_interval = math.inf
    for _ in range(2):  # the second is not answered with what was written before
        assert b'"pingInterval"' not in here.get(V4)
    here.registry.options.ping_interval = 13
    assert b'"pingInterval":13000' in here.get(V4)
    assert sum("infinity" in text for text in here.complaints.found) == 2
    here.complaints.found.clear()
