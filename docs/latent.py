"""docs/latent.md: its figures and pictures, measured on models of the zoo.

python docs/latent.py             # some minutes of one core; GANZOO_DATA says where MNIST and the emoji lie
python docs/latent.py dissection  # one part; the others stay as they are in latent.json
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from ganzoo_latent import directions, dissection, measures
from ganzoo_latent.activations import layer_of
from ganzoo_latent.choosing import Chooser
from ganzoo_latent.concepts import Colours
from ganzoo_latent.likeness import Likeness
from ganzoo_latent.painter import Painter
from ganzoo_latent.project import begin, project
from torch import Tensor

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.data import open_dataset
from ganzoo_core.data.sets.shapes import COLOURS
from ganzoo_core.registry.plugins import registry

HOME = Path(__file__).parent
NOTES = HOME / "latent.json"
SHEETS = HOME / "latent"
LEAST = 1.5e-3  # of all pixels: a colour that fills less is hardly ever drawn
PROJECTED = {  # model -> (held-out pictures, space)
    "r1_gan.mnist": ("mnist:test", "z"),
    "stylegan2.emoji32": ("emoji:twemoji", "w+"),
}
GROUP = ("--group", "25", "--extractor", "none")
SUMS = {  # model -> sum of groups
    "r1_gan.mnist": "4 + @slant - -@slant",
    "stylegan2.emoji32": "@red - @blue + @green",
}


def painter_of(model: str, space: str = "") -> Painter:
    return Painter(gz.load(model).generator, space)


def held_out(data: str, painter: Painter, n: int) -> Tensor:
    """Pictures spread evenly over a data set, as large as a painter's.  [n, C, H, W]"""
    channels, side, _ = painter.net.output.shape
    zoo = registry()
    found = open_dataset(data, image_size=side, channels=channels, datasets=zoo.datasets, views=zoo.views)
    return found.fetch([i * (len(found) // n) for i in range(n)])["x"]


def projection() -> dict[str, object]:
    """16 pictures that no training saw: what search finds beside the best of 200 samples."""
    rows: dict[str, object] = {}
    for model, (data, space) in PROJECTED.items():
        painter = painter_of(model, space)
        pictures = held_out(data, painter, 16)
        best, found, shown = [], [], []
        for x in pictures.split(1):  # type: ignore[no-untyped-call]
            likeness = Likeness(x)
            sample = painter.pictures(begin(painter, likeness, 200, 1))
            result = project(painter, likeness)
            best.append(float(likeness.pixels(sample)))
            found.append(result.pixels)
            shown.append(torch.cat([x, sample, result.picture]))
        sheet(f"projection-{model}", torch.stack(shown, 1).flatten(0, 1), 16)
        rows[model] = {"data": data, "space": space, "best": statistics.median(best), "found": statistics.median(found)}
    return rows


def sums() -> dict[str, object]:
    """Arithmetic, by the very commands that the page shows."""
    SHEETS.mkdir(exist_ok=True)
    for model, text in SUMS.items():
        out = SHEETS / f"arithmetic-{model}.png"
        words = ("latent", "arithmetic", model, text, *GROUP, "-o", str(out), "--force")
        subprocess.run([sys.executable, "-m", "ganzoo_core", *words], check=True)
    return dict(SUMS)


def ways() -> dict[str, object]:
    """Boundaries of what can be measured of digits, each alone and without what it shares with the others."""
    painter, names = painter_of("r1_gan.mnist"), ("slant", "area", "width")
    choose = Chooser(painter, 2000)
    normals = [directions.boundary(painter, choose.points, choose.scores(name)) for name in names]
    apart = [directions.conditional(n, [other for other in normals if other is not n]) for n in normals]
    start = painter.draw(1, 4)
    sheet("directions", torch.cat([directions.strip(painter, start, n) for n in normals]), 7)
    chosen = {name: measures.SHAPES[name] for name in ("slant", "area", "width", "height", "across", "down")}
    rows: dict[str, object] = {}
    for kind, found in (("alone", normals), ("apart", apart)):
        effects = [directions.effect(painter, n, chosen) for n in found]
        for name, effect in zip(names, effects, strict=True):
            rows[f"{name}, {kind}"] = {**effect.moves, "others": effect.entanglement(name)}
    return rows


def dissected() -> dict[str, object]:
    """A generator of coloured shapes: each colour's units, silenced and inserted."""
    painter = painter_of(DISSECTED)
    layer = layer_of(painter)
    concepts = Colours({"white": (1.0, 1.0, 1.0), **COLOURS})
    found = dissection.dissect(painter, layer, concepts)
    rows: dict[str, object] = {"layer": layer, "units": len(found.iou)}
    points, blank = painter.draw(16, 7), painter.draw(64, 9)
    plain = painter.pictures(blank)
    shown = [painter.pictures(points)]
    areas = concepts.areas(painter.pictures(painter.draw(512))).mean(0)
    for i in [i for i in range(1, len(areas)) if areas[i] > LEAST]:
        silenced, raised = (dissection.causal(painter, layer, i, concepts, n) for n in (24, 48))
        lost = dissection.effects(painter, layer, silenced, concepts, 512).lost()
        others = max(float(lost[j]) for j in range(1, len(lost)) if j != i and areas[j] > LEAST)
        put = dissection.inserted(painter, layer, raised, found.there[raised, i], blank, (0.75, 0.75))
        before, after = (float(concepts(x)[:, i, 16:, 16:].mean()) for x in (plain, put))
        away = [float(concepts(x)[:, i, :16, :16].mean()) for x in (plain, put)]
        best = found.best(i, 1)[0]
        rows[concepts.concepts[i]] = {
            "unit": best, "iou": float(found.iou[best, i]), "lost": float(lost[i]), "others": max(others, 0.0),
            "before": before, "after": after, "away": away[1] - away[0],
        }  # fmt: skip
        shown += [dissection.ablated(painter, layer, silenced, points), put[:16]]
    sheet("dissection", torch.cat(shown), 16)
    return rows


PARTS: dict[str, Callable[[], dict[str, object]]] = {
    "projection": projection, "arithmetic": sums, "directions": ways, "dissection": dissected,
}  # fmt: skip


def sheet(name: str, pictures: Tensor, columns: int) -> None:
    SHEETS.mkdir(exist_ok=True)
    imaging.save(imaging.grid(pictures, columns), SHEETS / f"{name}.png")


PAGE = """# Inside the latent space

What [ganzoo-latent](../plugins/ganzoo-latent) finds in models of this zoo. `python docs/latent.py` measures all of it
and writes this page; figures are kept in latent.json.

## Projection

16 pictures, spread evenly over a set that the model was not trained on, and the point that paints each: search from the
best of 200 samples, 200 steps of Adam, then L-BFGS, on pixels alone. The median mean squared error, pixels in [-1, 1]:

| model | pictures | space | best of 200 samples | found | |
|---|---|---|---:|---:|---:|
{projection}

![the picture, the best of 200 samples, what was found](latent/projection-r1_gan.mnist.png)

![the same of Twemoji in a StyleGAN2 that has seen Noto's emoji only](latent/projection-stylegan2.emoji32.png)

Above the pictures, in the middle the best samples, below what was found.

## Arithmetic

{sums}

## Directions

Boundaries of what is measured of 2,000 samples of `r1_gan.mnist`, and what each moves, from 1.5 deviations behind to
1.5 ahead, in deviations of the measure among samples. Apart: without what the three normals share.

| direction | {columns} | others, of it |
|---|{dashes}---:|
{directions}

![slant, area, width: from three deviations behind to three ahead](latent/directions.png)

## Dissection

`{model}`, layer `{layer}` ({units} units of 8 x 8 places). For each colour: how well its best unit lies on it, what is
lost of its area, and the most that another colour loses, without the 24 units that were found to be its cause; and how
much of the lower right quarter it fills before and after 48 are set there to what they are where the colour is, and
what that changes in the quarter opposite. Colours that fill less than 0.15 % of all pixels are left out.

| colour | IoU of the best unit | area lost | most that another loses | quarter before | after insertion | opposite |
|---|---:|---:|---:|---:|---:|---:|
{dissection}

![samples; for each colour these without its units, and others with them set high](latent/dissection.png)
"""
DISSECTED = "sngan.shapes"


def page(notes: dict[str, Any]) -> str:
    """docs/latent.md of what was measured."""
    found = [
        f"| `{model}` | `{row['data']}` | {row['space']} | {row['best']:.4f} | {row['found']:.4f} | "
        f"{100 * (row['found'] / row['best'] - 1):+.0f} % |"
        for model, row in notes["projection"].items()
    ]
    options = " ".join(GROUP)
    sums = [
        f'`ganzoo latent arithmetic {model} "{text}" {options} -o sum.png`: a row for each group (its first five, then '
        f"its mean), and the answer among eight neighbours.\n\n![{text}](latent/arithmetic-{model}.png)"
        for model, text in notes["arithmetic"].items()
    ]
    columns = [name for name in next(iter(notes["directions"].values())) if name != "others"]
    ways = [
        f"| {name} | " + " | ".join(f"{row[c]:+.2f}" for c in columns) + f" | {row['others']:.2f} |"
        for name, row in notes["directions"].items()
    ]
    layer, units, *_ = notes["dissection"].values()
    colours = [
        f"| {name} | {row['iou']:.2f} | {100 * row['lost']:.0f} % | {100 * row['others']:.0f} % | "
        f"{100 * row['before']:.1f} % | {100 * row['after']:.1f} % | "
        f"{100 * row['away']:+.2f} % |"
        for name, row in notes["dissection"].items()
        if isinstance(row, dict)
    ]
    return PAGE.format(
        projection="\n".join(found), sums="\n\n".join(sums), columns=" | ".join(columns), dashes="---:|" * len(columns),
        directions="\n".join(ways), model=DISSECTED, layer=layer, units=units, dissection="\n".join(colours),
    )  # fmt: skip


def write() -> None:
    torch.set_num_threads(1)
    notes = json.loads(NOTES.read_text()) if NOTES.exists() else {}
    for name in sys.argv[1:] or PARTS:
        notes[name] = PARTS[name]()
        NOTES.write_text(json.dumps(notes, indent=1) + "\n")
        print(name, json.dumps(notes[name]), flush=True)
    (HOME / "latent.md").write_text(page(notes), "utf-8")


if __name__ == "__main__":
    write()
