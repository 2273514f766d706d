"""One digit over all ages: rows of test digits, first as they were given, then at every thickness.

python plugins/ganzoo-aging/experiments/strips.py SOURCE OUT.png
"""

from __future__ import annotations

import sys

import torch
from PIL import Image
from torch import Tensor

import ganzoo_core as gz
from ganzoo_core.data import open_dataset
from ganzoo_core.metrics import registry

ZOOM = 2


def strips(source: str, rows: int = 10) -> Tensor:
    """Row by row the first test digit of each class, and what the model makes of it.  [H, W] in [-1, 1]"""
    zoo, model = registry(), gz.load(source)
    side, ages = model.generator.output.shape[-1], len(model.labels)
    data = open_dataset("mnist:thickness_test", image_size=side, datasets=zoo.datasets, views=zoo.views)
    batch = data.fetch(range(200))
    first = [int((batch["identity"] == digit).nonzero()[0]) for digit in range(rows)]
    lines = []
    for x in batch["x"][first]:
        aged = model.translate(x.expand(ages, -1, -1, -1), age=torch.arange(ages))
        lines.append(torch.cat([x[0], torch.ones(side, 2), *aged[:, 0]], 1))
    return torch.cat(lines)


def main() -> None:
    source, out = sys.argv[1:]
    levels = ((strips(source) + 1) * 127.5).round().to(torch.uint8)
    picture = Image.fromarray(levels.numpy())
    picture.resize((picture.width * ZOOM, picture.height * ZOOM), Image.Resampling.NEAREST).save(out)


if __name__ == "__main__":
    main()
