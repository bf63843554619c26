"""Results as pictures: CPU per message case by case, latency by percentile, memory by number of clients.

May import: `cases`, `record`, `svg`, `tables`. Never measures. Our own server has the one colour, the floor is dashed, the
others are grey: names stand beside their lines and bars, so nobody has to match colours.
"""

from pathlib import Path

from bench.cases import CASES, MICROSECONDS
from bench.record import Measured, Record
from bench.svg import Drawing, spread_labels
from bench.tables import short

WIDTH = 960
PANEL_WIDTH, BAR_HEIGHT, NAME_WIDTH, VALUE_WIDTH = 310, 17, 152, 40
NINES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "p9999": 0.9999}
NINE_LABELS = ["50 %", "90 %", "99 %", "99.9 %", "99.99 %"]
FEW_BEYOND = 20  # a percentile that fewer messages lie beyond is chance
PICTURES = {
    "bench-cpu.svg": "CPU per message, case by case",
    "bench-latency.svg": "Latency at half of what each server can do, by percentile",
    "bench-memory.svg": "Memory of the server by number of idle clients",
}
# Shorter than the titles of tables: there is little room beside a bar.
NAMES = {
    "floor": "floor (C)",
    "fastsio": "fastsio",
    "fastsio-asgi": "fastsio, ASGI",
    "bun": "Bun engine",
    "node-ws": "Node, ws",
    "node-uws": "Node, uWS",
    "socketioxide": "socketioxide",
    "googollee-go": "googollee (Go)",
    "zishang520-go": "zishang520 (Go)",
    "python-socketio-uvicorn": "python-socketio, uvicorn",
    "python-socketio-aiohttp": "python-socketio, aiohttp",
}


def draw(record: Record, folder: Path) -> list[Path]:
    """Write every picture that the run has figures for."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, drawing in zip(PICTURES, (cpu(record), latency(record), memory(record)), strict=True):
        if drawing is not None:
            (folder / name).write_text(drawing.text())
            written.append(folder / name)
    return written


def links(record: Record) -> str:
    """Give Markdown that shows the pictures of a run, from a page in docs."""
    drawn = zip(PICTURES.items(), (cpu(record), latency(record), memory(record)), strict=True)
    return "\n\n".join(f"![{title}](pictures/{name})" for (name, title), drawing in drawn if drawing is not None)


def style_of(name: str) -> str:
    """The class of a server: ours, asgi, floor or other."""
    return {"fastsio": "ours", "fastsio-asgi": "asgi", "floor": "floor"}.get(name, "other")


# --- bars


def cpu(record: Record) -> Drawing | None:
    """One panel for each case with CPU figures, shortest bar first; scales differ from panel to panel."""
    panels = [(CASES[name].title, record.cases[name]) for name in CASES if name in record.cases]
    panels = [(title, [one for one in servers if one.samples]) for title, servers in panels]
    panels = [(title, servers) for title, servers in panels if servers and _is_cpu(title)]
    if not panels:
        return None
    columns = WIDTH // PANEL_WIDTH
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    heights = [46 + BAR_HEIGHT * max(len(servers) for _, servers in row) for row in rows]
    drawing = Drawing(WIDTH, 52 + sum(heights), PICTURES["bench-cpu.svg"])
    drawing.words(0, 20, "CPU of the server per message, in microseconds", "title")
    drawing.words(
        0, 38, "One server core, one message in and out; shorter is better. Scales differ between panels.", "note"
    )
    y = 60
    for row, height in zip(rows, heights, strict=True):
        for column, (title, servers) in enumerate(row):
            _panel(drawing, column * (PANEL_WIDTH + 15), y, title, servers)
        y += height
    return drawing


def _is_cpu(title: str) -> bool:
    return next(case.unit for case in CASES.values() if case.title == title) == MICROSECONDS


def _panel(drawing: Drawing, x: float, y: float, title: str, servers: list[Measured]) -> None:
    case = next(case for case in CASES.values() if case.title == title)
    figures = sorted(((one.median(case) or 0.0, one) for one in servers), key=lambda pair: pair[0])
    room = PANEL_WIDTH - NAME_WIDTH - VALUE_WIDTH
    scale = room / max(figure for figure, _ in figures)
    drawing.words(x, y + 10, title, "panel")
    for place, (figure, one) in enumerate(figures):
        top, kind = y + 20 + place * BAR_HEIGHT, style_of(one.name)
        drawing.words(x + NAME_WIDTH - 6, top + 10, NAMES.get(one.name, one.name), f"label end {kind}-text")
        drawing.bar(x + NAME_WIDTH, top, max(1.0, figure * scale), BAR_HEIGHT - 5, kind)
        low, high = min(one.figures(case)), max(one.figures(case))
        if high - low > 0.02 * figure:
            drawing.line(
                [(x + NAME_WIDTH + low * scale, top + 6), (x + NAME_WIDTH + min(high * scale, room), top + 6)], "spread"
            )
        drawing.words(x + NAME_WIDTH + figure * scale + 5, top + 10, short(figure), f"label {kind}-text")


# --- lines


def latency(record: Record) -> Drawing | None:
    """Latency by percentile, both scales logarithmic; percentiles that few messages lie beyond are left out."""
    curves = {}
    for one in record.cases.get("latency", []):
        if one.samples:
            least = min(sample["messages"] for sample in one.samples)
            shown = [name for name, share in NINES.items() if (1 - share) * least >= FEW_BEYOND]
            curves[one.name] = [(float(place), one.latency(name)) for place, name in enumerate(shown)]
    note = (
        "100 clients, echo, at half of each server's own most messages a second; counted from when a message was due."
    )
    ticks = [(float(place), label) for place, label in enumerate(NINE_LABELS)]
    return _lines(
        "bench-latency.svg", "Microseconds until the answer, by percentile", note, curves, ticks, logarithmic=True
    )


def memory(record: Record) -> Drawing | None:
    """Resident memory beyond that of the empty server, in MB, by number of clients."""
    curves = {}
    for one in record.cases.get("idle", []):
        if one.samples:
            counts = [clients for clients, _ in one.samples[0]["memory"]]
            sizes = [
                _median([s["memory"][at][1] - s["memory"][0][1] for s in one.samples]) for at in range(len(counts))
            ]
            curves[one.name] = [(float(count), size / 1e6) for count, size in zip(counts, sizes, strict=True)]
    most = max((points[-1][0] for points in curves.values()), default=0.0)
    ticks = [(most * part / 5, f"{most * part / 5:,.0f}") for part in range(6)]
    note = "WebSocket clients with heartbeats; what the process holds beyond what it held without clients."
    return _lines("bench-memory.svg", "MB of memory, by number of idle clients", note, curves, ticks, logarithmic=False)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _lines(
    name: str,
    title: str,
    note: str,
    curves: dict[str, list[tuple[float, float]]],
    ticks: list[tuple[float, str]],
    logarithmic: bool,
) -> Drawing | None:
    curves = {server: points for server, points in curves.items() if len(points) > 1}
    if not curves:
        return None
    drawing = Drawing(WIDTH, 470, PICTURES[name])
    drawing.words(0, 20, title, "title")
    drawing.words(0, 38, note, "note")
    values = [value for points in curves.values() for _, value in points]
    axes = drawing.axes(58, 64, WIDTH - 250, 360, (ticks[0][0], ticks[-1][0]), (min(values), max(values)), logarithmic)
    axes.draw(ticks)
    ends = []
    for server in sorted(curves, key=lambda server: style_of(server) != "other", reverse=False):
        points = [(axes.x(x), axes.y(y)) for x, y in curves[server]]
        drawing.line(points, f"curve {style_of(server)}-line")
        value = curves[server][-1][1]
        ends.append((*points[-1], f"{NAMES.get(server, server)}  {short(value)}", style_of(server)))
    for x, y, text, kind, at in spread_labels(ends, axes.right + 26, 15):
        drawing.line([(x + 3, y), (axes.right + 22, at)], "leader")
        drawing.words(axes.right + 26, at + 4, text, f"label {kind}-text")
    return drawing
