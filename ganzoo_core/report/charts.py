"""Lines over images as inline SVG, readable in light and dark, with nothing but itself."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ganzoo_core.errors import escape

TERMS = 12  # named lines in a chart; more are left out
WIDTH, HEIGHT = 760, 260  # of a chart
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 14, 40  # its margins
Line = Sequence[tuple[int, float]]


def text(value: object, limit: int = 400) -> str:
    """Anything as markup that means just its characters; those that control are spelled out, and it is not endless."""
    return html.escape(escape(value, limit), quote=True)


@dataclass(frozen=True)
class Scale:
    """From images and values to points of a chart."""

    x0: float
    x1: float
    y0: float
    y1: float

    def x(self, images: float) -> float:
        return LEFT + (images - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = min(max((value - self.y0) / (self.y1 - self.y0), -1), 2)  # far spikes stay near: they are cut anyway
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def path(self, line: Line) -> str:
        return "M" + "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in line)


def chart(
    name: str, unit: str, terms: Mapping[str, Line], marks: Sequence[tuple[int, str]], floor: float | None = None
) -> str:
    """Named lines over images."""
    shown = dict(list(terms.items())[:TERMS])
    scale = scale_of(shown.values(), floor)
    key = "".join(
        f"<li><span class='swatch s{i % 6}'></span>{text(term, 40)} <span class=last>{line[-1][1]:.3g}</span></li>"
        for i, (term, line) in enumerate(shown.items())
    )
    left_out = f"<li class=quiet>and {len(terms) - TERMS} more</li>" if len(terms) > TERMS else ""
    drawn = [axes(scale, unit), phase_marks(scale, marks)]
    drawn += [f"<path class='raw s{i % 6}' d='{scale.path(line)}'/>" for i, line in enumerate(shown.values())]
    drawn += [f"<path class='mean s{i % 6}' d='{scale.path(smooth(line))}'/>" for i, line in enumerate(shown.values())]
    return (
        f"<figure><figcaption><b>{text(name, 60)}</b><ul class=key>{key}{left_out}</ul></figcaption>\n"
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role=img aria-label='{text(name, 60)}: {text(unit)} over images'>\n"
        + "\n".join(drawn)
        + "\n</svg></figure>"
    )


def scale_of(group: Iterable[Line], floor: float | None) -> Scale:
    """Room for all lines but their rarest spikes."""
    points = [point for line in group for point in line]
    xs, ys = sorted(x for x, _ in points), sorted(y for _, y in points)
    cut = len(ys) // 200
    low, high = ys[cut], ys[-1 - cut]
    low = low if floor is None else min(floor, low)
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    x0, x1 = (0, xs[-1]) if xs[0] <= 0.1 * xs[-1] else (xs[0], xs[-1])
    return Scale(x0, x1 if x1 > x0 else x0 + 1, low - (room if floor is None else 0), high + room)


def smooth(line: Line) -> list[tuple[int, float]]:
    """Running means over a twentieth of the line."""
    half = len(line) // 40
    sums = [0.0]
    for _, y in line:
        sums.append(sums[-1] + y)
    spans = [(max(i - half, 0), min(i + half + 1, len(line))) for i in range(len(line))]
    return [(x, (sums[b] - sums[a]) / (b - a)) for (x, _), (a, b) in zip(line, spans, strict=True)]


def axes(scale: Scale, unit: str) -> str:
    parts = []
    for value in ticks(scale.y0, scale.y1, 6):
        y = f"{scale.y(value):.1f}"
        parts += [f"<line class=rule x1={LEFT} x2={WIDTH - RIGHT} y1={y} y2={y} />"]
        parts += [f"<text class=tick x={LEFT - 8} y={y} dy='.35em' text-anchor=end>{number(value)}</text>"]
    for value in ticks(scale.x0, scale.x1, 7):
        x = f"{scale.x(value):.1f}"
        parts += [f"<text class=tick x={x} y={HEIGHT - BOTTOM + 17} text-anchor=middle>{number(value)}</text>"]
    middle = (TOP + HEIGHT - BOTTOM) // 2
    parts += [f"<text class=unit x={(LEFT + WIDTH - RIGHT) // 2} y={HEIGHT - 5} text-anchor=middle>images</text>"]
    parts += [f"<text class=unit transform='translate(13 {middle}) rotate(-90)' text-anchor=middle>{text(unit)}</text>"]
    return "\n".join(parts)


def phase_marks(scale: Scale, marks: Sequence[tuple[int, str]]) -> str:
    """A dashed line where each phase begins, with its name while there is room."""
    parts, free = [], 0.0
    for images, name in marks:
        x = scale.x(images)
        parts.append(f"<line class=phase x1={x:.1f} x2={x:.1f} y1={TOP} y2={HEIGHT - BOTTOM} />")
        label = escape(name, 24)
        if x >= free:
            parts.append(f"<text class=phase x={x + 4:.1f} y={TOP + 9}>{text(label)}</text>")
            free = x + 8 + 6.5 * len(label)
    return "\n".join(parts)


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers between two: 1, 2 or 5 times a power of ten apart."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)][:20]


def number(value: float) -> str:
    """As short as an axis wants it: 20 k, 1.5 M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size and abs(value) < 1e12:
            return f"{value / size:.4g} {letter}"
    return f"{value:.3g}" if abs(value) > 1e-12 else "0"
