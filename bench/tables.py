"""Results as tables: one case for the terminal, all of them as Markdown between markers of a file.

May import: `cases`, `record`. Never measures.
"""

import re
from pathlib import Path

from bench.cases import BYTES, CASES, LATENCY, Case
from bench.record import Measured, Record

BASELINES = ("floor", "python-socketio-uvicorn")  # every figure is shown as a ratio to these
NOISY = 0.10  # cores' worth of work by others
SATURATED = 0.95


def terminal_table(case: Case, measured: list[Measured]) -> str:
    """Lay one case out for people: figure, spread, ratios, and how busy both sides were."""
    medians = {one.name: one.median(case) for one in measured}
    head = ["server", case.unit, "min", "max", "x floor", "x python", "msg/s", "p50 us", "p99 us"]
    rows = [[*head, "server busy", "gen. busy", "foreign"]]
    rows += [_row(case, one, medians) for one in measured if one.samples]
    notes = [f"  not measured: {one.title}: {one.skipped}" for one in measured if one.skipped]
    notes += [f"  {one.title}: {note}" for one in measured for note in doubts(one)]
    return "\n".join([f"{case.id}: {case.question}", *_columns(rows), *notes])


def _row(case: Case, one: Measured, medians: dict[str, float | None]) -> list[str]:
    figures, median = one.figures(case), medians[one.name] or 0.0
    ratios = [f"{median / base:.2f}" if (base := medians.get(name)) else "-" for name in BASELINES]
    latency = ["-"] * 3
    if case.unit != BYTES:
        latency = [f"{one.middle('rate'):,.0f}", f"{one.latency('p50'):,.0f}", f"{one.latency('p99'):,.0f}"]
    busy = [f"{one.middle(key):.0%}" for key in ("server_busy", "own_busy", "foreign_busy")]
    return [one.title, *(short(value) for value in (median, min(figures), max(figures))), *ratios, *latency, *busy]


def short(value: float) -> str:
    """Write a figure with three digits or so."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def doubts(one: Measured) -> list[str]:
    """What a reader has to know before believing a figure."""
    if not one.samples:
        return []
    found = []
    if reordered := sum(sample["reordered"] for sample in one.samples):
        found.append(f"{reordered:,} answers out of order")
    if one.middle("foreign_busy") > NOISY:
        found.append("NOISY: other programs had a part of the cores; compare nothing with this")
    if "saturation" in one.samples[0] and any(s["delay_us"]["p99"] > s["latency_us"]["p99"] / 2 for s in one.samples):
        found.append(
            "LATE: the generator was kept from its schedule, and the latency is its own; measure on a quiet machine"
        )
    if one.middle("own_busy") > SATURATED > one.middle("server_busy") and "saturation" not in one.samples[0]:
        found.append("the generator was the bottleneck: CPU per message holds, msg/s is no limit of the server")
    return found


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    pad = [str.ljust] + [str.rjust] * (len(widths) - 1)
    return ["  " + "  ".join(f(cell, w) for f, cell, w in zip(pad, row, widths, strict=True)) for row in rows]


# --- Markdown


def servers_of(record: Record) -> dict[str, str]:
    """Names and titles of all servers of a run, in the order of the tables."""
    return {one.name: one.title for measured in record.cases.values() for one in measured}


def figures_table(record: Record, names: list[str] | None = None) -> str:
    """One row for each case, one column for each server: medians, the best rival of each row in italics, ours in bold."""
    servers = {name: title for name, title in servers_of(record).items() if names is None or name in names}
    rows = ["| case | " + " | ".join(servers.values()) + " |", "| --- |" + " ---: |" * len(servers)]
    for case, measured in ((CASES[name], record.cases[name]) for name in CASES if name in record.cases):
        values = {one.name: one.median(case) for one in measured}
        # At half load every server runs at a rate of its own, so there is no best one.
        peers = [value for name, value in values.items() if value and is_rival(name) and case.unit != LATENCY]
        cells = [_cell(name, values.get(name), min(peers, default=None)) for name in servers]
        rows.append(f"| {case.title}, {_unit(case)} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def is_rival(name: str) -> bool:
    """Whether a server is somebody else's, and not the floor."""
    return name != "floor" and not name.startswith("fastsio")


def _cell(name: str, value: float | None, best: float | None) -> str:
    if value is None:
        return ""
    return f"**{short(value)}**" if name == "fastsio" else f"*{short(value)}*" if value == best else short(value)


def _unit(case: Case) -> str:
    return {BYTES: "bytes a client", LATENCY: "p99, us"}.get(case.unit, "us")


def details_table(record: Record) -> str:
    """Every figure with its spread, throughput and percentiles, case by case."""
    parts = []
    for case, measured in ((CASES[name], record.cases[name]) for name in CASES if name in record.cases):
        head = "| server | median | least | most | messages a second | p50 us | p99 us | server | generator |"
        parts += [f"### {case.title}", "", f"{case.question[0].upper()}{case.question[1:]}; {case.unit}.", ""]
        parts += [head, "| --- |" + " ---: |" * 8, *(_details(case, one) for one in measured if one.samples), ""]
        remarks = [f"- {one.title} was not measured: {one.skipped}" for one in measured if one.skipped]
        remarks += [f"- {one.title}: {doubt}" for one in measured for doubt in doubts(one)]
        parts += [*remarks, ""] if remarks else []
    return "\n".join(parts).rstrip()


def _details(case: Case, one: Measured) -> str:
    figures = one.figures(case)
    cells = [one.title, *(short(value) for value in (one.median(case) or 0.0, min(figures), max(figures)))]
    traffic = ["", "", ""]
    if case.unit != BYTES:
        traffic = [f"{one.middle('rate'):,.0f}", f"{one.latency('p50'):,.0f}", f"{one.latency('p99'):,.0f}"]
    busy = [f"{one.middle(key):.0%}" for key in ("server_busy", "own_busy")]
    return "| " + " | ".join([*cells, *traffic, *busy]) + " |"


def provenance(record: Record) -> str:
    """Where the figures come from, in one paragraph."""
    one = next(iter(record.environments.values()))
    versions: dict[str, str] = {}
    for measured in record.cases.values():
        for server in measured:
            versions |= {f"{server.title}: {_versions(server)}": ""} if server.versions else {}
    rounds = max((len(server.samples) for measured in record.cases.values() for server in measured), default=0)
    names = noisy(record)
    warning = (
        f" Other programs had a part of the cores in the figures of {'; '.join(names)}: believe none of those."
        if names
        else ""
    )
    return (
        f"Measured {one['date'][:10]} on {one['cpu']}, {one['cores']} cores, Linux {one['kernel']}, Python {one['python']}, "
        f"{_revisions(record)}, {rounds} rounds, medians; "
        f"[`bench/results/{record.path.name}`](BENCH/results/{record.path.name}) has every sample.{warning}\n\n"
        + "\n".join(f"- {line}" for line in versions)
    )


def noisy(record: Record) -> list[str]:
    """Name the figures that are worth nothing, since other programs had a part of the cores."""
    every = [(CASES[name].title, one) for name, measured in record.cases.items() for one in measured if one.samples]
    return [f"{one.title} ({case})" for case, one in every if one.middle("foreign_busy") > NOISY]


def _revisions(record: Record) -> str:
    """What was measured: the revision of the first case, and of those that were measured again later."""
    cases: dict[str, list[str]] = {}
    for name, one in record.environments.items():
        cases.setdefault(f"{one['revision'][:10]} ({one['tree']})", []).append(CASES[name].title)
    first, *others = cases
    return f"revision {first}" + "".join(f", in the case of {'; '.join(cases[other])} {other}" for other in others)


def _versions(one: Measured) -> str:
    return ", ".join(f"{name.rpartition('/')[2]} {version}" for name, version in one.versions.items())


def put_between(path: Path, marker: str, text: str) -> bool:
    """Replace what stands between `<!-- bench:marker -->` and its end; False when the file has no such markers."""
    content = path.read_text() if path.exists() else ""
    pattern = re.compile(rf"(<!-- bench:{marker} -->\n).*?(<!-- /bench:{marker} -->)", re.DOTALL)
    if not pattern.search(content):
        return False
    path.write_text(pattern.sub(lambda found: f"{found[1]}{text}\n{found[2]}", content))
    return True
