"""Handlers that wait for a gate, and a small mark from which a client is not read: `app` is an ASGI application."""

import asyncio
from typing import Any

import fastsio

sio = fastsio.AsyncServer(async_mode="asgi", pause_at_packets=10, ping_interval=0.5, ping_timeout=0.5)
gate = asyncio.Event()
begun = 0


@sio.event
async def work(sid: str, data: Any) -> None:
    global begun
    begun += 1
    await gate.wait()


@sio.event
async def how_many(sid: str) -> int:
    return begun


@sio.event
async def received(sid: str) -> int:
    received: int = sio.stats()["events"]["received"]
    return received


@sio.event
async def go_on(sid: str) -> None:
    gate.set()


app = fastsio.ASGIApp(sio)
