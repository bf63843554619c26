"""Connections of every bad kind, each a short script over a socket of its own, as fast as one thread can make them.

May import: the standard library, the frame writer of the oracle. Connections end with a reset, so that ports are free again.
"""

import socket
import struct
from collections.abc import Callable

from oracle.frames_oracle import write_close, write_frame

LINGER = struct.pack("ii", 1, 0)
TIMEOUT = 10
KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
UPGRADE = f"Connection: Upgrade\r\nUpgrade: websocket\r\n{KEY}"


class Connection:
    """One connection of a client."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes | str) -> None:
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def read(self, until: bytes = b"") -> bytes:
        """Read once, or until some bytes have come."""
        data = self.socket.recv(65536)
        while until and until not in data:
            more = self.socket.recv(65536)
            assert more, data
            data += more
        return data

    def get(self, query: str, headers: str = "") -> bytes:
        self.send(f"GET /socket.io/?{query} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
        return self.read(b"\r\n\r\n")

    def post(self, query: str, body: bytes, missing: int = 0) -> None:
        self.send(
            f"POST /socket.io/?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + missing}\r\n\r\n".encode()
            + body
        )

    def handshake(self, revision: int = 4) -> str:
        """Open a polling session; give the query that goes on with it."""
        answer = self.get(f"EIO={revision}&transport=polling")
        sid = answer.partition(b'"sid":"')[2].partition(b'"')[0].decode()
        assert sid, answer
        return f"EIO={revision}&transport=polling&sid={sid}"

    def websocket(self, query: str) -> None:
        answer = self.get(query.replace("polling", "websocket"), UPGRADE)
        assert answer.startswith(b"HTTP/1.1 101"), answer

    def say(self, text: str) -> None:
        self.send(write_frame(1, text.encode()))

    def close(self) -> None:
        self.socket.close()


# --- the scripts; the connection is reset at the end of each


def leaves_by_polling(link: Connection) -> None:
    query = link.handshake()
    link.post(query, b"40")
    link.read(b"ok")
    link.get(query)
    link.post(query, b'42["x",1]\x1e41\x1e1')
    link.read()


def abandons_polling(link: Connection) -> None:
    link.handshake()


def abandons_an_open_poll(link: Connection) -> None:
    query = link.handshake()
    link.post(query, b"40")
    link.read(b"ok")
    link.get(query)
    link.send(f"GET /socket.io/?{query} HTTP/1.1\r\nHost: x\r\n\r\n")


def overlaps_polls(link: Connection) -> None:
    query = link.handshake(3)
    request = f"GET /socket.io/?{query} HTTP/1.1\r\nHost: x\r\n\r\n"
    other = Connection(link.socket.getpeername()[1])
    link.send(request)
    other.send(request)
    other.read()
    other.close()


def closes_a_websocket(link: Connection) -> None:
    link.websocket("EIO=4&transport=websocket")
    link.say("40")
    link.read(b"40{")
    link.say('421["x",{"a":[1,2,3]}]')
    link.read(b"431[")
    link.send(write_close(1000))
    link.read()


def resets_a_websocket(link: Connection) -> None:
    link.websocket("EIO=3&transport=websocket")
    link.say('42["x"]')


def half_a_binary_packet(link: Connection) -> None:
    link.websocket("EIO=4&transport=websocket")
    link.say("40")
    link.read(b"40{")
    link.say('453-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]')
    link.send(write_frame(2, b"\1" * 5000))


def half_a_message(link: Connection) -> None:
    link.websocket("EIO=4&transport=websocket")
    link.send(write_frame(1, b"4" * 3000, is_final=False) + write_frame(0, b"x" * 3000, is_final=False))
    link.send(write_frame(0, b"x" * 3000)[:2000])


def breaks_the_protocol(link: Connection) -> None:
    link.websocket("EIO=4&transport=websocket")
    link.say("40")
    link.read(b"40{")
    link.say("42[nonsense")
    link.read(b"\x88\x00")


def is_refused(link: Connection) -> None:
    link.websocket("EIO=4&transport=websocket")
    link.say('40{"refuse":true}')
    link.read(b"44{")


def meets_a_failing_handler(link: Connection) -> None:
    link.websocket("EIO=4&transport=websocket")
    link.say('40{"fail":true}')
    link.read(b"44{")


def leaves_during_connect(link: Connection) -> None:
    link.websocket("EIO=4&transport=websocket")
    link.say("40")


def asks_for_nothing_known(link: Connection) -> None:
    assert link.get("EIO=5&transport=polling").startswith(b"HTTP/1.1 400")
    assert link.get("EIO=4&transport=pigeon").startswith(b"HTTP/1.1 400")
    assert link.get("EIO=4&transport=polling&sid=unknown").startswith(b"HTTP/1.1 400")
    assert link.get("EIO=4&transport=polling", "Origin: http://evil.example\r\n").startswith(b"HTTP/1.1 400")


def asks_for_a_bad_websocket(link: Connection) -> None:
    answer = link.get("EIO=4&transport=websocket", UPGRADE.replace("dGhl", "????"))
    assert answer.startswith(b"HTTP/1.1 400"), answer


def upgrades_and_leaves(link: Connection, *words: str) -> None:
    query = link.handshake()
    link.post(query, b"40")
    link.read(b"ok")
    probe = Connection(link.socket.getpeername()[1])
    probe.websocket(query)
    for word in words:
        probe.say(word)
        if word == "2probe":
            probe.read(b"3probe")
    probe.close()


def opens_an_upgrade(link: Connection) -> None:
    upgrades_and_leaves(link)


def probes_an_upgrade(link: Connection) -> None:
    upgrades_and_leaves(link, "2probe")


def finishes_an_upgrade(link: Connection) -> None:
    upgrades_and_leaves(link, "2probe", "5")


def spoils_an_upgrade(link: Connection) -> None:
    upgrades_and_leaves(link, "4nonsense")


def leaves_in_a_body(link: Connection) -> None:
    link.post(link.handshake(), b"4" + b"x" * 4000, missing=100)


def leaves_in_a_head(link: Connection) -> None:
    link.send("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost:")


def says_one_byte(link: Connection) -> None:
    link.send("G")


def says_nothing(link: Connection) -> None:
    pass


def speaks_no_http(link: Connection) -> None:
    link.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
    link.read(b"HTTP/1.1 400")


SCRIPTS: list[Callable[[Connection], None]] = [
    leaves_by_polling, abandons_polling, abandons_an_open_poll, overlaps_polls, closes_a_websocket, resets_a_websocket,
    half_a_binary_packet, half_a_message, breaks_the_protocol, is_refused, meets_a_failing_handler, leaves_during_connect,
    asks_for_nothing_known, asks_for_a_bad_websocket, opens_an_upgrade, probes_an_upgrade, finishes_an_upgrade,
    spoils_an_upgrade, leaves_in_a_body, leaves_in_a_head, says_one_byte, says_nothing, speaks_no_http,
]  # fmt: skip


def run(port: int, script: Callable[[Connection], None], count: int) -> None:
    """Run a script `count` times. A server that resets first has done nothing wrong."""
    for _ in range(count):
        link = Connection(port)
        try:
            script(link)
        except ConnectionError:
            pass
        finally:
            link.close()


def run_all(port: int, count: int) -> None:
    """Run `count` cycles, of every kind as many."""
    for script in SCRIPTS:
        run(port, script, -(-count // len(SCRIPTS)))


# --- many messages

# Bytes of a frame that is more than a ping of Engine.IO, compressed or not.
PING_SIZE = 8


def messages(port: int, stream: bytes, answers: int, rounds: int, headers: str = "") -> None:
    """Send the same frames `rounds` times over one WebSocket; each time, `answers` frames have to come back."""
    link = Connection(port)
    assert link.get("EIO=4&transport=websocket", UPGRADE + headers).startswith(b"HTTP/1.1 101")
    link.say("40")
    link.read(b"40{" if not headers else b"")
    tail = b""
    for _ in range(rounds):
        link.send(stream)
        left = answers
        while left > 0:
            seen, has_ping, tail = count_frames(tail + link.read())
            left -= seen
            if has_ping:
                link.say("3")
    link.close()


def count_frames(data: bytes) -> tuple[int, bool, bytes]:
    """Give how many frames of a server are whole, whether a ping is among them, and what is not whole yet."""
    at, count, has_ping = 0, 0, False
    while len(data) - at >= 2:
        size, head = data[at + 1], 2
        if size == 126:
            if len(data) - at < 4:
                break
            size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
        assert size < 127, "a frame of more than 64 KiB"
        if len(data) - at < head + size:
            break
        assert data[at] & 15 in (1, 2), data[at : at + 80]
        if size < PING_SIZE:
            has_ping = True
        else:
            count += 1
        at += head + size
    return count, has_ping, data[at:]
