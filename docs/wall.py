"""The picture at the top of the README: samples of seeds 0 and 1, as they come: python docs/wall.py"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate, pad

import ganzoo_core as gz

SIDE, ACROSS = 64, 16
ROWS = (
    ("fastgan.emoji_faces64", 2, {}),
    ("biggan.mnist", 1, {"label": torch.arange(ACROSS) % 10}),
    ("r1_gan.mnist", 1, {}),
)
WIDE = "singan.rocket"  # a model of one picture, sampled four times as wide as that


def strip(name: str, rows: int, given: Mapping[str, Tensor]) -> Tensor:
    """Samples beside each other.  [3, rows * SIDE, ACROSS * SIDE]"""
    x = interpolate(gz.load(name).sample(rows * ACROSS, seed=1, **given).float(), size=SIDE - 2)
    tiles = pad(x.expand(-1, 3, -1, -1), (1, 1, 1, 1), value=1.0)  # [N, 3, SIDE, SIDE]
    return tiles.unflatten(0, (rows, ACROSS)).permute(2, 0, 3, 1, 4).reshape(3, rows * SIDE, -1)


def panorama() -> Tensor:
    x = gz.load(WIDE).sample(1, seed=0, height=2 * SIDE, width=ACROSS * SIDE)[0].float()
    return x.clamp(-1, 1)


def main() -> None:
    x = torch.cat([*(strip(*row) for row in ROWS), panorama()], dim=1)
    pixels = ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0)
    Image.fromarray(pixels.numpy()).save(Path(__file__).with_name("wall.png"), optimize=True)


if __name__ == "__main__":
    main()
