"""Scenes of which some things are to be kept and others drawn anew: what selective compression learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from ganzoo_pix2pixhd.scenes import LABELS, open_scenes
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, fingerprint, hash32

NAME = "kept_scenes"


def open_kept(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """4,096 scenes, or 256 others (test): x, map [n, 5, H, W], and redraw [n, 1, H, W], 1 where nothing is kept."""
    return Kept(open_scenes(root, variant, image_size=image_size, channels=channels), variant or "train")


class Kept(Dataset):
    """Scenes; in training which labels are drawn anew changes every time, else it is a function of the number."""

    def __init__(self, scenes: Dataset, variant: str) -> None:
        self.scenes, told = scenes, scenes.info
        name = NAME if variant == "train" else f"{NAME}:{variant}"
        self.info = DatasetInfo(
            name=name, keys=frozenset({"x", "map", "redraw"}), image_size=told.image_size, channels=told.channels,
            classes=None, class_names=(), licence=told.licence, fingerprint=fingerprint(told.fingerprint, name, 1),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.scenes)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return self.chosen(indices, [hash32(0, NAME, i) for i in indices])

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        return self.chosen(indices, augment_seeds)

    def chosen(self, indices: Sequence[int], seeds: Sequence[int]) -> dict[str, Tensor]:
        """Each label is drawn anew in half of all pictures, independently of the others."""
        pair = self.scenes.fetch(indices)
        drawn_anew = torch.tensor([[hash32(seed, "label", j) % 2 for j in range(LABELS)] for seed in seeds]).float()
        redraw = (pair["map"][:, :-1] * drawn_anew[:, :, None, None]).sum(1, keepdim=True)
        return {"x": pair["b"], "map": pair["map"], "redraw": redraw}


def some(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """Rectangles to draw anew, to try families on.  [n, 1, H, W]"""
    size = facts["image_size"]
    redraw = torch.zeros(n, 1, size, size)
    redraw[:, :, : size // 2, size // 4 :] = 1
    return redraw
