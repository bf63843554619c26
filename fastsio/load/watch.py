"""The CPU and the memory of the server's processes, and of everybody, as Linux tells them.

May import: nothing. Never guesses: where /proc does not say it, there is no figure.
"""

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
LISTENING = "0A"
LOOPBACK = ("127.", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds so far: by the clock, and of CPU that this process, the server and everybody used; None for unknown."""

    wall: float
    own: float
    server: float | None
    everybody: float | None


def take_sample(pids: list[int]) -> Sample:
    """Read all clocks at once; `pids` are the server's processes, none when they are not known."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    server = sum(_cpu(pid) for pid in pids) if pids else None
    return Sample(time.perf_counter(), own.ru_utime + own.ru_stime, server, _everybody())


def resident_bytes(pids: list[int]) -> int:
    """Memory that the processes hold, shared pages counted in each of them."""
    pages = sum(int((PROC / str(pid) / "statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE")


def server_pids(host: str, port: int) -> list[int]:
    """Find the processes of this machine that listen on a port, and their children; empty when it is not here."""
    if not host.startswith(LOOPBACK) or not (PROC / "net/tcp").exists():
        return []
    inodes = {f"socket:[{inode}]" for table in ("net/tcp", "net/tcp6") for inode in _listeners(PROC / table, port)}
    if not inodes:
        return []
    owners = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal() and _holds(entry, inodes)]
    return sorted({member for owner in owners for member in family(owner)})


def family(pid: int) -> list[int]:
    """Give a process and all its descendants."""
    try:
        texts = [path.read_text() for path in (PROC / str(pid) / "task").glob("*/children")]
    except OSError:
        return [pid]
    return [pid, *(member for text in texts for child in text.split() for member in family(int(child)))]


def _listeners(table: Path, port: int) -> list[str]:
    if not table.exists():
        return []
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return [row[9] for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port]


def _holds(process: Path, inodes: set[str]) -> bool:
    try:
        return any(os.readlink(entry) in inodes for entry in (process / "fd").iterdir())
    except OSError:  # somebody else's, or gone meanwhile
        return False


def _cpu(pid: int) -> float:
    """Seconds that a process and its waited-for children used; exact to a tick (10 ms), schedstat where it is more."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        threads = [path.read_text() for path in (PROC / str(pid) / "task").glob("*/schedstat")]
    except OSError as exc:
        raise ProcessLookupError(f"the server's process {pid} is gone") from exc
    ticks = sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return max(ticks, sum(int(text.split()[0]) for text in threads) / 1e9)


def _everybody() -> float | None:
    """CPU seconds of all programs, time stolen from a virtual machine included."""
    if not (PROC / "stat").exists():
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, (PROC / "stat").read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
