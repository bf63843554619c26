"""Where the microseconds of one echo go: python -m bench.anatomy. Draws the picture in docs/performance.md.

May import: the rest of this folder. Two runs of the same load on the native wire: one by itself, for the seconds in the
kernel and out of it; one under callgrind, for how the instructions outside the kernel divide. Needs valgrind.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.callgrind import Profile
from bench.record import ROOT
from bench.servers import Rival, Server, load_rivals, serving
from bench.svg import Drawing
from bench.tables import put_between

PAGE, PICTURE = ROOT / "docs/performance.md", ROOT / "docs/pictures/one-echo.svg"
SECONDS = 3.0
TICKS = os.sysconf("SC_CLK_TCK")
SLOW_SECONDS = 4.0  # under valgrind everything takes fifty times as long

Part = tuple[str, float, str]  # what it is, microseconds, the class of its bar


def load(server: Server, seconds: float, clients: int) -> int:
    """Put echoes on a server; give how many there were, the warm-up included."""
    command = [sys.executable, "-m", "fastsio", "bench", f"http://127.0.0.1:{server.port}", "--quiet", "--json", "-"]
    command += [f"--duration={seconds}", f"--clients={clients}", "--warmup=0", f"--pid={server.process.pid}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    messages: int = json.loads(done.stdout)["messages"]
    return messages


def times(pid: int) -> tuple[float, float]:
    """Give the seconds that a process has used: out of the kernel, and in it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / TICKS, int(fields[12]) / TICKS


def measure_times(rival: Rival) -> tuple[float, float]:
    """Give microseconds of one echo: out of the kernel, and in it."""
    with serving(rival, 0) as server:
        load(server, 1.0, 100)
        before = times(server.process.pid)
        messages = load(server, SECONDS, 100)
        after = times(server.process.pid)
    user, system = ((now - then) / messages * 1e6 for now, then in zip(after, before, strict=True))
    return user, system


@contextmanager
def counting(rival: Rival, out: Path) -> Iterator[Server]:
    """Start the server under callgrind, which counts nothing yet."""
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", *rival.command]
    with serving(replace(rival, command=command), 0) as server:
        yield server


def measure_instructions(rival: Rival) -> Profile:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "count"
        with counting(rival, out) as server:
            pid = str(server.process.pid)
            running = subprocess.Popen(
                [sys.executable, "-m", "fastsio", "bench", f"http://127.0.0.1:{server.port}", "--quiet", "--clients=20",
                 f"--duration={3 * SLOW_SECONDS}", "--json", os.devnull],
                cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(2 * SLOW_SECONDS)
            subprocess.run(["callgrind_control", "-i", "on", pid], check=True, capture_output=True)
            time.sleep(SLOW_SECONDS)
            subprocess.run(["callgrind_control", "-i", "off", pid], check=True, capture_output=True)
            running.wait()
        return Profile(out)


def divide(profile: Profile, user: float, system: float) -> list[Part]:
    """Give the parts of one echo, in the order in which they happen."""
    of = profile.of
    scale = user / profile.total
    turn, frames, event = of("6Poller_6_turn"), of("NativeConnection_arrived"), of("Session_receive_frame")
    # What has come is handled at the end of a turn; under callgrind it has not time enough there, and the loop calls again.
    settled, handled, taken = (
        of("Flusher_end_turn"),
        of("pw_7fastsio_6engine_8_session_8Arrivals_3_run"),
        of("Arrivals__take"),
    )
    decoded, call = of("PacketDecoder_feed_text_view"), of("Peer__start_call")
    stand_in, emit = of("Runner_enter", "Runner_leave", "Runner_done"), of("3Hub_5emit", "3Hub_7emit", "3Hub_3emit")
    json_in, json_out = of("4Json_load"), of("4Json_size_of_texts", "5_json_write_texts")
    parts = [
        ("the loop: something is ready", profile.total - turn - handled + settled, "asgi"),
        ("which sockets, bytes are read", turn - frames - settled, "ours"),
        ("frame: limits, mask, UTF-8", frames - event, "ours"),
        ("session and packet", event - json_in + taken - call, "ours"),
        ("JSON in", json_in, "ours"),
        ("a task to stand in", stand_in, "ours"),
        ("your handler, and await emit()", call - stand_in - emit, "other"),
        ("emit: packet and room", emit - json_out, "ours"),
        ("JSON out", json_out, "ours"),
        ("flush: who owes what, frames are sent", handled - taken, "ours"),
    ]
    assert decoded and turn and handled, "the functions that are looked for are not in this build"
    return [
        ("kernel: recv, send, epoll", system, "floor"),
        *((label, count * scale, kind) for label, count, kind in parts),
    ]


def draw(parts: list[Part]) -> str:
    total = sum(part[1] for part in parts)
    drawing = Drawing(760, 64 + 26 * len(parts) + 20, "Where the microseconds of one echo go")
    drawing.words(16, 30, f"One echo: {total:.1f} us of CPU, 100 clients, native wire", "title")
    widest = max(part[1] for part in parts)
    for at, (label, value, kind) in enumerate(parts):
        y = 56 + 26 * at
        drawing.words(300, y + 13, label, "label end")
        drawing.bar(312, y, max(1.0, value / widest * 360), 17, kind)
        drawing.words(312 + value / widest * 360 + 8, y + 13, f"{value:.2f}")
    return drawing.text()


def table(parts: list[Part]) -> str:
    rows = [f"| {label} | {value:.2f} |" for label, value, _ in parts]
    return "\n".join(["| part of one echo | us |", "| --- | --- |", *rows])


def main() -> None:
    rival = load_rivals()["fastsio"]
    user, system = measure_times(rival)
    parts = divide(measure_instructions(rival), user, system)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(draw(parts))
    put_between(PAGE, "anatomy", table(parts))
    print(table(parts))


if __name__ == "__main__":
    main()
