"""Scores of solids, beside solids that need no GAN: a Gaussian of the data's cells, drawn and cut at a half.

That Gaussian has the data's mean and, in its 64 strongest directions, their covariance: the best that two moments know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from ganzoo_metrics.features import Moments
from ganzoo_metrics.fidelity import frechet
from scipy.ndimage import label
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool3d, pad

from ganzoo_core.data import hash32
from ganzoo_core.metrics import EvalContext

Found = Iterator[tuple[str, float, dict[str, Any]]]
HALF = 0.5  # from here on a cell is filled
CELLS = 4  # a side, into which a solid is divided where its shape is described
DIRECTIONS = 64  # of the Gaussian
MOST = 2000  # of the data that samples are compared with one by one, and that the Gaussian is made of
DUST = 0.01  # of a solid: smaller pieces beside the largest are overlooked, together


class Compared(NamedTuple):
    """Filled cells, bool [n, X, Y, Z], of the model, the Gaussian and the data."""

    made: Tensor
    gaussian: Tensor
    real: Tensor


def solids(context: EvalContext) -> Compared:
    made = torch.cat([block["x"][:, 0].cpu() >= HALF for block in context.generated()])
    total = len(context.source)
    which = torch.linspace(0, total - 1, min(MOST, total)).long().tolist()
    real = torch.cat([block["x"][:, 0] >= HALF for block in context.real(which)])
    return Compared(made, gaussian(real, len(made), context.seed), real)


def gaussian(real: Tensor, n: int, seed: int) -> Tensor:
    """n solids whose cells are normal with the moments of the data's, >= 1/2.  bool [n, X, Y, Z]"""
    x = real.flatten(1).float()
    mean, rows = x.mean(0), len(x)
    values, vectors = torch.linalg.eigh((x - mean) @ (x - mean).T / rows)  # of the rows: fewer than cells
    k = min(DIRECTIONS, rows - 1)
    axes = ((x - mean).T @ vectors[:, -k:]) / (values[-k:].clamp(min=1e-12) * rows).sqrt()  # [cells, k], of length 1
    z = torch.randn(n, k, generator=torch.Generator().manual_seed(hash32(seed, "gaussian")))
    return (mean + (z * values[-k:].clamp(min=0).sqrt()) @ axes.T >= HALF).unflatten(1, real.shape[1:])


def shape_frechet(context: EvalContext) -> Found:
    """Fréchet distance, as FID has it, of descriptions of samples and data."""
    found = context.cached(solids)
    real = moments(described(found.real))
    how = {"n": len(found.made), "n_real": len(found.real), "cells": CELLS}
    for name, rows in (("shape_frechet", found.made), ("shape_frechet[gaussian]", found.gaussian)):
        ours = moments(described(rows))
        yield name, frechet(ours.mean, ours.cov, real.mean, real.cov), how


def moments(rows: Tensor) -> Moments:
    made = Moments(rows.shape[1])
    made.add(rows)
    return made


def described(filled: Tensor) -> Tensor:
    """Of each of 4 x 4 x 4 parts of a solid how full it is and how much surface it has, each in units of a full part's
    cells and of one layer of them.  [n, 128]"""
    x = filled.float()[:, None]
    side = x.shape[-1]
    rim = pad(x, (1,) * 6)
    walls = torch.stack([rim.diff(dim=axis).abs()[spare(axis)] for axis in (2, 3, 4)]).sum(0)
    surface = adaptive_avg_pool3d(walls, CELLS) * (side / CELLS)
    return torch.cat([adaptive_avg_pool3d(x, CELLS).flatten(1), surface.flatten(1)], 1)


def spare(axis: int) -> tuple[slice, ...]:
    """All but the rim: one cell of two along the other axes, and of the walls the last."""
    return tuple(slice(None) if i < 2 else slice(None, -1) if i == axis else slice(1, -1) for i in range(5))


def connected(context: EvalContext) -> Found:
    """The share of samples whose largest piece is all of them but for a hundredth, by faces; an empty one is none."""
    found = context.cached(solids)
    how = {"n": len(found.made), "n_real": len(found.real), "dust": DUST}
    for name, rows in (("connected", found.made), ("connected[gaussian]", found.gaussian),
                       ("connected[data]", found.real)):  # fmt: skip
        yield name, sum(one_piece(row) for row in rows) / len(rows), {**how, "n": len(rows)}


def one_piece(solid: Tensor) -> bool:
    """Whether filled cells [X, Y, Z] hang together by their faces, but for a hundredth of them."""
    pieces, count = label(solid.numpy())
    if not count:
        return False
    sizes = torch.from_numpy(pieces).flatten().bincount()[1:]
    return bool(sizes.max() >= (1 - DUST) * sizes.sum())


def nearest_iou(context: EvalContext) -> Found:
    """The mean, over samples, of intersection over union with the datum that is most alike: how real they are; and
    over data with the sample that is: how much of the data they reach."""
    found = context.cached(solids)
    how = {"n": len(found.made), "n_real": len(found.real)}
    for name, rows in (("", found.made), ("gaussian", found.gaussian)):
        each = overlaps(rows, found.real)
        own, reached = f"nearest_iou[{name}]" if name else "nearest_iou", ",".join(filter(None, (name, "reached")))
        yield own, float(each.amax(1).mean()), how
        yield f"nearest_iou[{reached}]", float(each.amax(0).mean()), how


def overlaps(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of each of a [n, X, Y, Z] and each of b [m, X, Y, Z].  [n, m]"""
    a, b = a.flatten(1).float(), b.flatten(1).float()
    both = a @ b.T
    return both / (a.sum(1)[:, None] + b.sum(1) - both).clamp(min=1)
