"""The proxy does what its faults say, or what is tested with it means nothing."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from faults.proxy import NONE, Faults, Proxy, pieces


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """A port that gives back what it gets, and the end after the end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def send(proxy: Proxy, data: bytes, seconds: float = 2.0) -> tuple[bytes, str]:
    """Send bytes and the end; give what comes back, and how it ended: "end", "reset" or "silence"."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    got = b""
    try:
        writer.write(data)
        async with asyncio.timeout(seconds):
            while len(got) < len(data):
                more = await reader.read(100)
                if not more:
                    return got, "end"
                got += more
            writer.write_eof()
            return got, "end" if await reader.read(1) == b"" else "more"
    except ConnectionError:
        return got, "reset"
    except TimeoutError:
        return got, "silence"
    finally:
        writer.transport.abort()


DATA = bytes(range(200))
CASES = {
    "nothing": (NONE, (DATA, "end"), None),
    "chunk": (Faults(chunk=7), (DATA, "end"), None),
    "fin": (Faults(fin_at=50), (DATA[:50], "end"), "fin"),
    "rst": (Faults(rst_at=50), (DATA[:50], "reset"), "rst"),
    "rst at the first byte": (Faults(rst_at=0), (b"", "reset"), "rst"),
    "drop": (Faults(drop_at=50), (DATA[:50], "silence"), "drop"),
    "half close": (Faults(half_close_at=50), (DATA[:50], "end"), "half close"),
    "corrupt": (Faults(corrupt_at=50), (DATA[:50] + bytes([50 ^ 0x55]) + DATA[51:], "end"), "corrupt"),
}


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("name", CASES)
async def test_a_fault_happens(echo: int, name: str, direction: str) -> None:
    faults, expected, counted = CASES[name]
    async with Proxy(echo, lambda number: (faults, NONE) if direction == "up" else (NONE, faults)) as proxy:
        got, end = await send(proxy, DATA, 0.5)
    assert end == expected[1]
    # The end of both directions may overtake what was on its way back.
    assert expected[0].startswith(got) if counted in ("rst", "fin") else got == expected[0]
    if counted is not None:
        assert proxy.happened[counted] == 1


@pytest.mark.parametrize(
    ("faults", "seconds"), [(Faults(delay=0.2), 0.2), (Faults(stall_at=10, stall=0.3), 0.3), (Faults(rate=1000), 0.2)]
)
async def test_time_passes(echo: int, faults: Faults, seconds: float) -> None:
    async with Proxy(echo, lambda number: (faults, NONE)) as proxy:
        start = time.monotonic()
        assert (await send(proxy, DATA))[0] == DATA
        assert seconds * 0.9 <= time.monotonic() - start < seconds + 0.5


async def test_everything_can_be_frozen_and_reset(echo: int) -> None:
    async with Proxy(echo) as proxy:
        proxy.freeze()
        waiting = asyncio.create_task(send(proxy, DATA))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        proxy.thaw()
        assert await waiting == (DATA, "end")
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        proxy.reset_all()
        with pytest.raises(ConnectionError):
            await reader.readexactly(1)


def test_pieces_are_cut_where_something_happens() -> None:
    faults = Faults(fin_at=12, corrupt_at=15, chunk=4)
    assert pieces(b"abcdefghij", 10, faults) == [b"ab", b"cde", b"fghi", b"j"]
    assert pieces(b"abc", 0, NONE) == [b"abc"]
