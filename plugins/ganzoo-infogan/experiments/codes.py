"""What do the continuous codes of infogan.mnist do? Slant and stroke, measured while one code goes from -1.5 to 1.5.

python plugins/ganzoo-infogan/experiments/codes.py
"""

from __future__ import annotations

import torch
from torch import Tensor

import ganzoo_core as gz

VALUES = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
SAMPLES = 200


def slant(images: Tensor) -> Tensor:
    """Shear of each image [N, 1, H, W]: covariance of x and y over variance of y. Above 0: the top leans left."""
    ink = (images[:, 0] + 1) / 2  # [N, H, W]
    side = torch.arange(ink.shape[1], dtype=torch.float32)
    y, x = torch.meshgrid(side, side, indexing="ij")
    total = ink.sum((1, 2))
    mx, my = ((ink * v).sum((1, 2)) / total for v in (x, y))
    dx, dy = x - mx[:, None, None], y - my[:, None, None]
    return (ink * dx * dy).sum((1, 2)) / (ink * dy.square()).sum((1, 2))


def stroke(images: Tensor) -> Tensor:
    """The share of each image that is ink. [N]"""
    return (images[:, 0] > 0).float().mean((1, 2))


def moved(model: str, code: int) -> list[tuple[float, float]]:
    """(mean slant, mean stroke) of the same samples at every value of a code."""
    net = gz.load(model).generator
    u = net.priors(SAMPLES, torch.Generator().manual_seed(0))["u"]
    rows = []
    for value in VALUES:
        u[:, code] = value
        images = net.sample(SAMPLES, seed=0, u=u)
        rows.append((float(slant(images).mean()), float(stroke(images).mean())))
    return rows


def main() -> None:
    print("| code | measure | " + " | ".join(f"{value:+.1f}" for value in VALUES) + " |")
    print("|---|---|" + "---:|" * len(VALUES))
    for code in (0, 1):
        rows = moved("infogan.mnist", code)
        for i, name in enumerate(("slant", "stroke")):
            print(f"| {code} | {name} | " + " | ".join(f"{row[i]:+.3f}" for row in rows) + " |")


if __name__ == "__main__":
    main()
