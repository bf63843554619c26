"""The little of SVG that plots need: words, bars, lines and axes, readable on light and on dark pages.

May import: nothing. Never knows what is drawn.
"""

import math
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

Point = tuple[float, float]
End = tuple[float, float, str, str]  # where a curve ends, its name, its class

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #52514e }
.title { font-size: 17px; font-weight: 600; fill: #1a1a19 } .note { fill: #75736d } .panel { font-weight: 600; fill: #1a1a19 }
.end { text-anchor: end } .middle { text-anchor: middle }
.ours { fill: #2563c9 } .asgi { fill: #8fb2e8 } .floor { fill: none; stroke: #75736d; stroke-dasharray: 3 2 } .other { fill: #c9c7c0 }
.ours-text { fill: #1d4fa3; font-weight: 600 } .floor-text { font-style: italic }
.curve { fill: none; stroke-width: 1.6; stroke-linejoin: round } .other-line { stroke: #b4b2aa } .asgi-line { stroke: #8fb2e8 }
.ours-line { stroke: #2563c9; stroke-width: 3 } .floor-line { stroke: #52514e; stroke-dasharray: 5 3 }
.spread { fill: none; stroke: #1a1a19; stroke-opacity: .55 } .grid { stroke: #e5e3dd } .leader { fill: none; stroke: #d6d4cd; stroke-width: .8 }
@media (prefers-color-scheme: dark) {
text { fill: #b8b6af } .title, .panel { fill: #f2f1ed } .note { fill: #94928b } .ours { fill: #5b95f0 } .asgi { fill: #3d5f95 }
.other { fill: #5a5954 } .ours-text { fill: #86b2f7 } .other-line { stroke: #6b6a64 } .ours-line { stroke: #5b95f0 }
.asgi-line { stroke: #4a71b0 } .floor-line { stroke: #b8b6af } .spread { stroke: #f2f1ed } .grid { stroke: #3a3a37 } .leader { stroke: #4a4a46 }
}"""


@dataclass
class Drawing:
    """A picture in the making. Coordinates are pixels from the upper left corner."""

    width: float
    height: float
    title: str
    parts: list[str] = field(default_factory=list)

    def words(self, x: float, y: float, text: str, kind: str = "label") -> None:
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class={quoteattr(kind)}>{escape(text)}</text>')

    def bar(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="1.5"'
        self.parts.append(f"<rect {place} class={quoteattr(kind)}/>")

    def line(self, points: list[Point], kind: str) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" class={quoteattr(kind)}/>')

    def axes(self, x: float, y: float, right: float, height: float, xs: Point, ys: Point, logarithmic: bool) -> "Axes":
        """Lay out a field from `x` to `right`; `xs` and `ys` are the least and the most of the data."""
        return Axes(self, x, y, right, y + height, xs, ys, logarithmic)

    def text(self) -> str:
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:.0f} {self.height:.0f}" role="img"'
        title = f"<title>{escape(self.title)}</title>"
        return (
            f"{head} aria-label={quoteattr(self.title)}>{title}<style>{STYLE}</style>\n"
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


@dataclass
class Axes:
    """A field with scales, the vertical one linear from zero, or logarithmic."""

    drawing: Drawing
    left: float
    top: float
    right: float
    bottom: float
    xs: Point
    ys: Point
    logarithmic: bool

    def x(self, value: float) -> float:
        return self.left + (value - self.xs[0]) / (self.xs[1] - self.xs[0]) * (self.right - self.left)

    def y(self, value: float) -> float:
        steps = self.steps()
        low, high = self._scaled(steps[0]), self._scaled(max(steps[-1], self.ys[1]))
        return self.bottom - (self._scaled(max(value, steps[0])) - low) / (high - low) * (self.bottom - self.top)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value

    def steps(self) -> list[float]:
        """Round numbers for the vertical scale."""
        least, most = self.ys
        if self.logarithmic:
            decades = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
            steps = [factor * 10.0**decade for decade in decades for factor in (1, 2, 5)]
            first = max(step for step in steps if step <= least)
            return [step for step in steps if first <= step <= most * 1.3]
        rough = max(most, 1e-9) / 5
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
        return [step * place for place in range(math.ceil(most / step) + 1)]

    def draw(self, ticks: list[tuple[float, str]]) -> None:
        """Draw the grid, and the words at both scales."""
        for value in self.steps():
            y = self.y(value)
            self.drawing.line([(self.left, y), (self.right, y)], "grid")
            self.drawing.words(self.left - 8, y + 4, f"{value:,g}", "label end")
        for value, label in ticks:
            self.drawing.words(self.x(value), self.bottom + 20, label, "label middle")


def spread_labels(ends: list[End], x: float, distance: float) -> list[tuple[float, float, str, str, float]]:
    """Give each label a height of its own near the end of its curve, at least `distance` from the next."""
    ordered = sorted(ends, key=lambda end: end[1])
    places = [end[1] for end in ordered]
    for _ in range(200):  # push neighbours apart, a little at a time, until nobody is too near
        moved = False
        for at in range(len(places) - 1):
            lacking = distance - (places[at + 1] - places[at])
            if lacking > 0.1:
                places[at] -= lacking / 2
                places[at + 1] += lacking / 2
                moved = True
        if not moved:
            break
    return [(*end, place) for end, place in zip(ordered, places, strict=True)]
