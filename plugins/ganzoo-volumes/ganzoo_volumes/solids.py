"""Solids by formula: balls, boxes, cylinders, cones and rings; chairs; and noise in their form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, fingerprint, hash32
from ganzoo_core.errors import GanzooError

ITEMS, SIDE, LEAST, MOST = 4096, 32, 8, 256
NUMBERS = 8  # in [0, 1], that a solid is made of
VERSION = 1
Space = tuple[Tensor, Tensor, Tensor]  # x, y and z of each cell's middle, [side, side, side] in [-1, 1]
Solid = Callable[[Space, list[float]], Tensor]


def open_solids(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """voxels [n, 1, side, side, side], 32 unless asked, and label (which solid). "chairs": chairs, voxels alone.

    With "test" others of the same law.
    """
    side = image_size or SIDE
    if not LEAST <= side <= MOST:
        raise GanzooError(f"data set solids: {side} cells a side: not in {LEAST}..{MOST}", "Set image_size.")
    return Solids(variant, side)


class Solids(Dataset):
    """Drawn when they are fetched; one is a function of its index."""

    def __init__(self, variant: str, side: int) -> None:
        chairs, name = variant.startswith("chairs"), f"solids:{variant}" if variant not in ("", "train") else "solids"
        kinds: Mapping[str, Solid] = {"chair": chair} if chairs else KINDS
        self.kinds, self.side = list(kinds.values()), side
        rng = torch.Generator().manual_seed(hash32(0, name))
        self.numbers = torch.rand(ITEMS, NUMBERS, generator=rng).tolist()
        self.info = DatasetInfo(
            name=name, keys=frozenset({"voxels"} if chairs else {"voxels", "label"}), image_size=side, channels=None,
            classes=None if chairs else len(kinds), class_names=() if chairs else tuple(kinds), licence="CC0-1.0",
            fingerprint=fingerprint(name, side, VERSION),
        )  # fmt: skip

    def __len__(self) -> int:
        return ITEMS

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        space, kinds = cells(self.side), len(self.kinds)
        drawn = [self.kinds[i % kinds](space, self.numbers[i]) for i in indices]
        voxels = {"voxels": torch.stack(drawn).float()[:, None]}
        return voxels if kinds == 1 else {**voxels, "label": torch.tensor([i % kinds for i in indices])}

    def describe(self) -> str:
        return f"{self.info.name}: {len(self):,} solids, {self.side} cells a side, {self.info.licence}"


def cells(side: int) -> Space:
    axis = (torch.arange(side) + 0.5) * (2 / side) - 1
    x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
    return x, y, z


def between(low: float, high: float, u: float) -> float:
    return low + (high - low) * u


# Five solids in the middle, z upward; u are numbers in [0, 1]


def ball(space: Space, u: list[float]) -> Tensor:
    """An ellipsoid."""
    return sum((axis / between(0.35, 0.9, v)) ** 2 for axis, v in zip(space, u, strict=False)) <= 1  # type: ignore[return-value]


def box(space: Space, u: list[float]) -> Tensor:
    x, y, z = (axis.abs() <= between(0.3, 0.85, v) for axis, v in zip(space, u, strict=False))
    return x & y & z


def cylinder(space: Space, u: list[float]) -> Tensor:
    x, y, z = space
    return (x**2 + y**2 <= between(0.3, 0.85, u[0]) ** 2) & (z.abs() <= between(0.3, 0.85, u[1]))


def cone(space: Space, u: list[float]) -> Tensor:
    """Cut off above at any height."""
    (x, y, z), height = space, between(0.5, 0.85, u[1])
    radius = between(0.45, 0.85, u[0]) * (1 - between(0.5, 1, u[2]) * (z + height) / (2 * height))
    return (x**2 + y**2 <= radius.clamp(min=0) ** 2) & (z.abs() <= height)


def ring(space: Space, u: list[float]) -> Tensor:
    """A torus that lies flat."""
    x, y, z = space
    thick = between(0.14, 0.28, u[1])
    return ((x**2 + y**2).sqrt() - between(0.4, 0.9 - thick, u[0])) ** 2 + z**2 <= thick**2


KINDS: Mapping[str, Solid] = {"ball": ball, "box": box, "cylinder": cylinder, "cone": cone, "ring": ring}


def chair(space: Space, u: list[float]) -> Tensor:
    """A seat on four legs with a back, x from left to right and y from front to back; half of them have arms."""
    wide, deep, thick = between(0.45, 0.8, u[0]), between(0.45, 0.75, u[1]), between(0.08, 0.16, u[4])
    seat, top, leg = between(-0.3, 0.05, u[2]), between(0.5, 0.9, u[3]), between(0.09, 0.16, u[5])
    x, y, z = space
    within = (x.abs() <= wide) & (y.abs() <= deep)
    plate = within & ((z - seat).abs() <= thick)
    corner = within & (x.abs() >= wide - 2 * leg) & (y.abs() >= deep - 2 * leg)
    legs = corner & (z >= -0.9) & (z <= seat)
    back = within & (y >= deep - 2 * thick) & (z >= seat) & (z <= top)
    made = plate | legs | back
    if u[6] < 0.5:
        return made
    height = seat + between(0.25, 0.4, u[7])
    post = within & (x.abs() >= wide - 2 * leg) & (z >= seat) & (z <= height)
    return made | (post & ((z >= height - 0.16) | (y <= 2 * leg - deep)))


# Noise


def noise(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """Boxes from one corner to anywhere."""
    side = facts["image_size"]
    x, y, z = (torch.arange(side) < torch.randint(1, side, (n, 1), generator=rng) for _ in range(3))
    return (x[:, :, None, None] & y[:, None, :, None] & z[:, None, None, :]).float()[:, None]
