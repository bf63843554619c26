"""Servers that cut, join, spell or lie: the first three are measured, the last are called out."""

from collections.abc import Callable

import pytest

from load.awkward import OPEN, UPGRADE, Connection, frame, serving
from load.conftest import Bench, Fails

ONE = ("--clients", "1", "--duration", "0.5")


def echoing(answer: Callable[[bytes], bytes], upgrade: bytes = UPGRADE) -> Callable[[Connection], None]:
    """A handler that answers every message with what `answer` makes of it, frames included."""

    def handle(connection: Connection) -> None:
        for message in connection.open(upgrade):
            connection.send(answer(message))

    return handle


def fragments(message: bytes) -> bytes:
    return frame(message[:5], 0x01) + frame(b"", 0x00) + frame(b"ping", 0x89) + frame(message[5:], 0x80)


GOOD = {
    "plain": frame,
    "fragments": fragments,
    "spaces": lambda message: frame(message.replace(b'","', b'", "') + b" \n"),
    "escapes": lambda message: frame(message.replace(b"echo", b"\\u0065cho").replace(b"k", b"\\u006b")),
    "other events before": lambda message: frame(b'42["news",1]') + frame(message),
    "binary before": lambda message: (
        frame(b'451-["x",{"_placeholder":true,"num":0}]') + frame(b"\0", 0x82) + frame(message)
    ),
    "control frames": lambda message: frame(b"?", 0x89) + frame(b"2") + frame(b"6") + frame(message),
}


@pytest.mark.parametrize("spelling", GOOD)
def test_other_spellings_are_answers_too(bench: Bench, spelling: str) -> None:
    def answer(message: bytes) -> bytes:
        return GOOD[spelling](message) if message.startswith(b"42") else b""

    with serving(echoing(answer)) as port:
        result = bench(f"http://127.0.0.1:{port}", *ONE)
    assert result["messages"] > 5
    assert (result["others"] > 0) == ("before" in spelling)


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 64])
def test_everything_may_come_in_pieces(bench: Bench, pieces: int) -> None:
    with serving(echoing(lambda message: frame(message) if message.startswith(b"42") else b""), pieces) as port:
        assert bench(f"http://127.0.0.1:{port}", *ONE, "--payload", "200")["messages"] > 1


BAD = {
    "other data": (lambda message: frame(message.replace(b"ijk", b"ijx")), "wrong answer"),
    "other number": (lambda message: frame(message.replace(b"00000000", b"00000007")), "a request that nobody made"),
    "twice": (lambda message: 2 * frame(message), "a request that nobody made, or twice"),
    "no JSON": (lambda message: frame(message[:-1]), "not a Socket.IO packet"),
    "no packet": (lambda message: frame(b"hello"), "not an Engine.IO packet: 'hello'"),
    "empty": (lambda message: frame(b""), "an empty packet"),
    "masked": (lambda message: b"\x81\x84\0\0\0\x00" + message, "masks its frames"),
    "reserved bits": (lambda message: frame(message, 0xC1), "an extension that nobody asked for"),
    "opcode": (lambda message: frame(message, 0x83), "opcode 3"),
    "close": (
        lambda message: frame(b"\x03\xf0bye", 0x88),
        "closed the connection of client 1 of 1, close code 1008 bye",
    ),
    "close packet": (lambda message: frame(b"1"), "closed the connection of client 1 of 1: close packet"),
    "disconnect": (lambda message: frame(b"41"), "it disconnected the namespace"),
    "endless": (
        lambda message: b"\x81\x7f" + b"\x00\x00\x01" + bytes(5),
        "announces a message of 1,099,511,627,786 bytes",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_wrong_answers_end_the_run(fails: Fails, fault: str) -> None:
    answer, complaint = BAD[fault]
    with serving(echoing(answer)) as port:
        assert complaint in fails(f"http://127.0.0.1:{port}", *ONE)


def answering(text: bytes) -> Callable[[Connection], None]:
    def handle(connection: Connection) -> None:
        connection.request()
        connection.send(text)

    return handle


def chunked(body: bytes) -> bytes:
    half = len(body) // 2
    pieces = b"".join(b"%X\r\n%s\r\n" % (len(piece), piece) for piece in (body[:half], body[half:]))
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"


HANDSHAKES = {
    "no HTTP": (b"SSH-2.0-OpenSSH_9\r\n\r\n", "does not answer in HTTP"),
    "wrong key": (UPGRADE.replace(b"s3p", b"xxx"), "without the right Sec-WebSocket-Accept"),
    "extension": (UPGRADE[:-2] + b"Sec-WebSocket-Extensions: x\r\n\r\n", "chose a WebSocket extension"),
    "teapot": (b"HTTP/1.1 418 No\r\nContent-Length: 6\r\n\r\nteapot", "HTTP 418: teapot"),
    "moved": (b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n", "is it http or https"),
    "chunked": (chunked(b"go away").replace(b"200 OK", b"500 No"), "HTTP 500: go away"),
    "no open packet": (UPGRADE + frame(b"0{}"), "not an open packet"),
    "a bad sid": (UPGRADE + frame(OPEN.replace(b"abc", b"a&b")), "no URL can hold"),
    "nothing": (b"", "closed the connection of client 1 of 1 while it waited for HTTP"),
}


@pytest.mark.parametrize("fault", HANDSHAKES)
def test_handshakes_that_are_none(fails: Fails, fault: str) -> None:
    text, complaint = HANDSHAKES[fault]
    with serving(answering(text)) as port:
        assert complaint in fails(f"http://127.0.0.1:{port}", *ONE)


def test_silence_before_the_open_packet(fails: Fails) -> None:
    def handle(connection: Connection) -> None:
        connection.request()
        connection.send(UPGRADE)
        connection.more()

    with serving(handle) as port:
        said = fails(f"http://127.0.0.1:{port}", *ONE, "--patience", "0.5")
    assert "nothing went on for 0.5 s: 0 clients are connected, others wait: 1 for the open packet" in said


def polling(wrap: Callable[[bytes], bytes]) -> Callable[[Connection], None]:
    """A handler of long-polling; `wrap` makes a response of a body. One event at a time, shared by all connections."""
    waiting: list[bytes] = []

    def handle(connection: Connection) -> None:
        while True:
            head, body = connection.request()
            if head.startswith(b"POST"):
                waiting.append(b'40{"sid":"def"}' if body == b"40" else body)
                connection.send(wrap(b"ok"))
            elif b"sid=" not in head:
                connection.send(wrap(OPEN))
            else:
                while not waiting:
                    connection.pause()
                connection.send(wrap(waiting.pop(0)))

    return handle


def measured(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nCONTENT-LENGTH:   %d  \r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize("pieces", [None, 1, 5])
@pytest.mark.parametrize("wrap", [measured, chunked])
def test_polling_bodies_of_both_kinds(bench: Bench, wrap: Callable[[bytes], bytes], pieces: int | None) -> None:
    with serving(polling(wrap), pieces) as port:
        result = bench(f"http://127.0.0.1:{port}", *ONE, "--transport", "polling", "--duration", "1")
    assert result["messages"] > 1


def test_a_post_that_is_refused(fails: Fails) -> None:
    def wrap(body: bytes) -> bytes:
        return measured(b"no" if body == b"ok" else body)

    with serving(polling(wrap)) as port:
        said = fails(f"http://127.0.0.1:{port}", *ONE, "--transport", "polling")
    assert "a POST is answered with 'no', not with ok" in said
