"""The two toy mixtures of Gaussians on which dropped modes are counted (Metz et al. 2017; PacGAN, VEEGAN)."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from ganzoo_core.data.dataset import Dataset, DatasetInfo, Tensors, fingerprint
from ganzoo_core.seeds import hash32

POINTS = 100_000


def ring_modes() -> tuple[Tensor, float]:
    """Means [8, 2] on the unit circle, and the standard deviation of each."""
    angles = torch.arange(8, dtype=torch.float64) * (2 * math.pi / 8)
    return torch.stack([angles.cos(), angles.sin()], 1).float(), 0.01


def grid_modes() -> tuple[Tensor, float]:
    """Means [25, 2], all of {-4, -2, 0, 2, 4} squared, and the standard deviation of each."""
    ticks = torch.tensor([-4.0, -2.0, 0.0, 2.0, 4.0])
    return torch.cartesian_prod(ticks, ticks), 0.05


def open_ring(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """x [n, 2] and label [n], the index of the mode, for `ring_modes`."""
    return _drawn("ring", *ring_modes())


def open_grid(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """x [n, 2] and label [n], the index of the mode, for `grid_modes`."""
    return _drawn("grid", *grid_modes())


def _drawn(name: str, means: Tensor, std: float) -> Dataset:
    generator = torch.Generator().manual_seed(hash32(0, name))
    label = torch.randint(len(means), (POINTS,), generator=generator)
    x = means[label] + std * torch.randn(POINTS, 2, generator=generator)
    info = DatasetInfo(
        name=name,
        keys=frozenset({"x", "label"}),
        image_size=None,
        channels=None,
        classes=len(means),
        class_names=(),
        licence="CC0-1.0",
        fingerprint=fingerprint(name, POINTS, means.tolist(), std),  # not the points: processors round differently
    )
    return Tensors(info, {}, {"x": x, "label": label})
