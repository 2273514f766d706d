"""A run directory as one page of HTML that needs nothing but itself: no network, no scripts, no torch.

To read: `read` gathers what the directory holds and tolerates what is missing or damaged, `page` puts the parts in
order. Whatever comes from a file passes through `text`, the only way from a string to markup.
"""

from __future__ import annotations

import base64
import html
import itertools
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo_core.errors import GanzooError, plain

POINTS = 500  # of a log that are drawn, at least
TERMS = 12  # named lines in a chart; more are left out
PLAYERS = 12
BUDGET = 12 * 2**20  # bytes of pictures in a page, the first and the last of each kind aside
PICTURE = 8 * 2**20  # bytes of the largest picture that is embedded
DOCUMENT = 8 * 2**20  # bytes of the largest JSON file that is read
LINE = 2**20  # characters of the longest line of a log that is read
WIDTH, HEIGHT = 760, 260  # of a chart
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 14, 40  # its margins


# ---- what a run directory holds --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Entry:
    """One line of log.jsonl."""

    images: int
    phase: str
    losses: Mapping[str, float]


@dataclass(frozen=True)
class Grid:
    """A picture of samples/."""

    images: int
    path: Path
    size: tuple[int, int]
    bytes: int


@dataclass(frozen=True)
class Found:
    """All that a report tells."""

    folder: Path
    run: Mapping[str, Any]  # run.json
    log: Sequence[Entry]
    damaged: int  # lines of the log that could not be read
    looks: Sequence[Mapping[str, Any]] | None  # health.jsonl; None: there is none
    grids: Mapping[str, Sequence[Grid]]  # by the name of what is shown
    metrics: Sequence[Mapping[str, Any]]
    checkpoints: Sequence[tuple[int, int]]  # images, bytes
    finished: bool

    @property
    def warnings(self) -> list[tuple[int, str]]:
        """What Health said, and after how many images."""
        return [(look["images"], str(said)) for look in self.looks or () for said in listed(look.get("warnings"))]


def read(folder: Path) -> Found:
    """Errors: GanzooError where `folder` is no run directory. Everything but run.json may be missing or damaged."""
    run = description(folder)
    log, damaged = entries(folder / "log.jsonl")
    measured = document(folder / "model" / "metrics.json")
    return Found(
        folder, run, log, damaged,
        looks=looks(folder / "health.jsonl"),
        grids=grids(folder / "samples"),
        metrics=[m for m in listed(tabled(measured).get("metrics", measured)) if isinstance(m, dict)],
        checkpoints=checkpoints(folder / "checkpoints"),
        finished=exists(folder / "model" / "config.json"),
    )  # fmt: skip


def description(folder: Path) -> Mapping[str, Any]:
    """run.json."""
    path = folder / "run.json"
    try:
        if path.stat().st_size > DOCUMENT:
            raise GanzooError(f"{plain(path)}: is larger than any run.json", "Name a run directory.")
        run = json.loads(path.read_text("utf-8"))
    except OSError as fault:
        raise GanzooError(f"{plain(path)}: {fault.strerror}", "Name a run directory.") from None
    except (ValueError, RecursionError) as fault:
        raise GanzooError(f"{plain(path)}: {plain(fault)}", "The file is damaged.") from None
    if not isinstance(run, dict) or "recipe" not in run:
        raise GanzooError(f"{plain(path)}: describes no run", "Name a run directory.")
    return run


def document(path: Path) -> Any:
    """A JSON document that may be missing, damaged or too large: then it is None."""
    try:
        return json.loads(path.read_text("utf-8")) if path.stat().st_size <= DOCUMENT else None
    except (OSError, ValueError, RecursionError):
        return None


def lines(path: Path) -> Iterator[dict[str, Any] | None]:
    """The objects of a file of JSON lines, one at a time; None for a line that is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            while line := file.readline(LINE):
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError):
                    value = None
                yield value if isinstance(value, dict) else None
    except OSError:
        return


def entries(path: Path) -> tuple[list[Entry], int]:
    """log.jsonl in at most twice POINTS entries, and how many lines of it are damaged."""
    damaged = 0

    def readable() -> Iterator[Entry]:
        nonlocal damaged
        for line in lines(path):
            images = line and counted(line.get("images"))
            if not line or not images:
                damaged += 1
                continue
            losses = {str(k): float(v) for k, v in tabled(line.get("losses")).items() if is_number(v)}
            yield Entry(images, str(line.get("phase", "")), losses)

    return thinned(readable()), damaged


def looks(path: Path) -> list[dict[str, Any]] | None:
    """health.jsonl; None where there is none."""
    return thinned(look for look in lines(path) if look and counted(look.get("images"))) if exists(path) else None


def thinned(items: Iterable[Any]) -> list[Any]:
    """Every n-th item, at most twice POINTS of them, and the last; memory does not grow with their number."""
    kept: list[Any] = []
    step, last = 1, None
    for i, item in enumerate(items):
        last = item
        if i % step == 0:
            kept.append(item)
        if len(kept) > 2 * POINTS:
            kept, step = kept[::2], 2 * step
    return kept if not kept or kept[-1] is last else [*kept, last]


def grids(folder: Path) -> dict[str, list[Grid]]:
    """samples/<images>-<name>.png in order, by name."""
    found: dict[str, list[Grid]] = {}
    for path in sorted(folder.glob("*.png")):
        match = re.fullmatch(r"(\d{1,15})-(.{1,80})\.png", path.name)
        size = png_size(path) if match else None
        if match and size:
            found.setdefault(match[2], []).append(Grid(int(match[1]), path, size, path.stat().st_size))
    return {name: sorted(group, key=lambda g: g.images) for name, group in found.items()}


def png_size(path: Path) -> tuple[int, int] | None:
    """Width and height from a PNG's header; None where it is no PNG, or a huge one."""
    try:
        with open(path, "rb") as file:
            head = file.read(24)
        small = path.stat().st_size <= PICTURE
    except OSError:
        return None
    size = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    good = head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR" and min(size) > 0 and max(size) < 2**15
    return size if good and small else None


def checkpoints(folder: Path) -> list[tuple[int, int]]:
    """Image counts and sizes of the finished ones."""
    paths = [path for path in sorted(folder.glob("[0-9]*")) if re.fullmatch(r"\d{1,15}", path.name) and path.is_dir()]
    return [(int(path.name), sum(f.stat().st_size for f in path.iterdir() if f.is_file())) for path in paths]


def exists(path: Path) -> bool:
    return os.path.isfile(path)


def counted(value: Any) -> int:
    """An image count, or 0."""
    return value if type(value) is int and 0 < value < 10**15 else 0


def is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300  # NaN is not less than anything


def tabled(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []


# ---- the page --------------------------------------------------------------------------------------------------------
def page(found: Found) -> str:
    """The whole report."""
    parts = [
        header(found),
        warnings(found),
        losses(found),
        samples(found),
        metrics(found),
        settings(found),
        kept(found),
    ]
    return TEMPLATE.format(title=text(title(found)), style=STYLE, body="\n".join(filter(None, parts)))


def text(value: object, limit: int = 400) -> str:
    """Anything as markup that means just its characters; those that control are spelled out, and it is not endless."""
    return html.escape(plain(value, limit), quote=True)


def title(found: Found) -> str:
    recipe, data = tabled(found.run["recipe"]), tabled(found.run.get("data"))
    return f"{recipe.get('family', 'A game')} on {data.get('name', 'data')}"


def progress(found: Found) -> tuple[int, int]:
    """Images seen, and images in all."""
    done = found.log[-1].images if found.log else 0
    return done, counted(found.run.get("images")) or done


def header(found: Found) -> str:
    done, total = progress(found)
    state = "finished" if found.finished else f"{min(done / total, 1):.0%} done" if total else "not begun"
    facts = [f"{state}, {done:,} images"]
    facts += [f"seed {text(found.run['seed'])}"] if "seed" in found.run else []
    facts += [f"preset {text(preset)}"] if (preset := tabled(found.run["recipe"]).get("preset")) else []
    facts += [text(found.run["device"])] if "device" in found.run else []
    line = " <span class=dot>·</span> ".join(facts)
    return f"<header><h1>{text(title(found))}</h1>\n<p class=facts>{line}</p></header>"


def section(name: str, *parts: str) -> str:
    return f"<section><h2>{name}</h2>\n" + "\n".join(parts) + "\n</section>"


def table(rows: Iterable[tuple[str, object]]) -> str:
    """Names and values; a value that is Markup already says so by its type."""
    body = "".join(f"<tr><th scope=row>{text(k, 80)}</th><td>{cell(v)}</td></tr>\n" for k, v in rows)
    return f"<table>\n{body}</table>"


class Markup(str):
    """A string that was made here, of escaped parts."""


def cell(value: object) -> str:
    if isinstance(value, Markup):
        return value
    if isinstance(value, (list, tuple)):
        return text(", ".join(map(str, value)))
    return text(f"{value:,}" if type(value) is int and abs(value) >= 10_000 else value)


def warnings(found: Found) -> str:
    if found.looks is None:
        return ""
    said = [f"<li><span class=when>at {images:,} images</span> {text(w)}</li>" for images, w in found.warnings[:50]]
    if not said:
        return "<p class=well>Health: no warning was raised.</p>"
    return "<section class=warned><h2>Warnings</h2>\n<ul>" + "\n".join(said) + "</ul></section>"


def losses(found: Found) -> str:
    """One chart per player, and one of the samples' variety."""
    if not found.log:
        return section("Losses", "<p class=quiet>log.jsonl holds nothing yet.</p>")
    players: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for entry in found.log:
        for name, value in entry.losses.items():
            player, _, term = name.partition("/")
            players.setdefault(player, {}).setdefault(term or player, []).append((entry.images, value))
    marks = phases(found.log)
    charts = [chart(f"Player {name}", "loss", terms, marks) for name, terms in list(players.items())[:PLAYERS]]
    charts += [variety(found, marks)]
    notes = "Thin lines are the losses as logged, thick ones their running means; spikes beyond an axis are cut."
    notes += f" {found.damaged:,} damaged lines of the log were left out." if found.damaged else ""
    return section("Losses", f"<p class=quiet>{notes}</p>", *charts)


def phases(log: Sequence[Entry]) -> list[tuple[int, str]]:
    """Where each phase begins, when there are several."""
    starts = [(log[0].images, log[0].phase)]
    starts += [(b.images, b.phase) for a, b in itertools.pairwise(log) if a.phase != b.phase]
    return starts[:40] if len(starts) > 1 else []


def variety(found: Found, marks: Sequence[tuple[int, str]]) -> str:
    seen = [(look["images"], float(look["variety"])) for look in found.looks or () if is_number(look.get("variety"))]
    if len(seen) < 2:
        return ""
    return chart("Variety of the samples", "share of the data's", {"variety": seen}, marks, floor=0.0)


# ---- charts ----------------------------------------------------------------------------------------------------------
Line = Sequence[tuple[int, float]]


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
        label = plain(name, 24)
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


# ---- pictures --------------------------------------------------------------------------------------------------------
def samples(found: Found) -> str:
    """The first and the last grid of each name, and those between in a strip."""
    if not found.grids:
        return ""
    budget = BUDGET // len(found.grids)
    return section("Samples over time", *[over_time(name, group, budget) for name, group in found.grids.items()])


def over_time(name: str, group: Sequence[Grid], budget: int) -> str:
    pair = [group[0], group[-1]] if len(group) > 1 else [group[0]]
    between, left_out = affordable(group[1:-1], budget)
    parts = [f"<h3>{text(name, 80)}</h3>", "<div class=pair>", *[figure(grid, name, 400) for grid in pair], "</div>"]
    if between:
        parts += ["<div class=strip tabindex=0>", *[figure(grid, name, 150) for grid in between], "</div>"]
    parts += [f"<p class=quiet>{left_out:,} more are in samples/.</p>"] if left_out else []
    return "\n".join(parts)


def affordable(group: Sequence[Grid], budget: int) -> tuple[Sequence[Grid], int]:
    """As many as fit into the budget, evenly spaced, and how many do not."""
    for step in range(1, len(group) + 1):
        chosen = group[step // 2 :: step]
        if sum(grid.bytes for grid in chosen) <= budget and len(chosen) <= 40:
            return chosen, len(group) - len(chosen)
    return [], len(group)


def figure(grid: Grid, name: str, room: int) -> str:
    """A picture inside the page; one that is much smaller than its room is enlarged, and keeps its pixels."""
    width, height = grid.size
    times = max(1, round(room / width))
    data = base64.b64encode(grid.path.read_bytes()).decode()
    kind = "class=pixels " if width < 300 else ""
    caption = f"{grid.images:,} images"
    return (
        f"<figure><img {kind}width={width * times} height={height * times} alt='{text(name, 80)} at {caption}' "
        f"src='data:image/png;base64,{data}'><figcaption>{caption}</figcaption></figure>"
    )


# ---- tables ----------------------------------------------------------------------------------------------------------
def metrics(found: Found) -> str:
    if not found.metrics:
        return ""
    rows = []
    for metric in found.metrics[:50]:
        value = metric.get("value")
        said = f"{value:.4g}" if is_number(value) else text(value, 80)
        protocol = ", ".join(f"{k} {v}" for k, v in tabled(metric.get("protocol")).items())
        rows.append((str(metric.get("name")), Markup(f"<b>{said}</b> <span class=quiet>{text(protocol)}</span>")))
    return section("Metrics", table(rows))


def settings(found: Found) -> str:
    """The recipe, and all else that run.json says."""
    recipe, data = tabled(found.run["recipe"]), tabled(found.run.get("data"))
    arguments = [(k, v) for k, v in tabled(recipe.get("args")).items()][:200]
    named = [(k, recipe[k]) for k in ("family", "networks", "preset") if recipe.get(k)]
    origin = [("data set", data.get("name", "")), ("licence", data.get("licence") or "not stated")]
    origin += [("source", source)] if (source := found.run.get("source")) not in (None, data.get("name")) else []
    training = [(k.replace("_", " "), found.run[k]) for k in TRAINING if found.run.get(k) not in (None, "", {}, 0)]
    training = [("seed", found.run.get("seed", "")), *training]
    versions = list(tabled(found.run.get("versions")).items())[:30]
    command = f"<pre><code>{text(found.run.get('command', ''), 2000)}</code></pre>"
    columns = [("Recipe", named + arguments), ("Data", origin), ("Training", training), ("Versions", versions)]
    drawn = [f"<div><h3>{name}</h3>{table(rows)}</div>" for name, rows in columns if rows]
    return section("How it was made", command, "<div class=columns>", *drawn, "</div>")


TRAINING = ("images", "batch_size", "micro_batch", "ema_images", "device", "precision", "processes", "threads")


def kept(found: Found) -> str:
    """Checkpoints, and the way on."""
    rows = [(f"{images:,} images", f"{size / 2**20:.1f} MiB") for images, size in found.checkpoints]
    return section("Checkpoints", table(rows) if rows else "<p class=quiet>There is none yet.</p>")


def summary(found: Found) -> dict[str, Any]:
    """The report's facts, for programs."""
    done, total = progress(found)
    last = found.log[-1] if found.log else Entry(0, "", {})
    return {
        "run": {k: found.run.get(k) for k in ("recipe", "data", "seed", "command", "versions")},
        "finished": found.finished, "images": done, "total": total, "phase": last.phase, "losses": dict(last.losses),
        "warnings": [{"images": images, "text": said} for images, said in found.warnings],
        "samples": {name: len(group) for name, group in found.grids.items()},
        "metrics": list(found.metrics), "checkpoints": [images for images, _ in found.checkpoints],
        "damaged_lines": found.damaged,
    }  # fmt: skip


TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""

STYLE = """
:root {
  --ground: #fdfdfc; --ink: #1c1d1f; --quiet: #63666b; --rule: #e3e3e0; --panel: #f5f5f2; --alarm: #b3261e;
  --s0: #2563b0; --s1: #c2570c; --s2: #15803d; --s3: #9333a8; --s4: #a16207; --s5: #0e7490;
}
@media (prefers-color-scheme: dark) { :root {
  --ground: #16171a; --ink: #e7e7e4; --quiet: #9b9ea4; --rule: #303236; --panel: #1f2124; --alarm: #ff8a80;
  --s0: #7ab3f5; --s1: #f5a25d; --s2: #6fcf8b; --s3: #d39be3; --s4: #e0c05c; --s5: #5fd0e0;
} }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", "Noto Sans",
  "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 56rem; margin: 0 auto; padding: 3rem 1.5rem 5rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 3rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; overflow-wrap: anywhere; }
p { margin: .5rem 0; }
.facts, .quiet, .when, figcaption { color: var(--quiet); }
.facts { margin-top: .4rem; overflow-wrap: anywhere; }
.quiet, figcaption, table { font-size: .9rem; }
.dot { padding: 0 .2em; }
.well { margin-top: 1.5rem; color: var(--quiet); }
.warned { border-left: 4px solid var(--alarm); padding: .1rem 0 .1rem 1.25rem; margin-top: 2rem; }
.warned h2 { margin-top: .25rem; color: var(--alarm); }
.warned ul { margin: 0; padding-left: 1.1rem; }
.when { font-size: .9rem; margin-right: .4em; }
figure { margin: 1.5rem 0 0; }
figcaption b { color: var(--ink); }
.key { list-style: none; display: inline-flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 0 0 0 1.1rem; padding: 0; }
.key .last { color: var(--quiet); }
.swatch { display: inline-block; width: 1.1em; height: .22em; vertical-align: .22em; margin-right: .4em; }
svg { display: block; width: 100%; height: auto; margin-top: .4rem; }
svg text { font-size: 12px; fill: var(--quiet); }
svg text.unit { font-size: 12.5px; }
svg .rule { stroke: var(--rule); }
svg line.phase { stroke: var(--quiet); stroke-dasharray: 2 3; }
svg path { fill: none; stroke-linejoin: round; }
svg .raw { stroke-width: 1; opacity: .28; }
svg .mean { stroke-width: 2; }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); }
.s3 { stroke: var(--s3); } .s4 { stroke: var(--s4); } .s5 { stroke: var(--s5); }
.swatch.s0 { background: var(--s0); } .swatch.s1 { background: var(--s1); } .swatch.s2 { background: var(--s2); }
.swatch.s3 { background: var(--s3); } .swatch.s4 { background: var(--s4); } .swatch.s5 { background: var(--s5); }
img { display: block; max-width: 100%; height: auto; border-radius: 3px; }
.pixels { image-rendering: pixelated; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 1.5rem; }
.pair figure, .strip figure { margin: 0; }
.pair figcaption, .strip figcaption { margin-top: .35rem; }
.strip { display: flex; gap: .9rem; overflow-x: auto; margin-top: 1.5rem; padding-bottom: .75rem; }
.strip figure { flex: none; }
.strip img { max-height: 12rem; width: auto; max-width: none; }
pre { background: var(--panel); border-radius: 6px; padding: .8rem 1rem; white-space: pre-wrap;
  overflow-wrap: anywhere; font: .85rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; margin: .75rem 0; }
.columns { columns: 2; column-gap: 3rem; }
.columns > div { break-inside: avoid; overflow: hidden; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem 0; border-top: 1px solid var(--rule);
  overflow-wrap: anywhere; }
th { font-weight: normal; color: var(--quiet); width: 45%; padding-right: 1rem; }
@media (max-width: 44rem) { .columns { columns: 1; } main { padding-top: 1.5rem; } }
@media print { main { max-width: none; padding: 0; } .strip { flex-wrap: wrap; } }
"""
