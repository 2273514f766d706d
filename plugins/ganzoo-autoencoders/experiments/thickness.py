"""An attribute as a vector of codes: the mean code of thick digits less that of thin ones, added to what E says.

python plugins/ganzoo-autoencoders/experiments/thickness.py SOURCE OUT.png

Rows are test digits: as given, then drawn again with the vector added -1 ... 1 times. Printed is the mean thickness of
the first 100 test digits at each of these, in pixels of 28 to a side.
"""

from __future__ import annotations

import sys

import torch
from PIL import Image
from torch import Tensor

import ganzoo_core as gz
from ganzoo_core.data import open_dataset, stroke_thickness
from ganzoo_core.metrics import registry
from ganzoo_core.models.model import Model

TIMES = (-1.0, -0.5, 0.0, 0.5, 1.0)
KNOWN, TRIED, ROWS, ZOOM = 1000, 100, 8, 2
THIN, THICK = 0, 5  # the least and the greatest of the data set's ages


def pictures(variant: str, n: int, side: int) -> dict[str, Tensor]:
    zoo = registry()
    data = open_dataset(f"mnist:{variant}", image_size=side, datasets=zoo.datasets, views=zoo.views)
    return data.fetch(range(n))


def codes(model: Model, x: Tensor) -> Tensor:
    """What E says of pictures.  [n, Z]"""
    return model.sample(len(x), net="E", x=x)


def main() -> None:
    source, out = sys.argv[1:]
    model = gz.load(source)
    side = model.generator.output.shape[-1]
    known, tried = pictures("thickness", KNOWN, side), pictures("thickness_test", TRIED, side)
    z = codes(model, known["x"])
    vector = z[known["age"] == THICK].mean(0) - z[known["age"] == THIN].mean(0)
    given = codes(model, tried["x"])
    made = [model.sample(TRIED, z=given + t * vector) for t in TIMES]
    for t, x in zip(TIMES, made, strict=True):
        print(f"{t:+.1f}: {float(stroke_thickness(x).mean()):.2f} px")
    shown = torch.stack([tried["x"], *made])[:, :ROWS, 0]  # [1 + times, rows, H, W]
    sheet = shown.permute(1, 2, 0, 3).flatten(2).flatten(0, 1)
    picture = Image.fromarray(((sheet + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy())
    picture.resize((picture.width * ZOOM, picture.height * ZOOM), Image.Resampling.NEAREST).save(out)


if __name__ == "__main__":
    main()
