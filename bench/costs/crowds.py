"""Clients that the load generator has not: they compress, or are in several namespaces. aiohttp's, one loop.

May import: `servers`, `fastsio.load.watch`. They are slower than any server here, so only the server's CPU is measured, never its throughput.
"""

import asyncio
import time
from dataclasses import dataclass

import aiohttp

from bench.servers import Server
from fastsio.load.watch import take_sample

CLIENTS = 200


@dataclass(frozen=True, slots=True)
class Crowd:
    """How the clients connect: with permessage-deflate, and to how many namespaces besides "/"."""

    compress: bool = False
    namespaces: int = 0


def cost(crowd: Crowd, server: Server, seconds: float) -> float:
    """Give CPU microseconds of the server for one delivery of a broadcast."""
    return asyncio.run(_cost(crowd, server, seconds))


async def _cost(crowd: Crowd, server: Server, seconds: float) -> float:
    url = f"http://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        sockets = [await _connect(http, url, crowd) for _ in range(CLIENTS)]
        await _round(sockets)
        begun, end, rounds = cpu_of(server), time.monotonic() + seconds, 0
        while time.monotonic() < end:
            await _round(sockets)
            rounds += 1
        used = cpu_of(server) - begun
        await asyncio.gather(*(socket.close() for socket in sockets))
    return used * 1e6 / (rounds * len(sockets))


async def _connect(http: aiohttp.ClientSession, url: str, crowd: Crowd) -> aiohttp.ClientWebSocketResponse:
    socket = await http.ws_connect(url, compress=15 if crowd.compress else 0)
    await socket.receive_str()
    for namespace in ("", *(f"/n{number}," for number in range(crowd.namespaces))):
        await socket.send_str(f"40{namespace}")
        if not (await socket.receive_str()).startswith(f"40{namespace}"):
            raise RuntimeError(f"the server did not let a client into {namespace or '/'}")
    if bool(socket.compress) != crowd.compress:
        raise RuntimeError("the server did not agree on compression")
    return socket


async def _round(sockets: list[aiohttp.ClientWebSocketResponse]) -> None:
    """Have one client start a broadcast, and everybody read it."""
    await sockets[0].send_str('42["fan","now"]')
    heard = await asyncio.gather(*(socket.receive_str() for socket in sockets))
    if not all(text.startswith('42["fan","line') for text in heard):
        raise RuntimeError("a client heard something else than the broadcast")


def cpu_of(server: Server) -> float:
    """Seconds of CPU that the server has used."""
    return take_sample(server.pids()).server or 0.0
