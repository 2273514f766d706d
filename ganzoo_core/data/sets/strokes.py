"""Strokes of handwritten digits by morphology: thinned to lines, drawn anew at any thickness, and measured.

Lines are found and drawn on a grid of half pixels. All of it looks at one picture at a time, so a picture's bits do
not depend on its batch.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

FINE = 2  # places of the grid on each side of a pixel
SIDE = 28  # pixels of an MNIST digit: thickness is told in these, whatever the picture's own side
FARTHEST = 10  # places: distances are exact up to here


def lines(x: Tensor) -> Tensor:
    """The middle lines of what is white in x [n, 1, H, W], in [-1, 1]: bool [n, 2 H, 2 W]."""
    return thinned(fine_ink(x))


def fine_ink(x: Tensor) -> Tensor:
    """Where it is white, on the grid.  bool [n, 2 H, 2 W]"""
    return interpolate(x, scale_factor=FINE, mode="bilinear")[:, 0] > 0


def drawn(middle: Tensor, thickness: Tensor) -> Tensor:
    """Lines bool [n, 2 H, 2 W] as strokes of `thickness` pixels [n], with round ends: [n, 1, H, W] in [-1, 1]."""
    radius = thickness[:, None, None] * FINE / 2
    cover = (radius + 0.5 - distances(middle)).clamp(0, 1)  # antialiased over one place
    return 2 * avg_pool2d(cover[:, None], FINE) - 1


def stroke_thickness(x: Tensor) -> Tensor:
    """Mean thickness of the white strokes in pictures x [n, 1, H, W], in [-1, 1]: [n] in pixels of 28 to a side.

    Twice the mean distance from a stroke's middle line to where its ink ends; 0 where there is no ink.
    """
    ink = fine_ink(x.float().cpu())
    middle = thinned(ink)
    inside = distances(~pad(ink, (1, 1, 1, 1)))[:, 1:-1, 1:-1] - 0.5  # to the border, half a place before what is black
    total = (inside * middle).sum((1, 2))
    return 2 * total / middle.sum((1, 2)).clamp(min=1) / FINE * SIDE / x.shape[-1]


def slant(x: Tensor) -> Tensor:
    """How far each of x [n, 1, H, W] leans: covariance of x and y over variance of y. Below 0: to the right.  [n]"""
    ink = (x[:, 0] + 1) / 2
    y, x_ = torch.meshgrid(torch.arange(ink.shape[1]), torch.arange(ink.shape[2]), indexing="ij")
    total = ink.sum((1, 2)).clamp(min=1e-6)
    dx, dy = (at - ((ink * at).sum((1, 2)) / total)[:, None, None] for at in (x_, y))
    return (ink * dx * dy).sum((1, 2)) / (ink * dy.square()).sum((1, 2)).clamp(min=1e-6)


def distances(where: Tensor) -> Tensor:
    """How far each place is from the nearest that is true in `where` bool [n, H, W], up to FARTHEST; float32.

    Squares, first along rows and then along columns: exact (Saito & Toriwaki 1994).
    """
    far = float(FARTHEST**2)
    square = torch.where(where, 0.0, far)
    for dim in (1, 2):
        square = nearest(square, dim, far)
    return square.sqrt()


def nearest(square: Tensor, dim: int, far: float) -> Tensor:
    """min over d of square(. + d) + d^2 along a dimension."""
    best = square
    for d in range(1, FARTHEST):
        if d < square.shape[dim]:
            edge = torch.full_like(square.narrow(dim, 0, d), far)
            rest = square.shape[dim] - d
            for moved in (
                torch.cat([square.narrow(dim, d, rest), edge], dim),
                torch.cat([edge, square.narrow(dim, 0, rest)], dim),
            ):
                best = torch.minimum(best, moved + float(d * d))
    return best


# Thinning (Zhang & Suen 1984): borders are taken off, from two sides in turn, until lines are left


def removable(first: bool) -> NDArray[np.bool_]:
    """By the eight neighbours, bit i being P(i + 2) of the paper, clockwise from above: may this place go?"""
    table = np.zeros(256, dtype=np.bool_)
    for code in range(256):
        p = [(code >> i) & 1 for i in range(8)]
        up, right, down, left = p[0], p[2], p[4], p[6]
        borders = sum(p[i] < p[(i + 1) % 8] for i in range(8))  # from 0 to 1, once around
        sides = (up * right * down, right * down * left) if first else (up * right * left, up * down * left)
        table[code] = 2 <= sum(p) <= 6 and borders == 1 and not any(sides)
    return table


REMOVABLE = (removable(True), removable(False))


def thinned(ink: Tensor) -> Tensor:
    """What is left of bool [n, H, W] when no border can be taken off without breaking it."""
    places = pad(ink, (1, 1, 1, 1)).numpy().astype(np.uint8)
    flat, width = places.reshape(-1), places.shape[2]
    around = (-width, 1 - width, 1, width + 1, width, width - 1, -1, -width - 1)
    at = np.flatnonzero(flat)
    while True:
        before = len(at)
        for table in REMOVABLE:
            code = sum(flat[at + step] << i for i, step in enumerate(around))
            gone = table[code]
            flat[at[gone]] = 0
            at = at[~gone]
        if len(at) == before:
            return torch.from_numpy(places[:, 1:-1, 1:-1] > 0)
