"""Runs the soak, and judges it: `python -m soak --minutes 15 --clients 300` in the folder `tests`.

May import: `clients`, the fault proxy, the bad connections of `leaks`, the server processes of `wire`.
What has to hold is in `judge`; the figures are printed whatever the verdict.
"""

import argparse
import asyncio
import json
import random
import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from faults.proxy import NONE, Faults, Proxy
from leaks import cycles
from soak.clients import KINDS, Client, SlowReader
from wire.live import Server

PAGE_LINES = Path(__file__).parent.parent.parent / "docs" / "log-lines.md"
ABUSE = 10.0  # bad connections a second
SHARE_SLOW, SHARE_PROXY = 0.05, 0.4
SETTLE = 10.0  # s that what is left at the end has to end
SAMPLE = 5.0
LONGEST_TURN = 0.05  # s
# Looking at everything that thousands of clients are takes longer than a turn may last; a production server does it at night.
FULL_GC = ("--full-gc", "3600")
# Memory, in bytes a minute, and from the first third to the last: what an allocator does by itself.
SLOPE, GROWTH = 300_000, 4_000_000


def choose_faults(seed: int) -> Any:
    """Give what chooses the faults of each connection."""

    def choose(number: int) -> tuple[Faults, Faults]:
        chance = random.Random(f"{seed} {number}")
        return _faults(chance), _faults(chance)

    return choose


def _faults(chance: random.Random) -> Faults:
    place, kind = chance.randrange(200, 30_000), chance.random()
    if kind < 0.45:
        return NONE
    if kind < 0.60:
        return Faults(delay=chance.uniform(0.005, 0.2), jitter=0.05)
    if kind < 0.72:
        return Faults(chunk=chance.randrange(1, 60))
    if kind < 0.80:
        return Faults(rate=chance.randrange(5_000, 100_000))
    if kind < 0.86:
        return Faults(stall_at=place, stall=chance.uniform(0.5, 5))
    if kind < 0.91:
        return Faults(fin_at=place)
    if kind < 0.95:
        return Faults(rst_at=place)
    if kind < 0.98:
        return Faults(drop_at=place)
    return Faults(half_close_at=place)


def stretch_of(count: int) -> float:
    """Give by how much more slowly so many clients do everything: their sum stays what this machine can be."""
    return max(1.0, count / 500)


def crowd(count: int, port: int, proxy: int, pace: float, seed: int) -> list[Client]:
    """Give the clients: every kind and revision, some slow, some behind the bad network."""
    clients: list[Client] = []
    stretch = stretch_of(count)
    for number in range(count):
        revision = (4, 4, 3)[number % 3]
        if number < count * SHARE_SLOW:
            clients.append(SlowReader(f"slow{number}", "websocket", revision, port, pace, seed, stretch))
        else:
            via = proxy if number % 10 < SHARE_PROXY * 10 else port
            clients.append(Client(f"c{number}", KINDS[number // 3 % 3], revision, via, pace, seed, stretch))
    return clients


class Abuse(threading.Thread):
    """Bad connections of every kind, one after another, so many a second."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port, self.count, self.is_over = port, 0, False

    def run(self) -> None:
        while not self.is_over:
            start = time.monotonic()
            try:
                cycles.run(self.port, cycles.SCRIPTS[self.count % len(cycles.SCRIPTS)], 1)
            except (OSError, AssertionError):
                pass  # a server that is busy answers late; what must not happen is seen elsewhere
            self.count += 1
            time.sleep(max(0.0, 1 / ABUSE - (time.monotonic() - start)))


def ask(server: Server, path: str) -> Any:
    with urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=60) as answer:
        return json.loads(answer.read())


async def sample(server: Server, clients: list[Client], until: float) -> list[tuple[float, int]]:
    """Look at the memory of the server every few seconds; give (seconds, bytes)."""
    start, samples, line = time.monotonic(), [], 0
    while time.monotonic() < until:
        await asyncio.sleep(SAMPLE)
        samples.append((time.monotonic() - start, server.memory()))
        if samples[-1][0] >= line:
            line += 30
            sent = sum(client.ledger.sent for client in clients)
            print(f"{samples[-1][0]:6.0f} s  {samples[-1][1] / 1e6:7.1f} MB  {sent} events sent", flush=True)
    return samples


async def soak(server: Server, minutes: float, count: int, pace: float = 1.0, seed: int = 1) -> dict[str, Any]:
    until = time.monotonic() + minutes * 60
    async with Proxy(server.port, choose_faults(seed), seed) as proxy:
        clients = crowd(count, server.port, proxy.port, pace, seed)
        abuse = Abuse(server.port)
        abuse.start()
        running = [asyncio.create_task(client.run(until)) for client in clients]
        samples = await sample(server, clients, until)
        abuse.is_over = True
        await asyncio.gather(*running)
        happened = dict(proxy.happened)
    await asyncio.sleep(SETTLE * min(4.5, stretch_of(count)))  # heartbeats are stretched too
    watch = ask(server, "/watch")  # before the long answers, which hold the loop
    account = ask(server, "/account")
    account["received"] = {
        name: [number for first, last in rows for number in range(first, last + 1)]
        for name, rows in account["received"].items()
    }
    return {
        "clients": clients, "samples": samples, "faults": happened, "abuse": abuse.count,
        "account": account, "watch": watch, "census": ask(server, "/census"),
    }  # fmt: skip


# --- the verdict


def audit(clients: list[Client], received: dict[str, list[int]]) -> list[str]:
    """Compare what clients know with what the server has; give what does not agree."""
    wrong = []
    for client in clients:
        numbers, ledger = received.get(client.name, []), client.ledger
        got = set(numbers)
        if len(got) != len(numbers):
            wrong.append(f"{client.name}: {len(numbers) - len(got)} events came twice")
        if numbers != sorted(numbers):
            wrong.append(f"{client.name}: events came in another order")
        if lost := ledger.acknowledged - got:
            wrong.append(f"{client.name}: {len(lost)} events were acknowledged and never came")
        if missing := set(range(ledger.sent)) - got - ledger.uncertain:
            wrong.append(f"{client.name}: {len(missing)} events are missing over connections that held")
        wrong += [f"{client.name}: {fault}" for fault in client.faults]
    return wrong


def slope(samples: list[tuple[float, int]]) -> tuple[float, float]:
    """Give the slope of the memory after the first third, in bytes a minute, and its growth from there to the end."""
    later = samples[len(samples) // 3 :]
    mean_x, mean_y = (sum(item[i] for item in later) / len(later) for i in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in later) or 1.0
    part = max(1, len(later) // 4)
    growth = sum(y for _, y in later[-part:]) / part - sum(y for _, y in later[:part]) / part
    return 60 * sum((x - mean_x) * (y - mean_y) for x, y in later) / spread, growth


def kinds_of_lines() -> list[re.Pattern[str]]:
    """Give the patterns of docs/log-lines.md: text in which <something> stands for anything."""
    rows = re.findall(r"^\| `(.+?)` \|", PAGE_LINES.read_text(), re.MULTILINE)
    return [
        re.compile(re.sub(r"<[^>]*>", ".*", re.escape(row).replace(r"\<", "<").replace(r"\>", ">"))) for row in rows
    ]


def unknown_lines(log: str) -> list[str]:
    kinds = kinds_of_lines()
    return [line for line in log.splitlines() if line.strip() and not any(kind.search(line) for kind in kinds)]


def judge(found: dict[str, Any], log: str, code: int) -> list[str]:
    """Give what did not hold."""
    wrong = audit(found["clients"], found["account"]["received"])
    census, (climb, growth) = found["census"], slope(found["samples"])
    wrong += [
        f"{census[name]} {name} are left"
        for name in ("sessions", "ending", "members", "rooms", "garbage")
        if census[name]
    ]
    if climb > SLOPE and growth > GROWTH:
        wrong.append(f"memory grows by {climb / 1000:.0f} kB a minute, {growth / 1e6:.1f} MB in all")
    if found["watch"]["longest turn"] > LONGEST_TURN:
        wrong.append(f"the loop was held for {found['watch']['longest turn'] * 1000:.0f} ms")
    if not found["faults"]:
        wrong.append("the proxy did nothing")
    endings: Counter[str] = sum((client.endings for client in found["clients"] if type(client) is Client), Counter())
    if endings["TimeoutError"] > 0.05 * endings.total():
        wrong.append(f"{endings['TimeoutError']} sessions of {endings.total()} waited for something that did not come")
    if "slow client" not in found["account"]["reasons"]:
        wrong.append("no slow client was put out")
    wrong += [f"a log line of no listed kind: {line}" for line in unknown_lines(log)[:20]]
    if code not in (0, -15):  # uvicorn ends by the signal that it was sent
        wrong.append(f"the server ended with code {code}")
    return wrong


def show(found: dict[str, Any], log: str) -> None:
    clients = found["clients"]
    trips = sorted(trip for client in clients for trip in client.ledger.round_trips)
    endings: Counter[str] = sum((client.endings for client in clients), Counter())
    climb, growth = slope(found["samples"])
    sent = sum(client.ledger.sent for client in clients)
    acknowledged = sum(len(client.ledger.acknowledged) for client in clients)
    received = sum(len(numbers) for numbers in found["account"]["received"].values())
    uncertain = sum(len(client.ledger.uncertain) for client in clients)
    print(
        f"events: {sent} sent, {received} received, {acknowledged} acknowledged, {uncertain} over connections that broke"
    )
    print(f"ticks heard: {sum(client.ticks for client in clients)}")
    if trips:
        print(
            "round trip: "
            + ", ".join(
                f"{name} {trips[int(len(trips) * at)] * 1000:.1f} ms" for name, at in (("p50", 0.5), ("p99", 0.99))
            )
        )
    print(f"sessions of clients ended: {dict(endings.most_common())}")
    print(f"reasons the server gave: {found['account']['reasons']}")
    print(f"faults of the proxy: {found['faults']}; bad connections: {found['abuse']}")
    print(
        f"memory: {found['samples'][-1][1] / 1e6:.1f} MB, {climb / 1000:+.0f} kB a minute, {growth / 1e6:+.1f} MB after the first third"
    )
    print(f"loop: {found['watch']}")
    print(f"left: {found['census']}")
    print(f"log: {len(log.splitlines())} lines")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m soak")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--pace", type=float, default=1.0, help="seconds between two events of a client")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    stretch = stretch_of(arguments.clients)
    server = Server("native", "soak.app:app", {"SOAK_STRETCH": str(stretch)}, options=FULL_GC)
    try:
        found = asyncio.run(
            soak(server, arguments.minutes, arguments.clients, arguments.pace * stretch, arguments.seed)
        )
    finally:
        code = server.stop()
    log = server.log()
    show(found, log)
    wrong = judge(found, log, code)
    print("\n".join(f"WRONG: {line}" for line in wrong) or "everything held")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
