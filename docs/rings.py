"""Which games drop modes? Every unconditional family on the ring of 8 and the grid of 25 Gaussians, over several seeds.

    python docs/rings.py            # writes docs/rings.md and docs/rings.png; takes half an hour on two cores
    python docs/rings.py --family dcgan --seeds 1

All play on the same two perceptrons with a learning rate of 1e-3, so only the game differs; its other arguments are
those of the family's preset `digits`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
from pathlib import Path
from typing import NamedTuple

import torch
from ganzoo_metrics.modes import Modes, modes
from PIL import Image, ImageDraw
from torch import Tensor, nn

import ganzoo_core as gz
from ganzoo_core.data import grid_modes, ring_modes
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Latent, Points

SETS = {"ring": (ring_modes, 1.0), "grid": (grid_modes, 4.0)}  # modes, and the scale of the points
ITERATIONS, BATCH, SAMPLES, RATE = 2000, 128, 2500, 1e-3
HOME = Path(__file__).parent


HEAD = """# Dropped modes: rings and grids

`ring` is 8 Gaussians on a circle (standard deviation 0.01), `grid` 25 on a square (0.05). A sample is good within
three standard deviations of a mode; a mode is found when it has a good sample among 2,500; KL is that of the good
samples' shares of the modes to uniform, in nats, 0 at best (`ganzoo_metrics/modes.py`).

`python docs/rings.py` makes this table and the picture: every unconditional family of the zoo on the same two small
perceptrons, so that only the game differs: 2,000 updates of G at batch 128, a learning rate of 1e-3, five seeds,
averaged weights (half-life 10,000 points). The other arguments are those of each family's preset `digits`, which were
chosen for pictures and not tuned for points, and the course is short: the table compares recipes as they are, not
what each game could do. In brackets the fewest and the most modes over the seeds.

![samples of seed 0 over the modes, ring above, grid below](rings.png)
"""


class G(Generator):
    """z -> 128 -> 128 -> a point."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((16,))}, Points((2,))
        self.main = nn.Sequential(
            nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2)
        )  # fmt: skip
        self.scale = scale

    def forward(self, z: Tensor) -> Tensor:
        return self.scale * self.main(z)


class D(Discriminator):
    """A point -> 128 -> 128 -> its score."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2))
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


def play(task: tuple[str, str, int]) -> Played:
    """One family on one mixture from one seed."""
    torch.set_num_threads(1)
    family, data, seed = task
    find, scale = SETS[data]
    try:
        torch.manual_seed(seed)
        objective = gz.create(family, preset="digits", lr=RATE, networks={"G": G(scale), "D": D(scale)})
        draws = max(step.repeat for phase in objective.phases() for step in phase.steps[:1])
        images = ITERATIONS * BATCH * min(draws, 3)
        gz.fit(objective, data, images=images, batch_size=BATCH, seed=seed, ema_images=10_000, precision="fp32",
               device="cpu")  # fmt: skip
    except GanzooError:
        return Played(family, data, seed, None, None)
    points = objective.exported_networks()["G"].sample(SAMPLES, seed=seed)
    return Played(family, data, seed, modes(points, *find()), points)


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


def plot(played: list[Played], data: str, side: int = 150) -> Image.Image:
    """One tile per family: its samples of seed 0 in blue over the modes in grey."""
    find, scale = SETS[data]
    shown = [p for p in played if p.data == data and p.seed == 0 and p.points is not None]
    columns = 8
    sheet = Image.new("RGB", (columns * side, -(-len(shown) // columns) * (side + 14)), "white")
    draw = ImageDraw.Draw(sheet)
    for i, p in enumerate(shown):
        x0, y0 = i % columns * side, i // columns * (side + 14)
        draw.text((x0 + 4, y0), p.family, fill="black")
        for cloud, colour, r in ((find()[0], (190, 190, 190), 3), (p.points[:600], (30, 80, 200), 0.6)):
            for x, y in (side / 2 + cloud / (1.4 * scale) * side / 2).tolist():
                if 0 < x < side and 0 < y < side:
                    draw.ellipse([x0 + x - r, y0 + 14 + y - r, x0 + x + r, y0 + 14 + y + r], fill=colour)
        draw.rectangle([x0, y0 + 14, x0 + side - 2, y0 + side + 12], outline=(220, 220, 220))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--family", action="append", help="default: every unconditional one")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    families = options.family or [f.name for f in gz.list_families(task="unconditional") if f.installed]
    tasks = [(f, data, seed) for f in families for data in SETS for seed in range(options.seeds)]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        played = []
        for done in pool.imap(play, tasks):
            played.append(done)
            print(*done[:4], flush=True)
    head = "| family | ring: modes of 8 | good | KL | grid: modes of 25 | good | KL |\n|---|---|---|---|---|---|---|"
    table = "\n".join([head, *(row(family, played) for family in families)])
    print(table)
    if not options.family:
        (HOME / "rings.md").write_text(f"{HEAD}\n{table}\n", "utf-8")
        ring, grid = plot(played, "ring"), plot(played, "grid")
        both = Image.new("RGB", (ring.width, ring.height + grid.height + 10), "white")
        both.paste(ring, (0, 0))
        both.paste(grid, (0, ring.height + 10))
        both.save(HOME / "rings.png", optimize=True)


if __name__ == "__main__":
    main()
