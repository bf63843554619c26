"""Section 2 of the catalogue: requests that smuggle, stretch, stall and lie."""

import time

import pytest

from native.conftest import UPGRADE, MakeSite, body_of, status_of, statuses
from oracle.frames_oracle import write_frame

GET = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1"
POST = "POST /socket.io/?EIO=4&transport=polling HTTP/1.1"
HOST = "Host: x"
# A request that would be answered 200, had it been smuggled past.
HIDDEN = f"{GET}\r\n{HOST}\r\n\r\n".encode()

BAD_FRAMING = {
    "both lengths": ("T001", f"{POST}\n{HOST}\nContent-Length: 4\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "both lengths, the other way": (
        "T001",
        f"{POST}\n{HOST}\nTransfer-Encoding: chunked\nContent-Length: 4",
        b"0\r\n\r\n",
    ),
    "xchunked": ("T002", f"{POST}\n{HOST}\nTransfer-Encoding: xchunked", b"0\r\n\r\n"),
    "chunked, identity": ("T002", f"{POST}\n{HOST}\nTransfer-Encoding: chunked, identity", b"0\r\n\r\n"),
    "two equal lengths": ("T003", f"{POST}\n{HOST}\nContent-Length: 5\nContent-Length: 5", b"hello"),
    "two lengths": ("T003", f"{POST}\n{HOST}\nContent-Length: 5\nContent-Length: 6", b"hello"),
    "a list of lengths": ("T003", f"{POST}\n{HOST}\nContent-Length: 5, 5", b"hello"),
    "length +5": ("T004", f"{POST}\n{HOST}\nContent-Length: +5", b"hello"),
    "length -1": ("T004", f"{POST}\n{HOST}\nContent-Length: -1", b"hello"),
    "length 0x5": ("T004", f"{POST}\n{HOST}\nContent-Length: 0x5", b"hello"),
    "length 5_0": ("T004", f"{POST}\n{HOST}\nContent-Length: 5_0", b"hello"),
    "length 5;": ("T004", f"{POST}\n{HOST}\nContent-Length: 5;", b"hello"),
    "length of 30 digits": ("T004", f"{POST}\n{HOST}\nContent-Length: {'9' * 30}", b"hello"),
    "length in other digits": ("T004", f"{POST}\n{HOST}\nContent-Length: \xb2", b"hello"),
    "space before the colon": ("T005", f"{GET}\n{HOST}\nX : y", b""),
    "empty name": ("T005", f"{GET}\n{HOST}\n: y", b""),
    "a name that is no token": ("T005", f"{GET}\n{HOST}\nX(y): z", b""),
    "NUL in a value": ("T006", f"{GET}\n{HOST}\nX: a\0b", b""),
    "CR in a value": ("T006", f"{GET}\n{HOST}\nX: a\rb: c", b""),
    "VT in a value": ("T006", f"{GET}\n{HOST}\nX: a\x0bb", b""),
    "separators in a value": ("T006", f"{GET}\n{HOST}\nX: a\x1cb", b""),
    "chunk size 0x5": ("T007", f"{POST}\n{HOST}\nTransfer-Encoding: chunked", b"0x5\r\nhello\r\n0\r\n\r\n"),
    "chunk size +5": ("T007", f"{POST}\n{HOST}\nTransfer-Encoding: chunked", b"+5\r\nhello\r\n0\r\n\r\n"),
    "chunk size -5": ("T007", f"{POST}\n{HOST}\nTransfer-Encoding: chunked", b"-5\r\nhello\r\n0\r\n\r\n"),
    "chunk size of 17 digits": ("T007", f"{POST}\n{HOST}\nTransfer-Encoding: chunked", b"1" + b"0" * 16 + b"\r\n"),
    "no chunk size": ("T007", f"{POST}\n{HOST}\nTransfer-Encoding: chunked", b"\r\nhello\r\n0\r\n\r\n"),
    "chunk not ended": ("T008", f"{POST}\n{HOST}\nTransfer-Encoding: chunked", b"5\r\nhelloXX0\r\n\r\n"),
    "chunk ended with LF": ("T008", f"{POST}\n{HOST}\nTransfer-Encoding: chunked", b"5\r\nhello\n0\r\n\r\n"),
    "HTTP/1.2": ("T015", f"{GET.replace('1.1', '1.2')}\n{HOST}", b""),
    "HTTP/2 preface": ("T015", "PRI * HTTP/2.0", b"SM\r\n\r\n"),
    "junk": ("T015", "\x16\x03\x01\x02", b""),
}


@pytest.mark.threat("T001", "T002", "T003", "T004", "T005", "T006", "T007", "T008", "T015", "T014")
@pytest.mark.parametrize("name", BAD_FRAMING)
def test_bad_framing_ends_the_connection(site: MakeSite, name: str) -> None:
    _, head, body = BAD_FRAMING[name]
    here = site()
    is_chunked = body and "chunked" in head and "Content-Length" not in head and "xchunked" not in head
    for way in range(3):
        query = here.open()  # where chunks are what is wrong, the rest of the request is right
        sessions = len(here.registry.sessions)
        asked = head.replace("EIO=4&transport=polling", query) if is_chunked else head
        data = asked.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body
        pieces = ([data + HIDDEN], [data, HIDDEN], [data[i : i + 1] for i in range(len(data))] + [HIDDEN])[way]
        link = here.connect()
        answers = b"".join(here.say(link, piece) for piece in pieces)
        assert statuses(answers) == [400], answers
        assert link.is_ended or not link.is_open
        here.skip(1.5)
        assert not link.is_open
        assert len(here.registry.sessions) <= sessions, "the hidden request was answered"
    assert here.names() == []


@pytest.mark.threat("T002")
def test_the_case_of_chunked_is_free(site: MakeSite) -> None:
    here = site()
    query = here.open()
    head = f"POST /socket.io/?{query} HTTP/1.1\n{HOST}\nTransfer-Encoding: ChunKed"
    assert status_of(here.request(here.connect(), head, b"2\r\n40\r\n0\r\n\r\n")) == 200
    assert here.names() == ["connect"]


@pytest.mark.threat("T009")
def test_a_long_chunk_extension_does_not_cost(site: MakeSite) -> None:
    here = site()
    query = here.open()
    head = f"POST /socket.io/?{query} HTTP/1.1\n{HOST}\nTransfer-Encoding: chunked"
    answer = here.request(here.connect(), head, b"2;x=" + b"y" * 10_000 + b"\r\n40\r\n0\r\n\r\n")
    assert status_of(answer) in (200, 400)


@pytest.mark.threat("T010", "T033")
def test_a_body_of_many_chunks_is_bounded_by_its_size(site: MakeSite) -> None:
    here = site(max_http_buffer_size=5000)
    query = here.open()
    link = here.connect()
    here.request(link, f"POST /socket.io/?{query} HTTP/1.1\n{HOST}\nTransfer-Encoding: chunked")
    start = time.process_time()
    answer = b""
    for _ in range(20):
        answer += here.say(link, b"1\r\n4\r\n" * 1000)
        if answer:
            break
    assert status_of(answer) == 400
    assert time.process_time() - start < 2
    assert here.names() == []


@pytest.mark.threat("T011")
def test_trailers_mean_nothing(site: MakeSite) -> None:
    here = site()
    query = here.open()
    head = f"POST /socket.io/?{query} HTTP/1.1\n{HOST}\nTransfer-Encoding: chunked"
    answer = here.request(here.connect(), head, b"2\r\n40\r\n0\r\nContent-Length: 7\r\nOrigin: http://evil\r\n\r\n")
    assert status_of(answer) in (200, 400)


@pytest.mark.threat("T012")
def test_chunks_and_http_1_0(site: MakeSite) -> None:
    here = site()
    link = here.connect()
    answers = here.request(
        link, f"{POST.replace('1.1', '1.0')}\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n" + HIDDEN
    )
    assert status_of(answers) == 400
    assert not [status for status in statuses(answers) if status == 200]


@pytest.mark.threat("T013", "T014", "T047")
@pytest.mark.parametrize("length", [f"Content-Length: {len(HIDDEN)}", "Transfer-Encoding: chunked"])
def test_an_upgrade_has_no_body(site: MakeSite, length: str) -> None:
    here = site()
    link = here.connect()
    head = f"{GET.replace('polling', 'websocket')}\n{HOST}\n{UPGRADE}\n{length}"
    answers = here.request(link, head, HIDDEN + write_frame(1, b"40"))
    assert statuses(answers) == [400]
    assert here.names() == []


@pytest.mark.threat("T014")
@pytest.mark.parametrize("change", [("polling", "pigeon"), ("EIO=4", "EIO=9"), ("polling", "polling&sid=unknown")])
def test_nothing_is_read_behind_a_refused_upgrade(site: MakeSite, change: tuple[str, str]) -> None:
    here = site()
    link = here.connect()
    answers = here.request(link, f"{GET.replace(*change)}\n{HOST}\n{UPGRADE}", HIDDEN + write_frame(1, b"40"))
    assert statuses(answers) == [400]
    here.skip(2)
    assert not link.is_open


@pytest.mark.threat("T016")
def test_targets_of_other_forms(site: MakeSite) -> None:
    here = site()
    absolute = here.raw(b"GET http://other/socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status_of(absolute) in (200, 400, 404)
    for target in (b"*", b"x:80", b"socket.io"):
        answer = here.raw(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not answer or status_of(answer) in (400, 404)


@pytest.mark.threat("T017")
@pytest.mark.parametrize("lines", ["", "Host: a\nHost: b", "Host: \xe4/;@"])
def test_odd_hosts_decide_nothing(site: MakeSite, lines: str) -> None:
    here = site()
    origin = f"{lines}\nOrigin: http://evil.example".strip("\n")
    assert (
        status_of(here.request(here.connect(), f"{GET}\n{origin}")) == 400
    )  # its origin is not ours, whatever ours is
    assert status_of(here.request(here.connect(), f"{GET}\n{lines}".strip("\n"))) in (200, 400)


@pytest.mark.threat("T018")
def test_underscores_do_not_pass_for_hyphens(site: MakeSite) -> None:
    here = site()
    seen = {}

    async def connect(sid: str, environ: dict[str, str]) -> None:
        seen.update(environ)

    here.sio.on("connect", connect)
    here.websocket(headers="X-Real-Ip: 1.1.1.1\nX_Real_Ip: 6.6.6.6\nX-Other_Name: 6.6.6.6").joined()
    assert seen["HTTP_X_REAL_IP"] == "1.1.1.1"
    assert "6.6.6.6" not in str([value for key, value in seen.items() if key.startswith("HTTP_")])


@pytest.mark.threat("T019")
def test_every_byte_in_a_header(site: MakeSite) -> None:
    here = site()
    for name in ("X-Any", "Sec-WebSocket-Protocol", "Origin", "Cookie"):
        for byte in range(256):
            if byte not in (10, 13):
                head = f"{GET}\n{HOST}\n{name}: a{chr(byte)}b"
                assert status_of(here.request(here.connect(), head)) in (200, 400), (name, byte)


@pytest.mark.threat("T022", "T023")
@pytest.mark.parametrize(
    "head",
    [
        f"GET /socket.io/?EIO=4&x={'y' * 1_000_000} HTTP/1.1\n{HOST}",
        f"{GET}\n{HOST}\nX: {'y' * 1_000_000}",
        f"{GET}\n{HOST}\n" + "\n".join(f"X{i}: y" for i in range(10_000)),
        f"{GET.replace('polling', 'websocket')}\n{HOST}\n{UPGRADE}\n" + "\n".join(f"X{i}: y" for i in range(3_000)),
    ],
)
def test_a_head_has_a_largest_size(site: MakeSite, head: str) -> None:
    here = site()
    data = head.replace("\n", "\r\n").encode() + b"\r\n\r\n"
    link = here.connect()
    answer = b""
    for start in range(0, len(data), 1000):
        answer += here.say(link, data[start : start + 1000])
        if answer:
            break
    assert status_of(answer) == 431
    assert start < 30_000, "it was read on"
    assert status_of(here.raw(data)) == 431


@pytest.mark.threat("T026")
def test_a_slow_body_is_given_up(site: MakeSite) -> None:
    here = site(has_canary=False, ping_interval=300)
    query = here.open()
    link = here.connect()
    here.request(link, f"POST /socket.io/?{query} HTTP/1.1\n{HOST}\nContent-Length: 100", b"40")
    seconds = 0.0
    while not link.written and seconds < 60:
        here.skip(0.4)
        seconds += 0.4
        here.say(link, b"x") if not link.written else None
    assert status_of(bytes(link.written)) == 408
    assert 19.9 < seconds < 20.9
    assert here.names() == []
    assert status_of(here.get(query)) == 400, "the session has ended: packets after a hole must not run"


@pytest.mark.threat("T027")
def test_an_answer_that_is_not_read_is_given_up(site: MakeSite) -> None:
    here = site(has_canary=False, ping_interval=300)
    query = here.open()
    link = here.connect()
    link.block()
    here.get(query, transport=link)
    here.post(query, "40")
    here.skip(20)
    assert link.buffer
    here.skip(15)
    assert not link.is_open


@pytest.mark.threat("T028", "T065", "T050")
@pytest.mark.parametrize("leave", ["end", "reset"])
def test_a_body_that_breaks_off_runs_nothing(site: MakeSite, leave: str) -> None:
    here = site()
    body = b'40\x1e42["x"]'
    for cut in range(len(body)):
        query = here.open()
        link = here.connect()
        here.request(link, f"POST /socket.io/?{query} HTTP/1.1\n{HOST}\nContent-Length: {len(body)}", body[:cut])
        here.call(getattr(link, leave))
        here.loop.settle()
        assert here.names() == []
        assert status_of(here.get(query)) == 400


@pytest.mark.threat("T029")
def test_what_is_behind_a_body_is_the_next_request(site: MakeSite) -> None:
    here = site()
    query = here.open()
    answers = here.request(
        here.connect(), f"POST /socket.io/?{query} HTTP/1.1\n{HOST}\nContent-Length: 2", b'40\x1e42["x"]\r\n\r\n'
    )
    assert statuses(answers) == [200, 400]
    assert here.names() == ["connect"]


@pytest.mark.threat("T030")
def test_expectations(site: MakeSite) -> None:
    here = site()
    query = here.open()
    link = here.connect()
    head = f"POST /socket.io/?{query} HTTP/1.1\n{HOST}\nContent-Length: 2\nExpect: 100-continue"
    assert statuses(here.request(link, head) + here.say(link, b"40"))[-1] == 200
    assert statuses(here.request(here.connect(), f"{GET}\n{HOST}\nExpect: miracles"))[-1] in (200, 417)


@pytest.mark.threat("T031")
def test_nothing_is_inflated_on_the_way_in(site: MakeSite) -> None:
    import gzip

    here = site()
    query = here.open()
    assert status_of(here.post(query, gzip.compress(b"40" + b" " * 10_000_000), "Content-Encoding: gzip")) == 400
    assert here.names() == []


@pytest.mark.threat("T032")
def test_a_body_that_is_announced_too_long_is_not_read(site: MakeSite) -> None:
    here = site(max_http_buffer_size=1000)
    query = here.open()
    link = here.connect()
    answer = here.request(link, f"POST /socket.io/?{query} HTTP/1.1\n{HOST}\nContent-Length: 1001")
    assert status_of(answer) == 400
    assert b"Connection: close" not in answer or link.is_closing()
    here.skip(25)
    assert not link.is_open


QUERIES = {
    "percent signs": "%&%1&%zz&EIO=4&transport=polling",
    "a NUL": "EIO=4&transport=polling&x=%00",
    "bad UTF-8": "EIO=4&transport=polling&x=%c0%af%ff",
    "a reserved one that is bad": "EIO=%00&transport=polling",
    "a transport that is not UTF-8": "EIO=4&transport=%ff",
    "EIO twice": "EIO=4&EIO=3&transport=polling",
    "transport twice": "EIO=4&transport=polling&transport=websocket",
    "4,000 parameters": "EIO=4&transport=polling&" + "&".join(f"p{i}=1" for i in range(3_000)),
    "nothing but ampersands": "&" * 10_000 + "EIO=4&transport=polling",
}


@pytest.mark.threat("T034", "T035", "T036")
@pytest.mark.parametrize("name", QUERIES)
def test_odd_queries(site: MakeSite, name: str) -> None:
    here = site()
    start = time.process_time()
    assert status_of(here.get(QUERIES[name])) in (200, 400)
    assert time.process_time() - start < 0.5


@pytest.mark.threat("T037", "T038")
@pytest.mark.parametrize(
    "path",
    [
        "/socket.io/../x",
        "//socket.io/",
        "/socket.iox/",
        "/%2e%2e/socket.io/",
        "/socket.io%2f",
        "/x/../socket.io/",
        "/../../etc/passwd",
    ],
)
def test_paths_are_not_normalized(site: MakeSite, path: str) -> None:
    here = site()
    sessions = len(here.registry.sessions)
    answer = here.request(here.connect(), f"GET {path}?EIO=4&transport=polling HTTP/1.1\n{HOST}")
    if path.startswith("/socket.io/") or path == "/socket.io%2f":  # below our path, or the same when it is decoded
        assert status_of(answer) in (200, 400, 404)
    else:
        assert status_of(answer) == 404
        assert len(here.registry.sessions) == sessions


@pytest.mark.threat("T039", "T056")
@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "TRACE", "PATCH", "get", "A" * 4000])
def test_other_methods(site: MakeSite, method: str) -> None:
    here = site()
    query = here.open()
    sessions = len(here.registry.sessions)
    answers = [
        here.request(here.connect(), f"{method} /socket.io/?EIO=4&transport=polling HTTP/1.1\n{HOST}"),
        here.request(here.connect(), f"{method} /socket.io/?{query} HTTP/1.1\n{HOST}"),
    ]
    assert [status_of(answer) for answer in answers] == [400, 405 if method.isupper() and len(method) < 100 else 400], (
        answers
    )
    if method == "HEAD":
        assert not any(map(body_of, answers))
    assert len(here.registry.sessions) == sessions


@pytest.mark.threat("T040")
def test_requests_behind_an_open_poll_wait_in_the_socket(site: MakeSite) -> None:
    here = site()
    query = here.open()
    here.post(query, "40")
    here.get(query)
    link = here.connect()
    request = f"GET /socket.io/?{query} HTTP/1.1\r\n{HOST}\r\nX: {'y' * 500}\r\n\r\n".encode()
    assert here.say(link, request * 1000) == b""
    assert link.is_paused, "a peer may not fill our memory with requests"
    here.call(lambda: here.sio.start_background_task(here.sio.emit, "x"))
    here.loop.settle()
    assert statuses(bytes(link.written))[0] == 200


@pytest.mark.threat("T041")
def test_nothing_is_read_after_connection_close(site: MakeSite) -> None:
    here = site()
    link = here.connect()
    assert statuses(here.request(link, f"{GET}\n{HOST}\nConnection: close", HIDDEN)) == [200]
    here.skip(2)
    assert not link.is_open


@pytest.mark.threat("T043")
def test_tls_on_a_plain_port(site: MakeSite) -> None:
    here = site()
    link = here.connect()
    hello = bytes.fromhex("16030100c8010000c403030000") + bytes(187)
    assert status_of(here.say(link, hello)) == 400
    here.skip(1.5)
    assert not link.is_open


@pytest.mark.threat("T044")
def test_a_forged_address_is_not_believed(site: MakeSite) -> None:
    here = site(forwarded=False)
    seen = {}

    async def connect(sid: str, environ: dict[str, str]) -> None:
        seen.update(environ)

    here.sio.on("connect", connect)
    here.config.forwarded_allow_ips = "10.0.0.1"
    here.websocket(headers="X-Forwarded-For: 6.6.6.6").joined()
    assert seen["REMOTE_ADDR"] in ("127.0.0.1", "6.6.6.6")


HANDSHAKES = {
    "no key": UPGRADE.replace("Sec-WebSocket-Key", "X-Key"),
    "a short key": UPGRADE.replace("dGhl", ""),
    "a key that is no base64": UPGRADE.replace("dGhl", "????"),
    "two keys": f"{UPGRADE}\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "version 8": UPGRADE.replace("13", "8"),
    "no version": UPGRADE.replace("Sec-WebSocket-Version", "X-Version"),
    "no connection": UPGRADE.replace("Connection: Upgrade", "Connection: keep-alive"),
    "another upgrade": UPGRADE.replace("websocket", "h2c"),
}


@pytest.mark.threat("T045", "T057")
@pytest.mark.parametrize("name", HANDSHAKES)
def test_bad_handshakes(site: MakeSite, name: str) -> None:
    here = site()
    sessions = len(here.registry.sessions)
    answer = here.get("EIO=4&transport=websocket", HANDSHAKES[name])
    assert status_of(answer) == (426 if "version" in name else 400)
    assert ("version" in name) == (b"Sec-WebSocket-Version: 13" in answer)
    assert len(here.registry.sessions) == sessions
    assert here.names() == []


@pytest.mark.threat("T046")
@pytest.mark.parametrize(
    "word", [" ", ",", '"', ";", "\\", "constructor,", "permessage-deflate,", "permessage-deflate;x="]
)
@pytest.mark.parametrize("name", ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"])
def test_offers_without_end(site: MakeSite, name: str, word: str) -> None:
    here = site(per_message_deflate=True)
    start = time.process_time()
    answer = here.get("EIO=4&transport=websocket", f"{UPGRADE}\n{name}: {(word * 8192)[:8192]}")
    assert time.process_time() - start < 0.5
    assert status_of(answer) in (101, 400)
    assert b"Sec-WebSocket-Protocol" not in answer, "nothing that was not offered is agreed to"


@pytest.mark.threat("T047")
def test_frames_that_come_with_the_handshake(site: MakeSite) -> None:
    here = site()
    link = here.connect()
    head = f"{GET.replace('polling', 'websocket')}\n{HOST}\n{UPGRADE}"
    here.request(link, head, write_frame(1, b"40") + write_frame(1, b'42["early"]'))
    assert here.names() == ["connect", "early"]


@pytest.mark.threat("T050")
def test_a_conversation_cut_anywhere_is_the_same(site: MakeSite) -> None:
    here = site()
    head = (
        f"{GET.replace('polling', 'websocket')}\r\n{HOST}\r\n".encode()
        + UPGRADE.replace("\n", "\r\n").encode()
        + b"\r\n\r\n"
    )
    data = (
        head
        + write_frame(1, b"40")
        + write_frame(1, b'421["echo","\xe2\x82\xac"]')
        + write_frame(1, b"2", is_final=False)
        + write_frame(0, b"")
    )
    expected = None
    for cut in [*range(1, len(data), 3), None]:
        link = here.connect()
        pieces = [data] if cut is None else [data[:cut], data[cut:]]
        answer = b"".join(here.say(link, piece) for piece in pieces)
        told = [answer.startswith(b"HTTP/1.1 101"), answer.count(b'431["'), answer.endswith(b"\x88\x00"), here.names()]
        expected = expected or told
        assert told == expected, cut
        here.events.clear()


@pytest.mark.threat("T051")
def test_ten_thousand_first_bytes(site: MakeSite) -> None:
    here = site()
    for _ in range(10_000):
        link = here.connect()
        link.feed(b"G")
        link.reset()
        here.connections.pop()
    here.loop.settle()
    assert len(here.state.connections) == 1  # the canary's
