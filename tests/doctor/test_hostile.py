"""`fastsio doctor` at servers that answer with nonsense, or never come to an end: it says something, and comes to one.

May import: `fastsio.doctor`, awkward servers.
"""

import base64
import hashlib
import random
import re
import time

import pytest

from fastsio.doctor import report
from fastsio.doctor.causes import exit_status
from fastsio.doctor.examine import examine
from fastsio.doctor.target import parse_url
from load.awkward import UPGRADE, Connection, frame, serving

OPEN = b'0{"sid":"abc","upgrades":["websocket"],"pingInterval":200,"pingTimeout":200,"maxPayload":1000000}'


def http(body: bytes, head: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


ANSWERS = {
    "not a number": http(OPEN.replace(b":200,", b":NaN,")),
    "no end": http(OPEN.replace(b":200,", b":1e999,")),
    "negative": http(OPEN.replace(b":200,", b":-5,")),
    "a huge number": http(OPEN.replace(b":200,", b":1" + b"0" * 400 + b",")),
    "a deep value": http(b"[" * 100_000),
    "a deep refusal": http(b"[" * 1900, b"HTTP/1.1 400 Bad Request"),
    "a list": http(b"0[]"),
    "numbers for names": http(b'0{"sid":[],"upgrades":5,"pingInterval":1,"pingTimeout":1}'),
    "half a body": http(OPEN)[:-10],
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n0{",
    "a chunk of nonsense": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n",
    "a long line": b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n\r\n",
    "a strange status": b"HTTP/1.1 99999 OK\r\n\r\n",
    "cookies": http(OPEN, b"HTTP/1.1 200 OK\r\nSet-Cookie: \xff=;;;\r\nSet-Cookie: a\x00b=c"),
    "an upgrade that nobody asked for": UPGRADE,
    "nothing": b"",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_nonsense_is_no_traceback(name: str) -> None:
    def handle(connection: Connection) -> None:
        connection.request()
        connection.send(ANSWERS[name])

    with serving(handle) as port:
        target = parse_url(f"http://127.0.0.1:{port}")
        findings = examine(target, timeout=0.3)
    assert exit_status(findings) >= 10 and report.page(target, findings)


@pytest.mark.parametrize("seed", range(6))
def test_damaged_answers_are_no_traceback(seed: int) -> None:
    """A server whose every answer, over both transports, has a few bytes that are wrong."""
    chance = random.Random(seed)

    def damaged(data: bytes) -> bytes:
        bytes_ = bytearray(data)
        for _ in range(chance.randrange(3)):
            bytes_[chance.randrange(len(bytes_))] = chance.randrange(256)
        return bytes(bytes_)

    def handle(connection: Connection) -> None:
        head, _ = connection.request()
        if b"Upgrade: websocket" in head:
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", head)[1]  # type: ignore[index]
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            lead = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            connection.send(lead + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            connection.send(damaged(frame(OPEN) + frame(b'40{"sid":"d"}') + frame(b"3probe") + frame(b"2")))
        else:
            connection.send(damaged(http(OPEN if b"sid=" not in head else b'40{"sid":"d"}\x1e2')))

    with serving(handle) as port:
        target = parse_url(f"http://127.0.0.1:{port}")
        findings = examine(target, eio=4, timeout=0.3)
    assert report.page(target, findings) and all(finding.check for finding in findings)


def test_an_answer_that_drips_comes_to_an_end() -> None:
    def handle(connection: Connection) -> None:
        connection.request()
        for byte in http(OPEN):
            connection.send(bytes([byte]))
            time.sleep(0.2)

    with serving(handle) as port:
        start = time.monotonic()
        findings = examine(parse_url(f"http://127.0.0.1:{port}"), timeout=0.5)
    assert time.monotonic() - start < 5 and exit_status(findings) == 21
