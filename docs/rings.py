"""Which games drop modes? Every unconditional family on the ring of 8 and the grid of 25 Gaussians, over several seeds.

    python docs/rings.py                     # writes docs/rings.md and docs/rings.png; takes half an hour on two cores
    python docs/rings.py --family pacgan     # plays this one, and puts it among those that are there
    python docs/rings.py --family dcgan --seeds 1 --try    # plays, and writes neither

All play on the same two perceptrons with a learning rate of 1e-3, so only the game differs; its other arguments are
those of the family's preset `digits`. Games that need other networks than these two have presets `ring` and `grid`, in
which theirs are as large. What has been played is kept below --keep, and not played again.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from ganzoo_metrics.modes import Modes, modes
from PIL import Image, ImageDraw
from torch import Tensor, nn

import ganzoo_core as gz
from ganzoo_core.data import grid_modes, ring_modes
from ganzoo_core.errors import GanzooError
from ganzoo_core.files import write_aside
from ganzoo_core.nn import Discriminator, Generator, Latent, Points
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import presets_of

SETS = {"ring": (ring_modes, 1.0), "grid": (grid_modes, 4.0)}  # modes, and the scale of the points
ITERATIONS, BATCH, SAMPLES, RATE = 2000, 128, 2500, 1e-3
HOME = Path(__file__).parent
SIDE, COLUMNS, GAP = 150, 8, 10  # of the picture, in pixels
TILE = (SIDE, SIDE + 14)
COLUMN_NAMES = (
    "| family | ring: modes of 8 | good | KL | grid: modes of 25 | good | KL |\n|---|---|---|---|---|---|---|"
)

HEAD = """# Dropped modes: rings and grids

`ring` is 8 Gaussians on a circle (standard deviation 0.01), `grid` 25 on a square (0.05). A sample is good within
three standard deviations of a mode; a mode is found when it has a good sample among 2,500; KL is that of the good
samples' shares of the modes to uniform, in nats, 0 at best (`ganzoo_metrics/modes.py` of ganzoo-metrics).

`python docs/rings.py` makes this table and the picture: every unconditional family of the zoo on the same two small
perceptrons, so that only the game differs: 2,000 updates of G at batch 128, a learning rate of 1e-3, five seeds,
averaged weights (half-life 10,000 points). The other arguments are those of each family's preset `digits`, which were
chosen for pictures and not tuned for points, and the course is short: the table compares recipes as they are, not
what each game could do. Those of [ganzoo-crowds](../plugins/ganzoo-crowds) play their presets `ring` and `grid`,
with perceptrons of the same widths: some of them need a third network. In brackets the fewest and the most modes over
the seeds.

![samples of seed 0 over the modes, ring above, grid below](rings.png)
"""


class G(Generator):
    """z -> 128 -> 128 -> a point."""

    def __init__(self, scale: float, leak: float = 0.0) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((16,))}, Points((2,))
        self.main = nn.Sequential(
            nn.Linear(16, 128), nn.LeakyReLU(leak), nn.Linear(128, 128), nn.LeakyReLU(leak), nn.Linear(128, 2)
        )  # fmt: skip
        self.scale = scale

    def forward(self, z: Tensor) -> Tensor:
        return self.scale * self.main(z)


class D(Discriminator):
    """A point -> 128 -> 128 -> its score."""

    def __init__(self, scale: float, leak: float = 0.2) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(leak), nn.Linear(128, 128), nn.LeakyReLU(leak))
        self.head = nn.Linear(128, 1)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x)).flatten()

    def features(self, x: Tensor) -> Tensor:
        return self.body(x / self.scale)


class Played(NamedTuple):
    family: str
    data: str
    seed: int
    result: Modes | None  # None: the game needs images
    points: Tensor | None


def play(task: tuple[str, str, int]) -> Tensor | None:
    """Points of one family on one mixture from one seed."""
    torch.set_num_threads(1)
    family, data, seed = task
    try:
        objective = game(family, data, seed)
        draws = max(step.repeat for phase in objective.phases() for step in phase.steps[:1])
        images = ITERATIONS * BATCH * min(draws, 3)
        gz.fit(objective, data, images=images, batch_size=BATCH, seed=seed, ema_images=10_000, precision="fp32",
               device="cpu")  # fmt: skip
    except GanzooError:
        return None
    return objective.exported_networks()["G"].sample(SAMPLES, seed=seed)


def game(family: str, data: str, seed: int) -> Objective:
    """On its own networks where it has a preset for the mixture, else on these two."""
    scale = SETS[data][1]
    torch.manual_seed(seed)
    if data in presets_of(registry().families[family]):
        return gz.create(family, preset=data, lr=RATE, seed=seed)
    return gz.create(family, preset="digits", lr=RATE, networks={"G": G(scale), "D": D(scale)})


def played(task: tuple[str, str, int], kept: Path) -> Played:
    """Played, now or before."""
    family, data, seed = task
    path = kept / f"{family}-{data}-{seed}.npy"
    if not path.exists():
        points = play(task)
        if points is None:
            return Played(family, data, seed, None, None)
        buffer = io.BytesIO()
        np.save(buffer, points.numpy())
        write_aside(path, buffer.getvalue())
    points = torch.from_numpy(np.load(path))
    return Played(family, data, seed, modes(points, *SETS[data][0]()), points)


def row(family: str, played: list[Played]) -> str:
    """Means over the seeds, with the spread of the modes found."""
    cells = [f"`{family}`"]
    for data in SETS:
        results = [p.result for p in played if p.family == family and p.data == data and p.result is not None]
        if not results:
            cells += ["needs images", "", ""]
            continue
        found = [r.found for r in results]
        spread = f" ({min(found)}-{max(found)})" if len(found) > 1 else ""
        cells.append(f"{statistics.mean(found):.1f}{spread}")
        cells.append(f"{100 * statistics.mean(r.good for r in results):.0f} %")
        cells.append(f"{statistics.mean(r.kl for r in results):.2f}")
    return "| " + " | ".join(cells) + " |"


def tile(points: Tensor, family: str, data: str) -> Image.Image:
    """The samples of one family in blue over the modes in grey."""
    find, scale = SETS[data]
    picture = Image.new("RGB", TILE, "white")
    draw = ImageDraw.Draw(picture)
    draw.text((4, 0), family, fill="black")
    for cloud, colour, r in ((find()[0], (190, 190, 190), 3), (points[:600], (30, 80, 200), 0.6)):
        for x, y in (SIDE / 2 + cloud / (1.4 * scale) * SIDE / 2).tolist():
            if 0 < x < SIDE and 0 < y < SIDE:
                draw.ellipse([x - r, 14 + y - r, x + r, 14 + y + r], fill=colour)
    draw.rectangle([0, 14, SIDE - 2, SIDE + 12], outline=(220, 220, 220))
    return picture


def place(i: int, data: str, n: int) -> tuple[int, int]:
    """The upper left corner of tile i of n: the ring's above, the grid's below."""
    below = list(SETS).index(data) * (-(-n // COLUMNS) * TILE[1] + GAP)
    return i % COLUMNS * TILE[0], below + i // COLUMNS * TILE[1]


def tiles_of(sheet: Image.Image, families: Sequence[str]) -> dict[tuple[str, str], Image.Image]:
    """A sheet taken apart."""
    corners = {(f, data): place(i, data, len(families)) for i, f in enumerate(families) for data in SETS}
    return {key: sheet.crop((x, y, x + TILE[0], y + TILE[1])) for key, (x, y) in corners.items()}


def sheet_of(tiles: Mapping[tuple[str, str], Image.Image], families: Sequence[str]) -> Image.Image:
    rows = -(-len(families) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * TILE[0], len(SETS) * rows * TILE[1] + GAP), "white")
    for i, family in enumerate(families):
        for data in SETS:
            sheet.paste(tiles[family, data], place(i, data, len(families)))
    return sheet


def rows_of(page: str) -> dict[str, str]:
    """The rows of a page's table, by family."""
    return {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}


def publish(results: Sequence[Played]) -> None:
    """Into page and picture, beside the families that are there and were not played."""
    page, picture = HOME / "rings.md", HOME / "rings.png"
    rows = rows_of(page.read_text("utf-8"))
    with Image.open(picture) as before:
        tiles = tiles_of(before.convert("RGB"), [f for f in rows if "needs images" not in rows[f]])
    rows |= {family: row(family, results) for family in {p.family for p in results}}
    for p in results:
        if p.seed == 0 and p.points is not None:
            tiles[p.family, p.data] = tile(p.points, p.family, p.data)
    rows = {family: rows[family] for family in sorted(rows) if "needs images" not in rows[family]}
    page.write_text("\n".join([HEAD, COLUMN_NAMES, *rows.values(), ""]), "utf-8")
    sheet_of(tiles, list(rows)).save(picture, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--family", action="append", help="default: every unconditional one")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path.home() / ".cache/ganzoo/rings", help="what has been played")
    parser.add_argument("--try", dest="trial", action="store_true", help="write neither page nor picture")
    options = parser.parse_args()
    families = options.family or [f.name for f in gz.list_families(task="unconditional") if f.installed]
    tasks = [(f, data, seed) for f in families for data in SETS for seed in range(options.seeds)]
    options.keep.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        results = []
        for done in pool.imap(partial(played, kept=options.keep), tasks):
            results.append(done)
            print(*done[:4], flush=True)
    print("\n".join([COLUMN_NAMES, *(row(family, results) for family in families)]))
    if not options.trial:
        publish(results)


if __name__ == "__main__":
    main()
