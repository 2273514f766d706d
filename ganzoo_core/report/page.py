"""A run directory as one page of HTML that needs nothing but itself: no network, no scripts, no torch.

Whatever comes from a file passes through `text`, the only way from a string to markup.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ganzoo_core.report.charts import chart, text
from ganzoo_core.report.read_run import Entry, Found, Grid, counted, is_number, tabled

PLAYERS = 12  # charts of losses
STRIP = 150  # pixels of a picture between the first and the last
BUDGET = 12 * 2**20  # bytes of pictures in a page, the first and the last of each kind aside


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
    return TEMPLATE.format(policy=POLICY, title=text(title(found)), style=STYLE, body="\n".join(filter(None, parts)))


def title(found: Found) -> str:
    recipe, data = tabled(found.run["recipe"]), tabled(found.run.get("data"))
    return f"{recipe.get('family', 'A game')} on {data.get('name', 'data')}"


def progress(found: Found) -> tuple[int, int]:
    """Images seen, as the log or the newest checkpoint has it, and images in all."""
    done = max([entry.images for entry in found.log[-1:]] + [images for images, _ in found.checkpoints[-1:]], default=0)
    return done, counted(found.run.get("images")) or done


def header(found: Found) -> str:
    done, total = progress(found)
    state = "finished" if is_over(found) else f"{share(done, total)} done" if total else "not begun"
    facts = [f"{state}, {done:,} images"]
    facts += [f"seed {text(found.run['seed'])}"] if "seed" in found.run else []
    facts += [f"preset {text(preset)}"] if (preset := tabled(found.run["recipe"]).get("preset")) else []
    facts += [text(found.run["device"])] if "device" in found.run else []
    line = " <span class=dot>·</span> ".join(facts)
    return f"<header><h1>{text(title(found))}</h1>\n<p class=facts>{line}</p></header>"


def is_over(found: Found) -> bool:
    """Whether it has come to its end: a run that was stopped has a model, too."""
    done, total = progress(found)
    return found.has_model and done >= total


def share(done: int, total: int) -> str:
    """In percent: what has begun is not 0 %, and what is not over is not 100 %."""
    percent = 100 * min(done / total, 1)
    return (
        f"{percent:.0f}%" if percent in (0, 100) or 1 <= percent <= 99 else f"{percent:.2g}%" if percent < 1 else "99%"
    )


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
    charts += [variety(found, marks), scores(found, marks)]
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


def scores(found: Found, marks: Sequence[tuple[int, str]]) -> str:
    """What --eval-every found, metric by metric."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for row in found.evals:
        if is_number(row.get("value")):
            lines.setdefault(str(row.get("name"))[:80], []).append((row["images"], float(row["value"])))
    drawn = {name: points for name, points in list(lines.items())[:PLAYERS] if len(points) > 1}
    return chart("Scores", ", ".join(drawn), drawn, marks) if drawn else ""


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
        parts += ["<div class=strip tabindex=0>", *[figure(grid, name, STRIP) for grid in between], "</div>"]
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
    """A picture inside the page, with a player of what can be heard of it unless it stands in the strip; one that is
    much smaller than its room is enlarged, and keeps its pixels.
    """
    width, height = grid.size
    times = max(1, round(room / width))
    data = base64.b64encode(grid.path.read_bytes()).decode()
    kind = "class=pixels " if width < 300 else ""
    caption = f"{grid.images:,} images"
    player = sound(grid.heard, f"{name} at {caption}") if grid.heard and room > STRIP else ""
    return (
        f"<figure><img {kind}width={width * times} height={height * times} alt='{text(name, 80)} at {caption}' "
        f"src='data:image/png;base64,{data}'>{player}<figcaption>{caption}</figcaption></figure>"
    )


def sound(path: Path, name: str) -> str:
    """A recording inside the page, with the browser's own player."""
    data = base64.b64encode(path.read_bytes()).decode()
    return f"<audio controls preload=metadata aria-label='{text(name, 80)}' src='data:audio/wav;base64,{data}'></audio>"


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
    same = {True: "bit for bit, on such a machine", False: "no: its kernels were the fastest (--fast)"}
    if (kept := found.run.get("deterministic")) in (True, False):
        training += [("repeats", same[bool(kept)])]
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
        "finished": is_over(found), "images": done, "total": total, "phase": last.phase, "losses": dict(last.losses),
        "warnings": [{"images": images, "text": said} for images, said in found.warnings],
        "samples": {name: len(group) for name, group in found.grids.items()},
        "metrics": list(found.metrics), "checkpoints": [images for images, _ in found.checkpoints],
        "damaged_lines": found.damaged,
    }  # fmt: skip


POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"
TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
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
audio { display: block; width: 100%; max-width: 25rem; margin-top: .5rem; }
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
