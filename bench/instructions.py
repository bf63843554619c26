"""How many instructions an operation takes: figures that do not change with the machine's mood.

Usage: python -m bench.instructions [--write]. Needs valgrind. Counts under callgrind and compares with what was written
down for this interpreter and compiler in instructions.json; status 1 when an operation has grown by more than
`TOLERANCE`. `--write` writes the present figures down: done with each release, and with a change that is worth its price.
Other interpreters and compilers give other figures, so where nothing is written down there is nothing to compare.
"""

import asyncio
import gc
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".json")
TOLERANCE = 0.05
REPEATS = 500
# As many as are flushed without a look at the clock: under callgrind a slice may be over before everybody had their turn.
MEMBERS = 16
# Callgrind closes a count each time this function of the C library is called.
MARK = "getppid"

Operation = Callable[[], Any]


class World:
    """A server with clients whose transport forgets what it is given."""

    def __init__(self, clients: int) -> None:
        import fastsio
        from fastsio._http import Request
        from fastsio.engine._session import Link

        class Pipe(Link):
            def flush(self) -> int:
                self.take_events()
                return 0

        self.sio = fastsio.AsyncServer(async_mode="asgi")
        registry = self.sio.eio._registry
        registry.attach_loop()
        self.flush = registry.flusher._run
        self.links = []
        for _ in range(clients):
            session = registry.create(4, Request("GET", "/socket.io/", b"", []))
            registry.accept(session)
            link = Pipe()
            session.start(link, True, True)
            link.receive("40")
            self.links.append(link)

        @self.sio.event
        async def echo(sid: str, data: Any) -> None:
            await self.sio.emit("echo", data, to=sid)

        @self.sio.event
        async def ack(sid: str, data: Any) -> Any:
            return data

        @self.sio.event
        async def fan(sid: str, data: Any) -> None:
            await self.sio.emit("fan", data)

    def says(self, text: str) -> Operation:
        def operation() -> None:
            self.links[0].receive(text)
            self.flush()

        return operation


def operations() -> dict[str, tuple[Operation, int]]:
    """Give what is counted: name -> (operation, in how many parts it is divided)."""
    from fastsio import _codec
    from fastsio.serial import Json

    text = "x" * 32
    data = ["chat message", {"id": 12345, "user": "ada", "text": "hello, world", "tags": ["a", "b"], "ok": True}]
    serializer = Json()
    event = _codec.encode_sio(serializer, 2, data)[0]
    body = _codec.encode_payload([(4, text)] * 16)
    decoder = _codec.PacketDecoder(serializer)
    one, many = World(1), World(MEMBERS)
    return {
        "packet encode": (lambda: _codec.encode_packet(4, text), 1),
        "packet decode": (lambda: _codec.decode_packet("4" + text), 1),
        "payload of 16 encode": (lambda: _codec.encode_payload([(4, text)] * 16), 1),
        "payload of 16 decode": (lambda: _codec.decode_payload(body), 1),
        "event encode": (lambda: _codec.encode_sio(serializer, 2, data), 1),
        "event decode": (lambda: decoder.feed_text(event), 1),
        "echo": (one.says(f'42["echo","{text}"]'), 1),
        "ack": (one.says(f'421["ack","{text}"]'), 1),
        "delivery of a broadcast": (many.says(f'42["fan","{text}"]'), MEMBERS),
    }


async def run_counted() -> None:
    """Run every operation between two marks. Called in the process that valgrind watches.

    Without the garbage collector: when its turn comes depends on everything that was allocated before.
    """
    gc.collect()
    gc.disable()
    for operation, parts in operations().values():
        repeats = range(max(1, REPEATS // parts))
        for _ in repeats:
            operation()
        await asyncio.sleep(0)
        os.getppid()
        for _ in repeats:
            operation()
        os.getppid()
        await asyncio.sleep(0)


def count() -> dict[str, int]:
    """Give the instructions of each operation."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "count"
        command = ["valgrind", "--tool=callgrind", f"--dump-before={MARK}", f"--callgrind-out-file={out}"]
        environment = os.environ | {"PYTHONHASHSEED": "0"}
        done = subprocess.run(
            [*command, sys.executable, "-m", "bench.instructions", "--counted"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parent.parent,
        )
        if done.returncode:
            raise RuntimeError(f"valgrind failed: {done.stderr[-500:]}")
        totals = [_total(Path(f"{out}.{part}")) for part in range(1, len(list(Path(folder).iterdir())))]
    counts = {}
    # Each operation lies between its two marks: the parts before the first mark, and between operations, are not counted.
    for (name, (_, parts)), total in zip(operations_in_loop().items(), totals[1::2], strict=False):
        counts[name] = round(total / (max(1, REPEATS // parts) * parts))
    return counts


def operations_in_loop() -> dict[str, tuple[Operation, int]]:
    async def make() -> dict[str, tuple[Operation, int]]:
        return operations()

    return asyncio.run(make())


def _total(dump: Path) -> int:
    found = re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{dump.name} holds no total")
    return int(found[1])


def place() -> str:
    """Name what the figures hold for."""
    gcc = (
        shutil.which("gcc")
        and subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True).stdout.strip()
    )
    return f"{platform.python_implementation()} {platform.python_version()}, {platform.python_compiler()}, gcc {gcc}"


def written_down() -> dict[str, int]:
    """Give the figures for this interpreter and compiler; none when there are none."""
    return _read().get(place(), {})


def _read() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found


def grown(now: dict[str, int], before: dict[str, int]) -> list[str]:
    """Give one sentence for each operation that takes too many instructions more than before."""
    return [
        f"{name}: {now[name]} instructions, {before[name]} were written down; up to {TOLERANCE:.0%} more are accepted"
        for name in before
        if name in now and now[name] > before[name] * (1 + TOLERANCE)
    ]


def main(arguments: list[str]) -> int:
    if arguments == ["--counted"]:
        asyncio.run(run_counted())
        return 0
    if shutil.which("valgrind") is None:
        print("valgrind is not installed")
        return 2
    now, before = count(), written_down()
    for name, value in now.items():
        print(f"{name:26} {value:8,}" + (f"   was {before[name]:8,}" if name in before else ""))
    if "--write" in arguments:
        everywhere = {**_read(), place(): now}
        FILE.write_text(json.dumps(dict(sorted(everywhere.items())), indent=2) + "\n")
        return 0
    if not before:
        print(f"nothing is written down for {place()}")
    complaints = grown(now, before)
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
