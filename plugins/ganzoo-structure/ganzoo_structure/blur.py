"""Pictures and the same ones blurred, as by a camera that is not held still: a walk of a point is the kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ganzoo_core.data import Dataset, fingerprint, hash32
from ganzoo_core.errors import GanzooError, escape

REACH = 7  # pixels that a walk goes from its middle, at most
MOMENTS = 64  # of an exposure
TURN = 0.35  # deviation of the turn between two of them, in radians


class Blurred(Dataset):
    """a, blurred, and b, the picture itself. Example i has always the same kernel; in training each has its own."""

    def __init__(self, source: Dataset) -> None:
        info = source.info
        if "x" not in info.keys:
            raise GanzooError(f"data {escape(info.name)}: no pictures that could be blurred", "Choose other data.")
        self.source = source
        self.info = replace(
            info, name=f"blurred:{info.name}", keys=frozenset({"a", "b"}), classes=None, class_names=(),
            fingerprint=fingerprint(info.fingerprint, "blurred", REACH, MOMENTS),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return pairs(self.source.fetch(indices)["x"], [hash32(0, "blur", i) for i in indices])

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        return pairs(self.source.fetch_augmented(indices, augment_seeds)["x"], list(augment_seeds))


def pairs(x: Tensor, seeds: list[int]) -> dict[str, Tensor]:
    """a and b of pictures, a blurred by the kernel of each seed.  [N, C, H, W] each"""
    return {"a": torch.stack([blurred(b, kernel(seed)) for b, seed in zip(x, seeds, strict=True)]), "b": x}


def blurred(x: Tensor, k: Tensor) -> Tensor:
    """A picture [C, H, W] under a kernel; beyond its border it is mirrored."""
    wide = pad(x[:, None], [REACH] * 4, mode="reflect")
    return conv2d(wide, k[None, None])[:, 0].clamp(-1, 1)


def kernel(seed: int) -> Tensor:
    """Where a point was during the exposure, float32 [15, 15], sum 1: a walk of random length with small turns."""
    rng = torch.Generator().manual_seed(seed)
    length = REACH * (0.3 + 0.7 * float(torch.rand((), generator=rng)))
    turns = torch.cat([2 * math.pi * torch.rand(1, generator=rng), TURN * torch.randn(MOMENTS - 1, generator=rng)])
    way = turns.cumsum(0)
    walk = torch.stack([way.cos(), way.sin()], 1).cumsum(0) * (2 * length / MOMENTS)  # [MOMENTS, 2]
    walk = (walk - walk.mean(0)).clamp(-REACH, REACH) + REACH
    low = walk.floor().clamp(max=2 * REACH - 1)
    part, made = walk - low, torch.zeros(2 * REACH + 1, 2 * REACH + 1)
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (part[:, 0] if dy else 1 - part[:, 0]) * (part[:, 1] if dx else 1 - part[:, 1])
            made.index_put_(((low[:, 0] + dy).long(), (low[:, 1] + dx).long()), weight, accumulate=True)
    return made / made.sum()
