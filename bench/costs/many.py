"""One process with very many idle clients: python -m bench.costs.many [CLIENTS]. Five minutes with 100,000.

Prints what they cost while they connect, while nothing happens but heartbeats, and when all of them are told something.
Needs the right to raise the limit of descriptors (root, or `ulimit -Hn`). The clients are bare sockets on addresses of
127.0.0.0/8, 20,000 on each, since a port can be used only once for each pair of addresses. Never measures throughput.
"""

import argparse
import resource
import select
import socket
import time

from bench.costs.crowds import cpu_of
from bench.run import SERVER_CORE
from bench.servers import Server, load_rivals, serving
from fastsio.load.watch import resident_bytes

PER_ADDRESS = 20_000
REQUEST = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
QUIET_SECONDS = 60
RESERVE = 500  # descriptors that are no clients
PING = b"\x81\x012"


def frame(text: bytes) -> bytes:
    """A text message of a client, masked with zeros."""
    return b"\x81" + bytes([0x80 | len(text)]) + bytes(4) + text


class Crowd:
    """Very many clients that answer pings."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sockets: dict[int, socket.socket] = {}
        self.poll = select.epoll()

    def connect_one(self) -> None:
        address = f"127.0.1.{1 + len(self.sockets) // PER_ADDRESS}"
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=(address, 0))
        client.sendall(REQUEST)
        self._read_until(client, b'"maxPayload"')
        client.sendall(frame(b"40"))
        self._read_until(client, b'40{"sid"')
        client.setblocking(False)
        self.sockets[client.fileno()] = client
        self.poll.register(client.fileno(), select.EPOLLIN)

    def _read_until(self, client: socket.socket, part: bytes) -> None:
        heard = b""
        while part not in heard:
            piece = client.recv(4096)
            if not piece:
                raise RuntimeError(f"the server closed a connection; it said {heard!r}")
            heard += piece

    def listen(self, seconds: float, wanted: bytes | None = None, count: int = 0) -> int:
        """Answer pings; give how many clients heard `wanted`, back as soon as `count` did."""
        end, heard = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0 and (wanted is None or heard < count):
            for number, _ in self.poll.poll(left, 1024):
                said = self.sockets[number].recv(4096)
                if not said:
                    raise RuntimeError("the server closed a connection")
                if PING in said:
                    self.sockets[number].send(frame(b"3"))
                heard += wanted is not None and wanted in said
        return heard


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.costs.many", description=__doc__)
    parser.add_argument("clients", nargs="?", type=int, default=100_000)
    clients = parser.parse_args().clients
    _allow_descriptors(clients + RESERVE)
    with serving(load_rivals()["fastsio"], SERVER_CORE) as server:
        _measure(server, clients)


def _allow_descriptors(wanted: int) -> None:
    """Raise the limit of this process and its children. Raises SystemExit that says what the system would allow."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    except ValueError:
        allowed = f"the system allows {hard:,} descriptors to a process: ask for {hard - RESERVE:,} clients at most"
        raise SystemExit(f"{allowed}, or raise `ulimit -Hn` as root") from None


def _measure(server: Server, clients: int) -> None:
    crowd = Crowd(server.port)
    crowd.connect_one()
    empty, used, begun = resident_bytes(server.pids()), cpu_of(server), time.monotonic()
    while len(crowd.sockets) < clients:
        crowd.connect_one()
        if len(crowd.sockets) % 1000 == 0:
            crowd.listen(0.001)
    full = resident_bytes(server.pids())
    print(
        f"{clients:,} clients connected in {time.monotonic() - begun:.0f} s, {(cpu_of(server) - used) / clients * 1e6:.0f} us of CPU each"
    )
    print(f"memory: {(full - empty) / clients:,.0f} bytes a client, {full / 1e6:,.0f} MB in all")
    used = cpu_of(server)
    crowd.listen(QUIET_SECONDS)
    share = (cpu_of(server) - used) / QUIET_SECONDS
    print(f"nothing but heartbeats for {QUIET_SECONDS} s: {share:.1%} of a core")
    for _ in range(3):
        used, begun = cpu_of(server), time.monotonic()
        next(iter(crowd.sockets.values())).send(frame(b'42["fan",{"text":"hello"}]'))
        heard = crowd.listen(60, b'42["fan"', clients)
        spent = time.monotonic() - begun
        print(
            f"a broadcast reached {heard:,} in {spent:.2f} s, {(cpu_of(server) - used) / clients * 1e6:.1f} us of CPU each"
        )


if __name__ == "__main__":
    main()
